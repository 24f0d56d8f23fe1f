package tlsprobe

import (
	"crypto/tls"
	"net/netip"
	"time"
)

// ClientAuth is what a server wants of its clients.
type ClientAuth string

// The states of [Result.ClientCertificate].
const (
	// ClientAuthUnknown: the connection did not get as far as to tell.
	ClientAuthUnknown ClientAuth = "unknown"
	NotRequested      ClientAuth = "not-requested"
	Optional          ClientAuth = "optional"
	Required          ClientAuth = "required"
)

// Timings are how long the phases of a probe took; what did not happen is 0.
type Timings struct {
	DNS, Connect, Upgrade, Handshake time.Duration
	// Total is all of it, with the wait for what a server says after the
	// handshake.
	Total time.Duration
}

// Result is what a probe saw, whatever happened. Certificates are shared between
// results of equal chains, so nothing in it is to be altered.
type Result struct {
	// Target has every default filled in.
	Target Target
	// Start is when the probe began.
	Start time.Time
	// Address is what was really connected to; zero where nothing was, or where
	// the caller's dialer does not say.
	Address netip.AddrPort
	// Version, CipherSuite and Group are 0 before they were negotiated. See
	// [tls.VersionName] and [tls.CipherSuiteName].
	Version, CipherSuite uint16
	Group                tls.CurveID
	// ALPN is the protocol negotiated, "" for none.
	ALPN string
	// ClientCertificate is what the server wants of clients, and AcceptableCAs
	// the issuers it names, in the manner of RFC 2253.
	ClientCertificate ClientAuth
	AcceptableCAs     []string
	// Certificates as they were sent, the leaf first.
	Certificates []Certificate
	// ChainExpiry is when the verified chain that lasts longest ends. Zero where
	// no chain is verified.
	ChainExpiry time.Time
	// Staple is the stapled OCSP response, nil for none.
	Staple *Staple
	// CRL is what a revocation list says of the leaf; nil where none was asked
	// for.
	CRL *Revocation
	// SCTs is how many signed certificate timestamps came with the handshake.
	SCTs int
	// Reasons are what is the matter, a set by code: empty is good.
	Reasons []Reason
	// Notes say what was assumed, such as a port.
	Notes   []string
	Timings Timings
	// Err is what ended the connection, nil where it went well.
	Err error
}

// Has is whether a reason is among the result's.
func (r *Result) Has(code Code) bool { return reasons(r.Reasons).has(code) }

// OK is whether nothing is the matter.
func (r *Result) OK() bool { return len(r.Reasons) == 0 }

func (r *Result) add(code Code, message string) {
	(*reasons)(&r.Reasons).add(code, -1, message)
}
