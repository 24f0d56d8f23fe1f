package dial

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// Without the check of the host name everything else about the certificate
// counts as before.
func TestConnect_HonoursHostnameCheckSwitchedOff(t *testing.T) {
	ca, other := authority(t), authority(t)
	names := []string{"kafka.example"}
	past := time.Date(2022, 3, 4, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		leaf  pki.Leaf
		trust *pki.CA
		cause Cause
	}{
		"another name":         {pki.Leaf{CommonName: "broker", DNSNames: names, Server: true}, ca, ""},
		"a longer chain":       {pki.Leaf{CommonName: "broker", DNSNames: names, Server: true}, ca, ""},
		"another authority":    {pki.Leaf{CommonName: "broker", DNSNames: names, Server: true}, other, CauseUntrusted},
		"expired":              {pki.Leaf{CommonName: "broker", DNSNames: names, Server: true, NotBefore: past.AddDate(-1, 0, 0), NotAfter: past}, ca, CauseExpired},
		"a client's, no usage": {pki.Leaf{CommonName: "broker", DNSNames: names, Client: true}, ca, CauseUntrusted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, "security.protocol=SSL\nssl.endpoint.identification.algorithm=\nssl.truststore.type=PEM\n"+
				line("ssl.truststore.location", writeFile(t, "ca.pem", tt.trust.PEM())))
			signer := ca
			if name == "a longer chain" {
				var err error
				signer, err = ca.Intermediate("between", pki.CAOptions{})
				require.NoError(t, err)
			}
			cfg.Brokers = []string{fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{issue(t, signer, tt.leaf).TLS()}}))}
			err := connect(t, cfg)
			if tt.cause == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, tt.cause, asError(t, err).Cause)
		})
	}
}

func TestConnect_RefusesACertificateThatIsNotAServers(t *testing.T) {
	ca := authority(t)
	leaf := pki.Localhost("broker")
	leaf.Server, leaf.Client = false, true
	addr := fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{issue(t, ca, leaf).TLS()}}))
	err := connect(t, Config{Brokers: []string{addr}, Protocol: SSL, TLS: &tls.Config{RootCAs: ca.Pool()}})
	require.Equal(t, CauseUntrusted, asError(t, err).Cause)
	require.ErrorContains(t, err, "key usage")
}

// A broker behind a proxy that routes by name is found by the name that was
// asked for; addresses are never sent as one (RFC 6066 §3).
func TestConnect_SendsTheServerName(t *testing.T) {
	ca := authority(t)
	for _, tt := range []struct{ host, want string }{{"localhost", "localhost"}, {"127.0.0.1", ""}} {
		asked := make(chan string, 16)
		server := serverTLS(t, ca)
		server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			asked <- hello.ServerName
			return nil, nil
		}
		addr := strings.Replace(fake(t, kfake.TLS(server)), "127.0.0.1", tt.host, 1)
		require.NoError(t, connect(t, Config{Brokers: []string{addr}, Protocol: SSL, TLS: &tls.Config{RootCAs: ca.Pool()}}))
		require.Equal(t, tt.want, <-asked)
	}
}

func TestConnect_OffersNoTLSBelow12(t *testing.T) {
	offers := make(chan []uint16, 16)
	addr := listen(t, func(c net.Conn) {
		_ = tls.Server(c, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			offers <- hello.SupportedVersions
			return nil, net.ErrClosed
		}}).Handshake()
		_ = c.Close()
	})
	for name, cfg := range map[string]Config{
		"nil":        {},
		"zero":       {TLS: new(tls.Config)},
		"properties": {TLS: parse(t, "security.protocol=SSL\n").TLS},
	} {
		cfg.Brokers, cfg.Protocol = []string{addr}, SSL
		require.Error(t, connect(t, cfg))
		require.Equal(t, []uint16{tls.VersionTLS13, tls.VersionTLS12}, <-offers, name)
	}
}

// What the caller has set in his TLS configuration counts, and is not written to.
func TestConnect_HonoursTheCallersTLS(t *testing.T) {
	ca := authority(t)
	other, err := pki.NewCA("another authority") // brokers choose by name
	require.NoError(t, err)
	cert := func(ca *pki.CA) tls.Certificate { return issue(t, ca, pki.Leaf{CommonName: "me", Client: true}).TLS() }
	mine, strange := cert(ca), cert(other)
	addr := fake(t, kfake.TLS(mutual(t, ca, tls.VersionTLS13)))
	tests := map[string]struct {
		change func(*tls.Config)
		cause  Cause
	}{
		"a client certificate": {func(c *tls.Config) { c.Certificates = []tls.Certificate{mine} }, ""},
		"the one of several that the broker accepts": {
			func(c *tls.Config) { c.Certificates = []tls.Certificate{strange, mine} }, "",
		},
		"a callback, which comes before": {
			func(c *tls.Config) {
				c.Certificates = []tls.Certificate{strange}
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &mine, nil }
			}, "",
		},
		"a name to check the broker's by": {
			func(c *tls.Config) { c.Certificates, c.ServerName = []tls.Certificate{mine}, "kafka.example" }, CauseHostname,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Brokers: []string{addr}, Protocol: SSL, TLS: &tls.Config{RootCAs: ca.Pool()}}
			tt.change(cfg.TLS)
			before := cfg.TLS.Clone()
			err := connect(t, cfg)
			if tt.cause == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, tt.cause, asError(t, err).Cause)
			}
			require.Equal(t, before.ServerName, cfg.TLS.ServerName)
			require.Equal(t, before.MinVersion, cfg.TLS.MinVersion)
			require.Equal(t, before.GetClientCertificate == nil, cfg.TLS.GetClientCertificate == nil)
		})
	}
}
