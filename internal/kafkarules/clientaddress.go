package kafkarules

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// ClientAddress returns the only client address that equals the host of a
// binding, which an authorizer compares as text with
// InetAddress.getHostAddress. It is false for "*", for ranges, and for text
// that no client has: names, and other spellings of an address.
func ClientAddress(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(host)
	if err != nil || javaAddress(addr) != host {
		return netip.Addr{}, false
	}
	return addr, true
}

// oddIPv4Range is what SubnetUtils takes: leading zeros are decimal to it,
// octal to others.
var oddIPv4Range = regexp.MustCompile(`^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})/([0-9]{1,2})$`)

// HostRange reads the host of a binding as CidrUtils.isInRange of Kafka 4.4
// does, odd spellings and all. The prefix is masked.
func HostRange(host string) (netip.Prefix, bool) {
	address, length, found := strings.Cut(host, "/")
	if !found {
		return netip.Prefix{}, false
	}
	if strings.Contains(host, ":") {
		return rangeIPv6(address, length)
	}
	m := oddIPv4Range.FindStringSubmatch(host)
	if m == nil {
		return netip.Prefix{}, false
	}
	var n [5]int64
	for i, limit := range []int64{255, 255, 255, 255, 32} {
		n[i], _ = strconv.ParseInt(m[i+1], 10, 32) // three digits at most
		if n[i] > limit {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n[0]), byte(n[1]), byte(n[2]), byte(n[3])}), int(n[4])).Masked(), true
}

// rangeIPv6 is SubnetUtils6: the length is what Integer.parseInt takes, and the
// address what InetAddress.getByName takes for one, which may stand in brackets,
// have a numeric zone, and fill its groups and octets up with zeros. Its digits of
// other scripts than ASCII are not read here: they are as good as any to Java.
func rangeIPv6(address, length string) (netip.Prefix, bool) {
	bits, err := parseInteger(length, 32)
	if err != nil || bits < 0 || bits > 128 {
		return netip.Prefix{}, false
	}
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		address = address[1 : len(address)-1]
	}
	address, zone, zoned := strings.Cut(address, "%")
	if zoned && (zone == "" || strings.Trim(zone, "0123456789") != "") {
		return netip.Prefix{}, false
	}
	groups := strings.Split(address, ":")
	for i, g := range groups {
		switch octets := strings.Split(g, "."); {
		case len(octets) == 1 && len(g) > 4:
			groups[i] = withoutZeros(g)
		case len(octets) == 4 && len(g) <= len("255.255.255.255"): // an IPv4 tail
			for j, o := range octets {
				octets[j] = withoutZeros(o)
			}
			groups[i] = strings.Join(octets, ".")
		}
	}
	addr, err := netip.ParseAddr(strings.Join(groups, ":"))
	if err != nil || !addr.Is6() || addr.Is4In6() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, int(bits)).Masked(), true
}

// withoutZeros takes the zeros from the front of a number, but for the last digit.
func withoutZeros(digits string) string {
	if digits == "" {
		return ""
	}
	return strings.TrimLeft(digits[:len(digits)-1], "0") + digits[len(digits)-1:]
}
