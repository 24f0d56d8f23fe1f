package dial

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Error says that a broker could not be used, in one line: "connect to
// kafka1:9093 (SASL_SSL, PLAIN): wrong user name or password: ...". [Connect]
// returns one for every broker it tried, joined.
type Error struct {
	// Addr is the broker's host:port; empty where [Explain] could not know it.
	Addr      string
	Protocol  Protocol
	Mechanism Mechanism
	Cause     Cause
	// Detail is what was found, where the cause alone would leave a question:
	// the mechanisms that the broker enables, the names in its certificate.
	Detail string
	// Err is what the network, the TLS stack or the broker said. It may be nil,
	// and never holds a secret.
	Err error
}

// Error gives address, protocol, cause, detail and the underlying error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("connect to ")
	b.WriteString(cmp.Or(e.Addr, "broker"))
	if e.Protocol != "" {
		b.WriteString(" (" + string(e.Protocol))
		if e.Mechanism != "" {
			b.WriteString(", " + string(e.Mechanism))
		}
		b.WriteString(")")
	}
	for _, p := range []string{e.Cause.text(), e.Detail, e.said()} {
		if p = oneLine(p); p != "" {
			b.WriteString(": " + p)
		}
	}
	return b.String()
}

// said is the underlying error where it adds something. kgo's guesses ("is TLS
// missing?") do not, once the cause is known; neither does "EOF" behind a
// sentence which says that the connection was closed.
func (e *Error) said() string {
	switch e.Cause {
	case CauseTLSRequired, CauseTLSNotEnabled, CauseNotKafka, CauseSASLRequired:
		return ""
	case CauseTimeout, CauseClosed, CauseCredentials, CauseClientCertificate:
		if e.Detail != "" && (isClosed(e.Err) || errors.Is(e.Err, context.DeadlineExceeded)) {
			return ""
		}
	}
	var code *kerr.Error
	var verify *tls.CertificateVerificationError
	var first *kgo.ErrFirstReadEOF
	switch {
	case e.Err == nil:
		return ""
	case errors.As(e.Err, &code):
		// The code's name, and the broker's own words where it sent some, without
		// the description of the code between them.
		if words, ok := strings.CutPrefix(e.Err.Error(), code.Error()+": "); ok {
			return code.Message + ": " + words
		}
		return code.Message
	case errors.As(e.Err, &verify) && verify.Err != nil:
		return verify.Err.Error()
	case errors.As(e.Err, &first):
		return first.Unwrap().Error()
	}
	return e.Err.Error()
}

// Unwrap gives the underlying error.
func (e *Error) Unwrap() error { return e.Err }

// Cause is the likely reason why a broker could not be used.
type Cause string

// The causes that are told apart.
const (
	// CauseUnknown: none of the others fits; Err has what there is.
	CauseUnknown Cause = "unknown"
	// CauseName: the host name does not resolve.
	CauseName Cause = "name"
	// CauseRefused: the host is there, but nothing listens on the port.
	CauseRefused Cause = "refused"
	// CauseUnreachable: there is no way to the host.
	CauseUnreachable Cause = "unreachable"
	// CauseTimeout: no answer in time; Detail says to what.
	CauseTimeout Cause = "timeout"
	// CauseClosed: the broker closed the connection without saying why.
	CauseClosed Cause = "closed"
	// CauseNotKafka: something else listens there.
	CauseNotKafka Cause = "not-kafka"
	// CauseTLSRequired: plaintext was spoken to a port that speaks TLS.
	CauseTLSRequired Cause = "tls-required"
	// CauseTLSNotEnabled: TLS was spoken to a port that speaks plaintext.
	CauseTLSNotEnabled Cause = "tls-not-enabled"
	// CauseTLS: the handshake failed for a reason that is not one of the next four.
	CauseTLS Cause = "tls"
	// CauseUntrusted: no trusted authority signed the broker's certificate.
	CauseUntrusted Cause = "untrusted-certificate"
	// CauseHostname: the certificate is for other names.
	CauseHostname Cause = "hostname"
	// CauseExpired: the certificate's time is over, or has not begun.
	CauseExpired Cause = "expired-certificate"
	// CauseClientCertificate: the broker wants a client certificate, or another one.
	CauseClientCertificate Cause = "client-certificate"
	// CauseSASLRequired: the port wants SASL and none is configured.
	CauseSASLRequired Cause = "sasl-required"
	// CauseSASLNotEnabled: SASL is configured and the port has none.
	CauseSASLNotEnabled Cause = "sasl-not-enabled"
	// CauseMechanism: the broker does not enable the SASL mechanism.
	CauseMechanism Cause = "mechanism"
	// CauseCredentials: the broker refused the password or token.
	CauseCredentials Cause = "credentials"
	// CauseToken: the OAuth token endpoint gave no token.
	CauseToken Cause = "token"
	// CauseUnauthorized: logged in, but not allowed to ask anything.
	CauseUnauthorized Cause = "unauthorized"
	// CauseAdvertised: the bootstrap address works, but the address that the
	// cluster advertises for its brokers does not.
	CauseAdvertised Cause = "advertised-listener"
	// CauseCanceled: the caller's context ended first.
	CauseCanceled Cause = "canceled"
)

// text words the cause for people; for CauseUnknown there is nothing to add to
// the underlying error.
func (c Cause) text() string {
	switch c {
	case CauseName:
		return "the host name does not resolve"
	case CauseRefused:
		return "nothing listens there"
	case CauseUnreachable:
		return "there is no route to the host"
	case CauseTimeout:
		return "no answer in time"
	case CauseClosed:
		return "the broker closed the connection without saying why"
	case CauseNotKafka:
		return "what listens there is not Kafka"
	case CauseTLSRequired:
		return "the port speaks TLS, and the connection was made without"
	case CauseTLSNotEnabled:
		return "the port does not speak TLS"
	case CauseTLS:
		return "the TLS handshake failed"
	case CauseUntrusted:
		return "the broker's certificate is not trusted"
	case CauseHostname:
		return "the broker's certificate is for other names"
	case CauseExpired:
		return "the broker's certificate is not valid at this time"
	case CauseClientCertificate:
		return "the broker did not accept the client certificate"
	case CauseSASLRequired:
		return "the port requires SASL, and none is configured"
	case CauseSASLNotEnabled:
		return "the port has no SASL"
	case CauseMechanism:
		return "the broker does not enable the SASL mechanism"
	case CauseCredentials:
		return "the broker refused the credentials"
	case CauseToken:
		return "the OAuth token endpoint gave no token"
	case CauseUnauthorized:
		return "logged in, but not authorized"
	case CauseAdvertised:
		return "the bootstrap address answers, but the cluster advertises an address that cannot be used"
	case CauseCanceled:
		return "given up"
	case CauseUnknown:
		return ""
	}
	return string(c)
}

// oneLine makes text that came from the network fit for one line on a
// terminal: no control characters, and not without end.
func oneLine(s string) string {
	const limit = 600
	s = strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
