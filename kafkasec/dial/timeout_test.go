package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A broker that accepts everything and answers nothing, in a bubble: the time is
// the one that Connect promises, to the nanosecond.
func TestConnect_ReturnsWithinTheTimeout(t *testing.T) {
	dials := map[string]func(context.Context) (net.Conn, error){
		"accepts and is silent": func(context.Context) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, there) }()
			return here, nil
		},
		"accepts and does not even read": func(context.Context) (net.Conn, error) {
			here, _ := net.Pipe()
			return here, nil
		},
		"does not accept": func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
		},
	}
	configs := map[string]struct {
		cfg  Config
		want time.Duration
	}{
		"default":       {Config{}, 10 * time.Second},
		"TLS":           {Config{Protocol: SSL}, 10 * time.Second},
		"SASL":          {Config{Protocol: SASLPlaintext, Mechanism: Plain, Username: "u", Password: secret("p")}, 10 * time.Second},
		"a minute":      {Config{Timeout: time.Minute}, time.Minute},
		"three brokers": {Config{Brokers: []string{"a:1", "b:1", "c:1"}}, 10 * time.Second},
	}
	for dial, f := range dials {
		for name, tt := range configs {
			t.Run(dial+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := tt.cfg
					cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return f(ctx) }
					if cfg.Brokers == nil {
						cfg.Brokers = []string{"kafka:9092"}
					}
					start := time.Now()
					_, err := Connect(t.Context(), cfg)
					require.LessOrEqual(t, time.Since(start), tt.want)
					t.Log(time.Since(start), err)
					e := asError(t, err)
					require.Equal(t, CauseTimeout, e.Cause)
					require.ErrorIs(t, err, context.DeadlineExceeded)
				})
			})
		}
	}
}

func TestConnect_ReturnsAtTheCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := Connect(ctx, Config{Brokers: []string{"kafka:9092"}, Dial: func(context.Context, string, string) (net.Conn, error) {
			here, _ := net.Pipe()
			return here, nil
		}})
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, CauseTimeout, asError(t, err).Cause)
	})
}

func TestConnect_UsesTheCallersDialer(t *testing.T) {
	nope := errors.New("no way")
	var asked string
	err := connect(t, Config{Brokers: []string{"kafka:9092"}, Dial: func(_ context.Context, network, addr string) (net.Conn, error) {
		asked = network + " " + addr
		return nil, nope
	}})
	require.Equal(t, "tcp kafka:9092", asked)
	require.ErrorIs(t, err, nope)
	require.EqualError(t, err, "connect to kafka:9092 (PLAINTEXT): no way")
}
