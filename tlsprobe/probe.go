package tlsprobe

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// Probe looks at one endpoint. It returns by the deadline of ctx or after
// [Prober.Timeout], whichever is first, and leaves neither a goroutine nor a
// connection behind.
func (p *Prober) Probe(ctx context.Context, target Target) Result {
	return p.probe(ctx, target, Conversation{})
}

func (p *Prober) probe(ctx context.Context, target Target, c Conversation) Result {
	t, err := target.resolve()
	r := Result{Target: t, Start: p.now(), ClientCertificate: ClientAuthUnknown}
	if err != nil {
		r.Err = err
		r.add(InvalidTarget, err.Error())
		return r
	}
	if target.Port == 0 && target.Dial == "" {
		r.Notes = append(r.Notes, fmt.Sprintf("no port was given: %d", t.Port))
	}
	if target.Upgrade == Auto {
		r.Notes = append(r.Notes, fmt.Sprintf("port %d: %s", t.Port, t.Upgrade))
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	start := time.Now()
	p.attempt(ctx, &r, c, false)
	if p.retry(&r) {
		second := Result{Target: t, Start: r.Start, Notes: r.Notes, ClientCertificate: ClientAuthUnknown}
		if p.attempt(ctx, &second, c, true); len(second.Certificates) > 0 || len(r.Certificates) == 0 && second.Err == nil {
			r = second
		}
	}
	r.Timings.Total = time.Since(start)
	return r
}

// retry is whether another connection would show more: a server with TLS 1.3
// only when 1.2 was asked for, or a certificate that Go refuses and TLS 1.3
// encrypts.
func (p *Prober) retry(r *Result) bool {
	if p.CertificateOnly {
		return len(r.Certificates) == 0 && r.Has(VersionUnsupported)
	}
	return len(r.Certificates) == 0 && r.Has(UnparseableCertificate)
}

// attempt is one connection, again the second of a probe.
func (p *Prober) attempt(ctx context.Context, r *Result, c Conversation, again bool) {
	conn, err := p.dial(ctx, r)
	if err != nil {
		p.explainDial(ctx, r, err)
		return
	}
	defer conn.Close() // there is nothing to do about it
	// A cancel ends reads and writes that are under way.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // the next read fails or not
	defer stop()

	if c.Before != nil {
		handshake, err := c.before(ctx, r, conn)
		switch {
		case err != nil:
			p.explainTalk(ctx, r, err, "in the conversation before TLS")
		case handshake:
			p.handshake(ctx, r, conn, c, again)
		}
		return
	}
	under, err := p.upgrade(r, conn)
	if err != nil {
		p.explainUpgrade(ctx, r, err)
		return
	}
	p.handshake(ctx, r, under, c, again)
}

// upgrade talks until TLS can begin.
func (p *Prober) upgrade(r *Result, conn net.Conn) (net.Conn, error) {
	d, ok := dialogues[r.Target.Upgrade]
	if !ok {
		return conn, nil
	}
	start := time.Now()
	defer func() { r.Timings.Upgrade = time.Since(start) }()
	name := r.Target.ServerName
	if name == "" {
		name = r.Target.Host
	}
	t := newTalk(conn, name)
	if err := d.run(t); err != nil {
		return nil, err
	}
	if n := t.in.Buffered(); n > 0 {
		rest, _ := t.in.Peek(n) // n bytes are there
		return nil, &upgradeError{PlaintextInjection, fmt.Sprintf("%d bytes in plain text came behind the go-ahead to TLS: %s; a client that keeps them can be fed commands by whoever sits in between", n, excerpt(rest))}
	}
	if t.wrap != nil {
		return t.wrap, nil
	}
	return conn, nil
}

// errSeen ends a handshake of which nothing but the certificates is wanted.
var errSeen = errors.New("the certificates are there")

// session is what the hooks of one handshake saw.
type session struct {
	state      tls.ConnectionState
	verified   bool // the hook ran
	requested  bool
	presented  bool
	acceptable [][]byte
	key        *flightKey // of a second connection
}

func (p *Prober) config(r *Result, s *session, again bool) *tls.Config {
	c := &tls.Config{
		ServerName: r.Target.ServerName,
		// Every verdict is judge's, who says more than the first fault.
		InsecureSkipVerify: true, // see above
		MinVersion:         min(tls.VersionTLS10, p.minVersion()),
		MaxVersion:         p.MaxVersion,
		CipherSuites:       suites,
		CurvePreferences:   groups,
		NextProtos:         p.ALPN,
		Time:               p.Now,
	}
	if p.PostQuantum {
		c.CurvePreferences = append(append([]tls.CurveID(nil), hybrids...), groups...)
	}
	switch {
	case again:
		s.key = new(flightKey)
		c.KeyLogWriter = s.key
		if p.CertificateOnly {
			c.MaxVersion = tls.VersionTLS13
		}
	case p.CertificateOnly:
		c.MaxVersion = tls.VersionTLS12
	}
	if p.only != 0 {
		c.MinVersion, c.MaxVersion, c.CipherSuites = p.only, p.only, p.suites
	}
	c.VerifyConnection = func(state tls.ConnectionState) error {
		s.state, s.verified = state, true
		if p.CertificateOnly {
			return errSeen
		}
		return nil
	}
	c.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		s.requested, s.acceptable = true, request.AcceptableCAs
		if p.Certificate == nil {
			return &tls.Certificate{}, nil
		}
		s.presented = true
		return p.Certificate, nil
	}
	return c
}

