package exporter

import (
	"crypto/tls"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

var update = flag.Bool("update", false, "write golden files anew")

// now is when the tests take place.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func newCA(t testing.TB) *pki.CA {
	ca, err := pki.NewCA("root")
	require.NoError(t, err)
	return ca
}

// issue mints a server's certificate for localhost.
func issue(t testing.TB, ca *pki.CA, leaf pki.Leaf) tls.Certificate {
	t.Helper()
	leaf.DNSNames, leaf.IPs = append(leaf.DNSNames, "localhost"), []net.IP{net.IPv4(127, 0, 0, 1)}
	cert, err := ca.Issue(leaf)
	require.NoError(t, err)
	return cert.TLS()
}

// serveTLS answers until the test ends, and returns its address.
func serveTLS(t testing.TB, config *tls.Config) string {
	return serveRaw(t, func(conn net.Conn) {
		tc := tls.Server(conn, config)
		if tc.Handshake() != nil {
			return
		}
		_, _ = tc.Read(make([]byte, 1)) // until the probe says goodbye
		_ = tc.Close()                  // as above
	})
}

func serveRaw(t testing.TB, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() }) // the test is over
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() // as above
				do(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// newExporter has a module file in which $CA is the CA's certificate in a file.
func newExporter(t testing.TB, ca *pki.CA, modules string) *Exporter {
	t.Helper()
	e := &Exporter{Now: func() time.Time { return now }, ReadFile: files(t, ca)}
	require.NoError(t, e.Load("modules.yml", []byte(modules)))
	return e
}

// files are ca.pem, and client.pem with client.key.
func files(t testing.TB, ca *pki.CA) func(string) ([]byte, error) {
	client, err := ca.Issue(pki.Leaf{CommonName: "client", Client: true, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)})
	require.NoError(t, err)
	key, err := client.KeyPEM()
	require.NoError(t, err)
	all := map[string][]byte{"ca.pem": ca.PEM(), "client.pem": client.ChainPEM(), "client.key": key, "empty.pem": nil}
	return func(name string) ([]byte, error) {
		data, ok := all[name]
		if !ok {
			return nil, &net.AddrError{Err: "no such file", Addr: name}
		}
		return data, nil
	}
}

// get asks the exporter, with parameters as names and values by turns.
func get(t testing.TB, h http.Handler, path string, parameters ...string) *httptest.ResponseRecorder {
	t.Helper()
	query := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path+"?"+query.Encode(), nil))
	return w
}

// samples are the lines of an exposition by series.
func samples(t testing.TB, body string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(body) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		require.Positive(t, i, line)
		require.NotContains(t, all, line[:i], "a series twice")
		all[line[:i]] = line[i+1:]
	}
	return all
}

func probe(t testing.TB, e *Exporter, module, target string, parameters ...string) map[string]string {
	t.Helper()
	w := get(t, e, "/probe", append([]string{"module", module, "target", target}, parameters...)...)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return samples(t, w.Body.String())
}

// seriesOf are the series of a family.
func seriesOf(all map[string]string, family string) map[string]string {
	found := map[string]string{}
	for series, value := range all {
		if series == family || strings.HasPrefix(series, family+"{") {
			found[series] = value
		}
	}
	return found
}
