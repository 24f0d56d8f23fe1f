package kafkasec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
)

// What must hold on every Kafka. The embedded one has each case here; real ones
// have them in real_test.go.

func TestFake_Lifecycle(t *testing.T)     { lifecycle(newSite(t, conform.NewFake(t))) }
func TestFake_FailedRevoke(t *testing.T)  { failedRevoke(newSite(t, conform.NewFake(t))) }
func TestFake_DeniedReads(t *testing.T)   { deniedReads(newSite(t, conform.NewFake(t))) }
func TestFake_DeniedCreate(t *testing.T)  { deniedCreate(newSite(t, conform.NewFake(t))) }
func TestFake_RandomStates(t *testing.T)  { randomStates(newSite(t, conform.NewFake(t)), 1000) }
func TestFake_LateRecords(t *testing.T)   { lateRecords(newSite(t, conform.NewFake(t))) }
func TestFake_KilledApplier(t *testing.T) { killedApplier(newSite(t, conform.NewFake(t)), true) }
func TestFake_KilledPruner(t *testing.T) {
	killedPruner(newSite(t, conform.NewFake(t)), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, true)
}

// site is a cluster of either kind, and the reconciler of its super user.
type site struct {
	*testing.T
	conform.Cluster
	r      *Reconciler
	prefix string
}

func newSite(t *testing.T, c conform.Cluster) *site {
	return &site{t, c, &Reconciler{Client: c.Admin(t), Resolve: passwordOf}, c.Prefix(t)}
}

// spec reads a spec in which ~ stands for the test's prefix.
func (s *site) spec(yaml string) Spec {
	s.Helper()
	return parse(s, "kind: KafkaSecurity\nversion: 1\n"+strings.ReplaceAll(yaml, "~", s.prefix))
}

func (s *site) plan(r *Reconciler, spec Spec) Plan {
	s.Helper()
	state, err := r.Observe(s.Context(), spec)
	require.NoError(s, err)
	plan, err := spec.Plan(state)
	require.NoError(s, err)
	return plan
}

// apply applies a fresh plan of the super user, after which there must be
// nothing left to plan.
func (s *site) apply(spec Spec) holdfast.Report {
	s.Helper()
	plan := s.plan(s.r, spec)
	report, err := s.r.Apply(s.Context(), plan)
	require.NoError(s, err, plan)
	require.True(s, report.Converged(), report)
	rest := s.plan(s.r, spec)
	require.True(s, rest.Empty(), "%s\nleft after\n%s", rest, plan)
	return report
}

// outcomes lists a report without the test's prefix.
func (s *site) outcomes(r holdfast.Report) []string {
	lines := outcomes(r)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], s.prefix, "~")
	}
	return lines
}

// produces returns what a real producer gets to hear.
func (s *site) produces(cl *kgo.Client, topic string) error {
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	return cl.ProduceSync(ctx, &kgo.Record{Topic: s.prefix + topic, Key: []byte("k"), Value: []byte("x")}).FirstErr()
}

// consumes returns what a new member of the group gets to hear; without a group
// it just reads.
func (s *site) consumes(user, group, topic string) error {
	opts := []kgo.Opt{kgo.ConsumeTopics(s.prefix + topic)}
	if group != "" {
		opts = append(opts, kgo.ConsumerGroup(s.prefix+group))
	}
	cl := s.User(s.T, s.prefix+user, opts...)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	fetches := cl.PollRecords(ctx, 1)
	for _, e := range fetches.Errors() {
		return e.Err
	}
	if fetches.NumRecords() == 0 {
		return fmt.Errorf("no record: %w", ctx.Err())
	}
	return nil
}

