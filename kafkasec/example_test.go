package kafkasec_test

import (
	"context"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

const beats = `
kind: KafkaSecurity
version: 1
scope: {topics: [metricbeat], principals: ["User:user1"]}
topics:
  - {name: metricbeat, partitions: 3, replication_factor: 2, configs: {retention.ms: 604800000}}
acls:
  - {principal: "User:user1", operations: [Read, Describe], resource: "topic:metricbeat"}
`

// Make a cluster as declared: look, plan, print the dry run, apply.
func Example() {
	broker, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.EnableACLs(), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "secret"))
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	ctx := context.Background()

	client, err := dial.Connect(ctx, dial.Config{
		Brokers: broker.ListenAddrs(), Protocol: dial.SASLPlaintext,
		Mechanism: dial.Plain, Username: "admin", Password: holdfast.NewSecret("secret"),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	spec, err := kafkasec.ParseSpec("beats.yaml", []byte(beats))
	if err != nil {
		log.Fatal(err)
	}

	r := &kafkasec.Reconciler{Client: client}
	for range 2 {
		state, err := r.Observe(ctx, spec)
		if err != nil {
			log.Fatal(err)
		}
		plan, err := spec.Plan(state)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(plan)
		report, err := r.Apply(ctx, plan)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Summary())
	}
	// Output:
	// + topic metricbeat: partitions 3, replication factor 2, retention.ms=604800000
	// + acl allow User:user1 Describe on topic:metricbeat from *
	// + acl allow User:user1 Read on topic:metricbeat from *
	// 3 to create, 0 to update, 0 to delete
	// 3 applied
	// no changes: the cluster is as declared
	// nothing to do
}

// A plan needs no cluster: a state can come from anywhere.
func ExampleSpec_Plan() {
	spec := kafkasec.Spec{
		Scope:  kafkasec.Scope{Topics: []string{"orders"}, Principals: []string{"User:billing"}},
		Topics: []kafkasec.Topic{{Name: "orders", Partitions: 6}},
		ACLs: []kafkasec.ACL{
			{Principal: "User:billing", Operations: []kafkasec.Operation{kafkasec.Read}, Resource: "topic:orders"},
			{Principal: "User:billing", Operations: []kafkasec.Operation{kafkasec.Write}, Resource: "topic:*", State: kafkasec.Absent},
		},
	}
	state := kafkasec.State{
		Brokers: 3,
		Topics:  map[string]kafkasec.TopicState{"orders": {Partitions: 3, ReplicationFactor: 3}},
		ACLs: []kafkasec.Binding{{
			Principal: "User:billing", Host: "*", Operation: kafkasec.Write, Permission: kafkasec.Allow,
			Resource: kafkasec.Resource{Type: kafkasec.ResourceTopic, Name: "*", Pattern: kafkasec.Literal},
		}},
	}
	plan, err := spec.Plan(state)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan)
	// Output:
	// ~ topic-partitions orders: 3 -> 6 (records with a key move to other partitions)
	// + acl allow User:billing Read on topic:orders from *
	// - acl allow User:billing Write on topic:* from *
	// 1 to create, 1 to update, 1 to delete
}

// Everything wrong with a spec is reported at once, with line and field.
func ExampleParseSpec() {
	_, err := kafkasec.ParseSpec("beats.yaml", []byte(`kind: KafkaSecurity
version: 1
scope: {topics: [metricbeat]}
topics:
  - {name: metricbeat, partitions: 0}
  - {name: packetbeat, configs: {retention.ms: forever}}
`))
	fmt.Println(err)
	// Output:
	// read spec: beats.yaml:5:36: topics[0].partitions: 0: allowed is 1 or more; leave it out for the broker's default
	// beats.yaml:6:12: topics[1].name: "packetbeat" is outside the scope: add it to scope.topics, or a prefix of it to scope.topic_prefixes
	// beats.yaml:6:48: topics[1].configs["retention.ms"]: value "forever" is not a whole number: allowed is a whole number of at least -1
}
