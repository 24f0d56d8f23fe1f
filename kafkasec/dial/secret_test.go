package dial

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/stretchr/testify/require"
)

// prints gives everything that a program might do with a value or an error.
func prints(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	if err, ok := v.(error); ok {
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&b, "%v\n%#v\n", err, err)
		}
	}
	data, err := json.Marshal(v)
	if _, isError := v.(error); !isError {
		require.NoError(t, err)
	}
	b.Write(data)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	return b.String()
}

// noCanary looks for the secret as it is, as hex, which %x would write, and as a
// request for a token has it.
func noCanary(t *testing.T, text string) {
	t.Helper()
	for _, form := range []string{
		canary, "c4n4ry", fmt.Sprintf("%x", "c4n4ry"), fmt.Sprintf("%X", "c4n4ry"), url.QueryEscape(canary),
		basic("me", canary), basic("me", url.QueryEscape(canary)),
	} {
		require.NotContains(t, text, form)
	}
}

// jaasQuoted is a value in quotes, as sasl.jaas.config wants it.
func jaasQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func TestSecrets_AppearInNoConfig(t *testing.T) {
	ca := authority(t)
	cert := issue(t, ca, pki.Leaf{CommonName: "me", Client: true})
	stores := line("ssl.keystore.location", writeFile(t, "k", must[[]byte](t)(cert.JKS("me", secret(canary), secret(canary))))) +
		line("ssl.keystore.password", canary) + line("ssl.key.password", canary) + line("ssl.truststore.password", canary)
	for name, text := range map[string]string{
		"password": "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n" + stores +
			line("sasl.jaas.config", "x.PlainLoginModule required username=\"alice\" password="+jaasQuoted(canary)+";"),
		"OAuth": "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n" + stores + "sasl.oauthbearer.token.endpoint.url=https://idp.example/\n" +
			line("sasl.jaas.config", "x.OAuthBearerLoginModule required clientId=\"alice\" clientSecret="+jaasQuoted(canary)+" unused="+jaasQuoted(canary)+";") +
			line("sasl.oauthbearer.client.credentials.client.secret", canary+"2"),
		"not used": line("sasl.jaas.config", canary) + line("password", canary) + line(canary, canary) + line("x.y", canary),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, text)
			require.NotEmpty(t, cfg.Ignored)
			noCanary(t, prints(t, cfg))
			noCanary(t, prints(t, &cfg))
		})
	}
}

func TestSecrets_AppearInNoProblem(t *testing.T) {
	// The secret at every place where a typo can put it.
	var texts []string
	for _, key := range []string{
		"sasl.jaas.config", "ssl.keystore.password", "ssl.key.password", "ssl.truststore.password", "ssl.keystore.key",
		"ssl.truststore.certificates", "ssl.keystore.certificate.chain", "sasl.oauthbearer.client.credentials.client.secret",
		"sasl.oauthbearer.token.endpoint.url", "password", canary,
	} {
		for _, value := range []string{canary, "${file:/x:" + canary + "}", "x.PlainLoginModule required password=" + canary, canary + " required password=\"x\";"} {
			for _, mechanism := range []string{"PLAIN", "OAUTHBEARER", "GSSAPI"} {
				texts = append(texts, "security.protocol=SASL_SSL\nsasl.mechanism="+mechanism+"\n"+
					"ssl.truststore.type=PEM\nssl.keystore.type=PEM\n"+line(key, value))
			}
		}
	}
	for _, text := range texts {
		_, err := ParseProperties(t.Context(), "f", []byte(text), ParseOptions{})
		require.Error(t, err)
		noCanary(t, prints(t, err))
	}
}

func TestSecrets_AppearInNoValidation(t *testing.T) {
	cfg := Config{
		Brokers: []string{"x"}, Protocol: Plaintext, Mechanism: "X", Username: "u", Password: secret(canary), TLS: new(tls.Config),
		OAuth: OAuth{ClientSecret: secret(canary)},
	}
	noCanary(t, prints(t, cfg.Validate()))
	cfg.Protocol, cfg.Mechanism = SASLSSL, OAuthBearer
	cfg.OAuth.TokenURL = "https://u:" + canary + "@idp.example/"
	noCanary(t, prints(t, cfg.Validate()))
}

func TestSecrets_AppearInNoConnectError(t *testing.T) {
	// A token endpoint that returns the request in its error, a broker that
	// refuses, and one that closes.
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, pw, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client", "error_description": "got " + r.Header.Get("Authorization") + " " + pw + " " + string(body)})
	}))
	defer echo.Close()
	broker := fake(t, withSASL()...)
	oauthOnly := fakeOAuth(t, nil)
	for name, cfg := range map[string]Config{
		"PLAIN": {Brokers: []string{broker}, Mechanism: Plain, Username: "nobody", Password: secret(canary)},
		"SCRAM": {Brokers: []string{broker}, Mechanism: ScramSHA512, Username: "nobody", Password: secret(canary)},
		"closing": {
			Brokers: []string{listen(t, func(c net.Conn) { _ = c.Close() })}, Mechanism: Plain, Username: "nobody", Password: secret(canary),
		},
		"OAuth": {Brokers: []string{oauthOnly}, Mechanism: OAuthBearer, OAuth: OAuth{
			TokenURL: echo.URL + "/token?key=" + url.QueryEscape(canary), ClientID: "me", ClientSecret: secret(canary),
		}},
		"OAuth, raw": {Brokers: []string{oauthOnly}, Mechanism: OAuthBearer, OAuth: OAuth{
			TokenURL: echo.URL, ClientID: "me", ClientSecret: secret(canary), RawCredentials: true,
		}},
		"OAuth, nobody there": {Brokers: []string{oauthOnly}, Mechanism: OAuthBearer, OAuth: OAuth{
			TokenURL: "http://" + closedPort(t) + "/token?key=c4n4ry-of-the-query", ClientID: "me", ClientSecret: secret(canary),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Protocol = SASLPlaintext
			err := connect(t, cfg)
			require.Error(t, err)
			t.Log(err)
			noCanary(t, prints(t, err))
		})
	}
}

func TestSecrets_AppearInNoOption(t *testing.T) {
	cfg := Config{Brokers: []string{"x:1"}, Protocol: SASLPlaintext, Mechanism: Plain, Username: "alice", Password: secret(canary)}
	opts, err := cfg.Options()
	require.NoError(t, err)
	noCanary(t, fmt.Sprintf("%v %+v %#v", opts, opts, opts))
}
