package kafkasec

import (
	"cmp"
	"net/netip"
	"slices"
)

// hostIndex finds, among the bindings of one principal on one resource, those
// whose hosts have something in common with a host: it may be thousands of them
// of which that is three.
type hostIndex struct {
	every     []int32
	addresses []hostItem // sorted
	ranges    []hostItem // sorted by first address, wide before narrow
	bits      []int      // lengths of ranges that occur
}

type hostItem struct {
	addr    netip.Addr
	bits    int
	binding int32
}

func (x *hostIndex) add(h hostSet, binding int32) {
	switch h.kind {
	case hostEveryone:
		x.every = append(x.every, binding)
	case hostAddress:
		x.addresses = append(x.addresses, hostItem{h.addr, 0, binding})
	case hostRange:
		x.ranges = append(x.ranges, hostItem{h.prefix.Addr(), h.prefix.Bits(), binding})
		if !slices.Contains(x.bits, h.prefix.Bits()) {
			x.bits = append(x.bits, h.prefix.Bits())
		}
	}
}

// sort is to be called after the last add.
func (x *hostIndex) sort() {
	slices.SortFunc(x.addresses, hostItem.compare)
	slices.SortFunc(x.ranges, hostItem.compare)
}

func (i hostItem) compare(o hostItem) int {
	return cmp.Or(i.addr.Compare(o.addr), cmp.Compare(i.bits, o.bits), cmp.Compare(i.binding, o.binding))
}

// appendMeeting appends the bindings whose hosts meet h. For "*" it leaves out
// the narrower ones, which play no part in covering it.
func (x *hostIndex) appendMeeting(to []int32, h hostSet) []int32 {
	to = append(to, x.every...)
	switch h.kind {
	case hostAddress:
		to = appendFrom(to, x.addresses, h.addr, h.addr)
		to = x.appendContaining(to, rangeAddr(h.addr), 128)
	case hostRange:
		first, last := h.bounds()
		to = appendFrom(to, x.addresses, first, last.WithZone(lastZone(last)))
		to = x.appendContaining(to, h.prefix.Addr(), h.prefix.Bits()-1)
		n := len(to)
		to = appendFrom(to, x.ranges, h.prefix.Addr(), last)
		// Wider ones that begin with the same address are among both.
		to = append(to[:n], slices.DeleteFunc(to[n:], func(b int32) bool { return slices.Contains(to[:n], b) })...)
	}
	return to
}

// lastZone makes an address sort behind itself in any zone.
func lastZone(a netip.Addr) string {
	if a.Is4() {
		return ""
	}
	return "\xff"
}

// appendContaining appends the ranges of up to some length with an address.
func (x *hostIndex) appendContaining(to []int32, a netip.Addr, most int) []int32 {
	for _, bits := range x.bits {
		p, err := a.Prefix(bits)
		if err != nil || bits > most {
			continue
		}
		at, _ := slices.BinarySearchFunc(x.ranges, hostItem{p.Addr(), bits, -1}, hostItem.compare)
		for ; at < len(x.ranges) && x.ranges[at].addr == p.Addr() && x.ranges[at].bits == bits; at++ {
			to = append(to, x.ranges[at].binding)
		}
	}
	return to
}

func appendFrom(to []int32, items []hostItem, first, last netip.Addr) []int32 {
	at, _ := slices.BinarySearchFunc(items, hostItem{first, -1, -1}, hostItem.compare)
	for ; at < len(items) && items[at].addr.Compare(last) <= 0; at++ {
		to = append(to, items[at].binding)
	}
	return to
}
