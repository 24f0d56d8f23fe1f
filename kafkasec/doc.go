// Package kafkasec keeps the topics, ACLs, SCRAM users and quotas of a
// Kafka cluster as declared.
//
// It is for tools and controllers that manage who may do what on Kafka: they
// describe the desired state as a [Spec] (in Go or YAML), look at the live
// cluster, get an exact plan, and apply it. Nothing outside the spec's [Scope]
// is ever changed. Most users need two calls:
//
//	plan, err := spec.Plan(state)        // state from Reconciler.Observe
//	report, err := r.Apply(ctx, plan)
//
// [ParseSpec] reads a spec and reports everything wrong with it at once;
// package dial makes the client from a Java client properties file, and package
// playbook a spec from an Ansible project's variables. Kafka 2.3 to 4.4 is
// supported, with KRaft or ZooKeeper, through the brokers' own protocol only.
//
// Who may do what is answered without a cluster: [NewAuthorizer] takes bindings,
// from a spec or from anywhere, and decides as the brokers' authorizers do.
package kafkasec
