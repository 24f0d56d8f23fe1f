package kafkasec

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

// Every rejected input has a fixture; the golden text is what a person reads.
func TestParseSpec_Rejects(t *testing.T) {
	golden(t, "testdata/reject/*.txtar", func(t *testing.T, in map[string][]byte) string {
		_, err := ParseSpec("spec.yaml", in["spec.yaml"])
		var problems holdfast.Problems
		require.ErrorAs(t, err, &problems)
		lines := strings.Count(string(in["spec.yaml"]), "\n")
		for _, p := range problems {
			require.GreaterOrEqual(t, p.Line, 1, p)
			require.LessOrEqual(t, p.Line, lines, p)
			require.NotEmpty(t, p.Message)
		}
		return problems.Error()
	})
}

func TestParseSpec_AcceptsEveryForm(t *testing.T) {
	s := parse(t, `
kind: KafkaSecurity
version: 1
scope:
  topic_prefixes: [a]
  groups: ["g*"]
  group_prefixes: [cg.]
  transactional_ids: [tx]
  tokens: [tok]
  users: ["User:bob"]
  cluster: true
  principals: ["User:everything", "User:*"]
topics:
  - name: a
  - {name: a.b, partitions: 12, replication_factor: 3, configs: {retention.ms: -1, preallocate: false, min.cleanable.dirty.ratio: 0.25}}
  - {name: a-gone, state: absent}
  - {name: a-here, state: present}
acls:
  - {principal: "User:x", operations: [All], resource: "topic:a*"}
  - {principal: "User:x", operations: [read, DESCRIBE_CONFIGS], resource: "topic:a", host: 10.1.2.3, permission: deny}
  - {principal: "User:x", operations: [Read], resource: "group:g*", pattern: literal}
  - {principal: "User:x", operations: [Read], resource: "group:cg.*"}
  - {principal: "User:x", operations: [Write, TwoPhaseCommit], resource: "transactional-id:tx"}
  - {principal: "User:x", operations: [Describe], resource: "token:tok"}
  - {principal: "User:x", operations: [CreateTokens], resource: "user:User:bob"}
  - {principal: "User:x", operations: [IdempotentWrite], resource: cluster}
  - {principal: "User:*", operations: [Describe], resource: "topic:*"}
`)
	require.Equal(t, map[string]string{"retention.ms": "-1", "preallocate": "false", "min.cleanable.dirty.ratio": "0.25"}, s.Topics[1].Configs)
	b, err := s.ACLs[2].Bindings()
	require.NoError(t, err)
	require.Equal(t, []Binding{{"User:x", "*", Read, Allow, Resource{ResourceGroup, "g*", Literal}}}, b)
	b, err = s.ACLs[1].Bindings()
	require.NoError(t, err)
	require.Equal(t, []Binding{
		{"User:x", "10.1.2.3", Read, Deny, Resource{ResourceTopic, "a", Literal}},
		{"User:x", "10.1.2.3", DescribeConfigs, Deny, Resource{ResourceTopic, "a", Literal}},
	}, b)
}

// In Go a zero number means the broker's default, and kind and version may be
// left out; everything else is as strict as in YAML.
func TestValidate_OfGoValues(t *testing.T) {
	ok := Spec{Scope: Scope{Topics: []string{"a"}}, Topics: []Topic{{Name: "a"}}}
	require.NoError(t, ok.Validate())

	bad := Spec{Kind: "Other", Version: 7, Topics: []Topic{{Name: "a", Partitions: -3}}}
	var problems holdfast.Problems
	require.ErrorAs(t, bad.Validate(), &problems)
	var paths []string
	for _, p := range problems {
		require.Zero(t, p.Line)
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{"kind", "version", "topics[0].name", "topics[0].partitions"}, paths)
	require.True(t, errors.As(bad.Validate(), new(holdfast.Problem)))
}

// A host that can match nobody is no grant, but it may have been stored once
// and must be revocable.
func TestValidate_RevokesWhatItWouldNotGrant(t *testing.T) {
	spec := Spec{Scope: Scope{Principals: []string{"User:app"}}, ACLs: []ACL{
		{Principal: "User:app", Operations: []Operation{Read}, Resource: "topic:t", Host: "app.example.com", State: Absent},
	}}
	require.NoError(t, spec.Validate())
	spec.ACLs[0].State = Present
	require.Error(t, spec.Validate())
}
