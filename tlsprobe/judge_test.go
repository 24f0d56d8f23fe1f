package tlsprobe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mint makes a certificate that may be wrong in any way x509 lets one make it.
type mint struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serials int64

func newMint(t testing.TB, parent *mint, edit func(*x509.Certificate)) *mint {
	t.Helper()
	serials++
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serials), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0),
		DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	edit(c)
	issuer, signer := c, key
	if parent != nil {
		issuer, signer = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, &key.PublicKey, signer)
	require.NoError(t, err)
	c, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return &mint{c, key}
}

func ca(name string, edits ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.DNSNames, c.ExtKeyUsage = pkix.Name{CommonName: name}, nil, nil
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.NotBefore, c.NotAfter = now.AddDate(-5, 0, 0), now.AddDate(5, 0, 0)
		for _, edit := range edits {
			edit(c)
		}
	}
}

func as(*x509.Certificate) {}

func dates(from, to time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to }
}

// The faults of certificates that a TLS client meets, each as the set of what is
// the matter and nothing else.
func TestProbe_Faults(t *testing.T) {
	root := newMint(t, nil, ca("root"))
	mid := newMint(t, root, ca("mid"))
	other := newMint(t, nil, ca("other root"))
	otherMid := newMint(t, other, ca("other mid"))
	oldMid := newMint(t, root, ca("old mid", dates(now.AddDate(-3, 0, 0), now.AddDate(0, 0, -1))))
	narrow := newMint(t, root, ca("narrow", func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.org"}, true
	}))
	notCA := newMint(t, root, ca("not a CA", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, 0 }))
	past, future := dates(now.AddDate(-1, 0, 0), now.AddDate(0, 0, -3)), dates(now.AddDate(0, 0, 3), now.AddDate(1, 0, 0))
	elsewhere := func(c *x509.Certificate) { c.DNSNames = []string{"elsewhere.example"} }

	both := func(edits ...func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			for _, edit := range edits {
				edit(c)
			}
		}
	}
	for name, tc := range map[string]struct {
		leaf *mint
		send []*mint
		want []Code
	}{
		"good":                 {newMint(t, mid, as), []*mint{mid}, nil},
		"good with root":       {newMint(t, mid, as), []*mint{mid, root}, nil},
		"expired":              {newMint(t, mid, past), []*mint{mid}, []Code{Expired}},
		"not yet valid":        {newMint(t, mid, future), []*mint{mid}, []Code{NotYetValid}},
		"expired intermediate": {newMint(t, oldMid, as), []*mint{oldMid}, []Code{Expired}},
		"unknown CA":           {newMint(t, otherMid, as), []*mint{otherMid}, []Code{UnknownCA}},
		"unknown CA with root": {newMint(t, otherMid, as), []*mint{otherMid, other}, []Code{UnknownCA}},
		"self-signed":          {newMint(t, nil, as), nil, []Code{SelfSigned}},
		"missing intermediate, with the URL of its issuer": {newMint(t, mid, func(c *x509.Certificate) {
			c.IssuingCertificateURL = []string{"http://ca.example/mid.der"}
		}), nil, []Code{MissingIntermediate}},
		"missing intermediate or unknown CA": {newMint(t, mid, as), nil, []Code{MissingIntermediate, UnknownCA}},
		"wrong host":                         {newMint(t, mid, elsewhere), []*mint{mid}, []Code{WrongHost}},
		"CN only":                            {newMint(t, mid, func(c *x509.Certificate) { c.DNSNames = nil }), []*mint{mid}, []Code{CNOnly}},
		"wrong usage": {newMint(t, mid, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), []*mint{mid}, []Code{WrongUsage}},
		"name constraint": {newMint(t, narrow, as), []*mint{narrow}, []Code{NameConstraint}},
		"not a CA":        {newMint(t, notCA, as), []*mint{notCA}, []Code{NotCA}},
		"chain order":     {newMint(t, mid, as), []*mint{root, mid}, []Code{ChainOrder}},
		"three faults":    {newMint(t, otherMid, both(past, elsewhere)), []*mint{otherMid}, []Code{Expired, UnknownCA, WrongHost}},
		"must staple": {newMint(t, mid, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oidTLSFeature, Value: []byte{0x30, 3, 2, 1, 5}}}
		}), []*mint{mid}, []Code{StaplingMissing}},
	} {
		t.Run(name, func(t *testing.T) {
			chain := tls.Certificate{Certificate: [][]byte{tc.leaf.cert.Raw}, PrivateKey: tc.leaf.key}
			for _, c := range tc.send {
				chain.Certificate = append(chain.Certificate, c.cert.Raw)
			}
			target := serve(t, &tls.Config{Certificates: []tls.Certificate{chain}})
			for _, only := range []bool{false, true} {
				p := prober(root.cert)
				p.CertificateOnly = only
				for range 2 { // anew and from memory
					r := p.Probe(t.Context(), target)
					require.Equal(t, tc.want, codes(r), "%+v", r.Reasons)
					require.Len(t, r.Certificates, 1+len(tc.send))
					require.Equal(t, tc.leaf.cert.NotAfter, r.Certificates[0].NotAfter)
					if tc.want == nil {
						require.Equal(t, tc.leaf.cert.NotAfter, r.ChainExpiry)
					}
				}
			}
		})
	}
}

