package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// page writes what a person wants to see of one endpoint: the verdict first, then
// the connection, then each certificate.
func (a *app) page(r tlsprobe.Result, findings []holdfast.Finding) error {
	var b strings.Builder
	style := cli.StyleFor(a.stdout)
	verdict := style.Good("good")
	if fails(findings) {
		verdict = style.Bad("not good")
	}
	fmt.Fprintf(&b, "%s  %s\n", style.Bold(r.Target.String()), verdict)
	a.failures(&b, findings)
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "  %s %s\n", style.Dim("·"), style.Dim(note))
	}
	rows := connection(r)
	for i, c := range r.Certificates {
		rows = append(rows, []string{"", ""})
		rows = append(rows, certificate(i, c, r.Start)...)
	}
	for _, row := range cli.Align(rows) {
		b.WriteString(strings.TrimRight("  "+row, " ") + "\n")
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

// failures writes the findings that a person has to see, a line each.
func (a *app) failures(b *strings.Builder, findings []holdfast.Finding) {
	style := cli.StyleFor(a.stdout)
	for _, f := range findings {
		_, control, _ := strings.Cut(f.Control, ".")
		line := fmt.Sprintf("%s: %s", control, cli.OneLine(f.Message))
		switch {
		case f.Status == holdfast.Unknown:
			fmt.Fprintf(b, "  %s %s\n", style.Warn("?"), line)
		case f.Status != holdfast.Fail && f.Status != holdfast.Error:
		case f.Severity.Rank() >= holdfast.High.Rank():
			fmt.Fprintf(b, "  %s %s\n", style.Bad("✗"), line)
		default:
			fmt.Fprintf(b, "  %s %s\n", style.Warn("!"), line)
		}
	}
}

func connection(r tlsprobe.Result) [][]string {
	var rows [][]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, cli.OneLine(value)})
		}
	}
	if r.Address.IsValid() {
		add("address", r.Address.String())
	}
	if r.Target.Upgrade != tlsprobe.Direct {
		add("upgrade", string(r.Target.Upgrade))
	}
	if r.Version != 0 {
		protocol := tls.VersionName(r.Version) + "  " + tls.CipherSuiteName(r.CipherSuite)
		if r.Group != 0 {
			protocol += "  " + r.Group.String()
		}
		add("protocol", protocol)
	}
	add("alpn", r.ALPN)
	if len(r.Certificates) > 0 {
		add("client cert", string(r.ClientCertificate))
	}
	add("accepted CAs", strings.Join(r.AcceptableCAs, " | "))
	if r.Staple != nil {
		add("staple", strings.TrimSpace(r.Staple.Status+"  "+r.Staple.Error))
	}
	t := r.Timings
	var times []string
	for _, phase := range []struct {
		name string
		took time.Duration
	}{{"dns", t.DNS}, {"connect", t.Connect}, {"upgrade", t.Upgrade}, {"handshake", t.Handshake}, {"total", t.Total}} {
		if phase.took > 0 {
			times = append(times, fmt.Sprintf("%s %.1f ms", phase.name, float64(phase.took.Microseconds())/1000))
		}
	}
	add("time", strings.Join(times, ", "))
	return rows
}

