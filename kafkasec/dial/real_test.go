package dial

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/internal/testkit/tokenserver"
)

// realConfig is the config of a login, through the properties text that Java
// clients take (which the harness's own tests give to Java).
func realConfig(t *testing.T, c *real.Cluster, login real.Login) Config {
	t.Helper()
	return parse(t, c.ClientProperties(t, login))
}

func TestReal_EveryProtocolAndMechanismConnects(t *testing.T) {
	c := real.Kafka(t)
	for _, login := range []real.Login{
		{Protocol: real.Plaintext},
		{Protocol: real.SSL, User: real.Admin},
		{Protocol: real.SASLPlaintext, Mechanism: real.Plain, User: "alice"},
		{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM256, User: "alice"},
		{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM512, User: "alice"},
		{Protocol: real.SASLSSL, Mechanism: real.Plain, User: "alice"},
		{Protocol: real.SASLSSL, Mechanism: real.SCRAM256, User: "alice"},
		{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: "alice"},
	} {
		t.Run(string(login.Protocol)+" "+string(login.Mechanism), func(t *testing.T) {
			cfg := realConfig(t, c, login)
			require.Empty(t, cfg.Ignored)
			require.NoError(t, connect(t, cfg))
		})
	}
}

func TestReal_SaysWhy(t *testing.T) {
	c := real.Kafka(t)
	other := authority(t)
	address := func(p real.Protocol) []string { return c.Bootstrap(p) }
	plain := real.Login{Protocol: real.SASLPlaintext, User: "alice"}
	plainTLS := real.Login{Protocol: real.SASLSSL, User: "alice"}
	mtls := real.Login{Protocol: real.SSL, User: real.Admin}
	wrong := func(login real.Login, m real.Mechanism) real.Login {
		login.Password, login.Mechanism = secret("wrong"+canary), m
		return login
	}
	tests := map[string]struct {
		login  real.Login
		change func(*Config)
		cause  Cause
		text   string
	}{
		"wrong PLAIN password":         {wrong(plain, real.Plain), nil, CauseCredentials, "SASL_AUTHENTICATION_FAILED: Authentication failed: Invalid username or password"},
		"wrong PLAIN password, TLS":    {wrong(plainTLS, real.Plain), nil, CauseCredentials, "SASL_AUTHENTICATION_FAILED"},
		"wrong SCRAM-SHA-256 password": {wrong(plain, real.SCRAM256), nil, CauseCredentials, "SASL_AUTHENTICATION_FAILED"},
		"wrong SCRAM-SHA-512 password": {wrong(plainTLS, real.SCRAM512), nil, CauseCredentials, "SASL_AUTHENTICATION_FAILED"},
		"unknown user": {plain, func(cfg *Config) {
			cfg.Mechanism, cfg.Username = ScramSHA512, "nobody"
		}, CauseCredentials, "SASL_AUTHENTICATION_FAILED"},
		"mechanism that is not enabled": {plain, func(cfg *Config) {
			cfg.Mechanism, cfg.OAuth = OAuthBearer, OAuth{TokenURL: "http://127.0.0.1:1/", ClientID: "x", ClientSecret: secret(canary)}
		}, CauseMechanism, "it enables PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"},
		"mechanism that is not enabled, TLS": {plainTLS, func(cfg *Config) {
			cfg.Mechanism, cfg.OAuth = OAuthBearer, OAuth{TokenURL: "http://127.0.0.1:1/", ClientID: "x", ClientSecret: secret(canary)}
		}, CauseMechanism, "it enables PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"},
		"plaintext to SSL":            {real.Login{Protocol: real.Plaintext}, func(cfg *Config) { cfg.Brokers = address(real.SSL) }, CauseTLSRequired, "the port speaks TLS"},
		"plaintext to SASL_SSL":       {real.Login{Protocol: real.Plaintext}, func(cfg *Config) { cfg.Brokers = address(real.SASLSSL) }, CauseTLSRequired, "the port speaks TLS"},
		"SASL_PLAINTEXT to SASL_SSL":  {plain, func(cfg *Config) { cfg.Brokers = address(real.SASLSSL) }, CauseTLSRequired, "the port speaks TLS"},
		"SSL to PLAINTEXT":            {mtls, func(cfg *Config) { cfg.Brokers = address(real.Plaintext) }, CauseTLSNotEnabled, "it speaks Kafka in plaintext"},
		"SASL_SSL to SASL_PLAINTEXT":  {plainTLS, func(cfg *Config) { cfg.Brokers = address(real.SASLPlaintext) }, CauseTLSNotEnabled, "in plaintext, with SASL "},
		"PLAINTEXT to SASL_PLAINTEXT": {real.Login{Protocol: real.Plaintext}, func(cfg *Config) { cfg.Brokers = address(real.SASLPlaintext) }, CauseSASLRequired, "it enables PLAIN"},
		"SASL_PLAINTEXT to PLAINTEXT": {plain, func(cfg *Config) { cfg.Brokers = address(real.Plaintext) }, CauseSASLNotEnabled, "the port has no SASL"},
		"SSL to SASL_SSL":             {mtls, func(cfg *Config) { cfg.Brokers = address(real.SASLSSL) }, CauseSASLRequired, "it enables PLAIN"},
		"unknown authority":           {plainTLS, func(cfg *Config) { cfg.TLS.RootCAs = other.Pool() }, CauseUntrusted, "issued by"},
		"system's authorities":        {plainTLS, func(cfg *Config) { cfg.TLS = nil }, CauseUntrusted, "issued by"},
		"host name":                   {plainTLS, func(cfg *Config) { cfg.TLS.ServerName = "kafka.example" }, CauseHostname, "it is for "},
		"no client certificate":       {real.Login{Protocol: real.SSL}, nil, CauseClientCertificate, "none to send"},
		"no client certificate, TLS 1.2": {
			real.Login{Protocol: real.SSL}, func(cfg *Config) { cfg.TLS.MaxVersion = tls.VersionTLS12 }, CauseClientCertificate, "none to send",
		},
		"a client certificate of another authority": {mtls, func(cfg *Config) {
			cert := issue(t, other, pki.Leaf{CommonName: "admin", Client: true}).TLS()
			// Sent although the broker has said that it does not take it.
			cfg.TLS.Certificates = nil
			cfg.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		}, CauseClientCertificate, `it was sent "CN=admin", issued by "CN=test authority": remote error: tls: `},
		"a client certificate that the broker does not ask for by name": {mtls, func(cfg *Config) {
			cfg.TLS.Certificates = []tls.Certificate{issue(t, other, pki.Leaf{CommonName: "admin", Client: true}).TLS()}
		}, CauseClientCertificate, "none to send that is issued by"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := realConfig(t, c, tt.login)
			if tt.change != nil {
				tt.change(&cfg)
			}
			err := connect(t, cfg)
			require.Error(t, err)
			t.Log(err)
			require.Equal(t, tt.cause, asError(t, err).Cause)
			require.Contains(t, err.Error(), tt.text)
			require.NotContains(t, err.Error(), "\n")
			noCanary(t, prints(t, err))
			require.NotContains(t, prints(t, err), c.Password("alice").Reveal())
		})
	}
}

