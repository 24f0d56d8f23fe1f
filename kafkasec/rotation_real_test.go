package kafkasec

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// rotation is a user whose credentials plans change, and who logs in meanwhile.
type rotation struct {
	*site
	cluster *real.Cluster
	user    string
	topic   Resource
	fence   fence
	// current is the reference to the password that brokers must take.
	current map[ScramMechanism]string
	seen    seen
}

// passwordRefs are all that the user ever has.
var passwordRefs = []string{"env:P1", "env:P2", "env:P3", "env:P4"}

var bothMechanisms = map[ScramMechanism]real.Mechanism{ScramSHA256: real.SCRAM256, ScramSHA512: real.SCRAM512}

func (o *rotation) client(m ScramMechanism, ref string, opts ...kgo.Opt) *kgo.Client {
	password, _ := passwordOf(o.Context(), ref)
	login := real.Login{Protocol: real.SASLPlaintext, Mechanism: bothMechanisms[m], User: o.user, Password: password}
	return o.cluster.Client(o.T, login, append(opts, kgo.RequestRetries(0))...)
}

// logsIn opens a new connection and says whether the broker takes the password.
// Everyone may write to the topic but for this user: who is in must be refused.
func (o *rotation) logsIn(when string, m ScramMechanism, ref string) bool {
	cl := o.client(m, ref)
	defer cl.Close()
	if err := cl.Ping(o.Context()); err != nil {
		if !errors.Is(err, kerr.SaslAuthenticationFailed) {
			o.seen.broke("%s: login with %s of %s: %v", when, m, ref, err)
		}
		return false
	}
	answers, err := (&Reconciler{Client: cl}).AuthorizedOperations(o.Context(), []Resource{o.topic})
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed): // on another connection, as the password has been replaced since
	case err != nil || answers[0].Err != nil:
		o.seen.broke("%s: %v %+v", when, err, answers)
	case slices.Contains(answers[0].Allowed, Write):
		o.seen.broke("%s: in with %s of %s, and may write", when, m, ref)
	}
	return true
}

// check tries each password with each mechanism when every write so far has come
// to the broker.
func (o *rotation) check(when string) {
	if err := o.fence.wait(o.Context()); err != nil {
		o.seen.broke("%s: fence: %v", when, err)
		return
	}
	var all sync.WaitGroup // a broker keeps who is refused waiting
	for m := range bothMechanisms {
		for _, ref := range passwordRefs {
			all.Go(func() {
				if in, want := o.logsIn(when, m, ref), o.current[m] == ref; in != want {
					o.seen.broke("%s: login with %s of %s: %t, should be %t", when, m, ref, in, want)
				}
			})
		}
	}
	all.Wait()
}

