package kafkasec

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

func parseResources(t testing.TB, texts ...string) []Resource {
	t.Helper()
	all := make([]Resource, len(texts))
	for i, text := range texts {
		var err error
		all[i], err = ParseResource(text, "")
		require.NoError(t, err)
	}
	return all
}

// verdicts lists findings as "status subject".
func verdicts(findings []holdfast.Finding) []string {
	lines := make([]string, len(findings))
	for i, f := range findings {
		lines[i] = string(f.Status) + " " + f.Subject
	}
	return lines
}

func TestVerify(t *testing.T) {
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {principals: ["User:a", "User:*"]}
acls:
  - {principal: "User:a", operations: [Read], resource: "topic:t"}
  - {principal: "User:a", operations: [Write], resource: "topic:t", host: 10.0.0.1}
  - {principal: "User:*", operations: [Write], resource: "topic:d", permission: deny}
  - {principal: "User:a", operations: [Describe], resource: "topic:e"}
  - {principal: "User:a", operations: [Describe], resource: "topic:e", permission: deny, host: 10.0.0.1}
  - {principal: "User:a", operations: [All], resource: "topic:d"}
`)
	bindings, err := spec.Bindings()
	require.NoError(t, err)
	a := NewAuthorizer(bindings, AuthorizerOptions{})
	for name, test := range map[string]struct {
		answer AuthorizedOperations
		want   holdfast.Finding
	}{
		"agreed": {AuthorizedOperations{Allowed: []Operation{Describe, Read}},
			holdfast.Finding{Status: holdfast.Pass, Severity: holdfast.Info, Message: "as it should be: Describe, Read", Expected: "Describe, Read", Actual: "Describe, Read"}},
		"more than written": {AuthorizedOperations{Allowed: []Operation{Alter, Describe, Read}},
			holdfast.Finding{Status: holdfast.Fail, Severity: holdfast.High, Expected: "Describe, Read", Actual: "Alter, Describe, Read",
				Message: "Alter is allowed, and should be refused: bindings cover topic:t, and none of them allows it"}},
		"less than written": {AuthorizedOperations{Allowed: []Operation{Describe}},
			holdfast.Finding{Status: holdfast.Fail, Severity: holdfast.Medium, Expected: "Describe, Read", Actual: "Describe",
				Message: "Read is refused, and should be allowed: allow User:a Read on topic:t from *"}},
		"another address": {AuthorizedOperations{Allowed: []Operation{Describe, Read, Write}},
			holdfast.Finding{Status: holdfast.Fail, Severity: holdfast.High, Expected: "Describe, Read", Actual: "Describe, Read, Write",
				Message: "Write is allowed, and should be refused: bindings cover topic:t, and none of them allows it (from another address it would be as the broker says)"}},
		"less, by a deny for an address": {AuthorizedOperations{Resource: Resource{ResourceTopic, "e", Literal}, Allowed: []Operation{}},
			holdfast.Finding{Status: holdfast.Fail, Severity: holdfast.Medium, Expected: "Describe", Actual: "nothing",
				Message: "Describe is refused, and should be allowed: allow User:a Describe on topic:e from * (from another address it would be as the broker says)"}},
		"hidden": {AuthorizedOperations{Resource: Resource{ResourceTopic, "x", Literal}, Hidden: true},
			holdfast.Finding{Status: holdfast.Unknown, Severity: holdfast.Info, Message: "Describe is refused, as it should be, and brokers tell nothing else then",
				Expected: "nothing", Actual: "nothing"}},
		"hidden and should not be": {AuthorizedOperations{Hidden: true},
			holdfast.Finding{Status: holdfast.Fail, Severity: holdfast.Medium, Expected: "Describe", Actual: "nothing",
				Message: "Describe is refused, and should be allowed: implied by allow User:a Read on topic:t from *"}},
		"denied": {AuthorizedOperations{Resource: Resource{ResourceTopic, "d", Literal},
			Allowed: []Operation{Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read, Write}},
			holdfast.Finding{Status: holdfast.Fail, Severity: holdfast.High,
				Expected: "Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read", Actual: "Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read, Write",
				Message: "Write is allowed, and should be refused: deny User:* Write on topic:d from *"}},
		"no answer": {AuthorizedOperations{Err: errors.New("gone")}, holdfast.Finding{Status: holdfast.Error, Severity: holdfast.Info, Message: "gone"}},
		"transactional id": {AuthorizedOperations{Resource: Resource{ResourceTransactionalID, "x", Literal}},
			holdfast.Finding{Status: holdfast.NotApplicable, Severity: holdfast.Info,
				Message: "brokers tell what may be done with topics, groups and the cluster only"}},
		"many": {AuthorizedOperations{Resource: Resource{ResourceTopic, "x", Prefixed}},
			holdfast.Finding{Status: holdfast.NotApplicable, Severity: holdfast.Info,
				Message: "brokers tell what may be done with one resource, not with many"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.answer.Resource == (Resource{}) {
				test.answer.Resource = Resource{ResourceTopic, "t", Literal}
			}
			test.want.Control, test.want.Subject = ControlACLVerified, test.answer.Resource.String()
			got := a.Verify("User:a", netip.MustParseAddr("10.0.0.2"), []AuthorizedOperations{test.answer})
			require.Equal(t, []holdfast.Finding{test.want}, got)
		})
	}
}

// Brokers of Kafka 3 do not tell of a group's configs.
func TestVerify_GroupConfigs(t *testing.T) {
	b := Binding{"User:a", "*", All, Allow, Resource{ResourceGroup, "g", Literal}}
	for engine, want := range map[Engine]holdfast.Status{Standard: holdfast.Fail, Standard40: holdfast.Fail, Standard30: holdfast.Pass, ZooKeeper: holdfast.Pass} {
		a := NewAuthorizer([]Binding{b}, AuthorizerOptions{Engine: engine})
		got := a.Verify("User:a", netip.Addr{}, []AuthorizedOperations{{Resource: b.Resource, Allowed: []Operation{Delete, Describe, Read}}})
		require.Equal(t, want, got[0].Status, engine)
	}
}

func TestSpec_Resources(t *testing.T) {
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topics: [a], topic_prefixes: [p.], groups: [g], transactional_ids: [x], cluster: true, principals: ["User:u"]}
topics: [{name: a}, {name: p.1}]
acls: [{principal: "User:u", operations: [Read], resource: "topic:p.*"}, {principal: "User:u", operations: [Read], resource: "topic:q*"}]
`)
	got, err := spec.Resources()
	require.NoError(t, err)
	require.Equal(t, parseResources(t, "cluster", "group:g", "topic:a", "topic:p.", "topic:p.1", "topic:q", "transactional-id:x"), got)
}

