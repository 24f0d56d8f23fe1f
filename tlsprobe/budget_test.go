package tlsprobe

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const serverEnv = "TLSPROBE_TEST_SERVER"

// TestServerProcess is not a test but the server of those that count what a
// process allocates.
func TestServerProcess(t *testing.T) {
	if os.Getenv(serverEnv) == "" {
		t.Skip("the server of other tests")
	}
	root := newMint(t, nil, ca("root"))
	mid := newMint(t, root, ca("mid"))
	leaf := newMint(t, mid, as)
	cert := tls.Certificate{Certificate: [][]byte{leaf.cert.Raw, mid.cert.Raw}, PrivateKey: leaf.key}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	require.NoError(t, err)
	fmt.Printf("%s\n%s", l.Addr(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw}))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, conn) // until the probe says goodbye
				conn.Close()
			}()
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
}

// otherProcess starts that server and returns a target for it.
func otherProcess(t testing.TB) (Target, *Prober) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerProcess$", "-test.v=false")
	cmd.Env = append(os.Environ(), serverEnv+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	in := bufio.NewReader(stdout)
	address, err := in.ReadString('\n')
	require.NoError(t, err)
	var text strings.Builder
	for !strings.Contains(text.String(), "-----END") {
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		text.WriteString(line)
	}
	p := prober()
	require.True(t, p.Roots.AppendCertsFromPEM([]byte(text.String())))
	return Target{Host: "localhost", Dial: strings.TrimSpace(address)}, p
}

// A mute peer, a slow one and a cancel leave nothing behind.
func TestProbe_LeavesNothingBehind(t *testing.T) {
	mute := serveRaw(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	p := prober()
	p.Timeout = 50 * time.Millisecond // long enough to connect, on an idle machine
	for _, upgrade := range []Upgrade{Direct, SMTP, Postgres} {
		mute.Upgrade = upgrade
		r := p.Probe(t.Context(), mute)
		require.Equal(t, []Code{Timeout}, codes(r))
	}
	before, files := runtime.NumGoroutine(), descriptors(t)
	s := Scanner{Prober: p, Concurrency: 100}
	n := 0
	for range s.Scan(t.Context(), func(yield func(Target) bool) {
		for range 1000 {
			if !yield(mute) {
				return
			}
		}
	}) {
		n++
	}
	require.Equal(t, 1000, n)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 && descriptors(t) <= files+10 }, watchdog, tick,
		"%d goroutines became %d, %d descriptors %d", before, runtime.NumGoroutine(), files, descriptors(t))
}

func descriptors(t testing.TB) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("descriptors are counted in /proc")
	}
	return len(entries)
}

func BenchmarkProbe(b *testing.B) {
	target, p := otherProcess(b)
	only := prober()
	only.Roots, only.CertificateOnly = p.Roots, true
	for name, p := range map[string]*Prober{"full": p, "certificate-only": only} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Probe(b.Context(), target)
			}
		})
	}
}
