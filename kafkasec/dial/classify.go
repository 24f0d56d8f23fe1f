package dial

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The requests by which a conversation's progress is told.
var (
	keyMetadata      = kmsg.Metadata.Int16()
	keySASLHandshake = kmsg.SASLHandshake.Int16()
	keyAPIVersions   = kmsg.ApiVersions.Int16()
	keySASLAuth      = kmsg.SASLAuthenticate.Int16()
)

// classify tells the cause from the error and from how far the conversation
// came. What stays a guess is settled by [dialer.look].
func (c Config) classify(addr string, err error, f facts) *Error {
	e := &Error{Addr: addr, Protocol: c.protocol(), Mechanism: c.mechanism(), Cause: CauseUnknown, Err: err}
	// What kgo wraps around the dialer's error is dropped: stage and address are
	// in ours.
	var st *stageError
	if errors.As(err, &st) {
		e.Addr, e.Err = st.addr, st.err
	}
	for _, step := range []func(*Error, error, facts) bool{byKafka, byCertificate, byStage, byConversation} {
		if step(e, err, f) {
			return e
		}
	}
	return e
}

// byKafka knows the errors that say themselves what they are: Kafka's error
// codes and the token endpoint's.
func byKafka(e *Error, err error, _ facts) bool {
	var token *tokenError
	var refused *tokenRefused
	var code *kerr.Error
	switch {
	case errors.As(err, &token):
		e.Cause = CauseToken
	case errors.As(err, &refused):
		e.Cause = CauseCredentials
	case errors.As(err, &code):
		switch code {
		case kerr.SaslAuthenticationFailed:
			e.Cause = CauseCredentials
		case kerr.UnsupportedSaslMechanism:
			e.Cause = CauseMechanism
		case kerr.IllegalSaslState:
			// What KafkaApis answers to a SaslHandshake on a listener without SASL.
			e.Cause = CauseSASLNotEnabled
		case kerr.ClusterAuthorizationFailed, kerr.TopicAuthorizationFailed:
			e.Cause = CauseUnauthorized
		}
	default:
		return false
	}
	return true
}

// byCertificate knows what verifying the broker's certificate can give.
func byCertificate(e *Error, err error, _ facts) bool {
	var (
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		roots     x509.SystemRootsError
		verify    *tls.CertificateVerificationError
		leaf      *x509.Certificate
	)
	if errors.As(err, &verify) && len(verify.UnverifiedCertificates) > 0 {
		leaf = verify.UnverifiedCertificates[0]
	}
	switch {
	case errors.As(err, &hostname):
		e.Cause = CauseHostname
		e.Detail = names(hostname.Certificate)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Cause = CauseExpired
		if leaf != nil {
			e.Detail = fmt.Sprintf("%s is valid from %s to %s", subject(leaf),
				leaf.NotBefore.UTC().Format("2006-01-02"), leaf.NotAfter.UTC().Format("2006-01-02"))
		}
	case errors.As(err, &authority), errors.As(err, &invalid), errors.As(err, &roots), verify != nil:
		e.Cause = CauseUntrusted
		if leaf != nil {
			e.Detail = fmt.Sprintf("%s, issued by %q", subject(leaf), leaf.Issuer.String())
		}
	default:
		return false
	}
	return true
}

const (
	notAccepted = "the TCP connection was not accepted (is a firewall between?)"
	noHandshake = "the TLS handshake was not answered"
)

// byStage knows failures before a byte of Kafka's protocol was spoken.
func byStage(e *Error, err error, f facts) bool {
	if alert, ok := alertOf(err); ok {
		byAlert(e, alert, f)
		return true
	}
	var st *stageError
	if !errors.As(err, &st) {
		return false
	}
	var notTLS tls.RecordHeaderError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		e.Cause = CauseName
	case isTimeout(err) && st.stage == stageTCP:
		e.Cause, e.Detail = CauseTimeout, notAccepted
	case isTimeout(err):
		e.Cause, e.Detail = CauseTimeout, noHandshake
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Cause = CauseRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		e.Cause = CauseUnreachable
	case st.stage == stageTLS && errors.As(err, &notTLS):
		e.Cause, e.Detail = CauseTLSNotEnabled, fmt.Sprintf("it answered %q", notTLS.RecordHeader[:])
		if looksLikeHTTP(notTLS.RecordHeader[:]) {
			e.Cause = CauseNotKafka
		}
	case st.stage == stageTLS && isClosed(err):
		// A Java broker reads the ClientHello's first bytes as a length above
		// socket.request.max.bytes and closes.
		e.Cause = CauseTLSNotEnabled
	case st.stage == stageTLS:
		e.Cause = CauseTLS
	}
	return true
}

