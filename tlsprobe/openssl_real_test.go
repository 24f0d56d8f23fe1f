package tlsprobe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// minting are the shell functions of the scripts below. OpenSSL makes what Go's
// x509 refuses to make; a certificate without extensions is of version 1.
const minting = `set -eu
export OPENSSL_CONF=$PWD/openssl.cnf
key() { f=$1; shift; openssl genpkey -out $f.key "$@"; }
ec() { key $1 -algorithm EC -pkeyopt ec_paramgen_curve:P-256; }
request() { openssl req -new -key $1.key -subj /CN=$2 -out $1.csr; }
self() { f=$1; shift; openssl x509 -req -in $f.csr -signkey $f.key -days 30 -out $f.pem "$@"; }
signed() { f=$1; by=$2; shift 2; openssl x509 -req -in $f.csr -CA $by.pem -CAkey $by.key -days 30 -out $f.pem "$@"; }
as() { echo -extfile openssl.cnf -extensions $1; }
root() { ec root; request root root; self root -set_serial 1 $(as ca); }
`

const mintingConfig = `[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = keyCertSign
[leaf]
subjectAltName = DNS:localhost
`

// leaf makes a usual leaf of a usual root, but for its key and for how it is signed.
func leafBy(key, sign string) string {
	return "root; key leaf " + key + "; request leaf localhost; signed leaf root $(as leaf) " + sign
}

const p256 = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"

// openssl serves leaf.pem with what else the script made: chain.pem above it, and
// root.pem to be trusted.
func openssl(t *testing.T, script string, args ...string) (Target, *Prober) {
	t.Helper()
	d := real.StartDaemon(t, real.DaemonSpec{Program: "openssl", User: "nobody", Ports: 1, Setup: func(d *real.Daemon) real.Launch {
		serve := append([]string{"s_server", "-accept", d.Address(0), "-cert", d.Path("leaf.pem"), "-key", d.Path("leaf.key"), "-cipher", "ALL:@SECLEVEL=0", "-www"}, args...)
		if strings.Contains(script, "chain.pem") {
			serve = append(serve, "-cert_chain", d.Path("chain.pem"))
		}
		return real.Launch{
			Files:  map[string]string{"openssl.cnf": mintingConfig, "mint.sh": minting + script + "\n"},
			Before: [][]string{{"sh", "mint.sh"}},
			Args:   serve,
		}
	}})
	p := &Prober{Roots: x509.NewCertPool(), Timeout: 30 * time.Second}
	if pem, err := os.ReadFile(d.Path("root.pem")); err == nil {
		require.True(t, p.Roots.AppendCertsFromPEM(pem))
	}
	return Target{Host: "localhost", Dial: d.Address(0)}, p
}

