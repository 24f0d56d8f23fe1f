package exporter

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

// promtool lints an exposition: a HELP that is missing or a name against the
// conventions is not 0.
func promtool(t *testing.T, program string, page []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "check", "metrics")
	cmd.Stdin = bytes.NewReader(page)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", out, page)
}

func TestReal_PromtoolHasNothingToSay(t *testing.T) {
	real.Enabled(t)
	program, err := install.Program("promtool")
	real.Need(t, "promtool", err)
	p := &page{}
	stage().write(p)
	promtool(t, program, p.b)

	ca := newCA(t)
	e := newExporter(t, ca, plainModules)
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Leaf{CommonName: "server"})}})
	for _, module := range []string{"tls", "blind", "connect", "client"} {
		promtool(t, program, get(t, e, "/probe", "module", module, "target", address).Body.Bytes())
		promtool(t, program, get(t, e, "/probe", "module", module, "target", "127.0.0.1:1").Body.Bytes())
	}
	promtool(t, program, get(t, e, "/metrics").Body.Bytes())
}

// Debian's Blackbox is 0.23, so the module file has what that knows.
const blackboxModules = `
modules:
  http_2xx: {prober: http, timeout: 5s, http: {method: GET}}
  icmp: {prober: icmp}
  connect: {prober: tcp, timeout: 5s}
  tls:
    prober: tcp
    timeout: 5s
    tcp:
      preferred_ip_protocol: ip4
      tls: true
      tls_config: {ca_file: ca.pem}
  banner:
    prober: tcp
    timeout: 5s
    tcp:
      query_response: [{expect: "^SSH-2.0-"}]
`

// Every series of Blackbox's is here, with the same labels, and those about the
// certificate and the address have the same values.
func TestReal_BlackboxReadsTheSameFileAndHasNoSeriesMore(t *testing.T) {
	ca := newCA(t)
	blackbox := real.StartDaemon(t, real.DaemonSpec{Program: "prometheus-blackbox-exporter", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
		modules := strings.ReplaceAll(blackboxModules, "ca.pem", d.Path("root.pem"))
		return real.Launch{
			Files:  map[string]string{"modules.yml": modules, "root.pem": string(ca.PEM())},
			Before: [][]string{{"prometheus-blackbox-exporter", "--config.check", "--config.file=" + d.Path("modules.yml")}},
			Args:   []string{"--config.file=" + d.Path("modules.yml"), "--web.listen-address=" + d.Address(0)},
		}
	}})
	e := newExporter(t, ca, blackboxModules)
	cert := issue(t, ca, pki.Leaf{CommonName: "server", DNSNames: []string{"a.example", "b.example"}})
	targets := map[string]string{
		"tls":     serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}),
		"connect": serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}),
		"banner":  say(t, "SSH-2.0-x\r\n", false),
	}
	for module, target := range targets {
		response, err := http.Get("http://" + blackbox.Address(0) + "/probe?" + url.Values{"module": {module}, "target": {target}}.Encode())
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		_ = response.Body.Close() // it was read
		theirs, ours := samples(t, string(body)), probe(t, e, module, target)
		require.Equal(t, "1", theirs["probe_success"], "%s", body)
		for series, value := range maps.Clone(ours) { // a label that 0.23 has not yet
			delete(ours, series)
			ours[regexp.MustCompile(`serialnumber="[0-9a-f]+",`).ReplaceAllString(series, "")] = value
		}
		for series, value := range theirs {
			require.Contains(t, ours, series, module)
			if !strings.Contains(series, "_seconds") || strings.Contains(series, "timestamp") {
				require.InDelta(t, number(t, value), number(t, ours[series]), 0, series)
			}
		}
	}
}

func number(t *testing.T, s string) (v float64) {
	_, err := fmt.Sscan(s, &v)
	require.NoError(t, err)
	return v
}

// Blackbox's own module for PostgreSQL leaves a FATAL in the server's log at each
// probe when Blackbox runs it.
func TestReal_PostgresDoesNotComplain(t *testing.T) {
	d := real.StartDaemon(t, real.DaemonSpec{Program: "postgres", User: "postgres", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
		return real.Launch{
			Before: [][]string{{"initdb", "-D", d.Path("data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}},
			Args: []string{"-D", d.Path("data"), "-c", "listen_addresses=127.0.0.1", "-p", fmt.Sprint(d.Port(0)), "-c", "unix_socket_directories=",
				"-c", "ssl=on", "-c", "ssl_cert_file=" + d.Cert, "-c", "ssl_key_file=" + d.Key, "-c", "fsync=off"},
			Ready: "ready to accept connections",
		}
	}})
	e := &Exporter{}
	require.NoError(t, e.Load("modules.yml", []byte(wild+"      tls_config: {ca_file: "+d.CA+"}\n")))
	for range 3 {
		all := probe(t, e, "postgresql", d.Address(0))
		require.Equal(t, "1", all["probe_success"], all)
		require.Contains(t, all, "probe_ssl_earliest_cert_expiry")
	}
	d.Stop(t)
	require.NotRegexp(t, "FATAL|ERROR|unencrypted data", d.Log())
}

// The page goes through what serves it unharmed.
func TestServe(t *testing.T) {
	e := newExporter(t, newCA(t), plainModules)
	server := httptest.NewServer(e)
	defer server.Close()
	response, err := http.Get(server.URL + "/probe?module=connect&target=127.0.0.1:1")
	require.NoError(t, err)
	defer response.Body.Close() // it is read
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "0", samples(t, string(body))["probe_success"])
	require.Equal(t, textType, response.Header.Get("Content-Type"))
}
