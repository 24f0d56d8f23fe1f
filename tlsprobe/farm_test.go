package tlsprobe

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// now is when the tests take place.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// serve answers connections with TLS until the test ends, and returns a target
// for it whose name is localhost.
func serve(t testing.TB, config *tls.Config) Target {
	t.Helper()
	return serveRaw(t, func(conn net.Conn) {
		tc := tls.Server(conn, config)
		if tc.Handshake() != nil {
			return
		}
		var b [1]byte
		_, _ = tc.Read(b[:]) // until the probe says goodbye
		_ = tc.Close()
	})
}

// serveRaw answers each connection with do.
func serveRaw(t testing.TB, do func(net.Conn)) Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				do(conn)
			}()
		}
	}()
	return Target{Host: "localhost", Dial: l.Addr().String(), Network: "tcp4"}
}

func prober(roots ...*x509.Certificate) *Prober {
	p := &Prober{Roots: x509.NewCertPool(), Now: func() time.Time { return now }, Timeout: 20 * time.Second}
	for _, root := range roots {
		p.Roots.AddCert(root)
	}
	return p
}

func codes(r Result) []Code {
	var list []Code
	for _, reason := range r.Reasons {
		list = append(list, reason.Code)
	}
	slices.Sort(list)
	return list
}
