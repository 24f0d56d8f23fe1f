package tlsprobe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// serveHello says hello, begins TLS when it reads a line, and echoes a line.
func serveHello(t *testing.T, config *tls.Config) Target {
	return serveRaw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "hello\n") // the probe says so
		if _, err := io.ReadFull(conn, make([]byte, len("tls\n"))); err != nil {
			return
		}
		tc := tls.Server(conn, config)
		line, err := bufio.NewReader(tc).ReadString('\n')
		if err == nil {
			_, _ = io.WriteString(tc, line) // as above
		}
		_ = tc.Close() // as above
	})
}

func TestConverse_TalksAroundTheHandshake(t *testing.T) {
	ca := newCA(t, "root")
	target := serveHello(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Leaf{CommonName: "server"})}})
	var said []string
	c := Conversation{
		Before: func(_ context.Context, conn net.Conn) (bool, error) {
			line := make([]byte, len("hello\n"))
			_, err := io.ReadFull(conn, line)
			require.NoError(t, err)
			said = append(said, string(line))
			_, err = io.WriteString(conn, "tls\n")
			return true, err
		},
		After: func(_ context.Context, conn net.Conn, r *Result) error {
			require.Len(t, r.Certificates, 1)
			require.True(t, r.Has(UnknownCA), "what is wrong is known before anything is said")
			_, _ = io.WriteString(conn, "echo\n") // the next read fails
			line, err := bufio.NewReader(conn).ReadString('\n')
			said = append(said, line)
			return err
		},
	}
	r := prober().Converse(t.Context(), target, c)
	require.NoError(t, r.Err)
	require.Equal(t, []string{"hello\n", "echo\n"}, said)
	require.Equal(t, NotRequested, r.ClientCertificate)

	said = nil
	c.After = func(context.Context, net.Conn, *Result) error { return Reason{WrongProtocol, "it lies", -1} }
	r = prober(ca.Cert).Converse(t.Context(), target, c)
	require.Equal(t, []Reason{{WrongProtocol, "it lies", -1}}, r.Reasons)
	require.Len(t, r.Certificates, 1)

	c.Before = func(context.Context, net.Conn) (bool, error) { return false, nil }
	r = prober(ca.Cert).Converse(t.Context(), target, c)
	require.True(t, r.OK(), "%+v", r)
	require.True(t, r.Address.IsValid())
	require.Empty(t, r.Certificates)

	c.Before = func(context.Context, net.Conn) (bool, error) { return false, errors.New("nothing works") }
	r = prober(ca.Cert).Converse(t.Context(), target, c)
	require.Equal(t, []Code{WrongProtocol}, codes(r))
}

func TestConverse_ClientCertificateRequired(t *testing.T) {
	ca := newCA(t, "root")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		target := serve(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Leaf{CommonName: "server"})}, MaxVersion: version, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()})
		r := prober(ca.Cert).Converse(t.Context(), target, Conversation{After: func(_ context.Context, conn net.Conn, _ *Result) error {
			_, err := conn.Read(make([]byte, 1))
			return err
		}})
		require.Equal(t, Required, r.ClientCertificate)
		require.Equal(t, []Code{ClientCertificateRequired}, codes(r))
		require.NotEmpty(t, r.Certificates)
	}
}

func TestDial_ReasonsOfTheCallersDialer(t *testing.T) {
	p := prober()
	p.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: Reason{Forbidden, "not there", -1}}
	}
	require.Equal(t, []Reason{{Forbidden, "not there", -1}}, p.Probe(t.Context(), Target{Host: "localhost"}).Reasons)
}
