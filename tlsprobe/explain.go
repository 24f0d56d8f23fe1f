package tlsprobe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"time"
)

// The alerts of TLS that are told apart (RFC 8446 §6).
const (
	alertHandshakeFailure     = 40
	alertProtocolVersion      = 70
	alertInsufficientSecurity = 71
	alertNoCertificate        = 41
	alertBadCertificate       = 42
	alertUnsupportedCert      = 43
	alertCertificateRevoked   = 44
	alertCertificateExpired   = 45
	alertCertificateUnknown   = 46
	alertUnknownCA            = 48
	alertAccessDenied         = 49
	alertCertificateRequired  = 116
)

// alertOf returns the number of the alert that a peer sent, 0 for none. The type
// of the error is crypto/tls's own, a uint8 inside an OpError.
func alertOf(err error) uint8 {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint())
	}
	return 0
}

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.ErrClosedPipe)
}

// waited adds the reason for a deadline or a cancel, and says whether it was one.
// A deadline of the caller's context is a timeout as well.
func (p *Prober) waited(ctx context.Context, r *Result, err error, where string) bool {
	var slow net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		r.add(Canceled, "the probe was canceled "+where)
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		r.add(Timeout, fmt.Sprintf("no answer within %s %s: the host may be down, or a firewall drops packets", p.limit(ctx, r), where))
	default:
		return false
	}
	return true
}

// limit is how long a probe may take in all: until the caller's deadline where
// that comes before the prober's timeout.
func (p *Prober) limit(ctx context.Context, r *Result) time.Duration {
	end, ok := ctx.Deadline()
	if !ok || p.Now != nil { // the start is then not of this clock
		return p.timeout()
	}
	return end.Sub(r.Start).Round(10 * time.Millisecond)
}

func (p *Prober) explainDial(ctx context.Context, r *Result, err error) {
	r.Err = err
	var dns *net.DNSError
	var reason Reason
	switch {
	case errors.As(err, &reason):
		(*reasons)(&r.Reasons).add(reason.Code, reason.Position, reason.Message)
	case errors.As(err, &dns) && !errors.Is(ctx.Err(), context.Canceled):
		r.add(DNS, fmt.Sprintf("the name %q does not resolve (%s): look at the spelling and the name servers", r.Target.Host, dns.Err))
	case p.waited(ctx, r, err, "while connecting"):
	case errors.Is(err, syscall.ECONNREFUSED):
		r.add(Refused, fmt.Sprintf("nothing listens at %s", r.Target.Dial))
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		r.add(Unreachable, fmt.Sprintf("there is no way to %s: %v", r.Target.Dial, err))
	default:
		r.add(Unreachable, fmt.Sprintf("cannot connect to %s: %v", r.Target.Dial, err))
	}
}

func (p *Prober) explainUpgrade(ctx context.Context, r *Result, err error) {
	r.Err = err
	var upgrade *upgradeError
	switch {
	case errors.As(err, &upgrade):
		r.add(upgrade.code, upgrade.message)
	case p.waited(ctx, r, err, fmt.Sprintf("in the %s dialogue before TLS", r.Target.Upgrade)):
	case isEOF(err):
		r.add(Closed, fmt.Sprintf("the peer closed in the %s dialogue before TLS: it may serve another protocol, or refuse this client", r.Target.Upgrade))
	default:
		r.add(WrongProtocol, fmt.Sprintf("the %s dialogue before TLS failed: %v", r.Target.Upgrade, err))
	}
}

