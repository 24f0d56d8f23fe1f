package dial

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

func TestConnect_EveryProtocolAndMechanism(t *testing.T) {
	ca := authority(t)
	for _, protocol := range []Protocol{"", Plaintext, SSL, SASLPlaintext, SASLSSL} {
		mechanisms := []Mechanism{""}
		if protocol.sasl() {
			mechanisms = []Mechanism{Plain, ScramSHA256, ScramSHA512}
		}
		for _, m := range mechanisms {
			t.Run(string(protocol)+" "+string(m), func(t *testing.T) {
				var opts []kfake.Opt
				cfg := Config{Protocol: protocol, Mechanism: m}
				if protocol.tls() {
					opts = append(opts, kfake.TLS(serverTLS(t, ca)))
					cfg.TLS = &tls.Config{RootCAs: ca.Pool()}
				}
				if protocol.sasl() {
					opts = append(opts, withSASL()...)
					cfg.Username, cfg.Password = "alice", secret(canary)
				}
				cfg.Brokers = []string{fake(t, opts...)}
				require.NoError(t, connect(t, cfg))
			})
		}
	}
}

// Each row is a port and a config that do not fit, and what has to be said.
func TestConnect_SaysWhy(t *testing.T) {
	ca, other := authority(t), authority(t)
	trusted := &tls.Config{RootCAs: ca.Pool()}
	login := func(cfg Config) Config {
		cfg.Mechanism, cfg.Username, cfg.Password = Plain, "alice", secret(canary)
		return cfg
	}
	tests := map[string]struct {
		addr   func(t *testing.T) string
		cfg    Config
		cause  Cause
		detail string
	}{
		"nothing listens": {
			addr: closedPort, cause: CauseRefused,
		},
		"the name does not resolve": {
			addr: func(*testing.T) string { return "no-such-host.invalid:9092" }, cause: CauseName,
		},
		"plaintext to TLS, Go server": {
			addr:  func(t *testing.T) string { return fake(t, kfake.TLS(serverTLS(t, ca))) },
			cause: CauseTLSRequired,
		},
		"plaintext to TLS, a server that answers as Java does": {
			addr: func(t *testing.T) string {
				return listen(t, func(c net.Conn) {
					// What JSSE's SSLEngine sends for any plaintext Kafka frame: a fatal
					// internal_error.
					_, _ = c.Read(make([]byte, 1))
					_, _ = c.Write([]byte{0x15, 3, 3, 0, 2, 2, 0x50})
				})
			},
			cause: CauseTLSRequired, detail: "alert",
		},
		"plaintext to TLS, a server that takes no handshake either": {
			addr: func(t *testing.T) string {
				return listen(t, func(c net.Conn) {
					_ = tls.Server(c, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
						return nil, io.ErrUnexpectedEOF
					}}).Handshake()
					_ = c.Close()
				})
			},
			cause: CauseTLSRequired,
		},
		"SASL in plaintext to TLS": {
			addr:  func(t *testing.T) string { return fake(t, append(withSASL(), kfake.TLS(serverTLS(t, ca)))...) },
			cfg:   login(Config{Protocol: SASLPlaintext}),
			cause: CauseTLSRequired,
		},
		"TLS to plaintext, a server that waits": {
			addr: func(t *testing.T) string { return fake(t) },
			cfg:  Config{Protocol: SSL, Timeout: 5 * time.Second}, cause: CauseTLSNotEnabled, detail: "speaks Kafka in plaintext",
		},
		"TLS to plaintext, a server that closes as Java does": {
			addr: func(t *testing.T) string {
				kafka := fake(t, withSASL()...)
				return listen(t, func(c net.Conn) {
					defer c.Close()
					first := make([]byte, 4)
					if _, err := io.ReadFull(c, first); err != nil || first[0] == 0x16 {
						return
					}
					up, err := net.Dial("tcp", kafka)
					if err != nil {
						return
					}
					defer up.Close()
					_, _ = up.Write(first)
					go func() { _, _ = io.Copy(up, c) }()
					_, _ = io.Copy(c, up)
				})
			},
			cfg: Config{Protocol: SSL}, cause: CauseTLSNotEnabled, detail: "with SASL PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
		},
		"HTTP": {
			addr: func(t *testing.T) string { return listen(t, answer("HTTP/1.1 400 Bad Request\r\n\r\n")) }, cause: CauseNotKafka, detail: "HTTP/1.1",
		},
		"HTTP instead of TLS": {
			addr: func(t *testing.T) string { return listen(t, answer("HTTP/1.1 400 Bad Request\r\n\r\n")) },
			cfg:  Config{Protocol: SSL}, cause: CauseNotKafka, detail: "HTTP",
		},
		"SSH": {
			addr: func(t *testing.T) string { return listen(t, answer("SSH-2.0-OpenSSH_9.2\r\n")) }, cause: CauseNotKafka, detail: "SSH-2.0",
		},
		"the port closes": {
			addr: func(t *testing.T) string { return listen(t, func(c net.Conn) { _ = c.Close() }) }, cause: CauseClosed,
		},
		"the port is silent": {
			addr: func(t *testing.T) string { return listen(t, func(net.Conn) {}) },
			cfg:  Config{Timeout: time.Second}, cause: CauseTimeout, detail: "ApiVersions was not answered",
		},
		"the port is silent at TLS": {
			addr: func(t *testing.T) string { return listen(t, func(net.Conn) {}) },
			cfg:  Config{Protocol: SSL, Timeout: time.Second}, cause: CauseTimeout, detail: "handshake",
		},
		"SASL is needed": {
			addr: func(t *testing.T) string { return fake(t, withSASL()...) }, cause: CauseSASLRequired, detail: "it enables PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
		},
		"SASL is needed, over TLS": {
			addr: func(t *testing.T) string { return fake(t, append(withSASL(), kfake.TLS(serverTLS(t, ca)))...) },
			cfg:  Config{Protocol: SSL, TLS: trusted}, cause: CauseSASLRequired, detail: "it enables PLAIN",
		},
		"wrong password, closed without a word": {
			addr: func(t *testing.T) string { return fake(t, withSASL()...) },
			cfg:  Config{Protocol: SASLPlaintext, Mechanism: Plain, Username: "alice", Password: secret("wrong")}, cause: CauseCredentials,
		},
		"wrong SCRAM password": {
			addr: func(t *testing.T) string { return fake(t, withSASL()...) },
			cfg:  Config{Protocol: SASLPlaintext, Mechanism: ScramSHA512, Username: "alice", Password: secret("wrong")}, cause: CauseCredentials,
		},
		"wrong mechanism": {
			addr: func(t *testing.T) string { return fake(t, withSASL()...) },
			cfg: Config{Protocol: SASLPlaintext, Mechanism: OAuthBearer, OAuth: OAuth{
				TokenURL: "http://127.0.0.1:1/token", ClientID: "id", ClientSecret: secret(canary),
			}},
			cause: CauseMechanism, detail: "it enables PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
		},
		"unknown authority": {
			addr: func(t *testing.T) string { return fake(t, kfake.TLS(serverTLS(t, ca))) },
			cfg:  Config{Protocol: SSL, TLS: &tls.Config{RootCAs: other.Pool()}}, cause: CauseUntrusted, detail: `"CN=broker", issued by "CN=test authority"`,
		},
		"other host names": {
			addr: func(t *testing.T) string {
				cert := issue(t, ca, pki.Leaf{CommonName: "broker", DNSNames: []string{"kafka1.example", "kafka.example"}})
				return fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert.TLS()}}))
			},
			cfg: Config{Protocol: SSL, TLS: trusted}, cause: CauseHostname, detail: "it is for kafka1.example, kafka.example",
		},
		"only a common name": {
			addr: func(t *testing.T) string {
				cert := issue(t, ca, pki.Leaf{CommonName: "localhost"})
				return strings.Replace(fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert.TLS()}})), "127.0.0.1", "localhost", 1)
			},
			cfg: Config{Protocol: SSL, TLS: trusted}, cause: CauseHostname, detail: `no subject alternative name, only the subject "CN=localhost"`,
		},
		"expired": {
			addr: func(t *testing.T) string {
				leaf := pki.Localhost("broker")
				leaf.NotBefore, leaf.NotAfter = time.Date(2021, 2, 3, 0, 0, 0, 0, time.UTC), time.Date(2022, 3, 4, 0, 0, 0, 0, time.UTC)
				return fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{issue(t, ca, leaf).TLS()}}))
			},
			cfg: Config{Protocol: SSL, TLS: trusted}, cause: CauseExpired, detail: "valid from 2021-02-03 to 2022-03-04",
		},
		"no client certificate, TLS 1.3": {
			addr: func(t *testing.T) string { return fake(t, kfake.TLS(mutual(t, ca, tls.VersionTLS13))) },
			cfg:  Config{Protocol: SSL, TLS: trusted}, cause: CauseClientCertificate, detail: `none to send that is issued by "CN=test authority"`,
		},
		"no client certificate, TLS 1.2": {
			addr: func(t *testing.T) string { return fake(t, kfake.TLS(mutual(t, ca, tls.VersionTLS12))) },
			cfg:  Config{Protocol: SSL, TLS: trusted}, cause: CauseClientCertificate, detail: "none to send",
		},
		"a client certificate that the broker does not trust": {
			addr: func(t *testing.T) string {
				cfg := mutual(t, ca, tls.VersionTLS13)
				cfg.ClientCAs = nil // names no authority, so that the client sends what it has
				cfg.ClientAuth = tls.RequireAnyClientCert
				cfg.VerifyConnection = func(tls.ConnectionState) error { return tls.AlertError(48) }
				return fake(t, kfake.TLS(cfg))
			},
			cfg:   Config{Protocol: SSL, TLS: &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{issue(t, other, pki.Leaf{CommonName: "me", Client: true}).TLS()}}},
			cause: CauseClientCertificate, detail: `it was sent "CN=me", issued by "CN=test authority"`,
		},
		"no client certificate, and a broker that just closes": {
			addr: func(t *testing.T) string {
				cfg := serverTLS(t, ca)
				cfg.ClientAuth = tls.RequestClientCert
				return listen(t, func(c net.Conn) {
					_ = tls.Server(c, cfg).Handshake()
					_ = c.Close()
				})
			},
			cfg: Config{Protocol: SSL, TLS: trusted}, cause: CauseClientCertificate, detail: "none to send",
		},
		"TLS 1.1 only": {
			addr: func(t *testing.T) string {
				cfg := serverTLS(t, ca)
				cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
				return fake(t, kfake.TLS(cfg))
			},
			cfg: Config{Protocol: SSL, TLS: trusted}, cause: CauseTLS, detail: "protocol version",
		},
		"no common version of TLS": {
			addr: func(t *testing.T) string {
				cfg := serverTLS(t, ca)
				cfg.MaxVersion = tls.VersionTLS12
				return fake(t, kfake.TLS(cfg))
			},
			cfg: Config{Protocol: SSL, TLS: &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS13}}, cause: CauseTLS,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := tt.cfg
			cfg.Brokers = []string{tt.addr(t)}
			err := connect(t, cfg)
			require.Error(t, err)
			t.Log(err)
			e := asError(t, err)
			require.Equal(t, tt.cause, e.Cause)
			require.Contains(t, e.Error(), tt.detail)
			require.Equal(t, cfg.Brokers[0], e.Addr)
			require.Equal(t, cfg.protocol(), e.Protocol)
			require.Contains(t, e.Error(), "connect to "+e.Addr+" ("+string(e.Protocol))
			require.NotContains(t, e.Error(), "\n")
			require.NotContains(t, e.Error(), canary)
		})
	}
}

