package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"
)

// stage is how far a connection got before it failed.
type stage int

const (
	stageTCP stage = iota
	stageTLS
)

// stageError keeps what a plain network error does not tell: whether the TCP
// connection or the TLS handshake failed, and with which broker. It unwraps, so
// that kgo's own retry decisions, which look for net.OpError, are unchanged.
type stageError struct {
	addr  string
	stage stage
	err   error
}

func (e *stageError) Error() string {
	if e.stage == stageTLS {
		return "tls handshake: " + e.err.Error()
	}
	return e.err.Error()
}

func (e *stageError) Unwrap() error { return e.err }

// dialer makes the connections of one client.
type dialer struct {
	cfg Config
	// limit bounds TCP connection and TLS handshake together.
	limit time.Duration
	// seen takes notes for the explanation of a failure.
	seen *witness
}

// dial is what kgo calls.
func (d dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	if err := ctx.Err(); err != nil {
		// kgo's second attempt after a timeout. The notes of the first stay.
		return nil, err
	}
	d.seen.begin(addr)
	conn, err := d.tcp(ctx, network, addr)
	if err != nil {
		return nil, &stageError{addr, stageTCP, err}
	}
	d.seen.connected(addr)
	if !d.cfg.Protocol.tls() {
		return &sniffed{Conn: conn, seen: d.seen, addr: addr}, nil
	}
	return d.handshake(ctx, conn, addr, d.tlsConfig(addr))
}

func (d dialer) tcp(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.cfg.Dial != nil {
		return d.cfg.Dial(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// handshake speaks TLS on conn, and closes it where that fails.
func (d dialer) handshake(ctx context.Context, conn net.Conn, addr string, cfg *tls.Config) (net.Conn, error) {
	c := tls.Client(conn, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error is the one that matters
		return nil, &stageError{addr, stageTLS, err}
	}
	return c, nil
}

// tlsConfig is the caller's configuration with what it left open: the server's
// name, the floor of TLS 1.2, and notes about the client certificate.
func (d dialer) tlsConfig(addr string) *tls.Config {
	cfg := new(tls.Config)
	if d.cfg.TLS != nil {
		cfg = d.cfg.TLS.Clone()
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	// With TLS 1.3 a refusal of the client certificate arrives after the
	// handshake has succeeded here (RFC 8446 §4.4.2.4 lets the server check it
	// later), often as a bare close. Whether the broker asked for one, and
	// whether there was one to send, tells what the close means.
	choose := cfg.GetClientCertificate
	certs := cfg.Certificates
	cfg.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		cert, err := chooseCertificate(info, choose, certs)
		var leaf *x509.Certificate
		if cert != nil && len(cert.Certificate) > 0 {
			if leaf, _ = x509.ParseCertificate(cert.Certificate[0]); leaf == nil {
				leaf = new(x509.Certificate) // sent all the same
			}
		}
		d.seen.certificate(addr, info.AcceptableCAs, leaf)
		return cert, err
	}
	return cfg
}

// chooseCertificate does what crypto/tls does where GetClientCertificate is
// nil: the first certificate that the server says it could accept, or none.
func chooseCertificate(info *tls.CertificateRequestInfo, choose func(*tls.CertificateRequestInfo) (*tls.Certificate, error), certs []tls.Certificate) (*tls.Certificate, error) {
	if choose != nil {
		return choose(info)
	}
	for i := range certs {
		if info.SupportsCertificate(&certs[i]) == nil {
			return &certs[i], nil
		}
	}
	return new(tls.Certificate), nil
}

// verifyChainOnly is VerifyConnection for an empty
// ssl.endpoint.identification.algorithm: everything that crypto/tls would check,
// except the host name. Use it with InsecureSkipVerify.
func verifyChainOnly(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) == 0 {
			return errors.New("the server sent no certificate")
		}
		// The zero KeyUsages mean server authentication, the zero time now.
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range cs.PeerCertificates[1:] {
			opts.Intermediates.AddCert(c)
		}
		if _, err := cs.PeerCertificates[0].Verify(opts); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		return nil
	}
}

// sniffed remembers the first bytes that came over a plaintext connection: a
// Java broker answers plaintext on a TLS port with a TLS alert, an HTTP server
// with HTTP, and kgo reads either as a length.
type sniffed struct {
	net.Conn
	seen *witness
	addr string
	done bool
}

func (s *sniffed) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if n > 0 && !s.done {
		// One reader at a time, as kgo reads a connection from one goroutine.
		s.done = true
		s.seen.firstBytes(s.addr, p[:n])
	}
	return n, err
}
