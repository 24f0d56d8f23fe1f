package exporter

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

func TestGuard_Check(t *testing.T) {
	inside := Guard{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}, Ports: []PortRange{{443, 443}, {9000, 9100}}}
	for _, tc := range []struct {
		guard Guard
		to    string
		ok    bool
	}{
		{Guard{}, "192.0.2.1:1", true},
		{Guard{}, "127.0.0.1:443", true},
		{Guard{}, "169.254.169.254:80", false},
		{Guard{}, "[::ffff:169.254.169.254]:80", false},
		{Guard{}, "[fe80::1%eth0]:443", false},
		{Guard{}, "[64:ff9b::a9fe:a9fe]:80", false},
		{Guard{}, "[2002:a9fe:a9fe::1]:80", false},
		{Guard{}, "0.0.0.0:443", false},
		{Guard{}, "[::]:443", false},
		{Guard{}, "224.0.0.1:443", false},
		{Guard{Networks: []netip.Prefix{netip.MustParsePrefix("169.254.169.254/32")}}, "169.254.169.254:80", true},
		{Guard{Networks: []netip.Prefix{}}, "192.0.2.1:443", false},
		{Guard{Ports: []PortRange{}}, "192.0.2.1:443", false},
		{inside, "192.0.2.1:443", true},
		{inside, "[::ffff:192.0.2.1]:443", true},
		{inside, "[64:ff9b::c000:201]:443", true},
		{inside, "192.0.3.1:443", false},
		{inside, "[2001:db8::1]:9000", true},
		{inside, "[2001:db8::1]:9100", true},
		{inside, "[2001:db8::1]:9101", false},
		{inside, "[64:ff9b::a00:1]:443", false},
		{inside, "127.0.0.1:443", false},
	} {
		require.Equal(t, tc.ok, tc.guard.check(netip.MustParseAddrPort(tc.to)) == nil, "%+v %s", tc.guard, tc.to)
	}
}

// nameServer answers every question for an IPv4 address with the given ones.
func nameServer(t *testing.T, addrs ...[4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // the test is over
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil {
				continue
			}
			m.Header.Response, m.Additionals = true, nil
			for _, addr := range addrs {
				if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}, Body: &dnsmessage.AResource{A: addr}})
				}
			}
			out, err := m.Pack()
			if err == nil {
				_, _ = conn.WriteTo(out, from) // the client asks again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A name that anybody may register can point anywhere.
func TestGuard_IsAskedWithTheAddressBehindTheName(t *testing.T) {
	var reached atomic.Bool
	address := serveRaw(t, func(net.Conn) { reached.Store(true) })
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	e := &Exporter{Guard: Guard{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, Resolver: nameServer(t, [4]byte{127, 0, 0, 1})}
	require.NoError(t, e.Load("modules.yml", []byte(plainModulesWithoutFiles)))
	for _, target := range []string{"inside.example.:" + port, address, "[::ffff:127.0.0.1]:" + port} {
		for _, module := range []string{"connect", "blind"} {
			all := probe(t, e, module, target)
			require.Equal(t, "0", all["probe_success"])
			require.Equal(t, "1", all[`tlsprobe_reason{code="forbidden"}`], "%s %v", target, all)
			require.Empty(t, seriesOf(all, "probe_ip_addr_hash"))
		}
	}
	require.False(t, reached.Load())

	e = &Exporter{Guard: Guard{Ports: []PortRange{{443, 443}}}}
	require.NoError(t, e.Load("modules.yml", []byte(plainModulesWithoutFiles)))
	require.Equal(t, "1", probe(t, e, "connect", address)[`tlsprobe_reason{code="forbidden"}`])
	require.False(t, reached.Load())
}

// Of several addresses, those that are allowed are used.
func TestDialer_UsesTheAddressThatAnswers(t *testing.T) {
	address := serveRaw(t, func(net.Conn) {})
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	e := &Exporter{Guard: Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, Resolver: nameServer(t, [4]byte{169, 254, 169, 254}, [4]byte{127, 0, 0, 1})}
	require.NoError(t, e.Load("modules.yml", []byte(plainModulesWithoutFiles)))
	all := probe(t, e, "connect", "both.example.:"+port)
	require.Equal(t, "1", all["probe_success"], all)
	require.Equal(t, "4", all["probe_ip_protocol"])
	require.NotEqual(t, "0", all["probe_dns_lookup_time_seconds"])
}

func TestDialer_Order(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	type list = []netip.Addr
	for _, tc := range []struct {
		d             dialer
		in            list
		first, second list
	}{
		{dialer{fallback: true}, list{four, six}, list{six}, list{four}},
		{dialer{fallback: true}, list{four}, list{four}, nil},
		{dialer{fallback: true, prefer4: true}, list{six, four}, list{four}, list{six}},
		{dialer{}, list{four, six}, list{six}, nil},
		{dialer{}, list{four}, nil, nil},
		{dialer{prefer4: true}, list{four, six}, list{four}, nil},
	} {
		first, second := tc.d.order(tc.in)
		require.Equal(t, tc.first, first)
		require.Equal(t, tc.second, second)
	}
	_, err := (&dialer{}).dial(t.Context(), "tcp", "127.0.0.1:1")
	require.ErrorContains(t, err, "no address of the protocol that the module demands")
	_, err = (&dialer{fallback: true, source: netip.MustParseAddr("127.0.0.9")}).dial(t.Context(), "tcp", "127.0.0.1:1")
	require.ErrorContains(t, err, "127.0.0.9")
}

// A host whose IPv6 is broken and whose IPv4 works is up.
func TestDialer_FallsBack(t *testing.T) {
	address := netip.MustParseAddrPort(serveRaw(t, func(net.Conn) {}))
	d := &dialer{fallback: true}
	conn, err := d.race(t.Context(), []netip.Addr{netip.IPv6Loopback()}, []netip.Addr{address.Addr()}, address.Port())
	require.NoError(t, err)
	require.Equal(t, address.String(), conn.RemoteAddr().String())
	_ = conn.Close() // the test is over
	_, err = d.race(t.Context(), []netip.Addr{netip.MustParseAddr("127.0.0.2")}, []netip.Addr{netip.MustParseAddr("127.0.0.3")}, 1)
	require.ErrorContains(t, err, "127.0.0.2", "the preferred one's error is the one to show")
}
