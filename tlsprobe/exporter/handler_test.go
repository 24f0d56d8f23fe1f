package exporter

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

func TestServeHTTP_Refuses(t *testing.T) {
	e := newExporter(t, newCA(t), wildWithFiles)
	for _, tc := range []struct {
		parameters []string
		status     int
		text       string
	}{
		{[]string{"target", "x:1"}, 400, "the parameter module is missing"},
		{[]string{"module", "nope", "target", "x:1"}, 400, `unknown module "nope"`},
		{[]string{"module", "tcp_connect"}, 400, "the parameter target is missing"},
		{[]string{"module", "http_2xx", "target", "x:1"}, 400, `http, which module "http_2xx" asks for, is not a prober of this exporter`},
		{[]string{"module", "stores"}, 403, "switched off"},
		{[]string{"module", "tcp_connect", "target", strings.Repeat("x", 600)}, 400, `parameter "target" is given 1 times with 600 bytes`},
	} {
		w := get(t, e, "/probe", tc.parameters...)
		require.Equal(t, tc.status, w.Code, w.Body)
		require.Contains(t, w.Body.String(), tc.text)
	}
	for path, status := range map[string]int{"/": 404, "/probe?target=a&target=b&module=tcp_connect": 400, "/-/healthy": 200} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, status, w.Code, path)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/probe", nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, 503, get(t, &Exporter{}, "/-/healthy").Code)
	require.Equal(t, 400, get(t, &Exporter{}, "/probe", "module", "x").Code)
	require.Equal(t, "2", samples(t, get(t, e, "/metrics").Body.String())["tlsprobe_exporter_unknown_module_total"])
}

const wildWithFiles = wild + `
  stores: {prober: file, file: {paths: [a.jks, b.jks], max_certificates: 2}}
`

func TestTimeout(t *testing.T) {
	e := &Exporter{}
	for _, tc := range []struct {
		header string
		module time.Duration
		want   time.Duration
	}{
		{"", 0, maxTimeout},
		{"", 5 * time.Second, 5 * time.Second},
		{"10", 0, 9500 * time.Millisecond},
		{"10.0", 5 * time.Second, 5 * time.Second},
		{"3", 5 * time.Second, 2500 * time.Millisecond},
		{"0.4", 0, 200 * time.Millisecond},
		{"0", 0, maxTimeout},
		{"1e300", 0, maxTimeout - 500*time.Millisecond},
	} {
		got, err := e.timeout(tc.header, tc.module)
		require.NoError(t, err)
		require.Equal(t, tc.want, got, "%q %s", tc.header, tc.module)
	}
	for _, header := range []string{"x", "-1", "NaN", "1s", strings.Repeat("9", 400)} {
		_, err := e.timeout(header, 0)
		require.Error(t, err, header)
	}
}

func TestProbe_HonoursTheScrapeTimeout(t *testing.T) {
	e := newExporter(t, newCA(t), plainModules)
	address := serveRaw(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }) // mute
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?module=tls&target="+address, nil)
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "0.6")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	all := samples(t, w.Body.String())
	require.Equal(t, "1", all[`tlsprobe_reason{code="timeout"}`])
	require.Equal(t, "0.3", all["probe_timeout_seconds"])

	e.Now = nil
	require.NoError(t, e.Load("modules.yml", []byte(plainModules)))
	r.URL.RawQuery += "&debug=true"
	w = httptest.NewRecorder()
	e.ServeHTTP(w, r)
	require.Contains(t, w.Body.String(), "no answer within 300ms in the TLS handshake")
}

func TestProbe_Names(t *testing.T) {
	ca := newCA(t)
	names := make(chan string, 1)
	cert := issue(t, ca, pki.Leaf{DNSNames: []string{"a.example"}})
	address := serveTLS(t, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		names <- hello.ServerName
		return &cert, nil
	}})
	e := newExporter(t, ca, plainModules+`
  named: {prober: tcp, tcp: {tls: true, tls_config: {ca_file: ca.pem, server_name: a.example}}}
`)
	for _, tc := range []struct {
		module, hostname, serverName, sni, success string
	}{
		{"tls", "", "", "", "1"}, // by its address
		{"tls", "a.example", "", "a.example", "1"},
		{"tls", "b.example", "", "b.example", "0"},
		{"tls", "", "b.example", "b.example", "1"},
		{"tls", "a.example", "b.example", "b.example", "1"},
		{"tls", "127.0.0.1", "", "", "1"},
		{"named", "", "", "a.example", "1"},
		{"named", "b.example", "", "a.example", "1"},
		{"named", "", "b.example", "b.example", "1"},
	} {
		all := probe(t, e, tc.module, address, "hostname", tc.hostname, "server_name", tc.serverName)
		require.Equal(t, tc.sni, <-names, "%+v", tc)
		require.Equal(t, tc.success, all["probe_success"], "%+v %v", tc, all)
	}
}

