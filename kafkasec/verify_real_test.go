package kafkasec

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// What a real broker tells a client is what the algebra says of the bindings, and
// where one is told less or more than the broker goes by, that resource differs.
func verifies(s *site, engine Engine) {
	s.awaitCoordinators()
	s.apply(s.spec(`
scope: {topics: ["~t", "~d", "~open"], topic_prefixes: ["~pre."], principals: ["User:~p"], groups: ["~g"]}
topics: [{name: "~t", partitions: 1}, {name: "~d", partitions: 1}]
acls:
  - {principal: "User:~p", operations: [Read], resource: "topic:~t"}
  - {principal: "User:~p", operations: [Describe, Create], resource: "topic:~open"}
  - {principal: "User:~p", operations: [All], resource: "topic:~d"}
  - {principal: "User:~p", operations: [Write], resource: "topic:~d", permission: deny, host: 127.0.0.1}
  - {principal: "User:~p", operations: [Write], resource: "topic:~pre.*"}
  - {principal: "User:~p", operations: [All], resource: "group:~g"}
  - {principal: "User:~p", operations: [Describe, Alter], resource: cluster}
`))
	p, here := "User:"+s.prefix+"p", netip.MustParseAddr("127.0.0.1")
	reads, sent := onlyAsks(s.T)
	r := &Reconciler{Client: s.User(s.T, s.prefix+"p", reads)}
	var asked []Resource
	for _, name := range []string{"topic:~t", "topic:~d", "topic:~pre.", "topic:~pre.x", "topic:~open", "topic:~foreign", "group:~g", "group:~foreign"} {
		asked = append(asked, parseResources(s.T, strings.ReplaceAll(name, "~", s.prefix))...)
	}
	asked = append(asked, parseResources(s.T, "cluster", "transactional-id:x", "topic:*")...)
	got, err := r.AuthorizedOperations(s.Context(), asked)
	require.NoError(s, err)
	require.Equal(s, []string{"DescribeCluster", "DescribeGroups", "FindCoordinator", "Metadata"}, sent())

	bindings, err := s.r.Bindings(s.Context())
	require.NoError(s, err)
	agreed := []string{"pass", "pass", "pass", "pass", "pass", "unknown", "pass", "unknown", "pass", "not-applicable", "not-applicable"}
	compare := func(want []string, bindings []Binding, opts AuthorizerOptions, principal string, host netip.Addr, answers []AuthorizedOperations) []holdfast.Finding {
		s.Helper()
		opts.Engine = engine
		findings := NewAuthorizer(bindings, opts).Verify(principal, host, answers)
		var statuses []string
		for _, f := range findings {
			statuses = append(statuses, string(f.Status))
		}
		require.Equal(s, want, statuses, "%+v", findings)
		return findings
	}
	with := func(at int, status string) []string {
		want := append([]string{}, agreed...)
		want[at] = status
		return want
	}
	compare(agreed, bindings, AuthorizerOptions{}, p, here, got)

	// Without any one binding that decides, exactly its resource differs.
	for at, without := range map[int]Binding{
		0: {p, "*", Read, Allow, Resource{ResourceTopic, s.prefix + "t", Literal}},
		1: {p, "127.0.0.1", Write, Deny, Resource{ResourceTopic, s.prefix + "d", Literal}},
		4: {p, "*", Create, Allow, Resource{ResourceTopic, s.prefix + "open", Literal}},
		6: {p, "*", All, Allow, Resource{ResourceGroup, s.prefix + "g", Literal}},
		8: {p, "*", Alter, Allow, Resource{ResourceCluster, clusterName, Literal}},
	} {
		var rest []Binding
		for _, b := range bindings {
			if b != without {
				rest = append(rest, b)
			}
		}
		require.Len(s, rest, len(bindings)-1)
		compare(with(at, "fail"), rest, AuthorizerOptions{}, p, here, got)
	}
	// From another address the deny would not count.
	elsewhere := compare(with(1, "fail"), bindings, AuthorizerOptions{}, p, netip.MustParseAddr("10.0.0.1"), got)
	require.Contains(s, elsewhere[1].Message, "Write is refused, and should be allowed: allow "+p+" All on topic:"+s.prefix+"d from *")
	require.Contains(s, elsewhere[1].Message, "from another address")

	// A super user has everything, which only who knows super.users expects.
	all, err := s.r.AuthorizedOperations(s.Context(), asked[:9])
	require.NoError(s, err)
	admin := "User:" + real.Admin
	super := AuthorizerOptions{SuperUsers: []string{admin}}
	compare([]string{"pass", "pass", "pass", "pass", "pass", "pass", "pass", "pass", "pass"}, bindings, super, admin, here, all)
	compare([]string{"fail", "fail", "fail", "fail", "fail", "fail", "fail", "fail", "fail"}, bindings, AuthorizerOptions{}, admin, here, all)
}

func TestReal_Verify(t *testing.T) { verifies(newSite(t, conform.Real(real.Kafka(t))), Standard) }

func TestReal_VerifyZooKeeper(t *testing.T) {
	verifies(newSite(t, conform.Real(real.NewKafka(t, real.Options{Version: "3.9.2"}))), ZooKeeper)
}