// explainHandshake says why a handshake ended. Certificates may have been seen
// all the same.
func (p *Prober) explainHandshake(ctx context.Context, r *Result, s *session, rec *recorder, err error) {
	r.Err = err
	if s.requested {
		r.ClientCertificate = ClientAuthUnknown
	}
	var header tls.RecordHeaderError
	var upgrade *upgradeError
	alert := alertOf(err)
	text := err.Error()
	switch {
	case errors.As(err, &upgrade):
		r.add(upgrade.code, upgrade.message)
	case p.waited(ctx, r, err, "in the TLS handshake"):
	case errors.As(err, &header):
		p.explainPlaintext(r, *rec.kept)
	case s.requested && (refusesClient(alert) || (alert == 0 && isEOF(err))):
		p.clientRefused(r, s, err)
	case alert == alertProtocolVersion, strings.Contains(text, "unsupported protocol version"), strings.Contains(text, "no supported versions"):
		r.add(VersionUnsupported, fmt.Sprintf("server and probe have no version of TLS in common (%v): the server may speak SSL 3.0 only; one of TLS 1.3 whose key no client takes says the same", err))
	case alert == alertHandshakeFailure, alert == alertInsufficientSecurity, strings.Contains(text, "unconfigured cipher suite"):
		r.add(NoSharedCipher, fmt.Sprintf("server and probe have no cipher suite, group or signature algorithm in common (%v); a server without a certificate for the name says the same", err))
	case alert != 0:
		r.add(HandshakeFailed, fmt.Sprintf("the server ended the handshake: %v", err))
	case isEOF(err):
		r.add(Closed, "the peer closed in the TLS handshake"+p.hint(r.Target))
	case strings.Contains(text, "certificate"), strings.Contains(text, "public key"), strings.Contains(text, "RSA key"):
		if !s.verified {
			r.add(UnparseableCertificate, fmt.Sprintf("the certificate cannot be used: %s", strings.TrimPrefix(text, "tls: ")))
			break
		}
		fallthrough
	default:
		r.add(HandshakeFailed, fmt.Sprintf("the handshake failed here: %s", strings.TrimPrefix(text, "tls: ")))
	}
}

// refusesClient is whether an alert is about the client's certificate, once the
// server has asked for one. Servers of TLS 1.2 say handshake_failure.
func refusesClient(alert uint8) bool {
	switch alert {
	case alertHandshakeFailure, alertNoCertificate, alertBadCertificate, alertUnsupportedCert, alertCertificateRevoked, alertCertificateExpired,
		alertCertificateUnknown, alertUnknownCA, alertAccessDenied, alertCertificateRequired:
		return true
	}
	return false
}

// greetings are how servers begin that are asked for TLS and speak plain text.
var greetings = []struct {
	prefix  string
	upgrade Upgrade
	what    string
}{
	{"220 ", SMTP, "SMTP or FTP"},
	{"220-", SMTP, "SMTP or FTP"},
	{"* OK", IMAP, "IMAP"},
	{"+OK", POP3, "POP3"},
	{"200 ", NNTP, "NNTP"},
	{"201 ", NNTP, "NNTP"},
	{`"IMPLEMENTATION"`, Sieve, "ManageSieve"},
	{":", IRC, "IRC"},
	{"INFO {", NATS, "NATS"},
	{"<?xml", XMPP, "XMPP"},
	{"<stream:", XMPP, "XMPP"},
	{"HTTP/", "", "HTTP"},
	{"SSH-", "", "SSH"},
	{"-ERR", "", "Redis"},
}

// explainPlaintext says what a peer seems to speak that did not answer with TLS.
func (p *Prober) explainPlaintext(r *Result, flight []byte) {
	for _, g := range greetings {
		if !strings.HasPrefix(string(flight[:min(len(flight), 20)]), g.prefix) {
			continue
		}
		upgrade := g.upgrade
		if upgrade == SMTP && strings.Contains(strings.ToUpper(string(flight)), "FTP") {
			upgrade = FTP
		}
		advice := "probe its TLS port instead"
		if upgrade != "" {
			advice = fmt.Sprintf("probe it with the upgrade %s", upgrade)
		}
		r.add(PlaintextPeer, fmt.Sprintf("the peer speaks %s in plain text (%s): %s", g.what, excerpt(flight), advice))
		return
	}
	if mysqlHello(flight) {
		r.add(PlaintextPeer, "the peer greets as MySQL or MariaDB do: probe it with the upgrade mysql")
		return
	}
	if printable(flight) {
		r.add(PlaintextPeer, fmt.Sprintf("the peer answers in plain text: %s%s", excerpt(flight), p.hint(r.Target)))
		return
	}
	r.add(WrongProtocol, fmt.Sprintf("the peer does not answer with TLS: %s%s", excerpt(flight), p.hint(r.Target)))
}

// hint names the upgrade that is usual on a port, where it was not used.
func (p *Prober) hint(t Target) string {
	if usual := UpgradeOf(t.Port); t.Upgrade == Direct && usual != Direct {
		return fmt.Sprintf("; port %d is usual for %s: probe it with that upgrade", t.Port, usual)
	}
	return ""
}

func mysqlHello(b []byte) bool {
	return len(b) > 5 && b[3] == 0 && b[4] == 10 && b[1] == 0 && b[2] == 0 && int(b[0]) >= len(b)-4
}

func printable(b []byte) bool {
	for _, c := range b[:min(len(b), 40)] {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return false
		}
	}
	return len(b) > 0
}
