package dial

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenError says why there is no token. It does not unwrap: kgo would take the
// token endpoint's "connection refused" or "deadline exceeded" for the broker's,
// and try again until its own time is over.
type tokenError struct {
	endpoint string
	msg      string
}

func (e *tokenError) Error() string { return e.endpoint + ": " + e.msg }

// tokenRefused is the broker's answer to a token it does not accept (RFC 7628
// §3.2.2): a JSON object with a status such as invalid_token.
type tokenRefused struct{ answer string }

func (e *tokenRefused) Error() string { return e.answer }

// newOAuth gives the OAUTHBEARER mechanism. A token is fetched when a connection
// first needs one and kept until it is about to expire.
func newOAuth(o OAuth, timeout time.Duration) sasl.Mechanism {
	client := o.HTTPClient
	if client == nil {
		client = tokenClient(nil)
	}
	if o.RawCredentials {
		raw := *client
		raw.Transport = &rawBasic{oauth: o, next: client.Transport}
		client = &raw
	}
	src := &tokens{oauth: o, client: client, timeout: timeout, turn: make(chan struct{}, 1)}
	return oauthMechanism{oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		token, err := src.token(ctx)
		if err != nil {
			return oauth.Auth{}, err
		}
		return oauth.Auth{Token: token.AccessToken, Extensions: o.Extensions}, nil
	})}
}

// tokenClient asks for tokens where the caller has no client of his own: without
// a proxy from the environment, which a library does not read; without a
// connection that stays open for the next hour's token; without following a
// redirect, which could carry the secret from https to http.
func tokenClient(cfg *tls.Config) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// tokens keeps the current token. x/oauth2 has a cache of its own, but that one
// holds the context of its first use for ever.
type tokens struct {
	oauth   OAuth
	client  *http.Client
	timeout time.Duration
	turn    chan struct{} // a lock that a context can end the wait for
	last    *oauth2.Token
}

func (t *tokens) token(ctx context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, t.explain(ctx, ctx.Err())
	}
	if t.last.Valid() {
		return t.last, nil
	}
	conf := clientcredentials.Config{
		ClientID:     t.oauth.ClientID,
		ClientSecret: t.oauth.ClientSecret.Reveal(),
		TokenURL:     t.oauth.TokenURL,
		Scopes:       t.oauth.Scopes,
		// As Java's client does. The other style, the secret in the body, is the
		// one that RFC 6749 §2.3.1 does not recommend; x/oauth2 would try both.
		AuthStyle: oauth2.AuthStyleInHeader,
	}
	token, err := conf.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return nil, t.explain(ctx, err)
	}
	t.last = token
	return token, nil
}

// explain words an error of the token endpoint without what may hold a secret:
// the query of the URL, and a body that echoes the request.
func (t *tokens) explain(ctx context.Context, err error) error {
	e := &tokenError{endpoint: "token endpoint"}
	if u, perr := url.Parse(t.oauth.TokenURL); perr == nil {
		e.endpoint = u.Scheme + "://" + u.Host + u.Path
	}
	var refused *oauth2.RetrieveError
	var inURL *url.Error
	switch {
	case errors.As(err, &refused):
		e.msg = "answered"
		if refused.Response != nil {
			e.msg += " " + refused.Response.Status
		}
		if refused.ErrorCode != "" {
			e.msg += fmt.Sprintf(": %s", refused.ErrorCode)
		}
		if refused.ErrorDescription != "" {
			e.msg += fmt.Sprintf(" (%s)", refused.ErrorDescription)
		}
	case ctx.Err() != nil:
		e.msg = "no answer in time"
		if errors.Is(ctx.Err(), context.Canceled) {
			e.msg = "given up"
		}
	case errors.As(err, &inURL):
		e.msg = inURL.Err.Error()
	default:
		e.msg = err.Error()
	}
	e.msg = t.oauth.masked(e.msg)
	return e
}

// masked takes the client secret out of what an endpoint says about a request:
// in each form in which the request had it.
func (o OAuth) masked(s string) string {
	id, secret := o.ClientID, o.ClientSecret.Reveal()
	if secret == "" {
		return s
	}
	for _, form := range []string{
		basic(id, secret), basic(url.QueryEscape(id), url.QueryEscape(secret)), secret, url.QueryEscape(secret),
	} {
		s = strings.ReplaceAll(s, form, o.ClientSecret.String())
	}
	return s
}

// basic is the Authorization header's credentials (RFC 7617 §2).
func basic(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
}

// rawBasic puts id and secret into the Authorization header without URL-encoding
// them first: see OAuth.RawCredentials.
type rawBasic struct {
	oauth OAuth
	next  http.RoundTripper
}

func (r *rawBasic) RoundTrip(req *http.Request) (*http.Response, error) {
	// Only where the library has set it: after a redirect to another host,
	// net/http leaves the header out, and so must this.
	if _, _, ok := req.BasicAuth(); ok {
		req = req.Clone(req.Context())
		req.SetBasicAuth(r.oauth.ClientID, r.oauth.ClientSecret.Reveal())
	}
	next := r.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(req)
}

// oauthMechanism keeps the broker's reason for refusing a token, which kgo's
// session replaces by "unexpected data".
type oauthMechanism struct{ sasl.Mechanism }

func (m oauthMechanism) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	s, first, err := m.Mechanism.Authenticate(ctx, host)
	return oauthSession{s}, first, err
}

type oauthSession struct{ sasl.Session }

func (s oauthSession) Challenge(answer []byte) (bool, []byte, error) {
	if len(answer) > 0 {
		return false, nil, &tokenRefused{string(answer)}
	}
	return s.Session.Challenge(answer)
}
