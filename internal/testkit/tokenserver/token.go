package tokenserver

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// keyID names the one key.
const keyID = "1"

// Token is a signed access token for a subject, as a client would be granted,
// with the scopes in a space-separated list.
func (s *Server) Token(subject, scope string) string {
	now := s.opts.Now()
	claims := map[string]any{
		"iss": s.Issuer,
		"aud": s.Audience,
		"sub": subject,
		"iat": now.Unix(),
		"exp": now.Add(s.opts.Lifetime).Unix(),
		"jti": rand.Text(),
	}
	if list := scopes(scope); len(list) > 0 {
		claims["scope"] = list
	}
	return s.Sign(claims)
}

// Sign makes a token of any claims, for tests of what brokers must refuse.
func (s *Server) Sign(claims map[string]any) string {
	signed := segment(map[string]any{"alg": "ES256", "typ": "JWT", "kid": keyID}) + "." + segment(claims)
	hash := sha256.Sum256([]byte(signed))
	r, sig, err := ecdsa.Sign(rand.Reader, s.key, hash[:])
	if err != nil {
		panic(err) // only with a broken key, and that one is ours
	}
	// RFC 7518 §3.4: both numbers as 32 bytes, not as ASN.1.
	var raw [64]byte
	r.FillBytes(raw[:32])
	sig.FillBytes(raw[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(raw[:])
}

func segment(v map[string]any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // claims of a test that JSON cannot express
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// jwks publishes the key: RFC 7517, with the EC members of RFC 7518 §6.2.
func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	point, err := s.key.PublicKey.Bytes() // uncompressed: 4, X, Y
	if err != nil {
		http.Error(w, "key", http.StatusInternalServerError)
		return
	}
	coordinate := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": keyID,
		"x": coordinate(point[1:33]), "y": coordinate(point[33:65]),
	}}})
}
