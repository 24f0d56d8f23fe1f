package kafkasec

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// hostKind says how much the host of a binding matches, from nobody to all.
type hostKind uint8

const (
	hostNobody hostKind = iota // a name, or a spelling that no broker uses
	hostAddress
	hostRange
	hostEveryone
)

// hostSet is the set of clients that the host of a binding matches. Any two are
// nested or disjoint.
type hostSet struct {
	kind   hostKind
	addr   netip.Addr
	prefix netip.Prefix // masked
}

// everyHost is the host that matches every client.
const everyHost = "*"

func parseHostSet(text string, ranges bool) hostSet {
	if text == everyHost {
		return hostSet{kind: hostEveryone}
	}
	if addr, ok := kafkarules.ClientAddress(text); ok {
		return hostSet{kind: hostAddress, addr: addr}
	}
	if prefix, ok := kafkarules.HostRange(text); ok && ranges {
		return hostSet{kind: hostRange, prefix: prefix}
	}
	return hostSet{}
}

// clientAddr is the address as a broker sees it: Java has no IPv4-mapped form.
func clientAddr(a netip.Addr) netip.Addr { return a.Unmap() }

// rangeAddr is the address as ranges see it, invalid where none matches: zones
// play no part, and SubnetUtils.isInRange has 0.0.0.0 in no range.
func rangeAddr(a netip.Addr) netip.Addr {
	if a == netip.IPv4Unspecified() {
		return netip.Addr{}
	}
	return a.WithZone("")
}

// has reports whether the set matches a client. The zero address is a client
// that no other host than "*" matches.
func (h hostSet) has(client netip.Addr) bool {
	switch h.kind {
	case hostEveryone:
		return true
	case hostAddress:
		return client == h.addr
	case hostRange:
		return h.prefix.Contains(rangeAddr(client))
	}
	return false
}

// empty reports whether the set matches no client at all.
func (h hostSet) empty() bool {
	return h.kind == hostNobody || h.kind == hostRange && h.prefix == netip.PrefixFrom(netip.IPv4Unspecified(), 32)
}

// contains reports whether the set matches every client that o matches. It says
// no for an IPv6 address and its own /128, which has that address in any zone.
func (h hostSet) contains(o hostSet) bool {
	switch {
	case o.empty() || h.kind == hostEveryone:
		return true
	case o.kind == hostAddress:
		return h.has(o.addr)
	case o.kind != hostRange:
		return false
	case h.kind == hostRange:
		return h.prefix.Bits() <= o.prefix.Bits() && h.prefix.Contains(o.prefix.Addr())
	case h.kind == hostAddress && h.addr.Is4():
		first, last := o.bounds()
		return first == last && first == h.addr
	}
	return false
}

// meet returns what both sets match.
func (h hostSet) meet(o hostSet) hostSet {
	switch {
	case h.contains(o):
		return o
	case o.contains(h):
		return h
	}
	return hostSet{}
}

// bounds returns the first and the last address of a range that is not empty.
func (h hostSet) bounds() (first, last netip.Addr) {
	first = h.prefix.Addr()
	b := first.AsSlice()
	for i := range b {
		free := min(8, max(0, 8*(i+1)-h.prefix.Bits()))
		b[i] |= byte(1<<free - 1)
	}
	last, _ = netip.AddrFromSlice(b)
	if first == netip.IPv4Unspecified() {
		first = first.Next() // see rangeAddr
	}
	return first, last
}

// uncovered reports whether h matches a client that none of the others matches.
func (h hostSet) uncovered(others []hostSet) bool {
	if h.empty() || slices.ContainsFunc(others, func(o hostSet) bool { return o.contains(h) }) {
		return false
	}
	if h.kind != hostRange {
		// Ranges and addresses leave, of "*", at least the client that nobody names.
		return true
	}
	// The others are addresses and smaller ranges: walk over those inside.
	type span struct{ first, last netip.Addr }
	var inside []span
	for _, o := range others {
		switch {
		case o.empty() || !h.contains(o):
		case o.kind == hostRange:
			first, last := o.bounds()
			inside = append(inside, span{first, last})
		case o.addr.Is4():
			inside = append(inside, span{o.addr, o.addr})
		}
	}
	slices.SortFunc(inside, func(a, b span) int { return cmp.Or(a.first.Compare(b.first), a.last.Compare(b.last)) })
	at, last := h.bounds()
	for _, s := range inside {
		if at.Less(s.first) {
			break
		}
		if !s.last.Less(at) {
			at = s.last.Next()
		}
	}
	// IPv6 addresses were left out: they leave the same ones in other zones.
	return at.IsValid() && !last.Less(at)
}
