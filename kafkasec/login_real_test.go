package kafkasec

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// A password that kafka-configs changed, a secret that changed behind its
// reference, and a listener that is down.
func TestReal_Logins(t *testing.T) {
	c := real.Kafka(t)
	s := newSite(t, conform.Real(c))
	w, v := &loginWire{}, vault{"env:A": "first, \"ü=\""}
	s.r.Resolve = v.resolve
	s.r.Logins = &dial.Config{Brokers: c.Bootstrap(real.SASLPlaintext), Protocol: dial.SASLPlaintext, Dial: w.dial}
	spec := both(s.prefix+"a", "env:A")
	s.apply(spec) // and a login says that all is as declared
	w.take()

	for _, m := range spec.Users[0].Mechanisms {
		console(t, c, "kafka.admin.ConfigCommand", "--alter", "--entity-type", "users", "--entity-name", s.prefix+"a",
			"--add-config", string(m)+"=[iterations=4096,password=of-the-console]")
		// Brokers describe a credential a moment before they log in with it.
		require.Eventually(t, func() bool { return len(s.plan(s.r, spec).Changes) == 1 }, 30*time.Second, 50*time.Millisecond)
		w.take()
		plan := s.plan(s.r, spec)
		require.Equal(t, spec.Users[0].Name+" "+string(m), plan.Changes[0].Name)
		require.Equal(t, [][]kmsg.Key{exchange, exchange}, w.take())
		s.apply(spec)
	}
	v["env:A"] = "second"
	require.Len(t, s.plan(s.r, spec).Changes, 2)
	s.apply(spec)
	// The other way to say that there is another password.
	v["env:A"], spec.Users[0].Iterations = "third", 4097
	s.apply(spec)

	s.r.Logins.Brokers = []string{"127.0.0.1:1"}
	s.r.Logins.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("down") }
	plan := s.plan(s.r, spec)
	require.Empty(t, plan.Changes)
	require.Len(t, plan.Unread, 2)
	s.r.Logins = nil
	spec.Users[0].Password, spec.Users[0].Iterations, spec.Users[0].State = "", 0, Absent
	s.apply(spec)
}
