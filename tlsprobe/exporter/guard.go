package exporter

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// Guard says where probes may connect. Whoever reaches the exporter chooses the
// target, so without bounds it looks into networks for them (SSRF). It is asked
// with the address that a socket is about to be connected to, after names were
// looked up, so a name cannot lead around it.
type Guard struct {
	// Networks may be connected to. Nil means all but link-local, unspecified and
	// multicast addresses: 169.254.169.254 hands out the credentials of cloud
	// machines. A list that is empty and not nil means none.
	Networks []netip.Prefix
	// Ports may be connected to. Nil means all, a list that is empty and not nil
	// means none.
	Ports []PortRange
}

// PortRange is from First to Last, both included.
type PortRange struct{ First, Last uint16 }

// check returns a [tlsprobe.Reason] where a connection is not allowed.
func (g Guard) check(to netip.AddrPort) error {
	if err := g.checkPort(to.Port()); err != nil {
		return err
	}
	addr := embedded(to.Addr())
	if g.Networks == nil {
		if addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() || !addr.IsValid() {
			return forbidden("connections to %s are not allowed unless its network is among those of the guard", addr)
		}
		return nil
	}
	if !slices.ContainsFunc(g.Networks, func(n netip.Prefix) bool { return n.Contains(addr) }) {
		return forbidden("connections to %s are not allowed: it is in none of the guard's networks", addr)
	}
	return nil
}

// checkPort is apart because it needs no lookup of a name.
func (g Guard) checkPort(port uint16) error {
	if g.Ports != nil && !slices.ContainsFunc(g.Ports, func(r PortRange) bool { return r.First <= port && port <= r.Last }) {
		return forbidden("connections to port %d are not allowed; allowed are %s", port, g.ports())
	}
	return nil
}

func (g Guard) ports() string {
	if len(g.Ports) == 0 {
		return "none"
	}
	var list []string
	for _, r := range g.Ports {
		if r.First == r.Last {
			list = append(list, fmt.Sprint(r.First))
		} else {
			list = append(list, fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	return strings.Join(list, ", ")
}

func forbidden(format string, args ...any) error {
	return tlsprobe.Reason{Code: tlsprobe.Forbidden, Message: fmt.Sprintf(format, args...), Position: -1}
}

// The prefixes of RFC 6052 §2.1 and RFC 3056 §2, in which an IPv4 address is
// embedded that a gateway of the network connects to.
var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixToIV = netip.MustParsePrefix("2002::/16")
)

// embedded returns the address that packets end at.
func embedded(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToIV.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}