func answer(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_, _ = io.WriteString(c, text)
	}
}

func mutual(t *testing.T, ca *pki.CA, version uint16) *tls.Config {
	cfg := serverTLS(t, ca)
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	cfg.MinVersion, cfg.MaxVersion = version, version
	return cfg
}

// The error codes that a real broker answers, and kfake does not.
func TestConnect_ReadsKafkasAnswers(t *testing.T) {
	tests := map[string]struct {
		key   kmsg.Key
		code  *kerr.Error
		cause Cause
	}{
		"wrong password": {kmsg.SASLAuthenticate, kerr.SaslAuthenticationFailed, CauseCredentials},
		"no SASL":        {kmsg.SASLHandshake, kerr.IllegalSaslState, CauseSASLNotEnabled},
		"no right":       {kmsg.Metadata, kerr.ClusterAuthorizationFailed, CauseUnauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := kfake.NewCluster(append(withSASL(), kfake.NumBrokers(1))...)
			require.NoError(t, err)
			defer c.Close()
			var asked atomic.Int32
			c.ControlKey(tt.key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				asked.Add(1)
				switch resp := req.ResponseKind().(type) {
				case *kmsg.SASLAuthenticateResponse:
					resp.ErrorCode, resp.ErrorMessage = tt.code.Code, kmsg.StringPtr("Authentication failed:\nInvalid username or password")
					return resp, nil, true
				case *kmsg.SASLHandshakeResponse:
					resp.ErrorCode = tt.code.Code
					return resp, nil, true
				case *kmsg.MetadataResponse:
					resp.ErrorCode = tt.code.Code
					return resp, nil, true
				default:
					return nil, nil, false
				}
			})
			err = connect(t, Config{
				Brokers: c.ListenAddrs(), Protocol: SASLPlaintext, Mechanism: Plain, Username: "alice", Password: secret(canary),
			})
			t.Log(err)
			e := asError(t, err)
			require.Equal(t, tt.cause, e.Cause)
			require.ErrorIs(t, err, tt.code)
			require.NotContains(t, err.Error(), "\n")
			if tt.cause == CauseCredentials {
				require.EqualValues(t, 1, asked.Load(), "a wrong password must be tried once: some directories lock the account")
			}
		})
	}
}

