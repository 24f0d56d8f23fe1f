package kafkarules_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

func TestClientAddress(t *testing.T) {
	for host, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "0:0:0:0:0:0:0:1": "::1", "fe80:0:0:0:0:0:0:1%eth0": "fe80::1%eth0", "0.0.0.0": "0.0.0.0",
		"*": "", "": "", "::1": "", "FE80:0:0:0:0:0:0:1": "", "::ffff:10.0.0.1": "", "0:0:0:0:0:ffff:a00:1": "", "[::1]": "", "010.0.0.1": "", "a.example": "", "10.0.0.0/8": "",
	} {
		got, ok := kafkarules.ClientAddress(host)
		require.Equal(t, want != "", ok, host)
		if ok {
			require.Equal(t, want, got.String())
		}
	}
}

func TestHostRange(t *testing.T) {
	for host, want := range map[string]string{
		"10.1.2.3/8": "10.0.0.0/8", "010.001.0.0/08": "10.0.0.0/8", "0.0.0.0/0": "0.0.0.0/0", "FE80::1/10": "fe80::/10", "::/0": "::/0",
		"10.0.0.1": "", "*": "", "": "", "/": "", "10.0.0.0/33": "", "256.0.0.0/8": "", "::ffff:10.0.0.0/104": "", "10.0.0.0/+8": "", "fe80::%1/10": "fe80::/10", "[::]/+0": "::/0", "::000001/128": "::1/128",
	} {
		got, ok := kafkarules.HostRange(host)
		require.Equal(t, want != "", ok, host)
		if ok {
			require.Equal(t, want, got.String())
		}
	}
}

// Whatever is written as a range has in it who Kafka says is in it. Clients of
// 0.0.0.0 aside, whom Kafka finds in none.
func TestOracle_HostRange(t *testing.T) {
	r := random(9)
	ranges := []string{"10.0.0.0/8", "10.1.2.3/16", "010.0.0.0/8", "10.0.0.1/32", "10.0.0.0/31", "0.0.0.0/0", "::/0", "fe80::/10", "2001:db8::/32", "::1/128"}
	clients := []string{"10.0.0.1", "10.0.0.0", "10.1.2.3", "8.0.0.1", "11.0.0.1", "255.255.255.255", "0:0:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1", "fe80:0:0:0:0:0:0:1"}
	var questions []question
	for range oracle.Count(2_000, 20_000) {
		questions = append(questions, question{Ask: "inRange", Range: mangle(r, pick(r, ranges)), Address: pick(r, clients)})
	}
	in := 0
	for i, got := range ask(t, "4.4.0", questions) {
		q := questions[i]
		prefix, ok := kafkarules.HostRange(q.Range)
		require.Equal(t, got.Yes, ok && prefix.Contains(netip.MustParseAddr(q.Address)), "%q has %s", q.Range, q.Address)
		if got.Yes {
			in++
		}
	}
	require.Greater(t, in, len(questions)/10)
}