// Certificates that are met in the field and that Go, or its clients, refuse.
func TestReal_OddCertificates(t *testing.T) {
	real.Enabled(t)
	const v12, v13 = "-tls1_2", "-tls1_3"
	for name, tc := range map[string]struct {
		script  string
		want    []Code
		want13  []Code // where it is another for TLS 1.3
		version int    // of the leaf
		only    string // the version of TLS in which it can be served
		unseen  bool   // the server finds nothing to sign with
	}{
		"version 1, self-signed":     {script: "ec leaf; request leaf localhost; self leaf -set_serial 0", want: []Code{CNOnly, SelfSigned}, version: 1},
		"version 1, trusted":         {script: "ec leaf; request leaf localhost; self leaf -set_serial 0; cp leaf.pem root.pem", want: []Code{CNOnly}, version: 1},
		"version 1 under a root":     {script: "root; ec leaf; request leaf localhost; signed leaf root -set_serial 2", want: []Code{CNOnly}, version: 1},
		"under a version 1 root":     {script: "ec root; request root root; self root -set_serial 1; ec leaf; request leaf localhost; signed leaf root -set_serial 2 $(as leaf)"},
		"version 1 intermediate":     {script: "root; ec mid; request mid mid; signed mid root -set_serial 2; ec leaf; request leaf localhost; signed leaf mid -set_serial 3 $(as leaf); cp mid.pem chain.pem", want: []Code{NotCA}},
		"negative serial":            {script: leafBy(p256, "-set_serial -5"), want: []Code{NegativeSerial, UnparseableCertificate}},
		"zero serial":                {script: leafBy(p256, "-set_serial 0")},
		"serial of 21 octets":        {script: leafBy(p256, "-set_serial 0x7f0102030405060708090a0b0c0d0e0f1011121314")},
		"until 9966":                 {script: leafBy(p256, "-set_serial 2 -days 2900000")},
		"SHA-1":                      {script: leafBy(p256, "-set_serial 2 -sha1"), want: []Code{WeakSignature}},
		"MD5":                        {script: "key root -algorithm RSA -pkeyopt rsa_keygen_bits:2048; request root root; self root -set_serial 1 $(as ca); key leaf -algorithm RSA -pkeyopt rsa_keygen_bits:2048; request leaf localhost; signed leaf root $(as leaf) -set_serial 2 -md5", want: []Code{NoSharedCipher}, unseen: true},
		"RSA of 512 bits":            {script: leafBy("-algorithm RSA -pkeyopt rsa_keygen_bits:512", "-set_serial 2"), want: []Code{HandshakeFailed, WeakKey}, only: v12},
		"RSA of 1000 bits":           {script: leafBy("-algorithm RSA -pkeyopt rsa_keygen_bits:1000", "-set_serial 2"), want: []Code{HandshakeFailed, WeakKey}},
		"RSA of 8704 bits":           {script: leafBy("-algorithm RSA -pkeyopt rsa_keygen_bits:8704 -pkeyopt rsa_keygen_primes:5", "-set_serial 2"), want: []Code{HandshakeFailed}},
		"Ed448":                      {script: leafBy("-algorithm ED448", "-set_serial 2"), want: []Code{NoSharedCipher}, unseen: true},
		"secp256k1":                  {script: leafBy("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "-set_serial 2"), want: []Code{NoSharedCipher}, want13: []Code{VersionUnsupported}, unseen: true},
		"negative serial, untrusted": {script: leafBy(p256, "-set_serial -5") + "; rm root.pem", want: []Code{NegativeSerial, UnparseableCertificate}},
	} {
		for _, version := range []string{v12, v13} {
			if tc.only != "" && tc.only != version {
				continue
			}
			t.Run(name+"/"+version[1:], func(t *testing.T) {
				want := tc.want
				if version == v13 && tc.want13 != nil {
					want = tc.want13
				}
				target, p := openssl(t, tc.script, version)
				r := p.Probe(t.Context(), target)
				text, err := json.Marshal(r)
				require.NoError(t, err)
				require.NotContains(t, string(text), "0001-01-01")
				require.Equal(t, want, codes(r), "%+v\n%v", r.Reasons, r.Err)
				if tc.unseen {
					require.Empty(t, r.Certificates)
					require.Error(t, r.Err)
					return
				}
				require.NotEmpty(t, r.Certificates)
				for _, c := range r.Certificates {
					require.False(t, c.NotBefore.IsZero() || c.NotAfter.IsZero(), "%+v", c)
				}
				require.Contains(t, r.Certificates[0].Subject, "CN=localhost")
				if tc.version != 0 {
					require.Equal(t, tc.version, r.Certificates[0].X509.Version)
				}
				if name == "until 9966" {
					require.Equal(t, 9966, r.Certificates[0].NotAfter.Year())
				}
			})
		}
	}
}

// What OpenSSL wants of clients, in both versions.
func TestReal_OpenSSLClientCertificates(t *testing.T) {
	real.Enabled(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		for name, tc := range map[string]struct {
			args  []string
			want  ClientAuth
			codes []Code
		}{
			"not requested": {want: NotRequested},
			"optional":      {args: []string{"-verify", "1"}, want: Optional},
			"required":      {args: []string{"-Verify", "1"}, want: Required, codes: []Code{ClientCertificateRequired}},
		} {
			t.Run(name+"/"+version[1:], func(t *testing.T) {
				target, p := openssl(t, leafBy(p256, "-set_serial 2"), append([]string{version, "-CAfile", "root.pem"}, tc.args...)...)
				r := p.Probe(t.Context(), target)
				require.Equal(t, tc.want, r.ClientCertificate, "%+v", r)
				require.Equal(t, tc.codes, codes(r), "%+v", r.Reasons)
				require.NotEmpty(t, r.Certificates)
				require.Equal(t, tls.VersionTLS12, int(r.Version)-int(version[len(version)-1]-'2'))
				if tc.args != nil {
					require.Equal(t, []string{"CN=root"}, r.AcceptableCAs)
				}
			})
		}
	}
}
