package dial

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestConfig_ValidateReportsEverything(t *testing.T) {
	good := Config{Brokers: []string{"kafka:9092"}}
	require.NoError(t, good.Validate())
	login := func(change func(*Config)) Config {
		c := Config{Brokers: []string{"kafka:9092"}, Protocol: SASLSSL, Mechanism: ScramSHA512, Username: "u", Password: secret("p")}
		change(&c)
		return c
	}
	tests := map[string]struct {
		cfg  Config
		want string
	}{
		"no broker": {Config{}, "Brokers: empty; at least one host:port is needed"},
		"bad broker": {Config{Brokers: []string{"a:1", ":1", "b:http", "c:65536"}}, "Brokers[1]: \":1\" is not host:port (an IPv6 address goes in brackets)\nBrokers[2]: \"b:http\": port \"http\"; allowed: 1 to 65535\n" +
			"Brokers[3]: \"c:65536\": port \"65536\"; allowed: 1 to 65535"},
		"protocol": {Config{Brokers: good.Brokers, Protocol: "ssl"}, `Protocol: "ssl"; allowed: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL`},
		"TLS that would not be used": {
			Config{Brokers: good.Brokers, TLS: new(tls.Config)}, "TLS: set, but protocol PLAINTEXT has no TLS",
		},
		"password that would not be used": {
			Config{Brokers: good.Brokers, Protocol: SSL, Mechanism: Plain, Password: secret("p"), OAuth: OAuth{ClientSecret: secret("s")}},
			"Mechanism: \"PLAIN\" is set, but protocol SSL has no SASL\nPassword: user name or password is set, but protocol SSL has no SASL\n" +
				"OAuth.ClientSecret: set, but protocol SSL has no SASL",
		},
		"old TLS": {
			login(func(c *Config) { c.TLS = &tls.Config{MinVersion: tls.VersionTLS11} }), "TLS.MinVersion: TLS 1.1; allowed: TLS 1.2 or newer",
		},
		"old TLS at most": {
			login(func(c *Config) { c.TLS = &tls.Config{MaxVersion: tls.VersionTLS10} }), "TLS.MaxVersion: TLS 1.0; allowed: TLS 1.2 or newer",
		},
		"no mechanism":      {login(func(c *Config) { c.Mechanism = "" }), "Mechanism: empty; protocol SASL_SSL needs one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"},
		"unknown mechanism": {login(func(c *Config) { c.Mechanism = "GSSAPI" }), `Mechanism: "GSSAPI" is not supported; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER`},
		"no password":       {login(func(c *Config) { c.Username, c.Password = "", secret("") }), "Username: empty; SCRAM-SHA-512 needs it\nPassword: empty; SCRAM-SHA-512 needs it"},
		"a token for PLAIN": {
			login(func(c *Config) { c.Mechanism, c.DelegationToken = Plain, true }),
			"DelegationToken: set, but mechanism PLAIN cannot use one; allowed: SCRAM-SHA-256, SCRAM-SHA-512",
		},
		"OAuth": {
			login(func(c *Config) { c.Mechanism, c.OAuth.TokenURL = OAuthBearer, "ftp://x/" }),
			"OAuth.TokenURL: scheme \"ftp\"; allowed: http, https\nOAuth.ClientID: empty; OAUTHBEARER needs it\nOAuth.ClientSecret: empty; OAUTHBEARER needs it",
		},
		"OAuth without a host": {
			login(func(c *Config) {
				c.Mechanism, c.OAuth = OAuthBearer, OAuth{TokenURL: "https:///token", ClientID: "x", ClientSecret: secret("y")}
			}),
			"OAuth.TokenURL: no host in it",
		},
		"limits": {
			Config{Brokers: good.Brokers, Timeout: -1, RequestTimeout: time.Hour, ClientID: strings.Repeat("x", 257)},
			"Timeout: -1ns; must not be negative\nRequestTimeout: 1h0m0s; allowed: 100ms to 15m\nClientID: 257 bytes; allowed: up to 256",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.EqualError(t, tt.cfg.Validate(), tt.want)
			_, err := tt.cfg.Options()
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestConfig_OptionsAreWhatAdministrationNeeds(t *testing.T) {
	client := func(cfg Config) *kgo.Client {
		t.Helper()
		cfg.Brokers = []string{"SSL://kafka1:9093", "[::1]:9094"}
		opts, err := cfg.Options()
		require.NoError(t, err)
		cl, err := kgo.NewClient(opts...)
		require.NoError(t, err)
		t.Cleanup(cl.Close)
		return cl
	}
	cl := client(Config{})
	require.Equal(t, []string{"kafka1:9093", "[::1]:9094"}, cl.OptValue(kgo.SeedBrokers))
	require.Equal(t, "holdfast", cl.OptValue(kgo.ClientID))
	require.Equal(t, 10*time.Millisecond, cl.OptValue(kgo.MetadataMinAge), "the cache must not hide what was just changed")
	require.Equal(t, 30*time.Second, cl.OptValue(kgo.RequestTimeoutOverhead))
	require.EqualValues(t, 5, cl.OptValue(kgo.RequestRetries), "who writes has to know soon whether a broker is gone")
	require.Equal(t, 30*time.Second, cl.OptValue(kgo.RetryTimeout))
	require.Equal(t, true, cl.OptValue(kgo.DisableClientMetrics))

	cl = client(Config{ClientID: "me", RequestTimeout: time.Second})
	require.Equal(t, "me", cl.OptValue(kgo.ClientID))
	require.Equal(t, time.Second, cl.OptValue(kgo.RequestTimeoutOverhead))
	require.Equal(t, time.Second, cl.OptValue(kgo.RetryTimeout))
}