func TestReal_OAuth(t *testing.T) {
	real.Enabled(t)
	tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret("s3 cret/")}})
	strange := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret("s3 cret/")}, Issuer: tokens.Issuer})
	c := real.NewKafka(t, real.Options{
		OAuth: &real.OAuth{TokenURL: tokens.TokenURL(), JWKSURL: tokens.JWKSURL(), Issuer: tokens.Issuer, Audience: tokens.Audience},
	})
	login := real.Login{Protocol: real.SASLSSL, Mechanism: real.OAuthBearer, User: "alice", Password: secret("s3 cret/")}
	cfg := realConfig(t, c, login)
	// The token server decodes what RFC 6749 tells clients to encode.
	cfg.OAuth.RawCredentials = false
	require.NoError(t, connect(t, cfg))

	refused := cfg
	refused.OAuth.TokenURL = strange.TokenURL()
	err := connect(t, refused)
	t.Log(err)
	require.Equal(t, CauseCredentials, asError(t, err).Cause)

	cfg.OAuth.ClientSecret = secret(canary)
	err = connect(t, cfg)
	t.Log(err)
	require.Equal(t, CauseToken, asError(t, err).Cause)
	noCanary(t, prints(t, err))
}

func TestReal_ZooKeeperEra(t *testing.T) {
	c := real.NewKafka(t, real.Options{Version: "3.9.2"})
	for _, m := range []real.Mechanism{real.Plain, real.SCRAM512} {
		require.NoError(t, connect(t, realConfig(t, c, real.Login{Protocol: real.SASLSSL, Mechanism: m, User: "alice"})))
	}
	err := connect(t, realConfig(t, c, real.Login{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM512, User: "alice", Password: secret("wrong")}))
	require.Equal(t, CauseCredentials, asError(t, err).Cause)
	err = Require(t.Context(), c.AdminClient(t), Need{Key: kmsg.CreateTopics, Version: 99})
	require.ErrorContains(t, err, "this broker is about 3.9")
}

func TestReal_RequireKnowsTheRelease(t *testing.T) {
	c := real.Kafka(t)
	cl := c.AdminClient(t)
	require.NoError(t, Require(t.Context(), cl, Need{Key: kmsg.IncrementalAlterConfigs}, Need{Key: kmsg.DescribeUserSCRAMCredentials}))
	err := Require(t.Context(), cl, Need{Key: kmsg.CreateTopics, Version: 99})
	var old *TooOldError
	require.ErrorAs(t, err, &old)
	require.True(t, strings.HasPrefix(c.Version(), old.Broker), "%s is not about %s", c.Version(), old.Broker)
}
