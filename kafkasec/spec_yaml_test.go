package kafkasec

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

// requireRoundTrip writes the spec, reads it back and compares.
func requireRoundTrip(t *testing.T, s Spec) {
	t.Helper()
	data, err := s.YAML()
	require.NoError(t, err)
	back, err := ParseSpec("spec.yaml", data)
	require.NoError(t, err, string(data))
	s.Kind, s.Version = SpecKind, SpecVersion
	diff := cmp.Diff(s, back, cmpopts.EquateEmpty(), cmpopts.IgnoreTypes(strictyaml.Positions{}), cmpopts.IgnoreUnexported(Spec{}))
	require.Empty(t, diff, string(data))
	again, err := back.YAML()
	require.NoError(t, err)
	require.Equal(t, string(data), string(again))
}

func TestYAML(t *testing.T) {
	s := Spec{
		Scope: Scope{
			Topics: []string{"yes", "1", "a.b-c_d"}, TopicPrefixes: []string{"team-", "#"}, Groups: []string{"null", `a "b" \ c`, "-", "é\u2028\U0001F600", "a: b # c\n\t\u0001"},
			Cluster: true, Principals: []string{"User:*", "User:CN=a, O='b'", "User:x"},
		},
		Prune: Prune{ACLs: true, MaxPercent: 20},
		Users: []User{{Name: "x", Mechanisms: []ScramMechanism{"SCRAM-SHA-512"}, Password: "env:X"}},
		Topics: []Topic{
			{Name: "1", Partitions: 3, ReplicationFactor: 2, Configs: map[string]string{"retention.ms": "-1", "preallocate": "true", "cleanup.policy": "compact,delete"}},
			{Name: "yes"},
			{Name: "team-x", State: Absent},
		},
		ACLs: []ACL{
			{Principal: "User:CN=a, O='b'", Operations: []Operation{Describe, Read}, Resource: "group:a*", Pattern: Literal, Host: "0:0:0:0:0:0:0:1", Permission: Deny},
			{Principal: "User:*", Operations: []Operation{IdempotentWrite}, Resource: "cluster", State: Absent},
			{Principal: "User:x", Operations: []Operation{Read}, Resource: "group:a: b # c\n\t\u0001"},
		},
	}
	data, err := s.YAML()
	require.NoError(t, err)
	require.Equal(t, `kind: KafkaSecurity
version: 1
scope:
  topics:
    - "yes"
    - "1"
    - a.b-c_d
  topic_prefixes:
    - team-
    - "#"
  groups:
    - "null"
    - "a \"b\" \\ c"
    - "-"
    - "é\u2028😀"
    - "a: b # c\u000a\u0009\u0001"
  cluster: true
  principals:
    - "User:*"
    - "User:CN=a, O='b'"
    - "User:x"
prune:
  acls: true
  max_percent: 20
topics:
  - name: "1"
    partitions: 3
    replication_factor: 2
    configs:
      cleanup.policy: "compact,delete"
      preallocate: true
      retention.ms: -1
  - name: "yes"
  - name: team-x
    state: absent
acls:
  - principal: "User:CN=a, O='b'"
    operations: [Describe, Read]
    resource: "group:a*"
    pattern: literal
    host: "0:0:0:0:0:0:0:1"
    permission: deny
  - principal: "User:*"
    operations: [IdempotentWrite]
    resource: cluster
    state: absent
  - principal: "User:x"
    operations: [Read]
    resource: "group:a: b # c\u000a\u0009\u0001"
users:
  - name: x
    mechanisms:
      - SCRAM-SHA-512
    password: "env:X"
`, string(data))
	requireRoundTrip(t, s)
	requireRoundTrip(t, Spec{})
	requireRoundTrip(t, Spec{
		Scope: Scope{Principals: []string{"User:u"}, ClientIDs: []string{"1"}, QuotaDefaults: []string{"ip"}},
		Quotas: []Quota{
			{User: "u", RequestPercentage: 0.000001, ControllerMutationRate: 123456789012345, ProducerByteRate: 1 << 40},
			{ClientID: "1", RequestPercentage: 50, ConsumerByteRate: 1},
			{IPDefault: true, ConnectionCreationRate: 7},
		},
		Roles: []Role{{Principal: "User:u", Role: "producer", Topics: []string{"t*"}, Kafka: "3.9"}},
	})
}

func TestYAML_WritesNoSpecWithProblems(t *testing.T) {
	_, err := Spec{Topics: []Topic{{Name: "a"}}}.YAML()
	require.ErrorContains(t, err, `write spec: topics[0].name: "a" is outside the scope`)
	_, err = Spec{Scope: Scope{Groups: []string{"a\xff"}}}.YAML()
	require.ErrorContains(t, err, "UTF-8")
}

func TestYAML_RandomSpecs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for range 2000 {
		requireRoundTrip(t, randomSpec(rng, "p"))
	}
}

// Whatever can be read can be written and read again.
func FuzzYAML(f *testing.F) {
	files, err := filepath.Glob("../examples/*/*.yaml")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(`{kind: KafkaSecurity, version: 1, scope: {groups: ["\u2028\x85\ufeff~", "0x1", " a "]}, topics: [], acls: [{principal: "User:=\t", operations: [read], resource: "group: a "}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := ParseSpec("spec.yaml", data); err == nil {
			requireRoundTrip(t, s)
		}
	})
}
