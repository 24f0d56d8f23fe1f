// Package dial connects to Kafka with the settings that people already have: a
// Java client properties file, or the same settings as a Go struct. It is for
// programs that are handed a --command-config file and want a franz-go client,
// and, where that fails, one line that says why.
//
// Most users make two calls. [ParseProperties] reads the file, with its PEM, JKS
// and PKCS#12 stores, reports all its problems at once, and lists in
// [Config.Ignored] what it could not honour. [Connect] gives a client that has
// already spoken to a broker, within [Config.Timeout], or an [*Error] per broker
// with its address, the protocol and the likely [Cause]. [Require] asks whether
// the broker is new enough for a request, and names the Kafka version that is.
//
// PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL; PLAIN, SCRAM-SHA-256,
// SCRAM-SHA-512, OAUTHBEARER (client credentials) and client certificates.
// GSSAPI (Kerberos), which is Kafka's default mechanism, is not supported.
package dial
