package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

const canary = "c4n4ry-p\"w\\;x"

// fake starts an in-process broker and gives its address.
func fake(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

func withSASL() []kfake.Opt {
	return []kfake.Opt{
		kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "alice", canary),
		kfake.Superuser("SCRAM-SHA-256", "alice", canary),
		kfake.Superuser("SCRAM-SHA-512", "alice", canary),
	}
}

// authority is one CA per test.
func authority(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test authority")
	require.NoError(t, err)
	return ca
}

func issue(t *testing.T, ca *pki.CA, leaf pki.Leaf) *pki.Cert {
	t.Helper()
	cert, err := ca.Issue(leaf)
	require.NoError(t, err)
	return cert
}

func serverTLS(t *testing.T, ca *pki.CA) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Localhost("broker")).TLS()}}
}

// listen serves each connection with handle until the test ends.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	conns := make(chan net.Conn, 64)
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
			go handle(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		close(conns)
		for c := range conns {
			_ = c.Close()
		}
	})
	return l.Addr().String()
}

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// connect closes the client with the test, and sees that no connection stays
// open behind a client that is closed or an error.
func connect(t *testing.T, cfg Config) error {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = watchdog
	}
	conns := &tracker{dial: cfg.Dial}
	if conns.dial == nil {
		conns.dial = new(net.Dialer).DialContext
	}
	cfg.Dial = conns.open
	cl, err := Connect(t.Context(), cfg)
	if cl == nil {
		conns.awaitClosed(t)
		return err
	}
	t.Cleanup(func() {
		cl.Close()
		conns.awaitClosed(t)
	})
	return err
}

// watchdog ends a test that hangs. It is not what is tested.
const watchdog = 20 * time.Second

// tracker knows the connections that were opened.
type tracker struct {
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	mu    sync.Mutex
	conns []*tracked
}

type tracked struct {
	net.Conn
	closed chan struct{}
	once   sync.Once
}

func (c *tracked) Close() error {
	defer c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (r *tracker) open(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := r.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &tracked{Conn: conn, closed: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
	return c, nil
}

func (r *tracker) awaitClosed(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	timer := time.NewTimer(watchdog)
	defer timer.Stop()
	for i, c := range r.conns {
		select {
		case <-c.closed:
		case <-timer.C:
			t.Fatalf("connection %d of %d, to %s, stays open", i+1, len(r.conns), c.RemoteAddr())
		}
	}
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	require.True(t, errors.As(err, &e), "not an *Error: %v", err)
	return e
}

// parse reads properties without any problem.
func parse(t *testing.T, text string) Config {
	t.Helper()
	cfg, err := ParseProperties(context.Background(), "client.properties", []byte(text), ParseOptions{})
	require.NoError(t, err)
	return cfg
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func secret(s string) holdfast.Secret { return holdfast.NewSecret(s) }
