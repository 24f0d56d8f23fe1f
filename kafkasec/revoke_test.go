package kafkasec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// matches is what a broker does with the filter (AccessControlEntryFilter and
// ResourcePatternFilter.matches, 4.4.0).
func (f bindingFilter) matches(b Binding) bool {
	return (f.Principal == "" || f.Principal == b.Principal) && (f.Host == "" || f.Host == b.Host) &&
		(f.Operation == "" || f.Operation == b.Operation) && f.Permission == b.Permission &&
		(f.Resource == (Resource{}) || f.Resource == b.Resource)
}

// Broad filters and what is left for exact ones delete what is to go, each once,
// and nothing else; none adds more than it may.
func TestBroadFilters_MatchWhatIsToGo(t *testing.T) {
	swept := 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		seen := map[Binding]bool{}
		for range rng.IntN(40) {
			seen[randomBinding(rng, "p")] = true
		}
		var live, going []Binding
		for b := range seen {
			live = append(live, b)
			if rng.IntN(8) > 0 {
				going = append(going, b)
			}
		}
		slices.SortFunc(live, Binding.Compare)
		slices.SortFunc(going, Binding.Compare)
		most := 2 + rng.IntN(20)
		broad, exact := broadFilters(live, going, most)
		got := slices.Clone(exact)
		for _, s := range broad {
			var match []Binding
			for _, b := range live {
				if s.filter.matches(b) {
					match = append(match, b)
				}
			}
			require.Subset(t, going, match, "seed %d: %+v", seed, s.filter)
			require.Subset(t, match, s.bindings, "seed %d: %+v", seed, s.filter)
			require.LessOrEqual(t, len(s.bindings), most)
			require.Greater(t, len(s.bindings), 1)
			require.NotEmpty(t, s.filter.Principal+s.filter.Resource.Name)
			got = append(got, s.bindings...)
			swept += len(s.bindings)
		}
		require.ElementsMatch(t, going, got, "seed %d", seed)
	}
	require.Greater(t, swept, 1000)
}

// One principal of 10,000 bindings among 50,000 is one filter, or else as many
// requests as keep the controller about a second each.
func TestRevoke_Cost(t *testing.T) {
	var live, going []Binding
	for i := range 50_000 {
		b := Binding{fmt.Sprintf("User:u%d", i%40), "*", Read, Allow, Resource{ResourceTopic, fmt.Sprintf("t%05d", i), Literal}}
		if i%5 == 0 {
			b.Principal = "User:gone"
			going = append(going, b)
		}
		live = append(live, b)
	}
	broad, exact := broadFilters(live, going, maxRecords)
	require.Len(t, broad, 1)
	require.Empty(t, exact)
	require.Equal(t, bindingFilter{Principal: "User:gone", Permission: Allow}, broad[0].filter)

	requests := pack(all(len(going)), deleteFilters(len(live)), func(int) int { return 1 })
	require.Len(t, requests, 250)
	for n := 1; n < 20_000_000; n *= 3 {
		require.LessOrEqual(t, deleteFilters(n), maxDeleteFilters)
		require.GreaterOrEqual(t, deleteFilters(n), 1)
		require.True(t, deleteFilters(n) == 1 || deleteFilters(n)*n <= maxFilterMatches)
	}
}

// revokes has bindings of three principals of which two go, and counts what
// DeleteAcls is asked.
func revokes(f *fake) (spec Spec, filters *[]int) {
	spec = Spec{Scope: Scope{TopicPrefixes: []string{"t"}}}
	for i := range 30 {
		spec.ACLs = append(spec.ACLs, ACL{Principal: fmt.Sprintf("User:u%d", i%3), Operations: []Operation{Read, Write}, Resource: fmt.Sprintf("topic:t%d", i)})
	}
	f.apply(spec)
	for i := range spec.ACLs {
		if i%3 < 2 {
			spec.ACLs[i].State = Absent
		}
	}
	filters = new([]int)
	f.always(kmsg.DeleteACLs, func(req kmsg.Request) (kmsg.Response, error, bool) {
		*filters = append(*filters, len(req.(*kmsg.DeleteACLsRequest).Filters))
		return nil, nil, false
	})
	return spec, filters
}

func TestRevoke_BroadOnlyWhenAsked(t *testing.T) {
	for broad, want := range map[bool][]int{false: {40}, true: {2}} {
		f := newFake(t)
		spec, filters := revokes(f)
		f.r.BroadRevokes = broad
		require.Equal(t, 40, f.apply(spec).Count(holdfast.Applied))
		require.Equal(t, want, *filters)
		require.True(t, f.plan(spec).Empty())
	}
}

