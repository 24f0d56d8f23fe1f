package kafkarules

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const hostAllowed = `allowed are "*", an IP address, or a range such as 10.0.0.0/8 (since 4.4)`

// Host judges the host of a binding. A broker compares it as text with the
// client's address, so that names match nothing, and ranges only where the
// authorizer knows them: use [HostIn] where the release is known.
func Host(s string) error { return HostIn(Version{}, s) }

// HostIn is [Host] for one release. Only since 4.4 does a broker look at the
// host at all when it stores a binding; ranges (CIDR, KAFKA-20088) need a
// cluster whose metadata.version is 4.4-IV1 besides.
func HostIn(v Version, s string) error {
	switch {
	case s == "":
		return v.refuseHost("host is empty: %s", hostAllowed)
	case s == "*":
		return nil
	case strings.Contains(s, "/"):
		return hostRange(v, s)
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
			return misleadingf("host %s matches no client: write %q without brackets", quote(s), javaAddress(addr))
		}
		return misleadingf("host %s is not an IP address and matches no client, because a broker compares it with the address, never with a name: %s",
			quote(s), hostAllowed)
	}
	if want := javaAddress(addr); want != s {
		return misleadingf("host %s matches no client, because a broker compares it as text with its own spelling: write %q", quote(s), want)
	}
	return nil
}

// javaAddress spells an address as InetAddress.getHostAddress, with which the
// authorizer compares: IPv6 in eight groups without "::", and never the
// IPv4-mapped form.
func javaAddress(a netip.Addr) string {
	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	b := a.As16()
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = strconv.FormatUint(uint64(b[2*i])<<8|uint64(b[2*i+1]), 16)
	}
	text := strings.Join(groups, ":")
	if a.Zone() != "" {
		text += "%" + a.Zone()
	}
	return text
}

// hostRange is CidrUtils.validate.
func hostRange(v Version, s string) error {
	prefix, err := netip.ParsePrefix(s)
	switch {
	case v != (Version{}) && v.Before(Version{4, 4}):
		return misleadingf("host %s is a range and matches no client of Kafka %s: ranges exist since 4.4", quote(s), v)
	case err == nil && prefix.Addr().Is4In6():
		return v.refuseHost("host %s is an IPv4 range written as IPv6: write it as IPv4", quote(s))
	case err == nil:
		return nil
	case oddRange(s):
		return misleadingf("host %s is a range in a spelling that others read differently: %s", quote(s), hostAllowed)
	}
	return v.refuseHost("host %s is not a range of addresses: %s", quote(s), hostAllowed)
}

// oddRange reports whether Kafka takes a range that netip refuses.
func oddRange(s string) bool {
	_, ok := HostRange(s)
	return ok
}

// refuseHost is for what matches no client and a broker refuses since 4.4.
// Before, it took every text as a host.
func (v Version) refuseHost(format string, args ...any) error {
	if v == (Version{}) || v.Before(Version{4, 4}) {
		return misleadingf(format, args...)
	}
	return fmt.Errorf(format, args...)
}
