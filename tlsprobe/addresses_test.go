package tlsprobe

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// resolver answers every name with the same addresses, and every SRV question
// with one server.
func resolver(t testing.TB, v4 [][4]byte, v6 [][16]byte) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type, TTL: 1}
			m.Response, m.Additionals = true, nil
			switch q.Type {
			case dnsmessage.TypeA:
				for _, a := range v4 {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a}})
				}
			case dnsmessage.TypeAAAA:
				for _, a := range v6 {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a}})
				}
			case dnsmessage.TypeSRV:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.SRVResource{Port: 993, Target: dnsmessage.MustNewName("imap.test.")}})
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func TestProbe_Addresses(t *testing.T) {
	root := newMint(t, nil, ca("root"))
	leaf := newMint(t, root, as)
	target := serve(t, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}})
	_, port, err := net.SplitHostPort(target.Dial)
	require.NoError(t, err)
	n, err := strconv.ParseUint(port, 10, 16)
	require.NoError(t, err)
	p := prober(root.cert)
	p.Resolver = resolver(t, [][4]byte{{127, 0, 0, 1}}, [][16]byte{{15: 1}})
	// The server has IPv4 only, the name both.
	target = Target{Host: "dual.test", Port: uint16(n), VerifyName: "localhost"}
	r := p.Probe(t.Context(), target)
	require.Empty(t, r.Reasons)
	require.Equal(t, "127.0.0.1:"+port, r.Address.String())
	require.Positive(t, r.Timings.DNS)
	require.InDelta(t, float64(r.Timings.Total), float64(r.Timings.DNS+r.Timings.Connect+r.Timings.Upgrade+r.Timings.Handshake), float64(watchdog))

	target.Network = "tcp4"
	require.Empty(t, p.Probe(t.Context(), target).Reasons)
	target.Network = "tcp6"
	nothing := codes(p.Probe(t.Context(), target)) // of which kind depends on whether the machine has IPv6
	require.Contains(t, [][]Code{{Refused}, {Unreachable}}, nothing)
	target.Network = ""
	results := p.ProbeEvery(t.Context(), target)
	require.Len(t, results, 2)
	seen := map[string][]Code{}
	for _, r := range results {
		host, _, err := net.SplitHostPort(r.Target.Dial)
		require.NoError(t, err)
		seen[host] = codes(r)
	}
	require.Equal(t, map[string][]Code{"127.0.0.1": nil, "::1": nothing}, seen)
}

func TestProber_LookupSRV(t *testing.T) {
	p := prober()
	p.Resolver = resolver(t, nil, nil)
	targets, err := p.LookupSRV(t.Context(), "_imaps._tcp", "example.test")
	require.NoError(t, err)
	require.Equal(t, []Target{{Host: "imap.test", Port: 993}}, targets)
	results := p.ProbeEvery(t.Context(), Target{Host: "nobody.test"})
	require.Len(t, results, 1)
	require.Equal(t, []Code{DNS}, codes(results[0]))
}