func certificate(i int, c tlsprobe.Certificate, now time.Time) [][]string {
	rows := [][]string{{fmt.Sprintf("certificate %d", i), cli.OneLine(c.Subject)}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{"  " + name, cli.OneLine(value)})
		}
	}
	add("error", c.Error)
	add("issuer", c.Issuer)
	if !c.NotAfter.IsZero() {
		left := "expired " + tlsprobe.Span(now.Sub(c.NotAfter)) + " ago"
		if now.Before(c.NotAfter) {
			left = tlsprobe.Span(c.NotAfter.Sub(now)) + " left"
		}
		add("valid", fmt.Sprintf("%s to %s, %s, %.0f %% of its life used", c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339), left, 100*c.LifetimeUsed(now)))
	}
	add("names", strings.Join(append(append([]string(nil), c.DNSNames...), c.IPAddresses...), ", "))
	add("serial", c.Serial)
	add("sha256", c.SHA256)
	if x := c.X509; x != nil {
		add("key", keyText(x))
		add("signature", x.SignatureAlgorithm.String())
		add("version", fmt.Sprint(x.Version))
		add("usage", strings.Join(usages(x), ", "))
		if x.BasicConstraintsValid && x.IsCA {
			add("ca", "yes"+pathLength(x))
		}
		add("email, URI", strings.Join(others(x), ", "))
		add("subject key", hex.EncodeToString(x.SubjectKeyId))
		add("issuer key", hex.EncodeToString(x.AuthorityKeyId))
		add("issuer at", strings.Join(x.IssuingCertificateURL, ", "))
		add("crl at", strings.Join(x.CRLDistributionPoints, ", "))
		add("ocsp at", strings.Join(x.OCSPServer, ", "))
		add("policies", policies(x))
		add("may certify", strings.Join(x.PermittedDNSDomains, ", "))
		add("may not", strings.Join(x.ExcludedDNSDomains, ", "))
		add("extensions", extensions(x))
	}
	return rows
}

func keyText(x *x509.Certificate) string {
	switch key := x.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	return x.PublicKeyAlgorithm.String()
}

var keyUsages = []struct {
	bit  x509.KeyUsage
	name string
}{
	{x509.KeyUsageDigitalSignature, "digitalSignature"}, {x509.KeyUsageContentCommitment, "nonRepudiation"}, {x509.KeyUsageKeyEncipherment, "keyEncipherment"},
	{x509.KeyUsageDataEncipherment, "dataEncipherment"}, {x509.KeyUsageKeyAgreement, "keyAgreement"}, {x509.KeyUsageCertSign, "keyCertSign"},
	{x509.KeyUsageCRLSign, "cRLSign"}, {x509.KeyUsageEncipherOnly, "encipherOnly"}, {x509.KeyUsageDecipherOnly, "decipherOnly"},
}

var extendedUsages = map[x509.ExtKeyUsage]string{
	x509.ExtKeyUsageAny: "any", x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth", x509.ExtKeyUsageCodeSigning: "codeSigning",
	x509.ExtKeyUsageEmailProtection: "emailProtection", x509.ExtKeyUsageTimeStamping: "timeStamping", x509.ExtKeyUsageOCSPSigning: "OCSPSigning",
}

func usages(x *x509.Certificate) []string {
	var names []string
	for _, u := range keyUsages {
		if x.KeyUsage&u.bit != 0 {
			names = append(names, u.name)
		}
	}
	for _, u := range x.ExtKeyUsage {
		name, ok := extendedUsages[u]
		if !ok {
			name = fmt.Sprintf("extended usage %d", u)
		}
		names = append(names, name)
	}
	for _, oid := range x.UnknownExtKeyUsage {
		names = append(names, oid.String())
	}
	return names
}

func pathLength(x *x509.Certificate) string {
	if x.MaxPathLen > 0 || x.MaxPathLenZero {
		return fmt.Sprintf(", %d CAs below it at most", x.MaxPathLen)
	}
	return ""
}

func others(x *x509.Certificate) []string {
	names := append([]string(nil), x.EmailAddresses...)
	for _, uri := range x.URIs {
		names = append(names, uri.String())
	}
	return names
}

func policies(x *x509.Certificate) string {
	var ids []string
	for _, oid := range x.Policies {
		ids = append(ids, oid.String())
	}
	return strings.Join(ids, ", ")
}

// extensions lists all of them, critical ones marked, because the lines above
// show only those that are understood.
func extensions(x *x509.Certificate) string {
	var ids []string
	for _, e := range x.Extensions {
		id := e.Id.String()
		if e.Critical {
			id += " (critical)"
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, ", ")
}