func TestSuccess_Meanings(t *testing.T) {
	result := func(codes ...tlsprobe.Code) *tlsprobe.Result {
		r := &tlsprobe.Result{Certificates: make([]tlsprobe.Certificate, 1)}
		for _, code := range codes {
			r.Reasons = append(r.Reasons, tlsprobe.Reason{Code: code})
		}
		return r
	}
	broken := result(tlsprobe.ClientCertificateRequired)
	broken.Err = errors.New("alert")
	nothing := result(tlsprobe.Timeout)
	nothing.Certificates = nil
	for _, tc := range []struct {
		r                                        *tlsprobe.Result
		verified, strict, handshake, certificate bool
	}{
		{result(), true, true, true, true},
		{result(tlsprobe.ChainOrder), true, false, true, true},
		{result(tlsprobe.Expired), false, false, true, true},
		{result(tlsprobe.VersionUnsupported), false, false, false, true},
		{result(tlsprobe.SelfSigned), false, false, true, true},
		{broken, false, false, false, true},
		{nothing, false, false, false, false},
	} {
		for success, want := range map[Success]bool{SuccessVerified: tc.verified, SuccessStrict: tc.strict, SuccessHandshake: tc.handshake, SuccessCertificate: tc.certificate} {
			m := &module{settings: settings{tls: true, success: success}}
			require.Equal(t, want, m.succeeded(tc.r, nil), "%s %v", success, tc.r.Reasons)
		}
	}
	m := &module{settings: settings{tls: true, success: SuccessStrict, allow: []tlsprobe.Code{tlsprobe.SelfSigned}}}
	require.True(t, m.succeeded(result(tlsprobe.SelfSigned), nil))
	require.False(t, m.succeeded(result(tlsprobe.SelfSigned, tlsprobe.Expired), nil))
}

func TestMetrics(t *testing.T) {
	e := newExporter(t, newCA(t), plainModules)
	probe(t, e, "connect", "127.0.0.1:1")
	probe(t, e, "connect", "127.0.0.1:1")
	all := samples(t, get(t, e, "/metrics").Body.String())
	require.Equal(t, "2", all[`tlsprobe_exporter_probes_total{module="connect",success="0"}`])
	require.Equal(t, "0", all["tlsprobe_exporter_probes_in_flight"])

	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", openType)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	require.Equal(t, openType, w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), "# TYPE tlsprobe_exporter_probes counter\ntlsprobe_exporter_probes_total{")
	require.True(t, strings.HasSuffix(w.Body.String(), "\n# EOF\n"))
}

func TestProbe_BoundsWhatIsInFlight(t *testing.T) {
	e := newExporter(t, newCA(t), plainModules)
	e.MaxInFlight = 1
	arrived, release := make(chan struct{}), make(chan struct{})
	address := serveRaw(t, func(net.Conn) { close(arrived); <-release })
	done := make(chan int)
	go func() { done <- get(t, e, "/probe", "module", "blind", "target", address).Code }()
	<-arrived
	require.Equal(t, http.StatusServiceUnavailable, get(t, e, "/probe", "module", "blind", "target", address).Code)
	close(release)
	require.Equal(t, http.StatusOK, <-done)
	require.Equal(t, "1", samples(t, get(t, e, "/metrics").Body.String())["tlsprobe_exporter_overloaded_total"])
}

