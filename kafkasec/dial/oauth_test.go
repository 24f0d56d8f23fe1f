package dial

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/tokenserver"
)

// fakeOAuth is a kfake that takes tokens, which kfake itself does not: judge
// answers a client's first message with what the broker says, "" for yes. A nil
// judge takes every token.
func fakeOAuth(t *testing.T, judge func(message string) string) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.ControlKey(kmsg.SASLHandshake.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.SupportedMechanisms = []string{"OAUTHBEARER"}
		return resp, nil, true
	})
	c.ControlKey(kmsg.SASLAuthenticate.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if judge != nil {
			if no := judge(string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes)); no != "" {
				resp.SASLAuthBytes = []byte(no)
			}
		}
		return resp, nil, true
	})
	return c.ListenAddrs()[0]
}

func oauthConfig(broker, url string) Config {
	return Config{
		Brokers: []string{broker}, Protocol: SASLPlaintext, Mechanism: OAuthBearer,
		OAuth: OAuth{TokenURL: url, ClientID: "alice", ClientSecret: secret(canary)},
	}
}

func TestOAuth_PresentsTheTokenOnEveryConnectionAndFetchesItOnce(t *testing.T) {
	tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret(canary)}})
	var mu sync.Mutex
	var messages []string
	broker := fakeOAuth(t, func(m string) string {
		mu.Lock()
		defer mu.Unlock()
		messages = append(messages, m)
		return ""
	})
	cfg := oauthConfig(broker, tokens.TokenURL())
	cfg.OAuth.Extensions = map[string]string{"logicalCluster": "lkc-1"}
	require.NoError(t, connect(t, cfg))
	require.Len(t, messages, 2, "the seed, and the advertised broker")
	for _, m := range messages {
		require.True(t, strings.HasPrefix(m, "n,,\x01auth=Bearer ey"), "a JWT")
		require.Contains(t, m, "\x01logicalCluster=lkc-1\x01")
	}
	require.Equal(t, 1, tokens.Grants())
}

func TestOAuth_FetchesAgainWhenTheTokenHasExpired(t *testing.T) {
	// Expired at once: x/oauth2 counts a token as expired 10 s before its time.
	tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret(canary)}, Lifetime: time.Second})
	require.NoError(t, connect(t, oauthConfig(fakeOAuth(t, nil), tokens.TokenURL())))
	require.Equal(t, 2, tokens.Grants())
}

func TestOAuth_SaysWhy(t *testing.T) {
	tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret("other")}})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a client that leaves only behind the body
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>login</html>")) }))
	t.Cleanup(html.Close)
	private := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(private.Close)
	good := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret(canary)}})

	moved := httptest.NewServer(http.RedirectHandler(good.TokenURL(), http.StatusTemporaryRedirect))
	t.Cleanup(moved.Close)

	tests := map[string]struct {
		url   string
		judge func(string) string
		cause Cause
		text  string
	}{
		"wrong secret":     {tokens.TokenURL(), nil, CauseToken, tokens.TokenURL() + ": answered 401 Unauthorized: invalid_client"},
		"nobody listens":   {"http://" + closedPort(t) + "/token", nil, CauseToken, "connection refused"},
		"no answer":        {silent.URL, nil, CauseToken, "no answer in time"},
		"not a token":      {html.URL, nil, CauseToken, html.URL},
		"not found":        {good.TokenURL() + "x", nil, CauseToken, "answered 404 Not Found"},
		"moved":            {moved.URL, nil, CauseToken, "answered 307 Temporary Redirect"},
		"not trusted":      {private.URL, nil, CauseToken, "certificate"},
		"refused by Kafka": {good.TokenURL(), func(string) string { return `{"status":"invalid_token"}` }, CauseCredentials, `{"status":"invalid_token"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := oauthConfig(fakeOAuth(t, tt.judge), tt.url)
			if tt.url == silent.URL {
				cfg.Timeout = time.Second
			}
			err := connect(t, cfg)
			require.Error(t, err)
			t.Log(err)
			require.Equal(t, tt.cause, asError(t, err).Cause)
			require.Contains(t, err.Error(), tt.text)
			require.NotContains(t, err.Error(), "\n")
			noCanary(t, err.Error())
		})
	}
}

// Java sends id and secret unencoded unless told otherwise (KIP-1025).
func TestOAuth_EncodesCredentialsAsTold(t *testing.T) {
	for _, raw := range []bool{false, true} {
		var user, password string
		var closes bool
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ = r.BasicAuth()
			closes = r.Close
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":3600}`))
		}))
		cfg := oauthConfig(fakeOAuth(t, nil), srv.URL)
		cfg.OAuth.ClientID, cfg.OAuth.ClientSecret, cfg.OAuth.RawCredentials = "a b", secret("ä/+"), raw
		require.NoError(t, connect(t, cfg))
		srv.Close()
		require.True(t, closes, "the next token is an hour away")
		if raw {
			require.Equal(t, []string{"a b", "ä/+"}, []string{user, password})
		} else {
			require.Equal(t, []string{"a+b", "%C3%A4%2F%2B"}, []string{user, password})
		}
	}
}

func TestOAuth_TrustsTheAuthorityNamedInTheJAASOptions(t *testing.T) {
	ca := authority(t)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer"}`))
	}))
	srv.TLS = serverTLS(t, ca)
	srv.StartTLS()
	defer srv.Close()
	text := "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n" + line("sasl.oauthbearer.token.endpoint.url", srv.URL) +
		line("sasl.jaas.config", `x.OAuthBearerLoginModule required clientId="a" clientSecret="b" ssl.truststore.type="PEM" ssl.truststore.location=`+
			jaasQuoted(writeFile(t, "ca.pem", ca.PEM()))+";")
	cfg := parse(t, text)
	require.Empty(t, cfg.Ignored)
	cfg.Brokers = []string{fakeOAuth(t, nil)}
	require.NoError(t, connect(t, cfg))

	_, err := ParseProperties(t.Context(), "f", []byte(strings.Replace(text, "ca.pem", "nothing", 1)), ParseOptions{})
	require.ErrorContains(t, err, "f:4: sasl.jaas.config: ssl.truststore.location: read ")
}

// Connections that log in at once wait for one token, and not longer than their
// own time.
func TestTokens_WaitIsBounded(t *testing.T) {
	src := &tokens{oauth: OAuth{TokenURL: "http://127.0.0.1:1/"}, timeout: watchdog, turn: make(chan struct{}, 1)}
	src.turn <- struct{}{} // another connection asks
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := src.token(ctx)
	require.EqualError(t, err, "http://127.0.0.1:1/: given up")
}

// The caller's client may follow redirects; the secret stays with the host that
// it is for, as net/http keeps a header that it knows of.
func TestOAuth_SendsNoSecretBehindARedirect(t *testing.T) {
	for _, raw := range []bool{false, true} {
		var header []string
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header = r.Header.Values("Authorization")
			w.WriteHeader(http.StatusUnauthorized)
		}))
		moved := httptest.NewServer(http.RedirectHandler(strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect))
		cfg := oauthConfig(fakeOAuth(t, nil), moved.URL)
		cfg.OAuth.RawCredentials, cfg.OAuth.HTTPClient = raw, &http.Client{Transport: new(http.Transport)}
		err := connect(t, cfg)
		moved.Close()
		elsewhere.Close()
		require.ErrorContains(t, err, "answered 401 Unauthorized")
		require.Empty(t, header)
	}
}
