package kafkasec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// onEvery runs what must hold on every Kafka.
func onEvery(t *testing.T, c *real.Cluster, states int) {
	on := func(name string, f func(*site)) {
		t.Run(name, func(t *testing.T) { f(newSite(t, conform.Real(c))) })
	}
	on("lifecycle", lifecycle)
	on("failed revoke", failedRevoke)
	on("denied reads", deniedReads)
	on("denied create", deniedCreate)
	on("killed applier", func(s *site) { killedApplier(s, false) })
	on("killed pruner", func(s *site) { killedPruner(s, []int{4, 6, 9, 10, 13}, false) })
	on("prunes", func(s *site) { prunes(s, max(states/2, 13)) })
	on("records", records)
	on("late records", lateRecords)
	on("random states", func(s *site) { randomStates(s, states) })
}

func TestReal_OneNode(t *testing.T) {
	c := real.Kafka(t)
	onEvery(t, c, 50)
	t.Run("newer bindings", func(t *testing.T) { newerBindings(newSite(t, conform.Real(c))) })
	t.Run("rivals", func(t *testing.T) { rivals(newSite(t, conform.Real(c)), 8) })
	t.Run("blocks of addresses", func(t *testing.T) { addressBlocks(newSite(t, conform.Real(c))) })
}

// The cluster is this test's own: it is slowed down, killed and filled.
func TestReal_OneNodeUnderStress(t *testing.T) {
	c := real.NewKafka(t, real.Options{
		ClassPath: oracle.Classes(t, "RefusingPolicy", "kafka-4.4.0"),
		Properties: map[string]string{
			"create.topic.policy.class.name": "RefusingPolicy",
			"controller.quota.window.num":    "2", // a small burst before the throttle
		},
	})
	t.Run("policy violation", func(t *testing.T) { policyViolation(newSite(t, conform.Real(c))) })
	t.Run("throttled", func(t *testing.T) { throttled(newSite(t, conform.Real(c))) })
	t.Run("broker killed", func(t *testing.T) {
		brokerKilled(newSite(t, conform.Real(c)), func() *real.Node { return c.Node(1) })
	})
	t.Run("more records than one request may have", func(t *testing.T) { manyRecords(newSite(t, conform.Real(c))) })
}

func TestReal_ThreeNodes(t *testing.T) {
	c := real.NewKafka(t, real.Options{Nodes: 3})
	onEvery(t, c, 20)
	t.Run("controller killed", func(t *testing.T) {
		s := newSite(t, conform.Real(c))
		brokerKilled(s, func() *real.Node { return c.Node(s.activeController()) })
	})
}

func TestReal_ZooKeeper(t *testing.T) {
	c := real.NewKafka(t, real.Options{Version: "3.9.2"})
	onEvery(t, c, 20)
	t.Run("rivals", func(t *testing.T) { rivals(newSite(t, conform.Real(c)), 8) })
	t.Run("blocks of addresses", func(t *testing.T) { noAddressBlocks(newSite(t, conform.Real(c))) })
	t.Run("broker killed", func(t *testing.T) {
		brokerKilled(newSite(t, conform.Real(c)), func() *real.Node { return c.Node(1) })
	})
}

func TestReal_Kafka43(t *testing.T) {
	c := real.NewKafka(t, real.Options{Version: "4.3.1"})
	t.Run("lifecycle", func(t *testing.T) { lifecycle(newSite(t, conform.Real(c))) })
	t.Run("rivals", func(t *testing.T) { rivals(newSite(t, conform.Real(c)), 8) })
	t.Run("blocks of addresses", func(t *testing.T) { noAddressBlocks(newSite(t, conform.Real(c))) })
}

