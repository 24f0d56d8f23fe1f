package dial

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/holdfast-sec/holdfast/internal/properties"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// line writes one property with Java's escapes.
func line(key, value string) string {
	return string(properties.Format([]properties.Entry{{Key: key, Value: value}}))
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// Every form in which people have their stores gets through a handshake in
// which both sides check the other's certificate.
func TestParseProperties_StoresOfEveryKind(t *testing.T) {
	ca := authority(t)
	cert := issue(t, ca, pki.Leaf{CommonName: "me", Client: true})
	addr := fake(t, kfake.TLS(mutual(t, ca, tls.VersionTLS13)))
	storePW, keyPW := secret(canary), secret("k3y"+canary)
	bytes, file := must[[]byte](t), func(data []byte) string { return writeFile(t, "store", data) }

	tests := map[string]string{
		"PEM files": line("ssl.truststore.type", "PEM") + line("ssl.truststore.location", file(ca.PEM())) +
			line("ssl.keystore.type", "PEM") + line("ssl.keystore.location", file(bytes(cert.KeystorePEM()))),
		"PEM files, type not said": line("ssl.truststore.location", file(ca.PEM())) + line("ssl.keystore.location", file(bytes(cert.KeystorePEM()))),
		"PEM in the file": line("ssl.truststore.type", "PEM") + line("ssl.truststore.certificates", string(ca.PEM())) +
			line("ssl.keystore.type", "PEM") + line("ssl.keystore.key", string(bytes(cert.KeyPEM()))) +
			line("ssl.keystore.certificate.chain", string(cert.ChainPEM())),
		"PEM in the file, lines joined by spaces": line("ssl.truststore.type", "PEM") + line("ssl.truststore.certificates", joined(ca.PEM())) +
			line("ssl.keystore.type", "PEM") + line("ssl.keystore.key", joined(bytes(cert.KeyPEM()))) +
			line("ssl.keystore.certificate.chain", joined(cert.ChainPEM())),
		"JKS": line("ssl.truststore.location", file(bytes(ca.TruststoreJKS("ca", storePW)))) + line("ssl.truststore.password", canary) +
			line("ssl.keystore.location", file(bytes(cert.JKS("me", storePW, keyPW)))) + line("ssl.keystore.password", canary) +
			line("ssl.key.password", "k3y"+canary),
		"JKS, truststore without password": line("ssl.truststore.type", "jks") + line("ssl.truststore.location", file(bytes(ca.TruststoreJKS("ca", storePW)))) +
			line("ssl.keystore.location", file(bytes(cert.JKS("me", storePW, storePW)))) + line("ssl.keystore.password", canary),
		"PKCS12": line("ssl.truststore.type", "PKCS12") + line("ssl.truststore.location", file(bytes(ca.TruststorePKCS12("ca", storePW)))) +
			line("ssl.truststore.password", canary) + line("ssl.keystore.type", "PKCS12") + line("ssl.keystore.location", file(bytes(cert.PKCS12(storePW)))) +
			line("ssl.keystore.password", canary),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, "security.protocol=SSL\n"+text)
			require.Empty(t, cfg.Ignored)
			cfg.Brokers = []string{addr}
			require.NoError(t, connect(t, cfg))
		})
	}
}

func joined(pem []byte) string { return strings.Join(strings.Split(string(pem), "\n"), " ") }

func TestParseProperties_BadStores(t *testing.T) {
	ca := authority(t)
	cert := issue(t, ca, pki.Leaf{CommonName: "me", Client: true})
	bytes, file := must[[]byte](t), func(data []byte) string { return writeFile(t, "store", data) }
	jks := bytes(cert.JKS("me", secret(canary), secret("other"+canary)))
	tests := map[string]struct{ text, want string }{
		"wrong store password": {line("ssl.keystore.location", file(jks)) + line("ssl.keystore.password", "nope"), "f:2: ssl.keystore.location: JKS keystore: wrong password"},
		"wrong key password":   {line("ssl.keystore.location", file(jks)) + line("ssl.keystore.password", canary), "f:2: ssl.keystore.location: JKS keystore: "},
		"not a store":          {line("ssl.truststore.location", file([]byte("hello"))), "f:2: ssl.truststore.location: keystore: corrupt"},
		"other type": {
			line("ssl.truststore.type", "PEM") + line("ssl.truststore.location", file(bytes(ca.TruststoreJKS("ca", secret(canary))))),
			"f:3: ssl.truststore.location: keystore: wrong type",
		},
		"no key": {line("ssl.keystore.location", file(ca.PEM())), "f:2: ssl.keystore.location: PEM keystore: no private key in it"},
		"key of another certificate": {
			line("ssl.keystore.type", "PEM") + line("ssl.keystore.key", string(bytes(issue(t, ca, pki.Leaf{}).KeyPEM()))) +
				line("ssl.keystore.certificate.chain", string(cert.ChainPEM())),
			"f:3: ssl.keystore.key: PEM keystore: ",
		},
		"both": {
			line("ssl.keystore.location", file(jks)) + line("ssl.keystore.certificate.chain", "x"),
			"f:3: ssl.keystore.certificate.chain: set as well as ssl.keystore.location; allowed: one of them",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ParseProperties(t.Context(), "f", []byte("security.protocol=SSL\n"+tt.text), ParseOptions{})
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), canary)
			require.NotContains(t, err.Error(), "PRIVATE KEY")
		})
	}
}

func TestParseProperties_TLSVersions(t *testing.T) {
	tests := []struct {
		text     string
		min, max uint16
	}{
		{"", tls.VersionTLS12, 0},
		{"ssl.enabled.protocols=TLSv1.2,TLSv1.3\n", tls.VersionTLS12, tls.VersionTLS13},
		{"ssl.enabled.protocols=TLSv1.3\n", tls.VersionTLS13, tls.VersionTLS13},
		{"ssl.enabled.protocols=TLSv1.2\n", tls.VersionTLS12, tls.VersionTLS12},
		{"ssl.enabled.protocols=TLSv1,TLSv1.2\n", tls.VersionTLS12, tls.VersionTLS12},
		{"ssl.protocol=TLSv1.2\n", tls.VersionTLS12, tls.VersionTLS12},
		{"ssl.protocol=TLS\n", tls.VersionTLS12, 0},
		{"ssl.protocol=TLSv1.3\n", tls.VersionTLS12, tls.VersionTLS13},
		{"ssl.cipher.suites=TLS_AES_128_GCM_SHA256\n", tls.VersionTLS13, 0},
		{"ssl.cipher.suites=TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n", tls.VersionTLS12, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%q", tt.text), func(t *testing.T) {
			cfg := parse(t, "security.protocol=SSL\n"+tt.text)
			require.Equal(t, tt.min, cfg.TLS.MinVersion)
			require.Equal(t, tt.max, cfg.TLS.MaxVersion)
			require.False(t, cfg.TLS.InsecureSkipVerify)
		})
	}
}

func TestParseProperties_TellsWhatJavaWouldReadOtherwise(t *testing.T) {
	ca := authority(t)
	cfg := parse(t, "security.protocol=SSL\nssl.truststore.type=JKS\n"+
		line("ssl.truststore.location", writeFile(t, "store", must[[]byte](t)(ca.TruststorePKCS12("ca", secret("pw")))))+
		"ssl.truststore.password=pw\n")
	require.Equal(t, []Ignored{{
		"ssl.truststore.location", 3, "JKS is declared, the content is PKCS12: Java reads it unless keystore.type.compat is off", true,
	}}, cfg.Ignored)
}