// Loading while probes are under way neither drops nor mixes them. Run with -race.
func TestLoad_WhileServing(t *testing.T) {
	ca := newCA(t)
	e := newExporter(t, ca, plainModules)
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Leaf{})}})
	stop := make(chan struct{})
	var loads, probes sync.WaitGroup
	loads.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				require.NoError(t, e.Load("modules.yml", []byte(plainModules)))
				require.Error(t, e.Load("modules.yml", []byte("modules: 5")))
			}
		}
	})
	for range 4 {
		probes.Go(func() {
			for range 20 {
				w := get(t, e, "/probe", "module", "tls", "target", address)
				if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "\nprobe_success 1\n") {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	probes.Wait()
	close(stop)
	loads.Wait()
}

// A thousand clients that go away while a mute peer is probed leave nothing.
func TestProbe_LeavesNothingBehind(t *testing.T) {
	e := newExporter(t, newCA(t), plainModules+`
  script: {prober: tcp, tcp: {query_response: [{expect: x}]}}
`)
	var open sync.WaitGroup
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan struct{}, 1000)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				accepted <- struct{}{}
				_, _ = io.Copy(io.Discard, conn) // until the probe lets go
				_ = conn.Close()                 // as above
			})
		}
	}()
	before := runtime.NumGoroutine()
	for i := range 1000 {
		ctx, cancel := context.WithCancel(t.Context())
		module := []string{"blind", "script"}[i%2]
		done := make(chan struct{})
		go func() {
			defer close(done)
			e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/probe?module="+module+"&target="+l.Addr().String(), nil))
		}()
		<-accepted
		cancel()
		<-done
	}
	open.Wait()   // every connection was closed
	_ = l.Close() // the test is over
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before }, 10*time.Second, time.Millisecond)
}

type shelf []Stored

func (s shelf) List(context.Context, []string) []Stored { return s }

func TestProbe_Files(t *testing.T) {
	cert := func(cn string, end time.Time) tlsprobe.Certificate {
		c, err := newCA(t).Issue(pki.Leaf{CommonName: cn, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end})
		require.NoError(t, err)
		return tlsprobe.ParseCertificate(c.Chain[0].Raw)
	}
	e := newExporter(t, newCA(t), wildWithFiles)
	e.Files = shelf{
		{Path: "a.jks", Certificates: []tlsprobe.Certificate{cert("late", now.AddDate(2, 0, 0)), cert("soon", now.AddDate(0, 0, 3))}},
		{Path: "b.jks", Certificates: []tlsprobe.Certificate{cert("later", now.AddDate(1, 0, 0))}, Error: "one entry cannot be read"},
	}
	require.NoError(t, e.Load("modules.yml", []byte(wildWithFiles)))
	all := probe(t, e, "stores", "")
	require.Equal(t, "0", all["probe_success"])
	require.Equal(t, "2", all["tlsprobe_stores"])
	require.Equal(t, "1", all["tlsprobe_stores_unreadable"])
	require.Equal(t, "1", all["tlsprobe_certificates_omitted"])
	ends := seriesOf(all, "tlsprobe_certificate_not_after_timestamp_seconds")
	require.Len(t, ends, 2)
	for series := range ends {
		require.NotContains(t, series, `"late"`, "those that end first are shown")
	}
	require.Contains(t, get(t, e, "/probe", "module", "stores", "debug", "true").Body.String(), "one entry cannot be read")

	e.Files = shelf{{Path: "a.jks"}}
	require.NoError(t, e.Load("modules.yml", []byte(wildWithFiles)))
	require.Equal(t, "1", probe(t, e, "stores", "")["probe_success"])
}

func TestDiscovery(t *testing.T) {
	var groups []TargetGroup
	var fail error
	h := Discovery(func(context.Context) ([]TargetGroup, error) { return groups, fail })
	require.Equal(t, "[]", get(t, h, "/").Body.String())
	groups = []TargetGroup{{Targets: []string{"a:443"}, Labels: map[string]string{"__param_module": "tls"}}, {}}
	w := get(t, h, "/")
	require.JSONEq(t, `[{"targets":["a:443"],"labels":{"__param_module":"tls"}},{"targets":[]}]`, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	groups[1].Labels = map[string]string{"a-b": ""}
	require.Equal(t, 500, get(t, h, "/").Code)
	groups, fail = nil, errors.New("no inventory")
	require.Contains(t, get(t, h, "/").Body.String(), "no inventory")
}

func BenchmarkProbe(b *testing.B) {
	ca := newCA(b)
	e := newExporter(b, ca, plainModules)
	address := serveTLS(b, &tls.Config{Certificates: []tls.Certificate{issue(b, ca, pki.Leaf{CommonName: "server"})}})
	r := httptest.NewRequest(http.MethodGet, "/probe?module=tls&target="+address, nil)
	var size int
	b.ReportAllocs() // of both sides: the server is in the same process
	for b.Loop() {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		size = w.Body.Len()
	}
	b.ReportMetric(float64(size), "bytes/page")
}
