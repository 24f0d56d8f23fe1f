// Package playbook reads the variable files of the Ansible project
// kafka_sasl_acl_manager, whose list topics_acl_users says which topics there
// are and who uses them, into a [kafkasec.Spec]. It is for those who have such
// files and want a plan, a truthful report and revocation in place of a run of
// the console scripts per line. Most users need one call, and what it could not
// translate:
//
//	result, err := playbook.Read("all.yml", data, playbook.Options{})
//	for _, u := range result.Untranslated { fmt.Println(u) }
//
// The spec's ACLs are, to the letter, those that the project's kafka-acls
// commands would have made. A file that grants and revokes the same is a
// [ConflictError], until [Options] say which of the two counts.
package playbook
