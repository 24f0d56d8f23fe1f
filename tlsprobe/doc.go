// Package tlsprobe tells the truth about the TLS of an endpoint: which
// certificates it presents, what is wrong with them, whether it wants one of the
// client, and how the connection came about. It is for exporters, inventories
// and controllers that have to know before their users do.
//
//	result := tlsprobe.Probe(ctx, target)       // one endpoint, whatever happens
//	for target, result := range p.Scan(ctx, targets) // a hundred thousand of them
//
// There is no error beside a [Result]: an endpoint that is down, refuses an old
// version, demands a client certificate or presents one that cannot be parsed is
// a result with everything that was seen, and its [Reason] values say in a
// sentence each what is the matter. [Policy.Check] turns it into findings.
//
// Nothing is fetched that was not asked for: no OCSP responder, no CRL, no
// issuer's certificate. QUIC is not spoken.
package tlsprobe
