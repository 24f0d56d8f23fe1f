// Command kafkasec keeps the topics, ACLs, SCRAM users and quotas of a Kafka
// cluster as a file declares them.
//
//	kafkasec validate -f spec.yaml
//	kafkasec plan  --brokers localhost:9092 --command-config client.properties -f spec.yaml
//	kafkasec apply --brokers localhost:9092 --command-config client.properties -f spec.yaml
//	kafkasec export --brokers localhost:9092 --command-config client.properties --all
//
// validate reads the spec and needs no cluster. plan looks at the cluster and
// shows what would change; with --out it saves that plan, and apply --plan makes
// exactly those changes or refuses them because the cluster has moved on. apply
// shows the plan, asks, makes the changes and reports what became of each.
//
// can, who and lint say who may do what, by the ACLs of a live cluster or of -f,
// and which ACLs do not do what they seem to:
//
//	kafkasec can User:user1 Write topic:metricbeat --brokers localhost:9092 --command-config client.properties
//	kafkasec who Write topic:metricbeat -f spec.yaml
//	kafkasec lint -f spec.yaml
//
// verify logs in with a client's own properties, and compares what the brokers
// let it do with what those ACLs say:
//
//	kafkasec verify --as client.properties -f spec.yaml --super-user User:admin --brokers localhost:9092
//
// In place of a spec each of them takes the variable file of an Ansible playbook,
// which is known by its list topics_acl_users; see the package playbook. What it
// could not translate is listed on standard error, and where the file grants and
// removes the same, --conflicts decides.
//
// export writes a spec of what is on a cluster, which planned there gives nothing:
// of everything, of what another spec owns (--scope-file), or of what flags name.
// schema prints the JSON Schema of specs, for editors.
//
// The cluster is reached with a Java client properties file, the one that the
// Kafka console scripts take as --command-config. Its secrets may be references:
// ${env:NAME}, ${file:PATH} and ${directory:DIR:NAME}.
//
// Data goes to standard output, everything else to standard error. With -o json
// standard output is always one JSON document: the plan, the report, the answer,
// or, where there is none of them, the list of problems. The exit code is 0 when
// there was nothing to do or it is done, 2 when changes are pending, the answer is
// no or there are findings, and 1 for an error. An interrupted apply still
// reports; run it again and it goes on.
//
// The files spec.yaml, variables.yml and client.properties beside this program are
// complete ones to start from.
package main
