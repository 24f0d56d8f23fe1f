package kafkarules_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// verdict says what is expected of a judgement: legal, misleading or refused.
type verdict int

const (
	legal verdict = iota
	misleading
	refused
)

func requireVerdict(t *testing.T, want verdict, err error, input any) {
	t.Helper()
	switch {
	case want == legal:
		require.NoError(t, err, "%v", input)
	default:
		require.Error(t, err, "%v", input)
		require.Equal(t, want == misleading, errors.Is(err, kafkarules.ErrMisleading), "%v: %v", input, err)
		require.NotContains(t, err.Error(), kafkarules.ErrMisleading.Error())
		require.Less(t, len(err.Error()), 400)
	}
}

func TestOperations(t *testing.T) {
	require.Equal(t, []string{"All", "Read", "Delete", "Describe", "DescribeConfigs", "AlterConfigs"}, kafkarules.Operations("group"))
	require.Equal(t, []string{"All", "Describe"}, kafkarules.Operations("token"))
	require.Nil(t, kafkarules.Operations("Topic"))
	for _, resourceType := range kafkarules.ResourceTypes() {
		for _, op := range kafkarules.Operations(resourceType) {
			require.NoError(t, kafkarules.Operation(resourceType, op))
		}
	}
	require.EqualError(t, kafkarules.Operation("token", "Read"), `operation "Read" does not exist for resource type token: allowed are All, Describe`)
	require.ErrorContains(t, kafkarules.Operation("topic", "read"), `operation "read" does not exist`)
	require.ErrorContains(t, kafkarules.Operation("topics", "Read"), `resource type "topics" is unknown: allowed are topic, group`)
	require.EqualError(t, kafkarules.OperationIn(release(4, 0), "transactional-id", "TwoPhaseCommit"),
		"operation TwoPhaseCommit on resource type transactional-id exists since 4.1, this is 4.0")
	require.NoError(t, kafkarules.OperationIn(release(4, 1), "transactional-id", "TwoPhaseCommit"))
	require.NoError(t, kafkarules.OperationIn(release(2, 3), "transactional-id", "All"))
	require.ErrorContains(t, kafkarules.OperationIn(release(3, 9), "group", "AlterConfigs"), "since 4.0")
}

func TestPrincipal(t *testing.T) {
	for _, c := range []struct {
		principal string
		want      verdict
		message   string
	}{
		{"User:alice", legal, ""},
		{"User:*", legal, ""},
		{"User:CN=a,O=b:c", legal, ""},
		{"User: alice", legal, ""},
		{"Group:ops", legal, ""},
		{"", refused, "principal is empty"},
		{"alice", refused, `principal "alice" has no type: a principal is Type:name`},
		{":alice", misleading, "has an empty type"},
		{"User:", misleading, "certificate has an empty subject"},
		{" User:alice", misleading, "white space around its type"},
		{"user:alice", misleading, `write "User:alice"`},
		{"USER:*", misleading, `write "User:*"`},
	} {
		err := kafkarules.Principal(c.principal)
		requireVerdict(t, c.want, err, c.principal)
		if c.message != "" {
			require.ErrorContains(t, err, c.message)
		}
	}
}

