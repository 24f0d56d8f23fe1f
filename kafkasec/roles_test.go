package kafkasec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoles_Grants(t *testing.T) {
	topic := Resource{ResourceTopic, "t", Literal}
	topics := Resource{ResourceTopic, "app.", Prefixed}
	txn := Resource{ResourceTransactionalID, "x", Literal}
	group := Resource{ResourceGroup, "g", Literal}
	cluster := Resource{ResourceCluster, "kafka-cluster", Literal}
	least := func(major, minor int) Expansion { return Expansion{LeastPrivilege: true, Kafka: Release{major, minor}} }
	scripts := func(major, minor int) Expansion { return Expansion{Kafka: Release{major, minor}} }

	everything := Producer{Topics: []Resource{topic, topics}, TransactionalIDs: []Resource{txn}, Idempotent: true}
	idempotent := Producer{Topics: []Resource{topic}, Idempotent: true}
	plain := Producer{Topics: []Resource{topic}}
	for name, c := range map[string]struct{ got, want []Grant }{
		"nothing": {Producer{}.Grants(Expansion{}), nil},
		"scripts": {everything.Grants(Expansion{}), []Grant{
			{topic, []Operation{Create, Describe, Write}}, {topics, []Operation{Create, Describe, Write}},
			{txn, []Operation{Describe, Write}}, {cluster, []Operation{IdempotentWrite}},
		}},
		"scripts 2.0": {plain.Grants(scripts(2, 0)), []Grant{{topic, []Operation{Create, Describe, Write}}}},
		"scripts 1.1": {idempotent.Grants(scripts(1, 1)), []Grant{
			{topic, []Operation{Describe, Write}}, {cluster, []Operation{Create, IdempotentWrite}},
		}},
		"scripts 0.11": {plain.Grants(scripts(0, 11)), []Grant{{topic, []Operation{Describe, Write}}, {cluster, []Operation{Create}}}},
		"least": {everything.Grants(least(0, 0)), []Grant{
			{topic, []Operation{Write}}, {topics, []Operation{Write}}, {txn, []Operation{Write}},
		}},
		"least 2.8": {idempotent.Grants(least(2, 8)), []Grant{{topic, []Operation{Write}}}},
		"least 2.7": {idempotent.Grants(least(2, 7)), []Grant{{topic, []Operation{Write}}, {cluster, []Operation{IdempotentWrite}}}},
		"least 1.1": {plain.Grants(least(1, 1)), []Grant{{topic, []Operation{Write}}}},
		"consumer": {Consumer{Topics: []Resource{topic, topics}, Groups: []Resource{group}}.Grants(Expansion{}), []Grant{
			{topic, []Operation{Describe, Read}}, {topics, []Operation{Describe, Read}}, {group, []Operation{Read}},
		}},
		"consumer 1.1": {Consumer{Topics: []Resource{topic}}.Grants(scripts(1, 1)), []Grant{{topic, []Operation{Describe, Read}}}},
		"least consumer": {Consumer{Topics: []Resource{topic}, Groups: []Resource{group}}.Grants(least(0, 0)), []Grant{
			{topic, []Operation{Read}}, {group, []Operation{Read}},
		}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.got) })
	}
}

// Who changes one grant must not change another.
func TestRoles_GrantsShareNothing(t *testing.T) {
	grants := Producer{Topics: []Resource{{ResourceTopic, "a", Literal}, {ResourceTopic, "b", Literal}}}.Grants(Expansion{})
	grants[0].Operations[0] = All
	require.Equal(t, Create, grants[1].Operations[0])
}
