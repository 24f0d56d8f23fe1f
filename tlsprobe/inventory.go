package tlsprobe

import (
	"context"
	"crypto/tls"
	"slices"
)

// Inventory is which versions and suites of TLS a server takes.
type Inventory struct {
	// Versions from new to old, each with the suites that the server takes in
	// the order in which it prefers them against a client that has all.
	Versions []VersionSuites
	// Connections is how many were made.
	Connections int
	// First is the first result with certificates, or else the first of all.
	First Result
	// Incomplete says what ended the inventory early; nil where it is whole.
	Incomplete error
}

// VersionSuites is one version of TLS with its suites.
type VersionSuites struct {
	Version uint16
	// Suites of TLS 1.3 hold the one that was negotiated: Go offers all three of
	// them always.
	Suites []uint16
}

// Inventory finds out which versions and suites a server takes, of those that Go
// knows: TLS 1.0 to 1.3, and no suite of export grade, without encryption, or
// with finite-field Diffie-Hellman. It connects once for each suite and version
// that the server takes, and once more for each version: it is for a few servers
// that are one's own, and shows in their logs.
func (p *Prober) Inventory(ctx context.Context, target Target) Inventory {
	var inv Inventory
	for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12, tls.VersionTLS11, tls.VersionTLS10} {
		left := slices.Clone(suites)
		found := VersionSuites{Version: version}
		for len(left) > 0 {
			r, ok := p.try(ctx, target, version, left)
			if inv.Connections++; inv.Connections == 1 {
				inv.First = r
			}
			if len(r.Certificates) > 0 && len(inv.First.Certificates) == 0 {
				inv.First = r
			}
			if !ok {
				if err := ctx.Err(); err != nil || r.Has(Timeout) || r.Has(Refused) || r.Has(Unreachable) || r.Has(DNS) {
					inv.Incomplete = r.Err
					if err != nil {
						inv.Incomplete = err
					}
					return inv.with(found)
				}
				break
			}
			found.Suites = append(found.Suites, r.CipherSuite)
			if version == tls.VersionTLS13 {
				break
			}
			left = slices.DeleteFunc(left, func(id uint16) bool { return id == r.CipherSuite })
		}
		inv = inv.with(found)
	}
	return inv
}

func (inv Inventory) with(found VersionSuites) Inventory {
	if len(found.Suites) > 0 {
		inv.Versions = append(inv.Versions, found)
	}
	return inv
}

// try makes one connection with one version and some suites.
func (p *Prober) try(ctx context.Context, target Target, version uint16, offer []uint16) (Result, bool) {
	one := &Prober{
		Roots: p.Roots, Intermediates: p.Intermediates, Certificate: p.Certificate, MinVersion: tls.VersionTLS10, Timeout: p.Timeout,
		Dial: p.Dial, Resolver: p.Resolver, Now: p.Now, only: version, suites: offer,
	}
	r := one.Probe(ctx, target)
	return r, r.Version == version && len(r.Certificates) > 0
}