func TestConnect_EndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	addr := listen(t, func(net.Conn) { cancel() })
	_, err := Connect(ctx, Config{Brokers: []string{addr}, Timeout: time.Hour})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, CauseCanceled, asError(t, err).Cause)
}

func TestConnect_RefusesABadConfig(t *testing.T) {
	_, err := Connect(t.Context(), Config{Protocol: "TLS"})
	var ps holdfast.Problems
	require.ErrorAs(t, err, &ps)
	require.Len(t, ps, 2)
}

func TestExplain(t *testing.T) {
	require.NoError(t, Explain(nil))
	require.Equal(t, io.ErrShortBuffer, Explain(io.ErrShortBuffer), "not about a broker")
	require.EqualError(t, Explain(io.EOF), "connect to broker: the broker closed the connection without saying why: EOF")
	e := &Error{Cause: CauseName}
	require.Same(t, e, Explain(e))

	// After Connect: the broker goes away.
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	addr := c.ListenAddrs()[0]
	cl, err := Connect(t.Context(), Config{Brokers: []string{addr}})
	require.NoError(t, err)
	defer cl.Close()
	c.Close()
	// The first request may find the old connection closed, the second has to dial.
	_, _ = kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), cl.SeedBrokers()[0])
	_, err = kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), cl.SeedBrokers()[0])
	found := asError(t, Explain(err))
	require.Equal(t, CauseRefused, found.Cause)
	require.Equal(t, addr, found.Addr)
}
