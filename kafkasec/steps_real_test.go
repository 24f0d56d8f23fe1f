package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// What no plan does at any moment: take from a client what it has both before and
// after, or give it what it has neither before nor after. Users of their own ask
// a real broker at each step of the applier, and without pause.

// state is a random desired state out of a small pool, in which much meets: names,
// prefixes of them and the wildcard; everyone and each; hosts; denies; roles.
func (p *probes) state(rng *rand.Rand) Spec {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	spec := Spec{Scope: Scope{TopicPrefixes: []string{p.prefix}, GroupPrefixes: []string{p.prefix}}}
	for _, name := range p.names {
		spec.Scope.Principals = append(spec.Scope.Principals, "User:"+name)
	}
	for i, name := range p.topics {
		switch {
		case i < 3: // these stay, for clients to work with
			spec.Topics = append(spec.Topics, Topic{Name: name, Partitions: 1, Configs: map[string]string{"retention.ms": pick("100000000", "200000000")}})
		case rng.IntN(2) == 0:
			spec.Topics = append(spec.Topics, Topic{Name: name, Partitions: 1})
		default:
			spec.Topics = append(spec.Topics, Topic{Name: name, State: Absent})
		}
	}
	declared := map[Binding]bool{}
	for range 14 + rng.IntN(14) {
		b := Binding{"User:" + pick(append([]string{"*"}, p.names...)...), pick("*", "*", "*", "127.0.0.1", "127.0.0.0/8", "10.0.0.1"), "", Allow, Resource{Pattern: Literal}}
		switch rng.IntN(10) {
		case 0:
			b.Resource = Resource{ResourceCluster, clusterName, Literal}
			b.Operation = Operation(pick("Describe", "Create", "IdempotentWrite", "DescribeConfigs", "All"))
		case 1, 2:
			b.Resource.Type, b.Resource.Name = ResourceGroup, p.prefix+pick("g", "g.a")
			b.Operation = Operation(pick("Read", "Read", "Describe", "Delete", "All"))
		default:
			b.Resource.Type, b.Resource.Name = ResourceTopic, p.prefix+pick("t", "t.a", "t.a.b", "t.c", "x")
			b.Operation = Operation(pick("Read", "Read", "Write", "Write", "Describe", "DescribeConfigs", "Create", "All"))
		}
		if b.Resource.Type != ResourceCluster {
			switch rng.IntN(6) {
			case 0, 1:
				b.Resource.Pattern = Prefixed
			case 2:
				b.Resource.Name = anyName
			}
		}
		if rng.IntN(4) == 0 {
			b.Permission = Deny
		}
		// What is everyone's on everything is in no scope.
		if declared[b] || !spec.Scope.OwnsBinding(b) {
			continue
		}
		declared[b] = true
		spec.ACLs = append(spec.ACLs, aclOf(b))
	}
	for _, name := range p.names {
		r := Role{Principal: "User:" + name, Topics: []string{p.prefix + pick("t", "t*", "t.a", "t.a*")}}
		switch rng.IntN(3) {
		case 0:
			r.Role = RoleProducer
		case 1:
			r.Role, r.Groups = RoleConsumer, []string{p.prefix + pick("g", "g*")}
		default:
			continue
		}
		spec.Roles = append(spec.Roles, r)
	}
	return spec
}

// revoking adds to a state that what it does not declare is to go: by pruning, or
// by naming all that there is.
func (p *probes) revoking(spec Spec, bindings []Binding, prune bool) Spec {
	if prune {
		spec.Prune = Prune{ACLs: true, MaxCount: len(bindings), MaxPercent: 100}
		return spec
	}
	declared, err := spec.Bindings()
	require.NoError(p, err)
	for _, b := range bindings {
		if spec.Scope.OwnsBinding(b) && !slices.Contains(declared, b) {
			gone := aclOf(b)
			gone.State = Absent
			spec.ACLs = append(spec.ACLs, gone)
		}
	}
	return spec
}

// applied is the bindings that there are after the plan.
func applied(bindings []Binding, plan Plan) []Binding {
	there := map[Binding]bool{}
	for _, b := range bindings {
		there[b] = true
	}
	for _, c := range plan.Changes {
		if c.Kind == KindACL {
			there[c.binding()] = c.After != nil
		}
	}
	var after []Binding
	for b, is := range there {
		if is {
			after = append(after, b)
		}
	}
	slices.SortFunc(after, Binding.Compare)
	return after
}

// watch applies the plan while the probes ask, and fails where anything was seen
// that the plan must not do.
func (p *probes) watch(plan Plan, bindings []Binding, broad bool, work func(*sighting, <-chan struct{}, *sync.WaitGroup)) *sighting {
	p.Helper()
	g := &sighting{before: NewAuthorizer(bindings, AuthorizerOptions{}), after: NewAuthorizer(applied(bindings, plan), AuthorizerOptions{})}
	p.agreed(g, "before", g.before)

	stop, all := make(chan struct{}), &sync.WaitGroup{}
	all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := p.names[i%len(p.names)]
			answers, err := p.polling[name].AuthorizedOperations(p.Context(), p.resources)
			g.judge("under way", "User:"+name, answers, err)
		}
	})
	work(g, stop, all)

	// The applier stands still after each write, before it hears of it.
	wire := &gate{keys: writeKeys, after: func(n int) {
		when := fmt.Sprintf("after write %d", n)
		if err := p.fence.wait(p.Context()); err != nil {
			g.broke("%s: fence: %v", when, err)
			return
		}
		now, err := p.r.Bindings(p.Context())
		if err != nil {
			g.broke("%s: %v", when, err)
			return
		}
		p.agreed(g, when, NewAuthorizer(now, AuthorizerOptions{}))
	}}
	r := &Reconciler{Client: p.Admin(p.T, kgo.Dialer(wire.dial)), BroadRevokes: broad}
	report, err := r.Apply(p.Context(), plan)
	close(stop)
	all.Wait()
	require.NoError(p, err, plan)
	require.True(p, report.Converged(), report)
	p.agreed(g, "after", g.after)
	g.nothing(p.T, plan)
	return g
}