// Without an authorizer there are no bindings to read, which is not the same as
// none; topics are managed nevertheless.
func TestReal_NoAuthorizer(t *testing.T) {
	c := real.NewKafka(t, real.Options{Properties: map[string]string{"authorizer.class.name": ""}})
	s := newSite(t, conform.Real(c))
	spec := s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~a", partitions: 1}
acls:
  - {principal: "User:~x", operations: [Read], resource: "topic:~a"}
`)
	report, err := s.r.Apply(s.Context(), s.plan(s.r, spec))
	require.ErrorIs(s, err, kerr.SecurityDisabled)
	require.Equal(s, []string{"applied create topic ~a", "not-attempted/unread update acl *"}, s.outcomes(report))
	require.False(s, s.plan(s.r, spec).Empty())
}

// newerBindings are those that the embedded Kafka does not know.
func newerBindings(s *site) {
	spec := s.spec(`
scope: {principals: ["User:~p"]}
acls:
  - {principal: "User:~p", operations: [TwoPhaseCommit, Write], resource: "transactional-id:~tx*"}
  - {principal: "User:~p", operations: [Describe], resource: "token:~token"}
  - {principal: "User:~p", operations: [CreateTokens, DescribeTokens], resource: "user:User:~owner"}
  - {principal: "User:~p", operations: [DescribeTokens], resource: "user:*", host: "0:0:0:0:0:0:0:1", permission: deny}
  - {principal: "User:~p", operations: [IdempotentWrite, ClusterAction], resource: "cluster"}
  - {principal: "User:~p", operations: [Read], resource: "topic:~a*", pattern: literal, state: absent}
`)
	require.Equal(s, 8, s.apply(spec).Count(holdfast.Applied))
	for i := range spec.ACLs {
		spec.ACLs[i].State = Absent
	}
	require.Equal(s, 8, s.apply(spec).Count(holdfast.Applied))
}

func blockSpec(s *site) Spec {
	return s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~a", partitions: 1}
acls:
  - {principal: "User:~near", operations: [Write], resource: "topic:~a", host: "127.0.0.0/8"}
  - {principal: "User:~far", operations: [Write], resource: "topic:~a", host: "10.0.0.0/8"}
`)
}

func addressBlocks(s *site) {
	s.apply(blockSpec(s))
	require.NoError(s, s.produces(s.User(s.T, s.prefix+"near"), "a"))
	require.ErrorIs(s, s.produces(s.User(s.T, s.prefix+"far"), "a"), kerr.TopicAuthorizationFailed)
}

func noAddressBlocks(s *site) {
	spec := blockSpec(s)
	state, err := s.r.Observe(s.Context(), spec)
	require.NoError(s, err)
	_, err = spec.Plan(state)
	var problems holdfast.Problems
	require.ErrorAs(s, err, &problems)
	require.Len(s, problems, 2)
	require.ErrorContains(s, err, `acls[0].host: "127.0.0.0/8": CIDR hosts need Kafka 4.4`)
}

