package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// script stands in for the requests of one stage: each step answers one. What
// is looked at in between is answered by the reconciler's cluster.
type script struct {
	*applier
	sent        [][]string // the names in each request
	controllers []int32    // and whom it was sent to
}

type step func(names []string) (answers, error)

func runScript(ctx context.Context, r *Reconciler, plan Plan, steps ...step) *script {
	s := &script{applier: newApplier(r, plan)}
	w := writerFor(plan.Changes[0].stage())
	w.send = func(_ context.Context, _ *Reconciler, controller int32, changes []Change) (answers, error) {
		names := make([]string, len(changes))
		for i, c := range changes {
			names[i] = c.Name
		}
		s.sent, s.controllers = append(s.sent, names), append(s.controllers, controller)
		return steps[min(len(s.sent), len(steps))-1](names)
	}
	s.run(ctx, w, all(len(plan.Changes)))
	return s
}

// answer gives the error of each topic, by name; the others are fine.
func answerWith(throttle time.Duration, errs map[string]error) step {
	return func(names []string) (answers, error) {
		ans := answers{throttle: throttle}
		for _, n := range names {
			ans.items = append(ans.items, answer{err: errs[n]})
		}
		return ans, nil
	}
}

func breakWith(err error) step { return func([]string) (answers, error) { return answers{}, err } }

func createPlan(names ...string) Plan {
	var p Plan
	for _, n := range names {
		p.Changes = append(p.Changes, Change{holdfast.ActionCreate, KindTopic, n, "", nil, TopicData{Partitions: 1}})
	}
	return p
}

// create makes topics that an applier does not know of.
func (f *fake) create(names ...string) {
	spec := Spec{Scope: Scope{Topics: names}}
	for _, n := range names {
		spec.Topics = append(spec.Topics, Topic{Name: n, Partitions: 1})
	}
	f.apply(spec)
}

var errLost = errors.New("connection reset")

// What may have happened is looked at before it is sent again, also where the
// broker throttles the rest of the request.
func TestRun_LooksBeforeItSendsAgain(t *testing.T) {
	for name, first := range map[string]func(f *fake) step{
		"timed out": func(*fake) step {
			return answerWith(0, map[string]error{"a": brokerError(kerr.RequestTimedOut.Code, nil, "")})
		},
		"timed out beside a throttled one": func(*fake) step {
			return answerWith(1, map[string]error{
				"a": brokerError(kerr.RequestTimedOut.Code, nil, ""), "b": brokerError(kerr.ThrottlingQuotaExceeded.Code, nil, ""),
			})
		},
		"lost":          func(*fake) step { return breakWith(errLost) },
		"half answered": func(*fake) step { return func([]string) (answers, error) { return answers{items: []answer{{}}}, nil } },
		"lost, and nobody to look with": func(f *fake) step {
			for range 6 { // the client itself asks three times
				f.once(kmsg.Metadata, func(kmsg.Request) (kmsg.Response, error, bool) { return nil, errLost, true })
			}
			return breakWith(errLost)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.create("a") // as if by the first request
			s := runScript(context.Background(), f.r, createPlan("a", "b"), first(f), answerWith(0, nil))
			require.Equal(t, holdfast.Applied, s.results[0].Outcome, s.results)
			require.Equal(t, holdfast.Applied, s.results[1].Outcome, s.results)
			want := [][]string{{"a", "b"}, {"b"}}
			if name == "timed out" { // b was answered
				want = want[:1]
			}
			require.Equal(t, want, s.sent)
		})
	}
}

// What is unclear stays so until it is decided, whatever is answered in between.
func TestRun_RemembersWhatWasUnclear(t *testing.T) {
	policy := brokerError(kerr.PolicyViolation.Code, nil, "")
	exists := brokerError(kerr.TopicAlreadyExists.Code, nil, "")
	t.Run("through a batch that is halved", func(t *testing.T) {
		f := newFake(t)
		s := runScript(context.Background(), f.r, createPlan("a", "b"),
			breakWith(errLost),
			answerWith(0, map[string]error{"a": policy, "b": policy}),
			func([]string) (answers, error) { // the lost request arrived late
				f.create("a")
				return answers{items: []answer{{err: exists}}}, nil
			},
			answerWith(0, nil))
		require.Equal(t, [][]string{{"a", "b"}, {"a", "b"}, {"a"}, {"b"}}, s.sent)
		require.Equal(t, []string{"applied create topic a", "applied create topic b"}, outcomes(s.report()))
	})
	t.Run("to a deletion that finds nothing", func(t *testing.T) {
		f := newFake(t)
		f.create("a")
		plan := Plan{Changes: []Change{{holdfast.ActionDelete, KindTopic, "a", "", TopicData{Partitions: 1}, nil}}}
		gone := func([]string) (answers, error) { return answers{items: []answer{{gone: true}}}, nil }
		require.Equal(t, []string{"applied delete topic a"}, outcomes(runScript(context.Background(), f.r, plan, breakWith(errLost), gone).report()))
		require.Equal(t, []string{"unchanged/already-gone delete topic a"}, outcomes(runScript(context.Background(), f.r, plan, gone).report()))
	})
	t.Run("to the end of the context", func(t *testing.T) {
		f := newFake(t)
		ctx, cancel := context.WithCancel(context.Background())
		s := runScript(ctx, f.r, createPlan("a"), answerWith(0, map[string]error{"a": brokerError(kerr.RequestTimedOut.Code, nil, "")}),
			func([]string) (answers, error) {
				cancel()
				return answers{items: []answer{{err: brokerError(kerr.NotController.Code, nil, "")}}}, nil
			})
		require.Equal(t, []string{"failed/unknown-result create topic a"}, outcomes(s.report()))
	})
}

