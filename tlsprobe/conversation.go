package tlsprobe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// Conversation is what a caller says on a connection around the handshake, for
// protocols that have no [Upgrade] and for checks of what is behind TLS.
//
// Its functions may be called more than once in a probe, each time on a new
// connection: a certificate that only an older version shows takes a second one.
// Their reads and writes end when the probe does. An error that is a [Reason]
// becomes one of the result as it is.
type Conversation struct {
	// Before talks in plain text, in place of the upgrade. Nil says nothing. If
	// it returns false, there is no handshake, and the probe ends well.
	Before func(ctx context.Context, conn net.Conn) (handshake bool, err error)
	// After talks in TLS, with what is known of the server in r, which it is not
	// to alter. Nil says nothing. It is on After to keep secrets from a server
	// that r says is not to be trusted.
	After func(ctx context.Context, conn net.Conn, r *Result) error
}

// Error makes a reason an error, for [Conversation].
func (r Reason) Error() string { return r.Message }

// Converse is [Prober.Probe] with a conversation.
func (p *Prober) Converse(ctx context.Context, target Target, c Conversation) Result {
	return p.probe(ctx, target, c)
}

// before talks in plain text and says whether a handshake follows.
func (c Conversation) before(ctx context.Context, r *Result, conn net.Conn) (handshake bool, err error) {
	start := time.Now()
	defer func() { r.Timings.Upgrade = time.Since(start) }()
	return c.Before(ctx, conn)
}

// after talks in TLS in place of [Prober.settle]. What the server makes of the
// client's certificate shows in how it takes that.
func (p *Prober) after(ctx context.Context, r *Result, s *session, tc *tls.Conn, c Conversation) {
	r.ClientCertificate = NotRequested
	if s.requested {
		r.ClientCertificate = Optional
	}
	err := c.After(ctx, tc, r)
	_ = tc.Close() // goodbye
	if err == nil {
		return
	}
	if s.requested && s.state.Version >= tls.VersionTLS13 {
		if alertOf(err) != 0 {
			p.clientRefused(r, s, err)
			return
		}
		r.ClientCertificate = ClientAuthUnknown
	}
	p.explainTalk(ctx, r, err, "in the conversation behind TLS")
}

// explainTalk says why a conversation ended.
func (p *Prober) explainTalk(ctx context.Context, r *Result, err error, where string) {
	r.Err = err
	var reason Reason
	switch {
	case errors.As(err, &reason):
		(*reasons)(&r.Reasons).add(reason.Code, reason.Position, reason.Message)
	case p.waited(ctx, r, err, where):
	case isEOF(err):
		r.add(Closed, "the peer closed "+where)
	default:
		r.add(WrongProtocol, "the peer broke off "+where+": "+err.Error())
	}
}