// work has real clients produce and fetch what they may both before and after.
func (p *probes) work(produced, fetched *atomic.Int64) func(*sighting, <-chan struct{}, *sync.WaitGroup) {
	return func(g *sighting, stop <-chan struct{}, all *sync.WaitGroup) {
		ctx, cancel := context.WithCancel(p.Context())
		all.Go(func() {
			<-stop
			cancel()
		})
		for _, name := range p.names {
			principal := "User:" + name
			may := func(op Operation) (topics []string) {
				for _, t := range p.topics[:3] {
					res := Resource{ResourceTopic, t, Literal}
					was, will := g.has(principal, op, res)
					// Without it a client does not find the topic.
					wasSeen, willBeSeen := g.has(principal, Describe, res)
					if was && will && wasSeen && willBeSeen {
						topics = append(topics, t)
					}
				}
				return topics
			}
			if topics := may(Write); len(topics) > 0 {
				all.Go(func() {
					cl := p.User(p.T, name, kgo.DisableIdempotentWrite())
					defer cl.Close()
					for i := 0; ctx.Err() == nil; i++ {
						topic := topics[i%len(topics)]
						switch err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); {
						case err == nil:
							produced.Add(1)
						case ctx.Err() == nil:
							g.broke("%s produces to %s: %v", principal, topic, err)
						}
					}
				})
			}
			if topics := may(Read); len(topics) > 0 {
				all.Go(func() {
					count := OnRequest(func(e RequestEvent) {
						if kmsg.Key(e.Key) == kmsg.Fetch && e.Err == nil {
							fetched.Add(1)
						}
					})
					cl := p.User(p.T, name, kgo.ConsumeTopics(topics...), kgo.KeepRetryableFetchErrors(), kgo.FetchMaxWait(50*time.Millisecond), kgo.WithHooks(count))
					defer cl.Close()
					for ctx.Err() == nil {
						for _, e := range cl.PollFetches(ctx).Errors() {
							if !errors.Is(e.Err, context.Canceled) {
								g.broke("%s fetches from %s: %v", principal, e.Topic, e.Err)
							}
						}
					}
				})
			}
		}
	}
}

// handed counts what the plan takes from one binding and gives to another: what
// is allowed before and after, or refused by a deny before and after. Only that
// can be lost, or gained, in between.
func (p *probes) handed(g *sighting, counts map[string]int) {
	for _, name := range p.names {
		for _, res := range p.resources {
			for _, op := range g.before.toldOperations(AuthorizedOperations{Resource: res}) {
				q := Question{"User:" + name, loopback, op, res}
				was, will := g.before.Decide(q), g.after.Decide(q)
				switch {
				case was.Allowed != will.Allowed:
					counts["changed"]++
				case was.Binding == will.Binding:
					counts["the same"]++
				case was.Allowed:
					counts["allowed by another"]++
				default:
					counts["refused by another"]++
				}
			}
		}
	}
}

func TestReal_Steps(t *testing.T) {
	const plans = 20
	s := newSite(t, conform.Real(real.Kafka(t)))
	s.awaitCoordinators()
	p := newProbes(s)
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))

	s.apply(p.state(rng))
	counts, stages := map[string]int{}, map[stage]int{}
	var asked int64
	var produced, fetched atomic.Int64
	for i := range plans {
		bindings := p.bindings()
		next := p.revoking(p.state(rng), bindings, rng.IntN(2) == 0)
		plan := s.plan(s.r, next)
		work := func(*sighting, <-chan struct{}, *sync.WaitGroup) {}
		if i%3 == 0 {
			work = p.work(&produced, &fetched)
		}
		g := p.watch(plan, bindings, rng.IntN(2) == 0, work)
		require.True(s, s.plan(s.r, next).Empty(), "plan %d", i)
		asked += g.asked.Load()
		p.handed(g, counts)
		seen := map[stage]bool{}
		for _, c := range plan.Changes {
			seen[c.stage()] = true
		}
		for st := range seen {
			stages[st]++
		}
	}
	s.Logf("asked %d times, produced %d records and fetched %d times; operations: %v", asked, produced.Load(), fetched.Load(), counts)
	for _, st := range []stage{stageDeny, stageGrant, stageRevoke, stageUndeny} {
		require.Greater(s, stages[st], plans/2, "few plans have stage %d", st)
	}
	for _, kind := range []string{"changed", "allowed by another", "refused by another"} {
		require.Greater(s, counts[kind], plans, kind)
	}
	require.Greater(s, produced.Load(), int64(plans))
	require.Greater(s, fetched.Load(), int64(plans))

	last := p.revoking(Spec{Scope: p.state(rng).Scope}, p.bindings(), false)
	for _, name := range p.topics {
		last.Topics = append(last.Topics, Topic{Name: name, State: Absent, DeleteRecords: true})
	}
	s.apply(last)
}