func TestProbe_WeakKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	root := newMint(t, nil, ca("root"))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, root.cert, &key.PublicKey, root.key)
	require.NoError(t, err)
	r := prober(root.cert).Probe(t.Context(), serve(t, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}))
	require.Equal(t, []Code{WeakKey}, codes(r))
	require.Equal(t, 1024, r.Certificates[0].KeyBits)
}

func TestProbe_ConnectionFaults(t *testing.T) {
	say := func(s string) Target {
		return serveRaw(t, func(conn net.Conn) {
			_, _ = conn.Write([]byte(s))
			var b [1024]byte
			_, _ = conn.Read(b[:])
		})
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed.Close()
	old := newMint(t, nil, as)
	cert := []tls.Certificate{{Certificate: [][]byte{old.cert.Raw}, PrivateKey: old.key}}
	for name, tc := range map[string]struct {
		target Target
		want   []Code
		says   string
	}{
		"smtp":     {say("220 mail.example ESMTP\r\n"), []Code{PlaintextPeer}, "upgrade smtp"},
		"ftp":      {say("220 FTP server ready\r\n"), []Code{PlaintextPeer}, "upgrade ftp"},
		"http":     {say("HTTP/1.1 400 Bad Request\r\n\r\n"), []Code{PlaintextPeer}, "HTTP"},
		"mysql":    {say("\x4a\x00\x00\x00\x0a8.4.0\x00abcdefgh"), []Code{PlaintextPeer}, "mysql"},
		"garbage":  {say("\x00\x01\x02\x03\x04\x05\x06"), []Code{WrongProtocol}, ""},
		"closed":   {serveRaw(t, func(net.Conn) {}), []Code{Closed}, ""},
		"refused":  {Target{Host: "localhost", Dial: closed.Addr().String()}, []Code{Refused}, ""},
		"dns":      {Target{Host: "no-such-host.invalid"}, []Code{DNS}, "no-such-host"},
		"old":      {serve(t, &tls.Config{Certificates: cert, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), []Code{SelfSigned, VersionUnsupported}, "TLS 1.1"},
		"no host":  {Target{}, []Code{InvalidTarget}, "no host"},
		"upgrade":  {Target{Host: "localhost", Upgrade: "telnet"}, []Code{InvalidTarget}, "allowed are"},
		"no name":  {serve(t, &tls.Config{}), []Code{HandshakeFailed}, ""},
		"postgres": {func() Target { t := serveRaw(t, func(net.Conn) {}); t.Port = 5432; return t }(), []Code{Closed}, "postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			r := prober().Probe(t.Context(), tc.target)
			require.Equal(t, tc.want, codes(r), "%+v", r.Reasons)
			require.Contains(t, r.Reasons[len(r.Reasons)-1].Message+r.Reasons[0].Message, tc.says)
			require.Equal(t, ClientAuthUnknown == r.ClientCertificate, len(r.Certificates) == 0)
			if len(r.Certificates) == 0 {
				require.Error(t, r.Err)
			}
		})
	}
}