// lifecycle goes from nothing to an empty plan, through changes and back, and
// asks real clients at each step.
func lifecycle(s *site) {
	const scope = `
scope: {topic_prefixes: ["~"], group_prefixes: ["~"], principals: ["User:~alice"]}
`
	spec := s.spec(scope + `
topics:
  - {name: "~metricbeat", partitions: 3, replication_factor: 1, configs: {retention.ms: 604800000, cleanup.policy: "compact,delete"}}
  - {name: "~packetbeat"}
acls:
  - {principal: "User:~alice", operations: [Write, Describe], resource: "topic:~metricbeat"}
  - {principal: "User:~bob", operations: [Read], resource: "topic:~metric*"}
  - {principal: "User:~bob", operations: [Read], resource: "group:~bob"}
  - {principal: "User:*", operations: [Write], resource: "topic:~packetbeat"}
  - {principal: "User:~bob", operations: [Write], resource: "topic:~packet*", permission: deny}
`)
	// An idempotent producer that may write nothing at all is refused as such.
	alice := s.User(s.T, s.prefix+"alice", kgo.DisableIdempotentWrite())
	bob := s.User(s.T, s.prefix+"bob", kgo.DisableIdempotentWrite())
	require.Error(s, s.produces(alice, "metricbeat"))

	require.Equal(s, 8, s.apply(spec).Count(holdfast.Applied))
	require.NoError(s, s.produces(alice, "metricbeat"))
	require.ErrorIs(s, s.produces(bob, "metricbeat"), kerr.TopicAuthorizationFailed)
	require.NoError(s, s.produces(alice, "packetbeat"))
	require.ErrorIs(s, s.produces(bob, "packetbeat"), kerr.TopicAuthorizationFailed)
	require.NoError(s, s.consumes("bob", "bob", "metricbeat"))
	require.ErrorIs(s, s.consumes("alice", "", "metricbeat"), kerr.TopicAuthorizationFailed)
	require.ErrorIs(s, s.consumes("alice", "bob", "metricbeat"), kerr.GroupAuthorizationFailed)

	// Every kind of change at once; what is not declared any more stays.
	spec = s.spec(scope + `
topics:
  - {name: "~metricbeat", partitions: 5, configs: {retention.ms: 86400000}}
  - {name: "~packetbeat", state: absent, delete_records: true}
  - {name: "~heartbeat", partitions: 1, configs: {min.insync.replicas: 1}}
acls:
  - {principal: "User:~alice", operations: [Write], resource: "topic:~metricbeat", state: absent}
  - {principal: "User:~alice", operations: [Write], resource: "topic:~*"}
  - {principal: "User:~alice", operations: [Write], resource: "topic:~heartbeat", permission: deny}
  - {principal: "User:~bob", operations: [Write], resource: "topic:~packet*", permission: deny, state: absent}
`)
	require.Equal(s, []string{
		"applied create topic ~heartbeat",
		"applied update topic-partitions ~metricbeat",
		"applied update topic-config ~metricbeat",
		"applied create acl deny User:~alice Write on topic:~heartbeat from *",
		"applied create acl allow User:~alice Write on topic:~* from *",
		"applied delete acl allow User:~alice Write on topic:~metricbeat from *",
		"applied delete acl deny User:~bob Write on topic:~packet* from *",
		"applied delete topic ~packetbeat",
	}, s.outcomes(s.apply(spec)))
	require.NoError(s, s.produces(alice, "metricbeat"))
	require.ErrorIs(s, s.produces(alice, "heartbeat"), kerr.TopicAuthorizationFailed)
	require.NoError(s, s.consumes("bob", "bob", "metricbeat"))

	spec = s.spec(scope + `
topics:
  - {name: "~metricbeat", state: absent, delete_records: true}
  - {name: "~heartbeat", state: absent}
acls:
  - {principal: "User:~alice", operations: [Write], resource: "topic:~*", state: absent}
`)
	s.apply(spec)
	require.Error(s, s.produces(alice, "metricbeat"))
}

// appliesAs is a reconciler of a user who may describe and alter ACLs. Take takes
// the right to alter away and returns when every broker knows.
func (s *site) appliesAs(user string, opts ...kgo.Opt) (r *Reconciler, take func()) {
	s.Helper()
	spec := s.spec(strings.ReplaceAll(`
scope: {principals: ["User:~USER"]}
acls:
  - {principal: "User:~USER", operations: [Describe], resource: "cluster"}
  - {principal: "User:~USER", operations: [Alter], resource: "cluster"}
`, "USER", user))
	s.apply(spec)
	take = func() {
		spec.ACLs[1].State = Absent
		s.apply(spec)
	}
	return &Reconciler{Client: s.User(s.T, s.prefix+user, opts...)}, take
}

// failedRevoke takes the right to alter ACLs from the applier between its
// grants and its revocations.
func failedRevoke(s *site) {
	spec := s.spec(`
scope: {topic_prefixes: ["~"]}
acls:
  - {principal: "User:~x", operations: [Read, Write], resource: "topic:~a"}
  - {principal: "User:~x", operations: [Delete], resource: "topic:~a", permission: deny}
`)
	s.apply(spec)
	for i := range spec.ACLs {
		spec.ACLs[i].State = Absent
	}
	spec.ACLs = append(spec.ACLs, ACL{Principal: "User:" + s.prefix + "x", Operations: []Operation{Read}, Resource: "topic:" + s.prefix + "*"})

	wire := &gate{keys: []kmsg.Key{kmsg.DeleteACLs}}
	r, take := s.appliesAs("applier", kgo.Dialer(wire.dial))
	wire.before = func(int) { take() }
	plan := s.plan(r, spec)
	report, err := r.Apply(s.Context(), plan)
	require.ErrorIs(s, err, kerr.ClusterAuthorizationFailed)
	require.Equal(s, []string{
		"applied create acl allow User:~x Read on topic:~* from *",
		"failed delete acl allow User:~x Read on topic:~a from *",
		"failed delete acl allow User:~x Write on topic:~a from *",
		"not-attempted/held delete acl deny User:~x Delete on topic:~a from *",
	}, s.outcomes(report))
	s.requireTrue(plan, report)

	report, err = s.r.Apply(s.Context(), plan)
	require.NoError(s, err)
	require.Equal(s, 3, report.Count(holdfast.Applied))
	require.Equal(s, 1, report.Count(holdfast.Unchanged))
	require.True(s, s.plan(s.r, spec).Empty())
}