func (p *Prober) handshake(ctx context.Context, r *Result, conn net.Conn, c Conversation, again bool) {
	rec := record(conn)
	defer rec.release()
	var s session
	tc := tls.Client(rec, p.config(r, &s, again))
	start := time.Now()
	err := tc.Handshake() // the deadline of the connection ends it, see attempt
	r.Timings.Handshake = time.Since(start)
	if tds, ok := conn.(*tdsConn); ok {
		tds.bare = true
	}
	if err == nil {
		s.state = tc.ConnectionState()
	}
	p.take(r, &s)
	switch {
	case errors.Is(err, errSeen):
	case err != nil:
		p.explainHandshake(ctx, r, &s, rec, err)
	case c.After != nil:
		p.judge(ctx, r, &s, rec) // After has to know whom it talks to
		p.after(ctx, r, &s, tc, c)
		return
	default:
		p.settle(ctx, r, &s, tc, rec)
	}
	p.judge(ctx, r, &s, rec)
}

// take copies what was negotiated.
func (p *Prober) take(r *Result, s *session) {
	r.Version, r.CipherSuite, r.Group, r.ALPN = s.state.Version, s.state.CipherSuite, s.state.CurveID, s.state.NegotiatedProtocol
	r.SCTs = len(s.state.SignedCertificateTimestamps)
	for _, der := range s.acceptable {
		var name pkix.RDNSequence
		if _, err := asn1.Unmarshal(der, &name); err == nil {
			r.AcceptableCAs = append(r.AcceptableCAs, name.String())
		}
	}
	if s.verified && r.Version < p.minVersion() {
		r.add(VersionUnsupported, fmt.Sprintf("the server chose %s, and clients want %s at least: let it speak a newer version", tls.VersionName(r.Version), tls.VersionName(p.minVersion())))
	}
}

// judge says what is the matter with the certificates, from memory if it can.
func (p *Prober) judge(ctx context.Context, r *Result, s *session, rec *recorder) {
	var raw [][]byte
	for _, c := range s.state.PeerCertificates {
		raw = append(raw, c.Raw)
	}
	if len(raw) == 0 {
		raw = plainCertificates(*rec.kept)
	}
	if len(raw) == 0 && s.key != nil {
		raw = s.key.certificates(*rec.kept)
	}
	if len(raw) == 0 {
		return
	}
	key := cacheKey(raw, r.Target.VerifyName)
	known, ok := p.cache.get(key, r.Start)
	if !ok {
		known = p.judgeAnew(raw, s, r)
		p.cache.put(key, known)
	}
	r.Certificates, r.ChainExpiry = known.certs, known.chainExpiry
	if !slices.ContainsFunc(known.certs, func(c Certificate) bool { return c.X509 == nil }) {
		// Refused all the same, for an RSA key of more than 8192 bits or the like.
		for i := range r.Reasons {
			if r.Reasons[i].Code == UnparseableCertificate {
				r.Reasons[i].Code = HandshakeFailed
			}
		}
	}
	for _, reason := range known.reasons {
		(*reasons)(&r.Reasons).add(reason.Code, reason.Position, reason.Message)
	}
	p.judgeStaple(r, s, known)
	p.judgeCRL(ctx, r, known)
}

func (p *Prober) judgeAnew(raw [][]byte, s *session, r *Result) judged {
	certs := make([]Certificate, len(raw))
	for i, der := range raw {
		if i < len(s.state.PeerCertificates) {
			certs[i] = newCertificate(s.state.PeerCertificates[i])
		} else {
			certs[i] = ParseCertificate(der)
		}
	}
	t := trust{p.Roots, p.Intermediates}
	return judged{certs, t.judge(certs, r.Target.VerifyName, r.Start)}
}