// onlyAsks fails the test at any request that could write.
func onlyAsks(t testing.TB) (kgo.Opt, func() []string) {
	var mu sync.Mutex
	seen := map[string]bool{}
	allowed := []kmsg.Key{kmsg.Metadata, kmsg.DescribeCluster, kmsg.FindCoordinator, kmsg.DescribeGroups}
	hook := OnRequest(func(e RequestEvent) {
		if !slices.Contains(allowed, kmsg.Key(e.Key)) {
			t.Errorf("sent %s", e.Name)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[e.Name] = true
	})
	return kgo.WithHooks(hook), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return sortedKeys(seen)
	}
}

func TestAuthorizedOperations(t *testing.T) {
	f := newFake(t, kfake.User("PLAIN", "a", "pw"))
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {principals: ["User:a"], topics: [seen, prefixed.1]}
topics: [{name: seen, partitions: 1, replication_factor: 1}]
acls:
  - {principal: "User:a", operations: [Read], resource: "topic:seen"}
  - {principal: "User:a", operations: [Write], resource: "topic:prefixed.*"}
  - {principal: "User:a", operations: [Read, Delete], resource: "group:g"}
  - {principal: "User:a", operations: [Describe, Alter], resource: "cluster"}
`)
	f.apply(spec)
	f.always(kmsg.DescribeGroups, func(req kmsg.Request) (kmsg.Response, error, bool) {
		if v := req.GetVersion(); v > 5 {
			t.Errorf("DescribeGroups version %d: brokers tell nothing of groups that do not exist", v)
		}
		return nil, nil, false
	})
	reads, sent := onlyAsks(t)
	r := &Reconciler{Client: f.client("a", "pw", reads)}
	asked := parseResources(t, "topic:seen", "topic:prefixed.1", "topic:other", "group:g", "group:other", "cluster", "transactional-id:x", "topic:seen", "topic:seen*")
	got, err := r.AuthorizedOperations(t.Context(), asked)
	require.NoError(t, err)
	require.Len(t, got, len(asked))
	for i, res := range asked {
		require.Equal(t, res, got[i].Resource)
	}
	require.Equal(t, []Operation{Describe, Read}, got[0].Allowed)
	require.Equal(t, []Operation{Describe, Write}, got[1].Allowed)
	require.True(t, got[2].Hidden)
	require.Equal(t, []Operation{Delete, Describe, Read}, got[3].Allowed)
	require.True(t, got[4].Hidden)
	require.Equal(t, []Operation{Alter, Describe}, got[5].Allowed)
	require.Error(t, got[6].Err)
	require.Equal(t, got[0], got[7])
	require.Error(t, got[8].Err)
	require.Equal(t, []string{"DescribeCluster", "DescribeGroups", "FindCoordinator", "Metadata"}, sent())

	bindings, err := f.r.Bindings(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{
		"pass topic:seen", "pass topic:prefixed.1", "unknown topic:other", "pass group:g", "unknown group:other", "pass cluster",
		"not-applicable transactional-id:x", "pass topic:seen", "not-applicable topic:seen*",
	}, verdicts(NewAuthorizer(bindings, AuthorizerOptions{}).Verify("User:a", netip.MustParseAddr("127.0.0.1"), got)))

	// No topic came to be by being asked about.
	resp, _, err := f.r.metadata(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, resp.Topics, 1)
}

// An answer that is missing, or an error about one of them, is that one's.
func TestAuthorizedOperations_Errors(t *testing.T) {
	f := newFake(t)
	f.always(kmsg.Metadata, func(req kmsg.Request) (kmsg.Response, error, bool) {
		if !req.(*kmsg.MetadataRequest).IncludeTopicAuthorizedOperations {
			return nil, nil, false
		}
		if req.(*kmsg.MetadataRequest).AllowAutoTopicCreation {
			t.Error("creates topics by asking")
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		name := "broken"
		bad := kmsg.NewMetadataResponseTopic()
		bad.Topic, bad.ErrorCode = &name, kerr.UnknownServerError.Code
		resp.Topics = append(resp.Topics, bad)
		return resp, nil, true
	})
	got, err := f.r.AuthorizedOperations(t.Context(), parseResources(t, "topic:broken", "topic:left-out"))
	require.NoError(t, err)
	require.ErrorIs(t, got[0].Err, kerr.UnknownServerError)
	require.ErrorContains(t, got[1].Err, "left it out")

	// What a Java broker tells who may not Describe the cluster.
	f.once(kmsg.DescribeCluster, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
		resp.ClusterAuthorizedOperations = 0
		return resp, nil, true
	})
	got, err = f.r.AuthorizedOperations(t.Context(), parseResources(t, "cluster"))
	require.NoError(t, err)
	require.True(t, got[0].Hidden)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.r.AuthorizedOperations(ctx, parseResources(t, "cluster"))
	require.ErrorContains(t, err, "ask for authorized operations: ")
}
