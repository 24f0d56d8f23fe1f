package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
)

func TestFake_Rivals(t *testing.T) { rivals(newSite(t, conform.NewFake(t)), 60) }

// rivalSpec declares everything at random, from a small pool of names, and prunes
// now and then.
func rivalSpec(rng *rand.Rand, prefix string, last Spec) Spec {
	s := growing(withIdentities(rng, randomSpec(rng, prefix), prefix), last)
	s.Prune.MaxCount, s.Prune.MaxPercent = 1000, 100
	if rng.IntN(3) == 0 {
		s.Prune.ACLs, s.Prune.Users, s.Prune.Quotas, s.Prune.Configs = true, true, true, rng.IntN(2) == 0
	}
	return s
}

// parts names what a change is about, as finely as two changes can differ.
func (c Change) parts() (parts []string) {
	switch after := c.After.(type) {
	case TopicData:
		for k := range after.Configs {
			parts = append(parts, KindTopicConfig+" "+k+" "+c.Name)
		}
		if after.Partitions != 0 {
			parts = append(parts, KindTopicPartitions+" "+c.Name)
		}
	}
	if c.Kind == KindQuota {
		for k := range c.quota().Limits {
			parts = append(parts, KindQuota+" "+k+" "+c.Name)
		}
	}
	if len(parts) == 0 || c.Kind == KindTopic {
		parts = append(parts, c.Kind+" "+c.Name)
	}
	return parts
}

// rivals has two appliers bring about random desired states at once: one runs
// whole before or after each write of the other, or after its last write and
// before it looks, or both run as they like. What is there in the end is what one
// of them wants; a report calls applied only what was there when its applier
// looked; one further run of either converges.
func rivals(s *site, n int) {
	patience := 100 * time.Millisecond
	if s.Kind() != "kfake" {
		patience = 2 * time.Second
	}
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	told := map[holdfast.Reason]int{}
	var last Spec
	for round := range n {
		specs := [2]Spec{rivalSpec(rng, s.prefix, last), {}}
		specs[1] = growing(rivalSpec(rng, s.prefix, last), specs[0])
		specs[0] = growing(specs[0], specs[1])
		plans := [2]Plan{s.plan(s.r, specs[0]), s.plan(s.r, specs[1])}
		var reports [2]holdfast.Report
		var errs [2]error
		var whole sync.WaitGroup
		rival := &Reconciler{Client: s.Admin(s.T), Resolve: passwordOf, VisibleFor: patience, RetryFor: patience}
		fresh, found, unread := rng.IntN(2) == 0, live{}, error(nil)
		run := func() { // in a goroutine of the other's client, where a test must not end
			if fresh {
				state, err := rival.Observe(s.Context(), specs[1])
				if err == nil {
					plans[1], err = specs[1].Plan(state)
				}
				if unread = err; err != nil {
					return
				}
			}
			reports[1], errs[1] = rival.Apply(s.Context(), plans[1])
			found, unread = s.liveOf(plans[1])
		}
		at := 1 + rng.IntN(8)
		ran := false
		once := func(n int) {
			if n == at && !ran {
				ran = true
				run()
			}
		}
		wire := &gate{keys: writeKeys}
		r := &Reconciler{Client: s.Admin(s.T, kgo.Dialer(wire.dial)), Resolve: passwordOf, VisibleFor: patience, RetryFor: patience}
		switch round % 4 {
		case 0:
			wire.before = once
		case 1:
			wire.after = once
		case 2:
			r.OnEvent = func(e holdfast.Event) {
				if e.What == "wait until every broker knows" {
					once(at)
				}
			}
		default:
			ran = true
			whole.Go(run)
		}
		reports[0], errs[0] = r.Apply(s.Context(), plans[0])
		whole.Wait()
		mine, err := s.liveOf(plans[0])
		require.NoError(s, err)
		if !ran { // it had fewer writes than that
			run()
		}
		require.NoError(s, unread)
		if round%4 != 3 {
			s.checkReport(seed, plans[0], reports[0], mine)
			s.checkReport(seed, plans[1], reports[1], found)
		}
		for i, report := range reports {
			late := report.Converged() && errors.Is(errs[i], ErrNotVisible) // a slow machine
			require.True(s, late || (errs[i] == nil) == report.Converged(), "seed %d, round %d: %v\n%s", seed, round, errs[i], report)
			for _, o := range report.Outcomes {
				told[o.Reason]++
			}
		}
		s.checkContested(seed, plans, reports)
		want := map[string]Change{}
		for _, c := range s.plan(s.r, specs[0]).Changes {
			for _, p := range c.parts() {
				want[p] = c
			}
		}
		for _, c := range s.plan(s.r, specs[1]).Changes {
			for _, p := range c.parts() {
				require.NotContains(s, want, p, "seed %d, round %d: neither wants it as it is\n%s\n%s", seed, round, reports[0], reports[1])
			}
		}
		last = specs[rng.IntN(2)]
		s.apply(last)
	}
	s.Log(told)
	if n >= 20 { // else it may not have come to that
		require.Positive(s, told[ReasonOverwritten])
	}
}

