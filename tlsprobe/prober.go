package tlsprobe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

// Prober probes endpoints. Its zero value is ready to use; its fields are not to
// be altered after the first probe. It may be used from many goroutines, which
// then share what it remembers of chains it has verified.
type Prober struct {
	// Roots are trusted. Nil means the system's.
	Roots *x509.CertPool
	// Intermediates complete chains beside what servers send.
	Intermediates []*x509.Certificate
	// Certificate is presented to servers that want one. Its private key may be
	// any crypto.Signer.
	Certificate *tls.Certificate
	// MinVersion is the oldest version that counts as supported; a server that
	// has only older ones is looked at all the same and has the reason
	// [VersionUnsupported]. 0 means TLS 1.2.
	MinVersion uint16
	// MaxVersion is the newest version offered. 0 means TLS 1.3.
	MaxVersion uint16
	// ALPN is what is offered. None by default: a server that has none of those
	// offered ends the handshake before its certificate.
	ALPN []string
	// PostQuantum offers hybrid groups too, which costs as much as the rest of the
	// handshake.
	PostQuantum bool
	// CertificateOnly ends the handshake as soon as the certificates are there,
	// in TLS 1.2 where the server has it. That is three times cheaper, proves no
	// possession of the key, does not tell whether a client certificate is
	// wanted, and leaves an error in the logs of some servers.
	CertificateOnly bool
	// Timeout bounds each probe. 0 means 10 seconds.
	Timeout time.Duration
	// Dial connects, for example through a SOCKS5 or CONNECT proxy. Nil means a
	// [net.Dialer], which tries the addresses of a name as RFC 8305 says. An error
	// that is a [Reason] becomes one of the result as it is.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolver looks names up. Nil means the system's.
	Resolver *net.Resolver
	// CRLs has revocation lists fetched that certificates name. Nil means that
	// none is.
	CRLs *CRLs
	// Now is the time at which certificates are judged. Nil means [time.Now].
	Now func() time.Time

	cache cache
	// only and suites narrow a connection for [Prober.Inventory].
	only   uint16
	suites []uint16
}

// Probe looks at one endpoint with the default [Prober].
func Probe(ctx context.Context, t Target) Result {
	var p Prober
	return p.Probe(ctx, t)
}

func (p *Prober) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

func (p *Prober) minVersion() uint16 {
	if p.MinVersion != 0 {
		return p.MinVersion
	}
	return tls.VersionTLS12
}

func (p *Prober) timeout() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return 10 * time.Second
}

// groups without the hybrid ones, X25519 first. The others cost no share unless
// a server asks for them.
var groups = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}

var hybrids = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}

// suites are all that Go knows, so that an old server shows its certificate too.
// Go orders them by strength itself.
var suites = func() (ids []uint16) {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, suite.ID)
	}
	return ids
}()