func TestHost(t *testing.T) {
	for _, c := range []struct {
		host    string
		want    verdict
		message string
	}{
		{"*", legal, ""},
		{"10.0.0.1", legal, ""},
		{"0:0:0:0:0:0:0:1", legal, ""},
		{"fe80:0:0:0:0:0:0:1%eth0", legal, ""},
		{"10.0.0.0/8", legal, ""},
		{"10.1.2.3/8", legal, ""},
		{"fd00::/8", legal, ""},
		{"0.0.0.0/0", legal, ""},
		{"", misleading, `host is empty: allowed are "*", an IP address`},
		{"broker1.example", misleading, "compares it with the address, never with a name"},
		{"10.0.0.*", misleading, "is not an IP address"},
		{"10.0.0.01", misleading, "is not an IP address"},
		{"::1", misleading, `write "0:0:0:0:0:0:0:1"`},
		{"FD00:0:0:0:0:0:0:1", misleading, `write "fd00:0:0:0:0:0:0:1"`},
		{"::ffff:10.0.0.1", misleading, `write "10.0.0.1"`},
		{"[::1]", misleading, `write "0:0:0:0:0:0:0:1" without brackets`},
		{"010.0.0.0/8", misleading, "spelling"},
		{"10.0.0.0/08", misleading, "spelling"},
		{"10.0.0.0/33", misleading, "is not a range of addresses"},
		{"256.0.0.0/8", misleading, "is not a range of addresses"},
		{"10.0.0/8", misleading, "is not a range of addresses"},
		{"example/24", misleading, "is not a range of addresses"},
		{"::ffff:10.0.0.0/104", misleading, "write it as IPv4"},
		{"[::]/0", misleading, "spelling"},
		{"::/00", misleading, "spelling"},
		{"00001::/+16", misleading, "spelling"},
		{"::fff:10.0.01.0/104", misleading, "spelling"},
		{"::/129", misleading, "is not a range of addresses"},
		{"[::/0", misleading, "is not a range of addresses"},
	} {
		err := kafkarules.Host(c.host)
		requireVerdict(t, c.want, err, c.host)
		if c.message != "" {
			require.ErrorContains(t, err, c.message)
		}
	}
	// A broker looks at hosts since 4.4.
	for _, host := range []string{"", "10.0.0.0/33", "10.0.0/8", "example/24", "::ffff:10.0.0.0/104"} {
		requireVerdict(t, refused, kafkarules.HostIn(release(4, 4), host), host)
		requireVerdict(t, misleading, kafkarules.HostIn(release(4, 3), host), host)
	}
	for _, host := range []string{"broker1.example", "[::]/0", "::/00", "10.0.0.0/08"} {
		requireVerdict(t, misleading, kafkarules.HostIn(release(4, 4), host), host)
	}
	requireVerdict(t, misleading, kafkarules.HostIn(release(4, 3), "10.0.0.0/8"), "a range before 4.4")
	requireVerdict(t, legal, kafkarules.HostIn(release(4, 4), "10.0.0.0/8"), "a range in 4.4")
}

func TestResourceName(t *testing.T) {
	const literal, prefixed = kafkarules.Literal, kafkarules.Prefixed
	for _, c := range []struct {
		resourceType string
		pattern      kafkarules.Pattern
		name         string
		want         verdict
	}{
		{"topic", literal, "metricbeat", legal},
		{"topic", literal, "*", legal},
		{"topic", prefixed, "logs.", legal},
		{"topic", prefixed, ".", legal},
		{"topic", literal, ".", misleading},
		{"topic", literal, "a b", misleading},
		{"topic", prefixed, "*", misleading},
		{"topic", prefixed, "logs.*", misleading},
		{"topic", prefixed, strings.Repeat("x", 250), misleading},
		{"topic", literal, "", refused},
		{"topic", "match", "a", refused},
		{"group", literal, "any thing", legal},
		{"group", prefixed, "connect-", legal},
		{"group", literal, "", refused},
		{"transactional-id", literal, "a/b", legal},
		{"token", literal, "tQ0q-id", legal},
		{"cluster", literal, "kafka-cluster", legal},
		{"cluster", literal, "*", refused},
		{"cluster", literal, "", refused},
		{"cluster", literal, "prod", refused},
		{"cluster", prefixed, "kafka-cluster", misleading},
		{"user", literal, "User:alice", legal},
		{"user", literal, "*", legal},
		{"user", prefixed, "User:svc-", legal},
		{"user", literal, "alice", misleading},
		{"user", literal, "user:alice", misleading},
		{"Topic", literal, "a", refused},
		{"group", literal, "!a", misleading},
		{"group", prefixed, " a", misleading},
		{"group", literal, ")", misleading},
		{"group", literal, "*a", legal},
		{"group", literal, "+a", legal},
		{"transactional-id", prefixed, "#", misleading},
		{"token", literal, "\"a\"", misleading},
		{"user", literal, "!t:alice", misleading},
	} {
		requireVerdict(t, c.want, kafkarules.ResourceName(c.resourceType, c.pattern, c.name), c)
	}
}

func FuzzBinding(f *testing.F) {
	for _, s := range []string{"", "*", "User:alice", "user:*", "10.0.0.0/8", "::1", "[::1]", "fe80::1%eth0", "a b", "٣/\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		errs := []error{kafkarules.TopicName(s), kafkarules.Principal(s), kafkarules.Host(s), kafkarules.ResourceName("user", kafkarules.Literal, s)}
		for _, err := range errs {
			if err != nil {
				require.NotContains(t, err.Error(), "\n")
			}
		}
		if kafkarules.Host(s) == nil && s != "*" && !strings.Contains(s, "/") {
			addr, err := netip.ParseAddr(s)
			require.NoError(t, err)
			require.False(t, addr.Is4In6())
		}
		if kafkarules.TopicName(s) == nil {
			require.True(t, kafkarules.Collides(s, kafkarules.CollisionKey(s)))
			require.NoError(t, kafkarules.ResourceName("topic", kafkarules.Literal, s))
			require.NoError(t, kafkarules.ResourceName("topic", kafkarules.Prefixed, s))
		}
	})
}