// checkReport compares a report with what is there, where nobody has written
// since its applier looked.
func (s *site) checkReport(seed uint64, plan Plan, report holdfast.Report, live live) {
	s.Helper()
	for i, o := range report.Outcomes {
		now, unread := live.compare(plan.Changes[i])
		require.NoError(s, unread)
		switch {
		case o.Outcome == holdfast.Applied:
			require.Equal(s, isAfter, now, "seed %d: %s\nfound %s", seed, o, live.describe(plan.Changes[i]))
		case o.Reason == ReasonOverwritten || o.Reason == ReasonNotVisible:
			require.NotEqual(s, isAfter, now, "seed %d: %s", seed, o)
			require.Error(s, o.Err)
		}
	}
}

// checkContested compares the reports of two that ran as they liked with what is
// there: what one calls applied and is not there was the other's to change.
func (s *site) checkContested(seed uint64, plans [2]Plan, reports [2]holdfast.Report) {
	for i, plan := range plans {
		other := map[string]bool{}
		for j, c := range plans[1-i].Changes {
			if o := reports[1-i].Outcomes[j]; o.Outcome == holdfast.Applied || o.Reason == ReasonOverwritten || o.Reason == ReasonNotVisible {
				other[c.rivalry()] = true
			}
		}
		live, err := s.liveOf(plan)
		require.NoError(s, err)
		for j, c := range plan.Changes {
			now, err := live.compare(c)
			require.NoError(s, err)
			if reports[i].Outcomes[j].Outcome == holdfast.Applied && now != isAfter {
				require.True(s, other[c.rivalry()], "seed %d: %s\nfound %s", seed, reports[i].Outcomes[j], live.describe(c))
			}
		}
	}
}

// rivalry is what two changes contend for.
func (c Change) rivalry() string {
	if c.aboutTopic() {
		return KindTopic + " " + c.Name
	}
	return c.Kind + " " + c.Name
}

func (s *site) liveOf(plan Plan) (live, error) {
	state, _, err := s.r.read(s.Context(), newApplier(s.r, plan).needOf(all(len(plan.Changes))))
	return newLive(state), err
}

// Where somebody else writes between the last write and the look, the report says
// what became of each change, and why it is sure of that.
func TestApply_SaysWhatWasOverwritten(t *testing.T) {
	const scope = `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a], principals: ["User:app"]}
`
	const was = scope + `
topics:
  - {name: a1, partitions: 1, configs: {retention.ms: 1000, segment.bytes: 1048576}}
users:
  - {name: app, mechanisms: [SCRAM-SHA-256], iterations: 4096, password: "env:P"}
quotas:
  - {user: app, producer_byte_rate: 1}
`
	const morePartitions = `
topics:
  - {name: a1, partitions: 2}
`
	for name, tc := range map[string]struct{ mine, rival, want string }{
		"put back, and a later write is there": {`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
`, `
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1", state: absent}
`, "failed/overwritten create acl allow User:app Read on topic:a1 from *"},
		"put back, and nothing later is there": {`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
`, `
acls:
  - {principal: "User:app", operations: [Write], resource: "topic:a1", state: absent}
`, "failed/not-visible create acl allow User:app Write on topic:a1 from *"},
		"the only one": {`
acls:
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
`, `
acls:
  - {principal: "User:app", operations: [Write], resource: "topic:a1", state: absent}
`, "failed/not-visible create acl allow User:app Write on topic:a1 from *"},
		"another value": {`
topics:
  - {name: a1, configs: {retention.ms: 2000}}
`, `
topics:
  - {name: a1, configs: {retention.ms: 3000}}
`, "failed/overwritten update topic-config a1"},
		"more partitions": {morePartitions, `
topics:
  - {name: a1, partitions: 3}
`, "failed/overwritten update topic-partitions a1"},
		"a topic that was created and deleted": {`
topics:
  - {name: a2, partitions: 2}
  - {name: a3, partitions: 2}
`, `
topics:
  - {name: a2, state: absent}
`, "failed/overwritten create topic a2"},
		"a credential": {`
users:
  - {name: app, mechanisms: [SCRAM-SHA-256], iterations: 4097, password: "env:P"}
`, `
users:
  - {name: app, mechanisms: [SCRAM-SHA-256], iterations: 4098, password: "env:P"}
`, "failed/overwritten update scram-user app SCRAM-SHA-256"},
		"a quota": {`
quotas:
  - {user: app, producer_byte_rate: 2}
`, `
quotas:
  - {user: app, producer_byte_rate: 3}
`, "failed/overwritten update quota user app"},
		"what nobody else is about": {`
topics:
  - {name: a1, configs: {retention.ms: 2000}}
`, `
topics:
  - {name: a1, configs: {segment.bytes: 2097152}}
`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.r.Resolve = passwordOf
			f.apply(parse(t, was))
			r := *f.r
			r.VisibleFor = 2 * time.Second
			r.OnEvent = func(e holdfast.Event) {
				if e.What == "wait until every broker knows" {
					f.apply(parse(t, scope+tc.rival))
				}
			}
			plan := f.plan(parse(t, scope+tc.mine))
			report, err := r.Apply(t.Context(), plan)
			var failed []string
			for i, o := range outcomes(report) {
				if report.Outcomes[i].Outcome != holdfast.Applied {
					failed = append(failed, o)
				}
			}
			if tc.want == "" {
				require.NoError(t, err)
				require.Empty(t, failed)
				return
			}
			require.Equal(t, []string{tc.want}, failed)
			require.True(t, errors.Is(err, ErrOverwritten) != errors.Is(err, ErrNotVisible), err)
			require.ErrorContains(t, err, "; found ")
			if tc.mine != morePartitions { // which never shrink
				f.apply(parse(t, scope+tc.mine))
			}
		})
	}
}

