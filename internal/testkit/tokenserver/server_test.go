package tokenserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/tokenserver"
)

func start(t *testing.T) *tokenserver.Server {
	return tokenserver.Start(t, tokenserver.Options{
		Clients:  map[string]holdfast.Secret{"alice": holdfast.NewSecret("a%/+ pw")},
		Lifetime: time.Minute,
		Now:      func() time.Time { return time.Unix(1700000000, 0) },
	})
}

func TestToken_IsGrantedForTheRightSecretAndVerifies(t *testing.T) {
	s := start(t)
	grant := clientcredentials.Config{ClientID: "alice", ClientSecret: "a%/+ pw", TokenURL: s.TokenURL(),
		Scopes: []string{"write", "read"}, AuthStyle: oauth2.AuthStyleInHeader}
	token, err := grant.Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, s.Grants())
	require.Equal(t, map[string]any{
		"iss": s.Issuer, "aud": "kafka", "sub": "alice", "iat": 1.7e9, "exp": 1.7e9 + 60, "scope": []any{"read", "write"},
	}, verify(t, s.JWKSURL(), token.AccessToken))
}

func TestToken_Refuses(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		name, id, secret, grant string
		status                  int
		code                    string
	}{
		{"wrong secret", "alice", "wrong", "client_credentials", http.StatusUnauthorized, "invalid_client"},
		{"unknown client", "bob", "a%/+ pw", "client_credentials", http.StatusUnauthorized, "invalid_client"},
		{"no credentials", "", "", "client_credentials", http.StatusUnauthorized, "invalid_client"},
		{"another grant", "alice", "a%/+ pw", "password", http.StatusBadRequest, "unsupported_grant_type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.TokenURL(), strings.NewReader("grant_type="+c.grant))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.id != "" {
				req.SetBasicAuth(c.id, c.secret) // as Java does by default: not encoded
			}
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			require.Equal(t, c.status, resp.StatusCode)
			var body struct{ Error string }
			require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
			require.Equal(t, c.code, body.Error)
		})
	}
	grant := clientcredentials.Config{ClientID: "alice", ClientSecret: "wrong", TokenURL: s.TokenURL()}
	_, err := grant.Token(t.Context())
	var refused *oauth2.RetrieveError
	require.True(t, errors.As(err, &refused))
	require.Equal(t, "invalid_client", refused.ErrorCode)
	require.Zero(t, s.Grants())
}

// verify checks the signature with the published key, as a broker does, and
// returns the claims without the random jti.
func verify(t *testing.T, jwksURL, token string) map[string]any {
	t.Helper()
	resp, err := http.Get(jwksURL)
	require.NoError(t, err)
	defer resp.Body.Close()
	var set struct {
		Keys []struct{ Kty, Crv, Alg, Kid, X, Y string }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&set))
	require.Len(t, set.Keys, 1)
	require.Equal(t, "EC P-256 ES256", set.Keys[0].Kty+" "+set.Keys[0].Crv+" "+set.Keys[0].Alg)

	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	var header struct{ Alg, Kid string }
	require.NoError(t, json.Unmarshal(decode(t, parts[0]), &header))
	require.Equal(t, set.Keys[0].Kid, header.Kid)

	point := append([]byte{4}, append(decode(t, set.Keys[0].X), decode(t, set.Keys[0].Y)...)...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	require.NoError(t, err)
	hash, sig := sha256.Sum256([]byte(parts[0]+"."+parts[1])), decode(t, parts[2])
	require.Len(t, sig, 64)
	require.True(t, ecdsa.Verify(key, hash[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])))

	claims := map[string]any{}
	require.NoError(t, json.Unmarshal(decode(t, parts[1]), &claims))
	require.NotEmpty(t, claims["jti"])
	delete(claims, "jti")
	return claims
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(s)
	require.NoError(t, err)
	return data
}
