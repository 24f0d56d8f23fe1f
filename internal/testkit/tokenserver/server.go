package tokenserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-sec/holdfast"
)

// Options configure a server.
type Options struct {
	// Clients are client ids and their secrets. A token's subject is the client
	// id, which makes the Kafka principal "User:ID".
	Clients map[string]holdfast.Secret
	// Issuer is the claim iss; empty means the server's own address.
	Issuer string
	// Audience is the claim aud; empty means "kafka".
	Audience string
	// Lifetime of a token; zero means an hour.
	Lifetime time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Server is a running token server.
type Server struct {
	Issuer   string
	Audience string

	opts   Options
	key    *ecdsa.PrivateKey
	http   *httptest.Server
	grants atomic.Int64
}

// Start runs a server until the test ends.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("token server: %v", err)
	}
	if opts.Lifetime == 0 {
		opts.Lifetime = time.Hour
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, key: key, Issuer: opts.Issuer, Audience: opts.Audience}
	if s.Audience == "" {
		s.Audience = "kafka"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /jwks", s.jwks)
	s.http = httptest.NewServer(mux) // on 127.0.0.1
	t.Cleanup(s.http.Close)
	if s.Issuer == "" {
		s.Issuer = s.http.URL
	}
	return s
}

// TokenURL is where clients get tokens.
func (s *Server) TokenURL() string { return s.http.URL + "/token" }

// JWKSURL is where the public key is (RFC 7517).
func (s *Server) JWKSURL() string { return s.http.URL + "/jwks" }

// Grants is how many tokens were granted to clients.
func (s *Server) Grants() int { return int(s.grants.Load()) }

// token is the client credentials grant of RFC 6749 §4.4, with the credentials
// in the Authorization header (§2.3.1).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	id, password, ok := r.BasicAuth()
	if !ok {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	want, known := s.opts.Clients[unescape(id)]
	if !known || !want.Equal(holdfast.NewSecret(unescape(password))) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if grant := r.PostFormValue("grant_type"); grant != "client_credentials" {
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	s.grants.Add(1)
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": s.Token(unescape(id), r.PostFormValue("scope")),
		"token_type":   "Bearer",
		"expires_in":   int(s.opts.Lifetime.Seconds()),
	})
}

// unescape undoes the form encoding that RFC 6749 §2.3.1 asks for inside the
// header. Java clients do it only with sasl.oauthbearer.header.urlencode, so
// text that is no valid encoding stands for itself.
func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func refuse(w http.ResponseWriter, status int, code string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="tokenserver"`)
	}
	writeJSON(w, status, map[string]any{"error": code})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that hung up sees it itself
}

// scopes splits the scope parameter and drops what is twice.
func scopes(s string) []string {
	fields := strings.Fields(s)
	slices.Sort(fields)
	return slices.Compact(fields)
}