// byConversation knows failures in the midst of Kafka's protocol, by the request
// that was left without an answer.
func byConversation(e *Error, err error, f facts) bool {
	unanswered := f.wrote
	switch {
	case f.read < 0 && len(f.first) > 0 && !e.Protocol.tls():
		e.Cause, e.Detail = CauseNotKafka, fmt.Sprintf("it answered %q", f.first)
		if looksLikeAlert(f.first) {
			e.Cause, e.Detail = CauseTLSRequired, "it answered with a TLS alert"
		}
	case e.Protocol.tls() && f.read < 0 && f.certAsked && f.certSent == nil && isClosed(err):
		e.Cause = CauseClientCertificate
		e.Detail = noCertificate(f)
	case isTimeout(err):
		e.Cause = CauseTimeout
		switch {
		case e.Addr == "":
			// Explain knows nothing about the conversation.
		case e.Mechanism == OAuthBearer && unanswered == keySASLHandshake && f.read == keySASLHandshake:
			e.Cause, e.Detail = CauseToken, "it did not answer in time"
		case unanswered >= 0:
			e.Detail = "connected, but " + kmsg.NameForKey(unanswered) + " was not answered"
		case f.tcp && e.Protocol.tls():
			e.Detail = noHandshake
		case f.tcp:
			e.Detail = "connected, but nothing that was sent was taken"
		default:
			e.Detail = notAccepted
		}
		// "context deadline exceeded" says nothing beyond "in time".
		e.Err = context.DeadlineExceeded
	case isClosed(err) && unanswered == keySASLAuth:
		// Kafka answers SASL_AUTHENTICATION_FAILED since 1.0 (KIP-152); proxies
		// and some other implementations of the protocol close.
		e.Cause, e.Detail = CauseCredentials, "it closed the connection instead of answering the login"
	case isClosed(err) && unanswered == keyMetadata && !e.Protocol.sasl() && f.read == keyAPIVersions:
		// SaslServerAuthenticator allows ApiVersions before the login and closes
		// the connection at anything else.
		e.Cause = CauseSASLRequired
	case isClosed(err):
		e.Cause = CauseClosed
		if unanswered >= 0 {
			e.Detail = "after " + kmsg.NameForKey(unanswered)
		}
	default:
		return false
	}
	return true
}

// byAlert reads a TLS alert that the broker sent (RFC 8446 §6.2).
func byAlert(e *Error, alert uint8, f facts) {
	const (
		handshakeFailure    = 40
		badCertificate      = 42
		accessDenied        = 49
		certificateRequired = 116
	)
	e.Cause = CauseTLS
	about := alert >= badCertificate && alert <= accessDenied && alert != 47 || alert == certificateRequired
	// JSSE answers a missing certificate with bad_certificate, OpenSSL before
	// TLS 1.3 with handshake_failure.
	if about || alert == handshakeFailure && f.certAsked && f.certSent == nil {
		e.Cause = CauseClientCertificate
		switch {
		case f.certAsked && f.certSent == nil:
			e.Detail = noCertificate(f)
		case f.certSent != nil:
			e.Detail = fmt.Sprintf("it was sent %s, issued by %q", subject(f.certSent), f.certSent.Issuer.String())
		}
	}
}

func noCertificate(f facts) string {
	s := "it asks for one, and there is none to send"
	var cas []string
	for _, raw := range f.certCAs {
		var rdn pkix.RDNSequence
		var name pkix.Name
		if _, err := asn1.Unmarshal(raw, &rdn); err == nil {
			name.FillFromRDNSequence(&rdn)
			cas = append(cas, fmt.Sprintf("%q", name.String()))
		}
	}
	if len(cas) > 0 {
		s += " that is issued by " + firstFew(cas)
	}
	return s
}

// alertOf finds the alert that the peer sent. crypto/tls wraps it in a
// net.OpError with this Op, as a type that it does not export; tls.AlertError,
// which is exported for QUIC, has the same texts.
func alertOf(err error) (uint8, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	for a := range 256 {
		if op.Err.Error() == tls.AlertError(a).Error() {
			return uint8(a), true
		}
	}
	return 0, false
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// looksLikeAlert reports a TLS record of type alert (21), version 3.x.
func looksLikeAlert(p []byte) bool { return len(p) >= 2 && p[0] == 21 && p[1] == 3 }

func looksLikeHTTP(p []byte) bool { return bytes.HasPrefix(p, []byte("HTTP")) }

func subject(c *x509.Certificate) string { return fmt.Sprintf("%q", c.Subject.String()) }

// names says what a certificate is for.
func names(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	all := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		// Java falls back to the common name; Go does not (RFC 6125 §6.4.4 allows
		// it only as a last resort, RFC 9525 forbids it).
		return fmt.Sprintf("it has no subject alternative name, only the subject %s", subject(c))
	}
	return "it is for " + firstFew(all)
}

func firstFew(s []string) string {
	const few = 5
	if len(s) > few {
		return strings.Join(s[:few], ", ") + fmt.Sprintf(" and %d more", len(s)-few)
	}
	return strings.Join(s, ", ")
}
