package kafkasec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpecBindings_ArePresentOnesOfACLsAndRoles(t *testing.T) {
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topics: [t], groups: [g]}
acls:
  - {principal: "User:a", operations: [Write, Describe], resource: "topic:t"}
  - {principal: "User:b", operations: [Read], resource: "topic:t", permission: deny}
  - {principal: "User:c", operations: [Read], resource: "topic:t", state: absent}
roles:
  - {role: consumer, principal: "User:a", topics: [t], groups: [g]}
  - {role: producer, principal: "User:a", topics: [t]}
`)
	bindings, err := spec.Bindings()
	require.NoError(t, err)
	var got []string
	for _, b := range bindings {
		got = append(got, b.String())
	}
	require.Equal(t, []string{
		"allow User:a Read on group:g from *",
		"allow User:a Describe on topic:t from *",
		"allow User:a Read on topic:t from *",
		"allow User:a Write on topic:t from *",
		"deny User:b Read on topic:t from *",
	}, got)

	spec.Kind = "Kafka"
	_, err = spec.Bindings()
	require.ErrorContains(t, err, `kind: "Kafka"`)
}