func TestRun_AsksWhoIsController(t *testing.T) {
	notController := answerWith(0, map[string]error{"a": brokerError(kerr.NotController.Code, nil, "")})
	for name, first := range map[string]step{"after a refusal": notController, "after a lost answer": breakWith(errLost)} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			s := runScript(context.Background(), f.r, createPlan("a"), first, answerWith(0, nil))
			require.Equal(t, []string{"applied create topic a"}, outcomes(s.report()))
			_, who, err := f.r.metadata(context.Background(), []string{})
			require.NoError(t, err)
			require.NotEqual(t, s.controllers[0], who.controller, "kfake's first controller is not the zero value of members")
			require.Equal(t, who.controller, s.controllers[1])
		})
	}
}

// Nothing is sent while there is no controller, and nothing is unclear then.
func TestRun_NoController(t *testing.T) {
	f := newFake(t)
	f.r.RetryFor = time.Millisecond
	a := newApplier(f.r, createPlan("a"))
	a.who.controller = -1
	w := writerFor(stageCreateTopics)
	f.Close()
	a.run(context.Background(), w, []int{0})
	require.Equal(t, []string{"failed create topic a"}, outcomes(a.report()))
	require.ErrorIs(t, a.results[0].Err, errNoController)
}

// A refused login ends everything at once: nothing of it was sent, and no time
// limit passed.
func TestRun_StopsAtWhatCannotPass(t *testing.T) {
	f := newFake(t)
	plan := createPlan("a", "b")
	s := newApplier(f.r, plan)
	requests := 0
	w := writerFor(stageCreateTopics)
	w.limit = 1
	w.send = func(context.Context, *Reconciler, int32, []Change) (answers, error) {
		requests++
		return answers{}, kerr.SaslAuthenticationFailed
	}
	s.run(context.Background(), w, all(2))
	require.Equal(t, 1, requests)
	require.Equal(t, []string{"failed create topic a", "not-attempted create topic b"}, outcomes(s.report()))
	require.ErrorIs(t, s.gaveUp, kerr.SaslAuthenticationFailed)
}

func TestNeverSent(t *testing.T) {
	for err, want := range map[error]bool{
		kerr.SaslAuthenticationFailed:          true,
		&net.OpError{Op: "dial", Err: errLost}: true,
		errNoController:                        true,
		&net.OpError{Op: "read", Err: errLost}: false,
		kgo.ErrClientClosed:                    false, // may have been closed after the request went out
		context.Canceled:                       false,
		context.DeadlineExceeded:               false,
	} {
		require.Equal(t, want, neverSent(err), err)
	}
}

// offline is a reconciler in whose bubble nobody can be reached.
func offline(t *testing.T) *Reconciler {
	cl, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.RequestRetries(0), kgo.Dialer(func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errLost}
	}))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return &Reconciler{Client: cl}
}

// A broker's own wait is kept, however often, and does not count as trying.
func TestRun_WaitsOutAThrottle(t *testing.T) {
	throttled := map[string]error{"a": brokerError(kerr.ThrottlingQuotaExceeded.Code, nil, "")}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		wait := answerWith(10*time.Minute, throttled)
		notYet := answerWith(0, map[string]error{"a": brokerError(kerr.NotController.Code, nil, "")})
		s := runScript(context.Background(), offline(t), createPlan("a"), wait, wait, wait, notYet, answerWith(0, nil))
		require.Equal(t, []string{"applied create topic a"}, outcomes(s.report()))
		require.Equal(t, 30*time.Minute+firstBackoff, time.Since(start))
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s := runScript(ctx, offline(t), createPlan("a"), answerWith(10*time.Minute, throttled))
		require.Equal(t, []string{"not-attempted/expired create topic a"}, outcomes(s.report()))
	})
	// Without a time to wait and without progress, it ends.
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := runScript(context.Background(), offline(t), createPlan("a"), answerWith(0, throttled))
		require.Equal(t, []string{"failed create topic a"}, outcomes(s.report()))
		require.ErrorIs(t, s.results[0].Err, kerr.ThrottlingQuotaExceeded)
		require.Less(t, time.Since(start), 2*time.Minute)
	})
}

