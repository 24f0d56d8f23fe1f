// Package tokenserver is an OAuth 2 token server on loopback for tests of
// OAUTHBEARER: it grants client credentials, signs real JWTs and publishes the
// key, which is what a Kafka broker validates with.
//
//	tokens := tokenserver.Start(t, tokenserver.Options{Clients: map[string]holdfast.Secret{"alice": secret}})
//	// tokens.TokenURL() for clients; tokens.JWKSURL(), Issuer and Audience for brokers
//
// A wrong secret gets 401 and invalid_client, as RFC 6749 §5.2 says.
package tokenserver