// deniedReads lets the applier see only some of what the spec names.
func deniedReads(s *site) {
	spec := s.spec(`
scope: {topic_prefixes: ["~"], principals: ["User:~reader"]}
topics:
  - {name: "~a", partitions: 1, configs: {retention.ms: 5}}
  - {name: "~b", partitions: 1, configs: {retention.ms: 5}}
  - {name: "~c", partitions: 1}
acls:
  - {principal: "User:~reader", operations: [DescribeConfigs], resource: "topic:~a"}
  - {principal: "User:~reader", operations: [Describe], resource: "topic:~a"}
  - {principal: "User:~reader", operations: [Describe], resource: "topic:~b"}
`)
	s.apply(spec)
	wanted := s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~a", partitions: 1, configs: {retention.ms: 1000}}
  - {name: "~b", partitions: 2, configs: {retention.ms: 1000}}
  - {name: "~c", partitions: 2}
  - {name: "~nowhere", partitions: 1}
  - {name: "~gone", state: absent}
acls:
  - {principal: "User:~x", operations: [Read], resource: "topic:~a"}
`)
	r := &Reconciler{Client: s.User(s.T, s.prefix+"reader")}
	plan := s.plan(r, wanted)
	require.False(s, plan.Empty())
	report, err := r.Apply(s.Context(), plan)
	require.ErrorIs(s, err, kerr.TopicAuthorizationFailed)
	require.ErrorIs(s, err, kerr.ClusterAuthorizationFailed)
	require.Equal(s, []string{
		"failed update topic-partitions ~b",
		"failed update topic-config ~a",
		"not-attempted/unread update acl *",
		"not-attempted/unread update topic ~c",
		"not-attempted/unread update topic ~gone",
		"not-attempted/unread update topic ~nowhere",
		"not-attempted/unread update topic-config ~b",
	}, s.outcomes(report))
	s.requireTrue(plan, report)
	s.apply(wanted)
}

// deniedCreate lets the applier create one topic of a batch.
func deniedCreate(s *site) {
	rights := s.spec(`
scope: {principals: ["User:~maker"]}
acls:
  - {principal: "User:~maker", operations: [Describe], resource: "topic:~*"}
  - {principal: "User:~maker", operations: [Create], resource: "topic:~mine*"}
`)
	s.apply(rights)
	wanted := s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~mine-1", partitions: 1}
  - {name: "~other", partitions: 1}
  - {name: "~mine-2", partitions: 1}
`)
	r := &Reconciler{Client: s.User(s.T, s.prefix+"maker")}
	plan := s.plan(r, wanted)
	report, err := r.Apply(s.Context(), plan)
	require.ErrorIs(s, err, kerr.TopicAuthorizationFailed)
	require.Equal(s, []string{
		"applied create topic ~mine-1",
		"applied create topic ~mine-2",
		"failed create topic ~other",
	}, s.outcomes(report))
	s.requireTrue(plan, report)
	s.apply(wanted)
}

// requireTrue holds a report against the cluster.
func (s *site) requireTrue(plan Plan, report holdfast.Report) {
	s.Helper()
	a := &applier{r: s.r, plan: plan}
	require.EventuallyWithT(s, func(t *assert.CollectT) {
		state, _, err := s.r.read(s.Context(), a.needOf(all(len(plan.Changes))))
		require.NoError(t, err)
		live := newLive(state)
		for i, c := range plan.Changes {
			now, err := live.compare(c)
			require.NoError(t, err)
			switch o := report.Outcomes[i]; {
			case o.Outcome == holdfast.Applied || o.Outcome == holdfast.Unchanged:
				require.Equal(t, isAfter, now, o)
			case o.Reason == holdfast.ReasonUnknownResult:
			default:
				require.Equal(t, isBefore, now, o)
			}
		}
	}, 30*time.Second, 20*time.Millisecond)
}

