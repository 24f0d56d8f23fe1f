package kafkarules_test

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

func TestOracle_Operations(t *testing.T) {
	for _, release := range releases {
		want := ask(t, release.kafka, []question{{Ask: "operations"}})[0].Operations
		require.Len(t, want, len(kafkarules.ResourceTypes()))
		for _, resourceType := range kafkarules.ResourceTypes() {
			var have []string
			for _, op := range kafkarules.Operations(resourceType) {
				if op != kafkarules.OperationAll && kafkarules.OperationIn(release.version, resourceType, op) == nil {
					have = append(have, op)
				}
			}
			require.ElementsMatch(t, want[javaResourceTypes[resourceType]], have, "%s of %s", resourceType, release.kafka)
		}
	}
}

// foreignDigits in an IPv6 range are read by Java, and refused by us: no other tool
// reads them, and nothing is lost, since each range has a plain spelling.
var foreignDigits = regexp.MustCompile(`[^\x00-\x7f]`)

func TestOracle_Bindings(t *testing.T) {
	r := random(5)
	names := []string{"", "*", "kafka-cluster", "Kafka-Cluster", "metricbeat", "logs.", "a b", "User:alice", "alice", ".", strings.Repeat("x", 300)}
	principals := []string{"", ":", "User:alice", "User:*", "user:alice", "User", "User:", ":alice", "User:CN=a,O=b:c", " User:x", "Group:g", "*", "User:größe"}
	hosts := []string{"", "*", "**", "127.0.0.1", "10.0.0.01", "::1", "0:0:0:0:0:0:0:1", "broker1.example", "localhost", "10.0.0.0/8", "10.1.2.3/8", "10.0.0.0/33", "010.0.0.0/8",
		"256.0.0.0/8", "10.0.0/8", "10.0.0.0/", "/8", "0.0.0.0/0", "::/0", "fd00::/8", "FD00::/8", "fd00::/129", "::ffff:10.0.0.0/104", "1:2:3:4:5:6:7:8/64", "1:2:3:4:5:6:7::/64",
		"::10.0.0.0/104", "1::2::3/64", "00001::/16", "::/00", "[::]/0", "fe80::1%1/64", "[::1]/128", "::/+8", "10.0.0.0/-1", "1.2.3.4/5/6", "::/5/6", "10.0.0.0/08", "*/8", "10.*", "٣.0.0.0/8", "::/-1", "10.0.0.0/8:"}
	var questions []question
	for range oracle.Count(4_000, 40_000) {
		q := question{Ask: "binding", Type: pick(r, kafkarules.ResourceTypes()), Pattern: pick(r, []string{"literal", "prefixed"}),
			Name: mangle(r, pick(r, names)), Principal: mangle(r, pick(r, principals)), Host: mangle(r, pick(r, hosts))}
		if looksUpNames(q.Host) {
			q.Host = "*"
		}
		questions = append(questions, q)
	}
	sent := slices.Clone(questions)
	for i := range sent {
		sent[i].Type = javaResourceTypes[sent[i].Type]
		sent[i].Pattern = strings.ToUpper(sent[i].Pattern)
	}
	for _, release := range releases {
		accepted := 0
		for i, got := range ask(t, release.kafka, sent) {
			q := questions[i]
			errs := []error{kafkarules.ResourceName(q.Type, kafkarules.Pattern(q.Pattern), q.Name), kafkarules.Principal(q.Principal),
				kafkarules.HostIn(release.version, q.Host)}
			legal := !slices.ContainsFunc(errs, refuses)
			if got.Error == "" && !legal && strings.Contains(q.Host, ":") && foreignDigits.MatchString(q.Host) {
				continue
			}
			require.Equal(t, got.Error == "", legal, "%s: %+v: Kafka: %q, we: %v", release.kafka, q, got.Error, errs)
			if legal {
				accepted++
				require.False(t, refuses(kafkarules.Host(q.Host)), "what a release stores, we let a caller name: %q", q.Host)
			}
		}
		require.Greater(t, accepted, len(questions)/20)
	}
}

