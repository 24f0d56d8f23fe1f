package exporter

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// stage is a result with something in every field that has a series.
func stage() *outcome {
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: `say "hi"\` + "\n\xff"}, Issuer: pkix.Name{CommonName: "Issuing CA"},
		SerialNumber: big.NewInt(0xabc), RawSubject: []byte("a"), RawIssuer: []byte("b"),
	}
	root := &x509.Certificate{Subject: pkix.Name{CommonName: "Root"}, Issuer: pkix.Name{CommonName: "Root"}, IsCA: true, RawSubject: []byte("r"), RawIssuer: []byte("r")}
	r := tlsprobe.Result{
		Start: now, Address: netip.MustParseAddrPort("192.0.2.7:443"), Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256,
		ClientCertificate: tlsprobe.Optional, Staple: &tlsprobe.Staple{Status: "good"},
		Timings: tlsprobe.Timings{DNS: 1500 * time.Microsecond, Connect: time.Millisecond, Handshake: 12345 * time.Microsecond},
		Reasons: []tlsprobe.Reason{{Code: tlsprobe.Expired}, {Code: tlsprobe.ChainOrder, Position: 1}},
		Certificates: []tlsprobe.Certificate{
			{X509: leaf, Subject: "CN=say", Issuer: "CN=Issuing CA,O=Holdfast", Serial: "abc", SHA256: strings.Repeat("0a", 32), NotBefore: day(-100), NotAfter: day(-10), DNSNames: []string{"a.example", "b.example"}},
			{Subject: "CN=Issuing CA,O=Holdfast", Issuer: "O=No Name", Serial: "-5", SHA256: strings.Repeat("0b", 32), Error: "x509: negative serial number"},
			{X509: root, Subject: "CN=Root", Issuer: "CN=Root", Serial: "0", SHA256: strings.Repeat("0c", 32), NotBefore: day(-1000), NotAfter: day(1000)},
			{Subject: "CN=Beyond the cap", SHA256: strings.Repeat("0d", 32)},
		},
	}
	m := &module{settings: settings{name: "tls", tls: true, maxCertificates: 3}, clientEnd: day(30)}
	c := &conversation{info: [][]string{{"ssh_version", "9"}, {"other", ""}}, failedBytes: true}
	return &outcome{module: m, result: r, script: c, took: 250 * time.Millisecond, timeout: 9500 * time.Millisecond}
}

func TestOutcome_Golden(t *testing.T) {
	for name, open := range map[string]bool{"testdata/exposition.txt": false, "testdata/exposition.openmetrics": true} {
		p := &page{open: open}
		stage().write(p)
		p.end()
		if *update {
			require.NoError(t, os.WriteFile(name, p.b, 0o644))
		}
		golden, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(golden), string(p.b))
		samples(t, strings.TrimSuffix(string(p.b), "# EOF\n"))
	}
}

// What Blackbox's own helpers (prober/tls.go, prober/utils.go) make of the same.
func TestBlackboxValues(t *testing.T) {
	for serial, want := range map[string]string{"0": "", "5": "05", "abc": "0abc", "-5": "05", "1000": "1000"} {
		require.Equal(t, want, blackboxSerial(serial))
	}
	require.InDelta(t, 3668918509, ipHash(netip.MustParseAddr("127.0.0.1")), 0, "FNV-1a of 7f 00 00 01")
	require.Equal(t, ipHash(netip.MustParseAddr("127.0.0.1")), ipHash(netip.MustParseAddr("::ffff:127.0.0.1")))
	require.InDelta(t, 6, ipProtocol(netip.MustParseAddr("::1")), 0)
}

func TestWantsOpenMetrics(t *testing.T) {
	for accept, want := range map[string]bool{
		"":    false,
		"*/*": false,
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2": true,
		"application/openmetrics-text; version=1.0.0; charset=utf-8": true,
		"text/plain;q=0.9, application/openmetrics-text;q=0.1":       false,
		"application/openmetrics-text;q=0":                           false,
	} {
		require.Equal(t, want, wantsOpenMetrics(accept), accept)
	}
}

// A certificate that nothing can read has no dates, and no series of them.
func TestOutcome_NeverTheZeroTime(t *testing.T) {
	o := stage()
	for i := range o.result.Certificates {
		c := &o.result.Certificates[i]
		c.NotBefore, c.NotAfter = time.Time{}, time.Time{}
	}
	p := &page{}
	o.write(p)
	all := samples(t, string(p.b))
	for series, value := range all {
		require.NotContains(t, value, "-62135596800", series)
	}
	require.NotContains(t, all, "probe_ssl_earliest_cert_expiry")
	require.NotContains(t, all, "probe_ssl_last_chain_expiry_timestamp_seconds")
	require.Len(t, seriesOf(all, "probe_ssl_last_chain_info"), 1)
	require.NotContains(t, string(p.b), "lifetime_used_ratio")
}

func TestLabels_HoldWhatPeersSend(t *testing.T) {
	long := strings.Repeat("ä", 4000)
	require.Len(t, cut(long, 101), 100+len("…"), "cut at a whole letter")
	names := make([]string, 1000)
	for i := range names {
		names[i] = strings.Repeat("n", 20)
	}
	require.LessOrEqual(t, len(joinNames(names)), maxNames)
	require.True(t, strings.HasSuffix(joinNames(names), ","+names[0]), "names are whole")

	o := stage()
	for range 200 {
		c := o.result.Certificates[0]
		c.Subject, c.Issuer, c.DNSNames = long, long, names
		c.X509 = &x509.Certificate{Subject: pkix.Name{CommonName: long}, Issuer: pkix.Name{CommonName: long}}
		o.result.Certificates = append([]tlsprobe.Certificate{c}, o.result.Certificates...)
	}
	o.module.maxCertificates = defaultMaxCertificates
	p := &page{}
	o.write(p)
	require.Less(t, len(p.b), 32<<10, "a hostile chain of 200 stays bounded")
	require.Contains(t, string(p.b), "tlsprobe_certificates_omitted 196\n")
}

func BenchmarkExposition(b *testing.B) {
	o := stage()
	p := &page{b: make([]byte, 0, 8<<10)}
	b.ReportAllocs()
	for b.Loop() {
		p.b = p.b[:0]
		o.write(p)
	}
	b.ReportMetric(float64(len(p.b)), "bytes/page")
}
