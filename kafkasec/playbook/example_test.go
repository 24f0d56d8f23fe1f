package playbook_test

import (
	"cmp"
	"errors"
	"fmt"
	"log"

	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/playbook"
)

const variables = `
kafka_user: kafka
kafka_partition_count: 3
kafka_replication_count: 2
kafka_listener_protocol: SASL_PLAINTEXT
topics_acl_users:
- topic: metricbeat
  producers:
  - user1
  consumers:
  - group: dashboards
    username: user2
  operations:
  - username: user1
    operation: "--operation Write --operation Describe"
    status: remove
`

// Read a variable file, see its contradiction, and decide it.
func Example() {
	_, err := playbook.Read("all.yml", []byte(variables), playbook.Options{})
	var conflict *playbook.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println(conflict.Conflicts[0])
	}

	result, err := playbook.Read("all.yml", []byte(variables), playbook.Options{Conflicts: playbook.Revoke})
	if err != nil {
		log.Fatal(err)
	}
	for _, topic := range result.Spec.Topics {
		fmt.Println("topic", topic.Name, topic.Partitions, topic.ReplicationFactor)
	}
	for _, acl := range result.Spec.ACLs {
		fmt.Println(cmp.Or(acl.State, kafkasec.Present), acl.Principal, acl.Operations, acl.Resource)
	}
	for _, u := range result.Untranslated {
		fmt.Println(u)
	}
	// Output:
	// topic "metricbeat": Describe, Write of User:user1 is removed on line 15 (topics_acl_users[0].operations[0].operation) and granted on line 9 (topics_acl_users[0].producers[0])
	// topic metricbeat 3 2
	// present User:user2 [Read] group:dashboards
	// present User:user1 [Create] topic:metricbeat
	// present User:user2 [Describe Read] topic:metricbeat
	// absent User:user1 [Describe Write] topic:metricbeat
	// line 2: kafka_user: the key says nothing about topics or ACLs
}