func refuses(err error) bool { return err != nil && !errors.Is(err, kafkarules.ErrMisleading) }

// looksUpNames: what holds a colon and a slash but does not begin as an IPv6
// address, a broker hands to DNS. The answer would be the network's.
func looksUpNames(host string) bool {
	return strings.Contains(host, "/") && strings.Contains(host, ":") &&
		(strings.HasPrefix(host, "/") || !strings.ContainsAny(host[:1], ":[0123456789abcdefABCDEF")) || strings.Contains(host, "%")
}

func TestOracle_Principals(t *testing.T) {
	r := random(6)
	var questions []question
	for range oracle.Count(1_000, 10_000) {
		questions = append(questions, question{Ask: "principal",
			Text: mangle(r, pick(r, []string{"", ":", "User:alice", "User:*", "User:", ":alice", "User:CN=a,O=b:c", "Group:g", "a:b:c:", "::"}))})
	}
	for i, got := range ask(t, "4.4.0", questions) {
		err := kafkarules.Principal(questions[i].Text)
		require.Equal(t, got.Error == "", !refuses(err), "%q: Kafka: %q, we: %v", questions[i].Text, got.Error, err)
		if err == nil {
			require.Equal(t, questions[i].Text, got.Type+":"+got.Name)
			require.NotEmpty(t, got.Type)
			require.NotEmpty(t, got.Name)
		}
	}
}

// A host without an error is the text that a broker sees for that address, and
// the message about any other spelling gives that text.
func TestOracle_HostsAreSpelledAsABrokerSeesThem(t *testing.T) {
	r := random(7)
	var questions []question
	for range oracle.Count(2_000, 20_000) {
		size := 4
		if r.IntN(3) > 0 {
			size = 16
		}
		b := make([]byte, size)
		for i := range b {
			if r.IntN(3) == 0 {
				b[i] = byte(r.UintN(256))
			}
		}
		if size == 16 && r.IntN(5) == 0 {
			copy(b, netip.MustParseAddr("::ffff:0:0").AsSlice()[:12])
		}
		questions = append(questions, question{Ask: "address", Bytes: b})
	}
	for i, got := range ask(t, "4.4.0", questions) {
		addr, _ := netip.AddrFromSlice(questions[i].Bytes)
		require.NoError(t, kafkarules.Host(got.Text))
		for _, spelling := range []string{addr.String(), addr.StringExpanded(), strings.ToUpper(addr.StringExpanded())} {
			if spelling == got.Text {
				continue
			}
			err := kafkarules.Host(spelling)
			require.ErrorIs(t, err, kafkarules.ErrMisleading, spelling)
			require.ErrorContains(t, err, `"`+got.Text+`"`, spelling)
		}
	}
}

// A range without an error matches the addresses that it says.
func TestOracle_Ranges(t *testing.T) {
	r := random(8)
	var questions []question
	var want []bool
	for range oracle.Count(1_000, 10_000) {
		b, c := make([]byte, pick(r, []int{4, 16})), []byte(nil)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		addr, _ := netip.AddrFromSlice(b)
		prefix := netip.PrefixFrom(addr, r.IntN(len(b)*8+1))
		c = slices.Clone(b)
		c[r.IntN(len(c))] ^= 1 << r.UintN(8)
		client, _ := netip.AddrFromSlice(c)
		if addr.Is4In6() || client.Is4In6() {
			continue
		}
		require.NoError(t, kafkarules.Host(prefix.String()))
		questions = append(questions, question{Ask: "inRange", Range: prefix.String(), Address: client.String()})
		want = append(want, prefix.Masked().Contains(client))
	}
	for i, got := range ask(t, "4.4.0", questions) {
		require.Equal(t, want[i], got.Yes, "%+v", questions[i])
	}
}
