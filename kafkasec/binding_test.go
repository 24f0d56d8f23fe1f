package kafkasec

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestBinding_WireRoundTrip(t *testing.T) {
	for _, typ := range wireResources[2:] {
		for _, pattern := range []Pattern{Literal, Prefixed} {
			for _, op := range wireOperations[2:] {
				for _, perm := range []Permission{Allow, Deny} {
					b := Binding{"User:a", "*", op, perm, Resource{typ, "n", pattern}}
					kt, kp := b.Resource.wire()
					require.Equal(t, b, bindingFromWire(kt, "n", kp, "User:a", "*", op.wire(), perm.wire()))
				}
			}
		}
	}
}

// What a newer broker has and this version does not know stays distinct.
func TestBinding_UnknownCodes(t *testing.T) {
	b := bindingFromWire(99, "n", 98, "User:a", "*", 97, 96)
	require.Equal(t, Binding{"User:a", "*", "Unknown(97)", "Unknown(96)", Resource{"Unknown(99)", "n", "Unknown(98)"}}, b)
	require.NotEqual(t, b, bindingFromWire(99, "n", 98, "User:a", "*", 100, 96))
	require.Equal(t, ResourceType("Unknown(-1)"), bindingFromWire(-1, "", 3, "", "", 3, 3).Resource.Type)
}

func TestOperationCodes(t *testing.T) {
	for code, op := range wireOperations {
		if code >= 2 && code <= 14 { // kmsg's own table ends there
			theirs, err := kmsg.ParseACLOperation(string(op))
			require.NoError(t, err)
			require.Equal(t, theirs, op.wire())
		}
	}
	for text, want := range map[string]Operation{"read": Read, "DESCRIBE_CONFIGS": DescribeConfigs, "TwoPhaseCommit": TwoPhaseCommit, "two_phase_commit": TwoPhaseCommit} {
		op, err := ParseOperation(text)
		require.NoError(t, err)
		require.Equal(t, want, op)
	}
	for _, text := range []string{"", "Any", "Unknown", "Re ad", "Unknown(3)"} {
		_, err := ParseOperation(text)
		require.Error(t, err, text)
	}
}

func TestScope(t *testing.T) {
	s := Scope{Topics: []string{"orders"}, TopicPrefixes: []string{"logs."}, Groups: []string{"g"}, TransactionalIDPrefixes: []string{"tx"},
		Users: []string{"User:bob"}, Tokens: []string{"tok"}, Cluster: true, Principals: []string{"User:app"}}
	for resource, owned := range map[string]bool{
		"topic:orders": true, "topic:orders2": false, "topic:ord*": false, "topic:orders*": false, "topic:logs.a": true, "topic:logs.*": true,
		"topic:logs.a*": true, "topic:log*": false, "topic:*": false, "group:g": true, "group:*": false, "transactional-id:tx1": true,
		"transactional-id:tx*": true, "transactional-id:t*": false, "token:tok": true, "user:User:bob": true, "user:User:eve": false, "cluster": true,
	} {
		r, err := ParseResource(resource, "")
		require.NoError(t, err)
		require.Equal(t, owned, s.OwnsBinding(Binding{Principal: "User:x", Resource: r}), resource)
		require.True(t, s.OwnsBinding(Binding{Principal: "User:app", Resource: r}), "a principal in scope owns its bindings: "+resource)
		require.False(t, Scope{}.OwnsBinding(Binding{Principal: "User:app", Resource: r}), "the empty scope owns nothing")
		require.False(t, Scope{TopicPrefixes: []string{""}}.OwnsBinding(Binding{Resource: r}), "nor does an empty prefix")
	}
	require.False(t, Scope{Topics: []string{"*"}}.OwnsBinding(Binding{Resource: Resource{ResourceTopic, "*", Literal}}), "no list of names owns the wildcard")
	require.False(t, Scope{}.OwnsTopic("orders"))
	require.True(t, s.OwnsTopic("orders"))
	require.True(t, s.OwnsTopic("logs.x"))
}

func TestParseResource_Rejects(t *testing.T) {
	for _, c := range []struct {
		text    string
		pattern Pattern
		want    string
	}{
		{"cluster", Prefixed, `resource "cluster" has no prefixed form`},
		{"topic:a", Prefixed, "written with a trailing *"},
		{"topic:*", Prefixed, "an empty prefix is not allowed"},
		{"topic:", "", "has no name"},
		{"topic", "", "allowed are topic:NAME"},
		{"cluster:kafka-cluster", "", "allowed are topic:NAME"},
		{":a", "", "allowed are topic:NAME"},
		{"Topic:a", "", "allowed are topic:NAME"},
		{"topic:a", "match", `pattern "match": allowed are literal and prefixed`},
	} {
		_, err := ParseResource(c.text, c.pattern)
		require.ErrorContains(t, err, c.want, c.text)
	}
}
