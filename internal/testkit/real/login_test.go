package real_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/oauth2"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/properties"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/internal/testkit/tokenserver"
)

func TestLogin_EachProtocolAndMechanism(t *testing.T) {
	for _, version := range []string{"4.4.0", "3.9.2"} {
		t.Run(version, func(t *testing.T) {
			password := secret("alice's secret")
			tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": password, real.Admin: password}})
			c := real.NewKafka(t, real.Options{
				Version: version,
				Users:   []real.User{{Name: "alice", Password: password}},
				OAuth: &real.OAuth{TokenURL: tokens.TokenURL(), JWKSURL: tokens.JWKSURL(),
					Issuer: tokens.Issuer, Audience: tokens.Audience},
			})
			for _, protocol := range []real.Protocol{real.SASLPlaintext, real.SASLSSL} {
				for _, mechanism := range []real.Mechanism{real.Plain, real.SCRAM256, real.SCRAM512} {
					t.Run(string(protocol)+" "+string(mechanism), func(t *testing.T) {
						login := real.Login{Protocol: protocol, Mechanism: mechanism, User: "alice"}
						require.NoError(t, c.Client(t, login).Ping(watchdog(t)))
						login.Password = secret("wrong")
						require.ErrorIs(t, c.Client(t, login).Ping(watchdog(t)), kerr.SaslAuthenticationFailed)
						login = real.Login{Protocol: protocol, Mechanism: mechanism, User: "nobody", Password: password}
						require.ErrorIs(t, c.Client(t, login).Ping(watchdog(t)), kerr.SaslAuthenticationFailed)
					})
				}
				t.Run(string(protocol)+" OAUTHBEARER", func(t *testing.T) { checkOAuth(t, c, protocol, tokens) })
			}
			t.Run("PLAINTEXT", func(t *testing.T) {
				require.NoError(t, c.Client(t, real.Login{Protocol: real.Plaintext}).Ping(watchdog(t)))
			})
			t.Run("SSL", func(t *testing.T) { checkMutualTLS(t, c) })
		})
	}
}

func checkOAuth(t *testing.T, c *real.Cluster, protocol real.Protocol, tokens *tokenserver.Server) {
	login := real.Login{Protocol: protocol, Mechanism: real.OAuthBearer, User: "alice"}
	require.NoError(t, c.Client(t, login).Ping(watchdog(t)))

	login.Password = secret("wrong")
	var refused *oauth2.RetrieveError
	require.ErrorAs(t, c.Client(t, login).Ping(watchdog(t)), &refused)
	require.Equal(t, http.StatusUnauthorized, refused.Response.StatusCode)

	now := time.Now()
	claims := func() map[string]any {
		return map[string]any{"iss": tokens.Issuer, "aud": tokens.Audience, "sub": "alice",
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	}
	with := func(key string, value any) string {
		claims := claims()
		claims[key] = value
		return tokens.Sign(claims)
	}
	good := tokens.Sign(claims())
	for name, token := range map[string]string{
		"another audience": with("aud", "elsewhere"),
		"another issuer":   with("iss", "https://elsewhere"),
		"expired":          with("exp", now.Add(-time.Hour).Unix()),
		"forged":           good[:strings.LastIndex(good, ".")] + ".AAAA",
	} {
		login.Token = secret(token)
		// The broker answers with a challenge that holds its reason (RFC 7628
		// §3.2.2), which franz-go takes for a protocol error.
		require.ErrorContains(t, c.Client(t, login).Ping(watchdog(t)), "oauth response", name)
	}
	login.Token = secret(good)
	require.NoError(t, c.Client(t, login).Ping(watchdog(t)))
}

func checkMutualTLS(t *testing.T, c *real.Cluster) {
	require.NoError(t, c.Client(t, real.Login{Protocol: real.SSL, User: "anyone"}).Ping(watchdog(t)))
	require.Error(t, c.Client(t, real.Login{Protocol: real.SSL}, kgo.RetryTimeout(time.Second)).Ping(watchdog(t)), "a certificate is required")

	other, err := pki.NewCA("another")
	require.NoError(t, err)
	cert, err := other.Issue(pki.Leaf{CommonName: "anyone", Client: true})
	require.NoError(t, err)
	foreign := &tls.Config{RootCAs: c.CA().Pool(), Certificates: []tls.Certificate{cert.TLS()}}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap(real.SSL)...), kgo.DialTLSConfig(foreign), kgo.RetryTimeout(time.Second))
	require.NoError(t, err)
	defer client.Close()
	require.Error(t, client.Ping(watchdog(t)), "its CA is unknown")
}

func TestClientProperties(t *testing.T) {
	c := real.Kafka(t)
	parse := func(login real.Login) map[string]string {
		file, err := properties.Parse([]byte(c.ClientProperties(t, login)))
		require.NoError(t, err)
		return file.Map()
	}
	require.Equal(t, map[string]string{
		"bootstrap.servers": c.Bootstrap(real.SASLSSL)[0],
		"security.protocol": "SASL_SSL",
		"sasl.mechanism":    "SCRAM-SHA-512",
		"sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="` +
			c.Password("alice").Reveal() + `";`,
		"ssl.truststore.type":     "PEM",
		"ssl.truststore.location": c.Dir() + "/ca.pem",
	}, parse(real.Login{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: "alice"}))
	require.Equal(t, map[string]string{
		"bootstrap.servers":       c.Bootstrap(real.SSL)[0],
		"security.protocol":       "SSL",
		"ssl.truststore.type":     "PEM",
		"ssl.truststore.location": c.Dir() + "/ca.pem",
		"ssl.keystore.type":       "PEM",
		"ssl.keystore.location":   c.Dir() + "/clients/alice.pem",
	}, parse(real.Login{Protocol: real.SSL, User: "alice"}))
	require.Equal(t, "PLAIN", parse(real.Login{Protocol: real.SASLPlaintext, User: "alice"})["sasl.mechanism"])
}
