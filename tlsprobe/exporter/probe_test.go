package exporter

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

const plainModules = `
modules:
  tls:
    prober: tcp
    tcp:
      tls: true
      tls_config: {ca_file: ca.pem}
  blind:
    prober: tcp
    tcp:
      tls: true
      tls_config: {insecure_skip_verify: true}
  client:
    prober: tcp
    tcp:
      tls: true
      tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}
  connect:
    prober: tcp
`

func unixText(t time.Time) string { return strings.TrimSuffix(string(mustValue(unix(t))), "\n") }

func mustValue(v float64) []byte {
	p := page{}
	p.value(v)
	return p.b[1:]
}

// The measured defects of Blackbox that the series are about: they go away with
// an expired certificate, and are the year 1 without verification.
func TestProbe_SeriesStandWhereverACertificateWasReceived(t *testing.T) {
	ca := newCA(t)
	e := newExporter(t, ca, plainModules)
	good := issue(t, ca, pki.Leaf{CommonName: "good", NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0)})
	expired := issue(t, ca, pki.Leaf{CommonName: "expired", NotBefore: now.AddDate(0, -3, 0), NotAfter: now.AddDate(0, 0, -1)})
	foreign := issue(t, newCA(t), pki.Leaf{CommonName: "foreign", NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0)})
	for _, tc := range []struct {
		name, module string
		cert         tls.Certificate
		server       string
		success      string
		reasons      []string
	}{
		{"good", "tls", good, "", "1", nil},
		{"good, blind", "blind", good, "", "1", []string{"missing_intermediate", "unknown_ca"}},
		{"expired", "tls", expired, "", "0", []string{"expired"}},
		{"expired, blind", "blind", expired, "", "1", []string{"expired", "missing_intermediate", "unknown_ca"}},
		{"foreign", "tls", foreign, "", "0", []string{"missing_intermediate", "unknown_ca"}},
		{"wrong name", "tls", good, "elsewhere.example", "0", []string{"wrong_host"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := probe(t, e, tc.module, serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tc.cert}}), "hostname", tc.server)
			require.Equal(t, tc.success, all["probe_success"], all)
			end := unixText(tc.cert.Leaf.NotAfter)
			require.Equal(t, end, all["probe_ssl_earliest_cert_expiry"])
			require.Equal(t, end, all["probe_ssl_last_chain_expiry_timestamp_seconds"])
			require.Equal(t, "1", all[`probe_tls_version_info{version="TLS 1.3"}`])
			require.Len(t, seriesOf(all, "probe_ssl_last_chain_info"), 1)
			var reasons []string
			for series := range seriesOf(all, "tlsprobe_reason") {
				reasons = append(reasons, strings.Trim(strings.TrimPrefix(series, "tlsprobe_reason{code="), `"}`))
			}
			require.ElementsMatch(t, tc.reasons, reasons)
			for series, value := range all {
				require.NotContains(t, value, "-62135596800", series)
			}
		})
	}
}

func TestProbe_ClientCertificates(t *testing.T) {
	ca := newCA(t)
	e := newExporter(t, ca, plainModules)
	cert := issue(t, ca, pki.Leaf{CommonName: "server"})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()})
		all := probe(t, e, "tls", address)
		require.Equal(t, "0", all["probe_success"], "a missing client certificate is never green")
		require.Equal(t, "1", all[`tlsprobe_client_certificate{state="required"}`])
		require.Equal(t, "0", all[`tlsprobe_client_certificate{state="optional"}`])
		require.Equal(t, "1", all[`tlsprobe_reason{code="client_certificate_required"}`])
		require.Contains(t, all, "probe_ssl_earliest_cert_expiry")

		all = probe(t, e, "blind", address)
		require.Equal(t, "0", all["probe_success"], "not verifying the server does not make one")

		all = probe(t, e, "client", address)
		require.Equal(t, "1", all["probe_success"], all)
		require.Equal(t, unixText(now.AddDate(1, 0, 0)), all["tlsprobe_own_client_certificate_not_after_timestamp_seconds"])
	}
}

func TestProbe_WithoutTLS(t *testing.T) {
	e := newExporter(t, newCA(t), plainModules)
	address := serveTLS(t, &tls.Config{})
	all := probe(t, e, "connect", address)
	require.Equal(t, "1", all["probe_success"])
	require.Equal(t, "4", all["probe_ip_protocol"])
	require.NotContains(t, all, "probe_ssl_earliest_cert_expiry")
	require.Empty(t, seriesOf(all, "tlsprobe_client_certificate"))

	all = probe(t, e, "connect", "127.0.0.1:1")
	require.Equal(t, "0", all["probe_success"])
	require.Equal(t, "1", all[`tlsprobe_reason{code="refused"}`])
	require.NotContains(t, all, "probe_ip_protocol")

	for _, target := range []string{"localhost", "a b:1", "127.0.0.1:99999"} {
		all = probe(t, e, "connect", target)
		require.Equal(t, "0", all["probe_success"])
		require.Equal(t, "1", all[`tlsprobe_reason{code="invalid_target"}`])
	}
}

const plainModulesWithoutFiles = `
modules:
  blind: {prober: tcp, tcp: {tls: true, tls_config: {insecure_skip_verify: true}}}
  connect: {prober: tcp}
`