// RetryFor is time without progress.
func TestRun_ProgressBuysTime(t *testing.T) {
	notYet := brokerError(kerr.NotController.Code, nil, "")
	synctest.Test(t, func(t *testing.T) {
		r := offline(t)
		r.RetryFor = 60 * time.Millisecond
		var names []string
		for i := range 20 {
			names = append(names, string(rune('a'+i)))
		}
		onlyFirst := func(names []string) (answers, error) {
			ans := answers{items: slices.Repeat([]answer{{err: notYet}}, len(names))}
			ans.items[0].err = nil
			return ans, nil
		}
		s := runScript(context.Background(), r, createPlan(names...), onlyFirst)
		require.Equal(t, 20, s.report().Count(holdfast.Applied))

		s = runScript(context.Background(), r, createPlan("a"), answerWith(0, map[string]error{"a": notYet}))
		require.Equal(t, []string{"failed create topic a"}, outcomes(s.report()))
		require.ErrorIs(t, s.results[0].Err, kerr.NotController)
	})
}

// Who is held back by whose failure, per stage.
func TestHold(t *testing.T) {
	on := Resource{ResourceTopic, "t", Literal}
	change := func(action holdfast.Action, permission Permission, principal string) Change {
		b := Binding{principal, "*", Read, permission, on}
		if action == holdfast.ActionCreate {
			return Change{Action: action, Kind: KindACL, Name: b.String(), After: b}
		}
		return Change{Action: action, Kind: KindACL, Name: b.String(), Before: b}
	}
	const create, remove = holdfast.ActionCreate, holdfast.ActionDelete
	for name, c := range map[string]struct {
		failed, next Change
		held         bool
	}{
		"grant after a failed deny":            {change(create, Deny, "User:a"), change(create, Allow, "User:a"), true},
		"grant to another after a failed deny": {change(create, Deny, "User:a"), change(create, Allow, "User:b"), false},
		"grant after a failed deny of all":     {change(create, Deny, "User:*"), change(create, Allow, "User:b"), true},
		"grant to all after a failed deny":     {change(create, Deny, "User:a"), change(create, Allow, "User:*"), true},
		"grant to all of another type":         {change(create, Deny, "Group:a"), change(create, Allow, "User:*"), false},
		"revocation after a failed grant":      {change(create, Allow, "User:a"), change(remove, Allow, "User:a"), true},
		"revocation after a failed deny":       {change(create, Deny, "User:a"), change(remove, Allow, "User:a"), false},
		"lifting a deny after a failed deny":   {change(create, Deny, "User:a"), change(remove, Deny, "User:a"), true},
		"lifting a deny after a failed revoke": {change(remove, Allow, "User:a"), change(remove, Deny, "User:a"), true},
		"lifting a deny after a failed grant":  {change(create, Allow, "User:a"), change(remove, Deny, "User:a"), false},
		"a deny after a failed topic":          {createPlan("t").Changes[0], change(create, Deny, "User:a"), false},
	} {
		t.Run(name, func(t *testing.T) {
			for outcome, held := range map[holdfast.Outcome]bool{
				holdfast.Failed: c.held, holdfast.NotAttempted: c.held, holdfast.Applied: false, holdfast.Unchanged: false,
			} {
				a := newApplier(&Reconciler{}, Plan{Changes: []Change{c.failed, c.next}})
				a.settle(0, outcome, "", nil)
				free := a.hold(c.next.stage(), []int{1})
				require.Equal(t, held, len(free) == 0, outcome)
				if held {
					require.Equal(t, ReasonHeld, a.results[1].Reason)
					require.ErrorContains(t, a.results[1].Err, c.failed.Name)
				}
			}
		})
	}
}

// Topics whose partitions are left to the broker pass where its default is
// large: nobody says num.partitions.
func TestRun_DefaultPartitions(t *testing.T) {
	var plan Plan
	for i := range 3_000 {
		plan.Changes = append(plan.Changes, Change{holdfast.ActionCreate, KindTopic, fmt.Sprintf("t%d", i), "", nil, TopicData{}})
	}
	s := runScript(context.Background(), &Reconciler{}, plan, func(names []string) (answers, error) {
		ans := answers{items: make([]answer, len(names))}
		if len(names)*(1+100) > 10_000 {
			for i := range ans.items {
				ans.items[i].err = brokerError(kerr.PolicyViolation.Code, nil, "")
			}
		}
		return ans, nil
	})
	require.Equal(t, len(plan.Changes), s.report().Count(holdfast.Applied))
}
