package kafkasec

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/poll"
)

// probes are the users that watch, and what they ask about.
type probes struct {
	*site
	names           []string
	topics          []string
	resources       []Resource
	asking, polling map[string]*Reconciler // by name: while the applier stands still, and always
	fence           fence
}

// sighting collects what was seen while one plan was applied.
type sighting struct {
	before, after *Authorizer
	asked         atomic.Int64

	seen
}

// seen collects what must not be, from any goroutine.
type seen struct {
	mu     sync.Mutex
	broken []string
}

func (s *seen) broke(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
}

// nothing fails the test where something was seen.
func (s *seen) nothing(t *testing.T, plan Plan) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.broken)
	require.Empty(t, slices.Compact(s.broken), plan)
}

var loopback = netip.MustParseAddr("127.0.0.1")

// has reports what the principal may do in the state before and in the one after.
func (g *sighting) has(principal string, op Operation, res Resource) (was, will bool) {
	q := Question{principal, loopback, op, res}
	return g.before.Decide(q).Allowed, g.after.Decide(q).Allowed
}

func (g *sighting) judge(when, principal string, answers []AuthorizedOperations, err error) {
	if err != nil {
		g.broke("%s: %s asks: %v", when, principal, err)
		return
	}
	g.asked.Add(1)
	for _, a := range answers {
		if a.Err != nil {
			g.broke("%s: %s asks about %s: %v", when, principal, a.Resource, a.Err)
			continue
		}
		for _, op := range g.before.toldOperations(a) {
			was, will := g.has(principal, op, a.Resource)
			switch is := slices.Contains(a.Allowed, op); {
			case was && will && !is:
				g.broke("%s: %s lost %s on %s", when, principal, op, a.Resource)
			case is && !was && !will:
				g.broke("%s: %s gained %s on %s", when, principal, op, a.Resource)
			}
		}
	}
}

// fence waits until a broker knows all that was written so far: it writes a
// binding of nobody's, which comes after that in the metadata log, and looks until
// it is there.
type fence struct {
	r       *Reconciler
	binding Binding
	up      bool
}

func (f *fence) wait(ctx context.Context) error {
	c := Change{Action: holdfast.ActionCreate, Kind: KindACL, Name: f.binding.String(), After: f.binding}
	send := createACLs
	if f.up {
		c.Action, c.Before, c.After = holdfast.ActionDelete, f.binding, nil
		send = deleteACLs
	}
	ans, err := send(ctx, f.r, 1, []Change{c})
	if err != nil {
		return err
	}
	if err := ans.items[0].err; err != nil {
		return err
	}
	f.up = !f.up
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return poll.Until(ctx, poll.Backoff{Initial: time.Millisecond, Max: 10 * time.Millisecond}, func(ctx context.Context) (bool, error) {
		if err := f.r.visible(ctx, 1, c); err != nil {
			return false, poll.NotYet{Reason: err}
		}
		return true, nil
	})
}

func newFence(s *site) fence {
	return fence{r: s.r, binding: Binding{"User:" + s.prefix + "nobody", "*", Describe, Allow, Resource{ResourceTransactionalID, s.prefix + "fence", Literal}}}
}

func newProbes(s *site) *probes {
	p := &probes{site: s, asking: map[string]*Reconciler{}, polling: map[string]*Reconciler{}, fence: newFence(s)}
	for _, n := range []string{"a", "b", "c"} {
		name := s.prefix + n
		p.names = append(p.names, name)
		p.asking[name] = &Reconciler{Client: s.User(s.T, name)}
		p.polling[name] = &Reconciler{Client: s.User(s.T, name)}
	}
	for _, n := range []string{"t", "t.a", "t.a.b", "t.c", "x"} {
		p.topics = append(p.topics, s.prefix+n)
		p.resources = append(p.resources, Resource{ResourceTopic, s.prefix + n, Literal})
	}
	for _, n := range []string{"g", "g.a"} {
		p.resources = append(p.resources, Resource{ResourceGroup, s.prefix + n, Literal})
	}
	p.resources = append(p.resources, Resource{ResourceCluster, clusterName, Literal})
	return p
}

// agreed requires that the broker tells each probe what the bindings say.
func (p *probes) agreed(g *sighting, when string, a *Authorizer) {
	for name, r := range p.asking {
		answers, err := r.AuthorizedOperations(p.Context(), p.resources)
		g.judge(when, "User:"+name, answers, err)
		for _, f := range a.Verify("User:"+name, loopback, answers) {
			if f.Status != holdfast.Pass && f.Status != holdfast.Unknown {
				g.broke("%s: %s of User:%s: %s", when, f.Subject, name, f.Message)
			}
		}
	}
}

func (p *probes) bindings() []Binding {
	p.Helper()
	bindings, err := p.r.Bindings(p.Context())
	require.NoError(p, err)
	return bindings
}