// randomStates goes from one random desired state to the next. After each, the
// plan is empty, the bindings are those that a set would hold, and what lies
// outside the scope is as it was.
func randomStates(s *site, n int) {
	const perPrefix = 10
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))

	// Neighbours: a shorter name, a longer one of another scope, the wildcard.
	foreign := s.spec(`
scope: {topic_prefixes: ["~"], principals: ["User:~f"]}
topics:
  - {name: "~", partitions: 2, configs: {retention.ms: 7}}
  - {name: "~9x", partitions: 1}
acls:
  - {principal: "User:~f", operations: [Read], resource: "topic:~*"}
  - {principal: "User:~f", operations: [Read], resource: "topic:*", permission: deny}
  - {principal: "User:~f", operations: [Read, All], resource: "group:~9x"}
  - {principal: "User:*", operations: [Write], resource: "topic:~9x"}
`)
	s.apply(foreign)
	outside, err := s.r.Observe(s.Context(), foreign)
	require.NoError(s, err)

	for i := 0; i < n; {
		prefix := fmt.Sprintf("%sr%d-", s.prefix, i)
		model := map[Binding]bool{}
		last := Spec{Scope: randomScope(prefix)}
		for range min(perPrefix, n-i) {
			i++
			last = growing(randomSpec(rng, prefix), last)
			s.apply(last)
			for _, a := range last.ACLs {
				bindings, err := a.Bindings()
				require.NoError(s, err)
				for _, b := range bindings {
					model[b] = a.State != Absent
				}
			}
			state, _, err := s.r.read(s.Context(), reading{acls: true})
			require.NoError(s, err)
			left := map[Binding]bool{}
			inside := func(b Binding) bool { return last.Scope.OwnsBinding(b) }
			for _, b := range state.ACLs {
				left[b] = inside(b)
			}
			for b, want := range model {
				require.Equal(s, want, left[b], "seed %d, state %d: %s", seed, i, b)
			}
			for b, in := range left {
				require.True(s, !in || model[b], "seed %d, state %d: nobody wanted %s", seed, i, b)
			}
			now, err := s.r.Observe(s.Context(), foreign)
			require.NoError(s, err)
			for _, st := range []*State{&now, &outside} {
				st.ACLs = slices.DeleteFunc(st.ACLs, inside)
			}
			require.Equal(s, outside, now, "seed %d, state %d: foreign items", seed, i)
		}
		// The cluster shall not grow with the number of states.
		for i := range last.Topics {
			last.Topics[i] = Topic{Name: last.Topics[i].Name, State: Absent}
		}
		last.ACLs = nil
		for b, there := range model {
			if there {
				text, pattern := b.Resource.Text()
				last.ACLs = append(last.ACLs, ACL{b.Principal, []Operation{b.Operation}, text, pattern, b.Host, b.Permission, Absent})
			}
		}
		s.apply(last)
	}
}

// growing makes a random spec one that can follow another: partitions of a
// topic that stays do not shrink. Topics of the spec before are kept, so that
// the last one names all.
func growing(next, before Spec) Spec {
	for _, t := range before.Topics {
		i := slices.IndexFunc(next.Topics, func(n Topic) bool { return n.Name == t.Name })
		switch {
		case i < 0:
			next.Topics = append(next.Topics, t)
		case t.State != Absent && next.Topics[i].State != Absent:
			next.Topics[i].Partitions = max(next.Topics[i].Partitions, t.Partitions)
		}
	}
	return next
}

// lateRecords has a producer write to one of two empty topics between Apply's
// check and their deletion.
func lateRecords(s *site) {
	const scope = `
scope: {topic_prefixes: ["~"]}
topics:
`
	s.apply(s.spec(scope + `
  - {name: "~a", partitions: 2}
  - {name: "~b", partitions: 2}
`))
	spec := s.spec(scope + `
  - {name: "~a", state: absent}
  - {name: "~b", state: absent}
  - {name: "~c", partitions: 1}
`)
	plan := s.plan(s.r, spec)
	producer := s.Admin(s.T)
	wire := &gate{keys: []kmsg.Key{kmsg.CreateTopics}, before: func(int) { require.NoError(s, s.produces(producer, "a")) }}
	r := &Reconciler{Client: s.Admin(s.T, kgo.Dialer(wire.dial))}
	report, err := r.Apply(s.Context(), plan)
	require.ErrorIs(s, err, errFilled)
	require.Equal(s, []string{"applied create topic ~c", "failed delete topic ~a", "applied delete topic ~b"}, s.outcomes(report))
	require.NoError(s, s.produces(producer, "a"))
}
