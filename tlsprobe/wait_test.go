package tlsprobe

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	watchdog = 30 * time.Second
	tick     = 10 * time.Millisecond
)

// pipes is a dialer of connections in memory, whose other end does what do says.
func pipes(do func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			do(there)
		}()
		return here, nil
	}
}

// A peer that says nothing, or a byte now and then, is given up at the timeout,
// and a canceled probe ends at once.
func TestProbe_Waits(t *testing.T) {
	mute := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	drip := func(conn net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		for {
			time.Sleep(time.Second)
			if _, err := conn.Write([]byte("2")); err != nil {
				return
			}
		}
	}
	for _, upgrade := range append(Upgrades(), Direct) {
		for name, peer := range map[string]func(net.Conn){"mute": mute, "drip": drip} {
			if name == "drip" && (upgrade == Direct || upgrade == LDAP || upgrade == Postgres || upgrade == RDP || upgrade == MSSQL || upgrade == MySQL || upgrade == NATS || upgrade == XMPP || upgrade == XMPPServer) {
				continue // a "2" is wrong already
			}
			t.Run(string(upgrade)+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := Prober{Dial: pipes(peer), Timeout: 5 * time.Second}
					start := time.Now()
					r := p.Probe(t.Context(), Target{Host: "localhost", Upgrade: upgrade})
					require.Equal(t, []Code{Timeout}, codes(r), "%+v", r.Reasons)
					require.Equal(t, 5*time.Second, time.Since(start))
					require.Equal(t, 5*time.Second, r.Timings.Total)

					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(time.Second, cancel)
					start = time.Now()
					r = p.Probe(ctx, Target{Host: "localhost", Upgrade: upgrade})
					require.Equal(t, []Code{Canceled}, codes(r), "%+v", r.Reasons)
					require.Equal(t, time.Second, time.Since(start))
					time.Sleep(2 * time.Second) // for the peers to notice
				})
			})
		}
	}
}