// kept is a connection from before a plan.
type kept struct {
	*kgo.Client
	opened atomic.Int64
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (k *kept) OnBrokerConnect(kgo.BrokerMetadata, time.Duration, net.Conn, error) { k.opened.Add(1) }

func (k *kept) use(o *rotation) error {
	_, err := kmsg.NewPtrMetadataRequest().RequestWith(o.Context(), k.Broker(1))
	return err
}

// apply applies a plan and checks before it and after each of its writes, when the
// applier stands still, and without pause that the password of before or the one of
// after is good.
func (o *rotation) apply(name string, spec Spec, after map[ScramMechanism]string) {
	o.Helper()
	plan := o.plan(o.r, spec)
	o.check(name + ", before")
	var stages []stage // one write each
	for _, c := range plan.Changes {
		stages = append(stages, c.stage())
	}
	stages = slices.Compact(stages)

	connections := map[ScramMechanism]*kept{}
	for m, ref := range o.current {
		k := &kept{}
		k.Client = o.client(m, ref, kgo.WithHooks(k))
		defer k.Close()
		require.NoError(o, k.use(o))
		connections[m] = k
		k.opened.Store(0)
	}
	stop, all := make(chan struct{}), &sync.WaitGroup{}
	var tries atomic.Int64
	for m, old := range o.current {
		if after[m] == "" {
			continue
		}
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// In this order: one that is refused has been replaced by now.
				if !o.logsIn(name, m, old) && !o.logsIn(name, m, after[m]) {
					o.seen.broke("%s: neither %s nor %s logs in with %s", name, old, after[m], m)
				}
				tries.Add(1)
			}
		})
	}
	writes := 0
	wire := &gate{
		keys: writeKeys,
		after: func(n int) {
			if writes = n; n > len(stages) {
				o.seen.broke("%s: %d writes for %d stages", name, n, len(stages))
				return
			}
			for _, c := range plan.Changes {
				if c.Kind != KindScramUser || c.stage() != stages[n-1] {
					continue
				}
				if set, ok := c.After.(Credential); ok {
					o.current[set.Mechanism] = set.Password
				} else {
					delete(o.current, c.credential().Mechanism)
				}
			}
			o.check(fmt.Sprintf("%s, after write %d", name, n))
			for m, k := range connections {
				if err := k.use(o); err != nil {
					o.seen.broke("%s, after write %d: connection with %s: %v", name, n, m, err)
				}
			}
		},
	}
	o.r.Client = o.Admin(o.T, kgo.Dialer(wire.dial))
	report, err := o.r.Apply(o.Context(), plan)
	close(stop)
	all.Wait()
	o.seen.nothing(o.T, plan)
	require.NoError(o, err)
	require.True(o, report.Converged(), report)
	require.Equal(o, len(stages), writes, plan)
	require.Equal(o, after, o.current, plan)
	for m, k := range connections {
		require.Zero(o, k.opened.Load(), "%s: %s", name, m)
	}
	o.Logf("%s: %d writes, %d times the old or the new password", name, writes, tries.Load())
}

// At each step of a rotation exactly one password of each mechanism is good, also
// where a login comes and goes with a deny, and a connection stays open.
func TestReal_StepsOfARotation(t *testing.T) {
	c := real.Kafka(t)
	s := newSite(t, conform.Real(c))
	o := &rotation{site: s, cluster: c, user: s.prefix + "u", topic: Resource{ResourceTopic, s.prefix + "t", Literal},
		fence: newFence(s), current: map[ScramMechanism]string{}}
	o.fence.r = &Reconciler{Client: s.Admin(t)}
	const head = `
scope: {topic_prefixes: ["~"], principals: ["User:~u"]}
acls:
  - {principal: "User:*", operations: [Write], resource: "topic:~t"}
  - {principal: "User:~u", operations: [Write], resource: "topic:~t", permission: deny`
	s.apply(s.spec(head + ", state: absent}\n"))
	step := func(name, users string, after map[ScramMechanism]string) {
		s.Helper()
		o.apply(name, s.spec(head+users), after)
	}
	step("new user", `}
users:
  - {name: "~u", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], password: "env:P1"}
`, map[ScramMechanism]string{ScramSHA256: "env:P1", ScramSHA512: "env:P1"})
	step("both rotated", `}
users:
  - {name: "~u", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], iterations: 4097, password: "env:P2"}
`, map[ScramMechanism]string{ScramSHA256: "env:P2", ScramSHA512: "env:P2"})
	step("one removed", `}
users:
  - {name: "~u", mechanisms: [SCRAM-SHA-256], state: absent}
`, map[ScramMechanism]string{ScramSHA512: "env:P2"})
	step("one added, one rotated", `}
users:
  - {name: "~u", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], iterations: 4098, password: "env:P3"}
`, map[ScramMechanism]string{ScramSHA256: "env:P3", ScramSHA512: "env:P3"})
	step("one rotated, one removed", `}
users:
  - {name: "~u", mechanisms: [SCRAM-SHA-256], iterations: 4099, password: "env:P4"}
  - {name: "~u", mechanisms: [SCRAM-SHA-512], state: absent}
`, map[ScramMechanism]string{ScramSHA256: "env:P4"})
	step("user removed", `, state: absent}
users:
  - {name: "~u", mechanisms: [SCRAM-SHA-256], state: absent}
`, map[ScramMechanism]string{})
	s.r.Client = o.fence.r.Client
	s.apply(s.spec(`
scope: {topic_prefixes: ["~"]}
acls:
  - {principal: "User:*", operations: [Write], resource: "topic:~t", state: absent}
`))
}