// A broker that lags shows what was before, which is not taken for somebody's
// work, be it of a later write or not.
func TestApply_LagIsNotOverwritten(t *testing.T) {
	for _, lag := range []struct {
		answers int
		// shownLast: the last write is there all the same, because a rival made it
		// as well, and earlier.
		shownLast bool
	}{{1, false}, {3, false}, {6, false}, {1, true}, {4, true}} {
		t.Run(fmt.Sprintf("%+v", lag), func(t *testing.T) {
			f := newFake(t)
			plan := f.plan(parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
`))
			written, late := false, 0
			f.r.OnEvent = func(e holdfast.Event) { written = written || e.What == "wait until every broker knows" }
			f.always(kmsg.DescribeACLs, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
				req := kreq.(*kmsg.DescribeACLsRequest)
				if !written || late == lag.answers || lag.shownLast && req.Principal != nil {
					return nil, nil, false
				}
				late++
				resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
				if lag.shownLast {
					last := kmsg.NewDescribeACLsResponseResource()
					last.ResourceType, last.ResourceName, last.ResourcePatternType = kmsg.ACLResourceTypeTopic, "a1", kmsg.ACLResourcePatternTypeLiteral
					acl := kmsg.NewDescribeACLsResponseResourceACL()
					acl.Principal, acl.Host, acl.Operation, acl.PermissionType = "User:app", "*", kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
					last.ACLs = append(last.ACLs, acl)
					resp.Resources = append(resp.Resources, last)
				}
				return resp, nil, true
			})
			report, err := f.r.Apply(context.Background(), plan)
			require.NoError(t, err)
			require.Equal(t, len(plan.Changes), report.Count(holdfast.Applied), report)
		})
	}
}

// A broker with ZooKeeper that has just started knows bindings before topics, so
// that one shows a later binding and not the topic proves nothing.
func TestWatch_ARestartIsNotOverwritten(t *testing.T) {
	f := newFake(t)
	f.apply(parse(t, threeTopics))
	plan := f.plan(parse(t, strings.Replace(threeTopics, "partitions: 2", "partitions: 4", 1)+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
`))
	require.Len(t, plan.Changes, 2)
	a := f.applied(plan)
	f.once(kmsg.Metadata, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.MetadataRequest)
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewMetadataResponseTopic()
			rt.Topic, rt.ErrorCode = t.Topic, kerr.UnknownTopicOrPartition.Code
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	w := watch{a: a, open: []int{0}, seen: []int{1}, caught: map[int]time.Time{0: time.Now().Add(-time.Hour)}}
	require.NoError(t, w.look(t.Context()))
	require.Equal(t, []int{0}, w.open, a.results)
	_, err := f.r.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.NoError(t, w.look(t.Context()))
	require.Empty(t, w.open)
	require.Equal(t, holdfast.Applied, a.results[0].Outcome)
}

// Where every broker shows the last write, only what is missing is read again.
func TestWatch_ReadsAgainOnlyWhatIsMissing(t *testing.T) {
	f := newFake(t)
	plan := f.plan(parse(t, threeTopics))
	f.apply(parse(t, threeTopics))
	a := f.applied(plan)
	w := watch{a: a, open: a.written(), caught: map[int]time.Time{}}
	w.wait(t.Context(), w.open)
	require.NoError(t, w.look(t.Context()))
	require.Empty(t, w.open)
	require.True(t, slices.Equal(a.written(), w.seen))
	before := f.requests.Load()
	require.NoError(t, w.look(t.Context()))
	require.Equal(t, before, f.requests.Load())
}