func (p *Prober) judgeStaple(r *Result, s *session, known judged) {
	leaf := known.certs[0].X509
	if leaf == nil {
		return
	}
	r.Staple = readStaple(s.state.OCSPResponse, leaf, known.issuer, r.Start)
	switch {
	case r.Staple != nil && r.Staple.Status == "revoked":
		(*reasons)(&r.Reasons).add(Revoked, 0, fmt.Sprintf("the stapled OCSP response says that the certificate was revoked at %s: replace it", r.Staple.RevokedAt.UTC().Format(time.RFC3339)))
	case r.Staple == nil && s.verified && mustStaple(leaf):
		(*reasons)(&r.Reasons).add(StaplingMissing, 0, "the certificate demands a stapled OCSP response (must-staple) and the server sent none: switch stapling on")
	}
}

func (p *Prober) judgeCRL(ctx context.Context, r *Result, known judged) {
	leaf := known.certs[0].X509
	if p.CRLs == nil || leaf == nil {
		return
	}
	r.CRL = p.CRLs.check(ctx, leaf, known.issuer, r.Start)
	if r.CRL.Status == CRLRevoked {
		(*reasons)(&r.Reasons).add(Revoked, 0, fmt.Sprintf("the revocation list at %s says that the certificate was revoked at %s: replace it", r.CRL.URL, timeJSON(r.CRL.RevokedAt)))
	}
}

// graceAfter is how long a server may take to say no after the handshake: some
// round trips, within bounds that a person would not notice.
func graceAfter(handshake time.Duration) time.Duration {
	return min(max(2*handshake, 50*time.Millisecond), time.Second)
}

// settle finds out what a server makes of the client certificate it got or did
// not get. With TLS 1.2 the handshake was the answer. With TLS 1.3 the client is
// done before the server has looked: an alert comes afterwards, and else most
// servers send a ticket, or answer the goodbye (RFC 8446 §4.4.2.4, §6.1).
func (p *Prober) settle(ctx context.Context, r *Result, s *session, tc *tls.Conn, rec *recorder) {
	if !s.requested {
		r.ClientCertificate = NotRequested
		_ = tc.Close() // goodbye
		return
	}
	r.ClientCertificate = Optional
	if s.state.Version >= tls.VersionTLS13 {
		err := await(ctx, tc, rec, graceAfter(r.Timings.Handshake))
		switch {
		case errors.Is(err, errSettled):
		case alertOf(err) != 0:
			p.clientRefused(r, s, err)
		case isEOF(err):
			r.ClientCertificate, r.Err = ClientAuthUnknown, err
			r.add(Closed, "the server asked for a client certificate, got none, and closed without a word: it may demand one")
			if s.presented {
				r.Reasons[len(r.Reasons)-1].Message = "the server took a client certificate and closed without a word: it may not accept that one"
			}
		default:
			r.ClientCertificate = ClientAuthUnknown
			if ctx.Err() == nil {
				r.Notes = append(r.Notes, "the server asked for a client certificate and did not say whether it needs one")
			}
		}
	}
	_ = tc.Close() // goodbye
}

// await reads until the server has gone on, said no, or closed. A goodbye of TLS
// without an alert before it is no complaint; a bare end of the connection, with
// nothing before it, is returned.
func await(ctx context.Context, tc *tls.Conn, rec *recorder, grace time.Duration) error {
	before := rec.records
	rec.settle, rec.settles = before, true
	var b [1]byte
	_ = tc.SetReadDeadline(time.Now().Add(grace)) // a connection without deadlines waits for its own
	_, err := tc.Read(b[:])
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() && ctx.Err() == nil {
		// No ticket and no alert: say goodbye and see how the server takes it.
		if err := tc.CloseWrite(); err != nil {
			return err
		}
		deadline, _ := ctx.Deadline()
		_ = tc.SetReadDeadline(deadline) // as above
		rec.settles = false
		if _, err = tc.Read(b[:]); isEOF(err) {
			return errSettled
		}
	}
	if err == nil || errors.Is(err, io.EOF) || (isEOF(err) && rec.records > before) {
		return errSettled
	}
	return err
}

func (p *Prober) clientRefused(r *Result, s *session, err error) {
	if s.presented {
		r.ClientCertificate = Required
		r.Err = err
		r.add(ClientCertificateRefused, fmt.Sprintf("the server does not take the client certificate (%v): it may be expired, or of a CA the server does not trust", err))
		return
	}
	r.ClientCertificate = Required
	r.Err = err
	r.add(ClientCertificateRequired, fmt.Sprintf("the server demands a client certificate and got none (%v): give the probe one; the server's own certificate was seen all the same", err))
}