// A binding that is granted while the request is on its way is not the plan's:
// it is put back, and the error says so.
func TestRevoke_PutsBackWhatWasGrantedJustThen(t *testing.T) {
	for _, failing := range []bool{false, true} {
		f := newFake(t)
		spec, _ := revokes(f)
		grant := Binding{"User:u0", "*", Read, Allow, Resource{ResourceGroup, "elsewhere", Literal}}
		wire := &gate{keys: []kmsg.Key{kmsg.DeleteACLs}, before: func(int) {
			_, err := createACLs(context.Background(), f.r, 0, []Change{{Action: holdfast.ActionCreate, Kind: KindACL, After: grant}})
			require.NoError(t, err)
			if failing {
				f.always(kmsg.CreateACLs, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
					resp := kreq.ResponseKind().(*kmsg.CreateACLsResponse)
					r := kmsg.NewCreateACLsResponseResult()
					r.ErrorCode = kerr.ClusterAuthorizationFailed.Code
					resp.Results = append(resp.Results, r)
					return resp, nil, true
				})
			}
		}}
		r := &Reconciler{Client: f.client("admin", "adminpw", kgo.Dialer(wire.dial)), BroadRevokes: true}
		report, err := r.Apply(context.Background(), f.plan(spec))
		var swept *SweptError
		require.ErrorAs(t, err, &swept)
		require.ErrorContains(t, err, grant.String())
		require.True(t, report.Converged(), report)
		state, _, readErr := f.r.read(context.Background(), reading{acls: true})
		require.NoError(t, readErr)
		require.Equal(t, !failing, slices.Contains(state.ACLs, grant))
		if failing {
			require.Equal(t, []Binding{grant}, swept.Lost)
			require.ErrorIs(t, err, kerr.ClusterAuthorizationFailed)
		} else {
			require.Equal(t, &SweptError{Restored: []Binding{grant}}, swept)
		}
		require.True(t, f.plan(spec).Empty())
	}
}

// Only the answer says what else a broad filter caught. Where it is lost, or whoever
// applies is killed before it comes, that is gone and nobody is told, as the
// comment of BroadRevokes says; the plan's own bindings are safe.
func TestRevoke_LosesWithTheAnswerWhatWasGrantedJustThen(t *testing.T) {
	f := newFake(t)
	spec, _ := revokes(f)
	grant := Binding{"User:u0", "*", Read, Allow, Resource{ResourceGroup, "elsewhere", Literal}}
	wire := &gate{keys: []kmsg.Key{kmsg.DeleteACLs}, lose: 1, before: func(n int) {
		if n == 1 {
			_, err := createACLs(context.Background(), f.r, 0, []Change{{Action: holdfast.ActionCreate, Kind: KindACL, After: grant}})
			require.NoError(t, err)
		}
	}}
	r := &Reconciler{Client: f.client("admin", "adminpw", kgo.Dialer(wire.dial), kgo.RequestRetries(0)), BroadRevokes: true}
	report, err := r.Apply(context.Background(), f.plan(spec))
	require.NoError(t, err)
	require.Equal(t, 40, report.Count(holdfast.Applied), report)
	bindings, err := f.r.Bindings(context.Background())
	require.NoError(t, err)
	require.NotContains(t, bindings, grant)
	require.True(t, f.plan(spec).Empty())
}

// What somebody grants between the stage's look and the request's is seen, and
// the filter that would catch it is not sent.
func TestRevoke_LooksOnceMore(t *testing.T) {
	f := newFake(t)
	spec, filters := revokes(f)
	grant := Binding{"User:u0", "*", Read, Allow, Resource{ResourceGroup, "elsewhere", Literal}}
	plan := f.plan(spec)
	describes := 0
	wire := &gate{keys: []kmsg.Key{kmsg.DescribeACLs}, after: func(int) {
		if describes++; describes == 2 { // Apply's check, the stage's
			_, err := createACLs(context.Background(), f.r, 0, []Change{{Action: holdfast.ActionCreate, Kind: KindACL, After: grant}})
			require.NoError(t, err)
		}
	}}
	r := &Reconciler{Client: f.client("admin", "adminpw", kgo.Dialer(wire.dial)), BroadRevokes: true}
	report, err := r.Apply(context.Background(), plan)
	require.NoError(t, err)
	require.Equal(t, 40, report.Count(holdfast.Applied))
	require.Equal(t, []int{11}, *filters, "u1 by one filter, the topics of u0 each by one")
	state, _, err := f.r.read(context.Background(), reading{acls: true})
	require.NoError(t, err)
	require.Contains(t, state.ACLs, grant)
}

// A batch that used up all patience leaves none for the following ones.
func TestRun_SpendsItsPatienceOnce(t *testing.T) {
	f := newFake(t)
	var p Plan
	for i := range 2500 {
		p.Changes = append(p.Changes, Change{holdfast.ActionDelete, KindTopic, fmt.Sprintf("t%d", i), "", TopicData{Partitions: 1}, nil})
	}
	refused := func(names []string) (answers, error) {
		var ans answers
		for range names {
			ans.items = append(ans.items, answer{err: brokerError(kerr.NotController.Code, nil, "")})
		}
		return ans, nil
	}
	r := &Reconciler{Client: f.r.Client, RetryFor: 200 * time.Millisecond}
	s := runScript(context.Background(), r, p, refused)
	first := 0
	for _, names := range s.sent {
		if names[0] == "t0" {
			first++
		}
	}
	require.Greater(t, first, 1)
	require.Len(t, s.sent, first+2)
	for _, o := range s.results {
		require.Equal(t, holdfast.Failed, o.Outcome)
		require.ErrorIs(t, o.Err, kerr.NotController)
	}
}