// policyViolation has one topic of a batch refused by a site's own policy.
func policyViolation(s *site) {
	spec := s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~a", partitions: 1}
  - {name: "~refused", partitions: 1}
  - {name: "~z", partitions: 1}
`)
	plan := s.plan(s.r, spec)
	report, err := s.r.Apply(s.Context(), plan)
	require.ErrorIs(s, err, kerr.PolicyViolation)
	require.ErrorContains(s, err, `POLICY_VIOLATION: names with "refused" are against the rules of this site`)
	require.Equal(s, []string{"applied create topic ~a", "failed create topic ~refused", "applied create topic ~z"}, s.outcomes(report))
	s.requireTrue(plan, report)
	require.Len(s, s.plan(s.r, spec).Changes, 1)
}

// throttled creates more topics than the applier's quota lets it at once.
func throttled(s *site) {
	const rate, topics = 4, 16
	var creates atomic.Int64
	wire := &gate{keys: []kmsg.Key{kmsg.CreateTopics}, sent: func(int) { creates.Add(1) }}
	r, _ := s.appliesAs("slow", kgo.Dialer(wire.dial))
	s.apply(s.spec(`
scope: {topic_prefixes: ["~"]}
acls:
  - {principal: "User:~slow", operations: [Create, Describe, Delete], resource: "topic:~*"}
`))
	admin := kadm.NewClient(s.r.Client)
	name := s.prefix + "slow"
	set := func(remove bool) {
		altered, err := admin.AlterClientQuotas(s.Context(), []kadm.AlterClientQuotaEntry{{
			Entity: kadm.ClientQuotaEntity{{Type: "user", Name: &name}},
			Ops:    []kadm.AlterClientQuotaOp{{Key: "controller_mutation_rate", Value: rate, Remove: remove}},
		}})
		require.NoError(s, err)
		for _, a := range altered {
			require.NoError(s, a.Err)
		}
	}
	set(false)
	// The quota holds when it first refuses; what it gave until then is used up.
	for i := 0; ; i++ {
		require.Less(s, i, 1000, "the quota does not come")
		req := kmsg.NewPtrCreateTopicsRequest()
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = fmt.Sprintf("%sprobe%d", s.prefix, i), 1, 1
		req.Topics = append(req.Topics, t)
		resp, err := r.Client.Broker(1).Request(s.Context(), req)
		require.NoError(s, err)
		if resp.(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode == kerr.ThrottlingQuotaExceeded.Code {
			break
		}
	}

	spec := Spec{Scope: Scope{TopicPrefixes: []string{s.prefix}}}
	for i := range topics {
		spec.Topics = append(spec.Topics, Topic{Name: fmt.Sprintf("%st%02d", s.prefix, i), Partitions: 1})
	}
	plan := s.plan(r, spec)
	require.Len(s, plan.Changes, topics)

	// Time runs out while it waits: what was not made is said to be not made, and
	// what was on its way just then to be unknown.
	ctx, cancel := context.WithTimeout(s.Context(), 300*time.Millisecond)
	defer cancel()
	report, err := r.Apply(ctx, plan)
	require.ErrorIs(s, err, context.DeadlineExceeded)
	require.False(s, report.Converged(), report)
	s.requireTrue(plan, report)

	r.RetryFor = 50 * time.Millisecond // a throttle is no failure of ours
	creates.Store(0)
	report, err = r.Apply(s.Context(), plan)
	require.NoError(s, err)
	require.True(s, report.Converged(), report)
	require.Greater(s, creates.Load(), int64(1), "it was not throttled")
	s.Logf("%d requests for %d topics at %d a second", creates.Load(), topics, rate)
	s.requireTrue(plan, report)
	require.True(s, s.plan(s.r, spec).Empty())
	set(true)
}

// activeController asks the quorum: in the metadata of KRaft brokers the
// controller is any broker.
func (s *site) activeController() int {
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = "__cluster_metadata"
	t.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(s.Context(), s.r.Client)
	require.NoError(s, err)
	return int(resp.Topics[0].Partitions[0].LeaderID)
}

// brokerKilled kills a broker with SIGKILL at writes of an applier. Where it was
// the only one, it comes back meanwhile.
func brokerKilled(s *site, pick func() *real.Node) {
	const third = 3 // of the five writes
	for _, c := range []struct {
		name string
		// at installs kill, which does it at the third write.
		at       func(g *gate, kill func(int))
		retryFor time.Duration // the applier's patience
	}{
		{name: "before a write", at: func(g *gate, kill func(int)) { g.before = kill }},
		{name: "with a write under way", at: func(g *gate, kill func(int)) { g.sent = kill }},
		{name: "with an answer under way", at: func(g *gate, kill func(int)) { g.after, g.lose = kill, third }},
		{name: "under an impatient applier", at: func(g *gate, kill func(int)) { g.sent = kill }, retryFor: time.Nanosecond},
	} {
		s.Run(c.name, func(t *testing.T) {
			here := newSite(t, s.Cluster)
			spec := here.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~a", partitions: 1}
  - {name: "~b", partitions: 2, configs: {retention.ms: 1000}}
acls:
  - {principal: "User:~x", operations: [Read], resource: "topic:~a", permission: deny}
  - {principal: "User:~x", operations: [Write], resource: "topic:~a"}
`)
			here.apply(here.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~b", partitions: 1}
`))
			plan := here.plan(here.r, spec)
			require.Len(t, plan.Changes, 5)

			node := pick()
			back := make(chan struct{})
			kill := func(n int) {
				if n != third {
					return
				}
				node.Kill(t)
				go func() {
					defer close(back)
					if here.Brokers() == 1 {
						node.Start(t)
					}
				}()
			}
			wire := &gate{keys: writeKeys}
			c.at(wire, kill)
			r := &Reconciler{Client: here.Admin(t, kgo.Dialer(wire.dial), kgo.RequestRetries(3)), RetryFor: c.retryFor}
			start := time.Now()
			report, err := r.Apply(here.Context(), plan)
			t.Logf("apply took %v: %s", time.Since(start).Round(time.Millisecond), report.Summary())
			<-back
			if here.Brokers() > 1 {
				node.Start(t)
			}
			here.requireTrue(plan, report)
			if c.retryFor == 0 {
				require.NoError(t, err)
				require.Equal(t, len(plan.Changes), report.Count(holdfast.Applied), report)
			} else {
				// It may have been answered nevertheless.
				require.Equal(t, report.Converged(), err == nil, "%v\n%s", err, report)
			}
			report, err = here.r.Apply(here.Context(), plan)
			require.NoError(t, err)
			require.True(t, report.Converged(), report)
			require.True(t, here.plan(here.r, spec).Empty())
		})
	}
}

// manyRecords is more than the 10,000 records that KRaft writes for one request,
// both as topics and as bindings.
func manyRecords(s *site) {
	const topics, bindings = 340, 10_500
	configs := map[string]string{}
	for _, c := range strings.Fields("retention.ms retention.bytes segment.ms delete.retention.ms file.delete.delay.ms flush.ms flush.messages " +
		"min.compaction.lag.ms max.compaction.lag.ms segment.jitter.ms index.interval.bytes message.timestamp.after.max.ms message.timestamp.before.max.ms") {
		configs[c] = "3600000"
	}
	for k, v := range map[string]string{"cleanup.policy": "compact", "compression.type": "gzip", "compression.gzip.level": "5", "compression.lz4.level": "5",
		"compression.zstd.level": "5", "segment.bytes": "1048576", "segment.index.bytes": "1048576", "max.message.bytes": "100000", "min.insync.replicas": "1",
		"min.cleanable.dirty.ratio": "0.4", "message.timestamp.type": "CreateTime", "preallocate": "false", "unclean.leader.election.enable": "false",
		"flush.messages": "1000000", "segment.jitter.ms": "0", "local.retention.ms": "-2", "local.retention.bytes": "-2"} {
		configs[k] = v
	}
	spec := Spec{Scope: Scope{TopicPrefixes: []string{s.prefix}}}
	for i := range topics {
		spec.Topics = append(spec.Topics, Topic{Name: fmt.Sprintf("%st%03d", s.prefix, i), Partitions: 1, Configs: configs})
	}
	require.Greater(s, topics*(2+len(configs)), maxRecords)
	for i := range bindings {
		spec.ACLs = append(spec.ACLs, ACL{Principal: fmt.Sprintf("User:%s%d", s.prefix, i%100), Operations: []Operation{Read},
			Resource: fmt.Sprintf("topic:%s%d", s.prefix, i/100)})
	}
	var requests atomic.Int64
	r := &Reconciler{Client: s.Admin(s.T, kgo.WithHooks(OnRequest(func(RequestEvent) { requests.Add(1) })))}
	plan := s.plan(r, spec)
	start := time.Now()
	report, err := r.Apply(s.Context(), plan)
	require.NoError(s, err)
	require.Equal(s, topics+bindings, report.Count(holdfast.Applied), report.Summary())
	s.Logf("%d topics with %d configs and %d bindings: %d requests, %v", topics, len(configs), bindings, requests.Load(), time.Since(start).Round(time.Millisecond))
	require.True(s, s.plan(r, spec).Empty())

	// One filter for each principal, because a controller walks all bindings for
	// every filter, and refuses one that matches more than it may delete at once.
	gone := Spec{Scope: spec.Scope, ACLs: slices.Clone(spec.ACLs)}
	for i := range gone.ACLs {
		gone.ACLs[i].State = Absent
	}
	all := kmsg.NewPtrDeleteACLsRequest()
	all.Filters = []kmsg.DeleteACLsRequestFilter{bindingFilter{Permission: Allow}.wire()}
	kresp, err := r.ask(s.Context(), 1, all)
	require.NoError(s, err)
	require.Equal(s, kerr.InvalidRequest.Code, kresp.(*kmsg.DeleteACLsResponse).Results[0].ErrorCode)
	requests.Store(0)
	r.BroadRevokes = true
	plan = s.plan(r, gone)
	start = time.Now()
	report, err = r.Apply(s.Context(), plan)
	require.NoError(s, err)
	require.Equal(s, bindings, report.Count(holdfast.Applied), report.Summary())
	s.Logf("revoked in %d requests, %v", requests.Load(), time.Since(start).Round(time.Millisecond))
	require.True(s, s.plan(r, gone).Empty())
	r.BroadRevokes = false

	// Without packing the controller would have refused the request.
	for i := range spec.ACLs {
		spec.ACLs[i].Operations = []Operation{Write}
	}
	answered, err := createACLs(s.Context(), r, 1, s.plan(r, spec).Changes)
	require.NoError(s, err)
	require.True(s, answered.refusedWhole())
}
