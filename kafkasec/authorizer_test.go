package kafkasec

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecide_SaysWhatDecides(t *testing.T) {
	orders := Resource{ResourceTopic, "orders", Literal}
	bindings := []Binding{
		{"User:a", everyHost, Read, Allow, orders},
		{"User:a", "10.0.0.0/8", All, Allow, Resource{ResourceTopic, "ord", Prefixed}},
		{everyone, "10.6.6.6", Read, Deny, Resource{ResourceTopic, anyName, Literal}},
		{"User:a", everyHost, "Unknown(99)", Allow, Resource{ResourceGroup, "g", Literal}},
		{"User:a", everyHost, Read, Allow, Resource{ResourceGroup, "g", "Unknown(9)"}},
	}
	opts := AuthorizerOptions{SuperUsers: []string{"User:root"}}
	open := AuthorizerOptions{AllowEveryone: true}
	for _, c := range []struct {
		opts      AuthorizerOptions
		principal string
		host      string
		op        Operation
		resource  Resource
		rule      Rule
		want      string
	}{
		{opts, "User:root", "10.6.6.6", Read, orders, RuleSuperUser, "User:root may Read topic:orders from 10.6.6.6: it is a super user"},
		{opts, "User:a", "::1", Read, orders, RuleAllow, "User:a may Read topic:orders from ::1: allow User:a Read on topic:orders from *"},
		{opts, "User:a", "", Describe, orders, RuleImplied,
			"User:a may Describe topic:orders from a host that no binding names: implied by allow User:a Read on topic:orders from *"},
		{opts, "User:a", "10.1.2.3", Write, orders, RuleAllow, "User:a may Write topic:orders from 10.1.2.3: allow User:a All on topic:ord* from 10.0.0.0/8"},
		{opts, "User:a", "10.6.6.6", Read, orders, RuleDeny, "User:a may not Read topic:orders from 10.6.6.6: deny User:* Read on topic:* from 10.6.6.6"},
		{opts, "User:a", "::ffff:10.6.6.6", Describe, orders, RuleAllow,
			"User:a may Describe topic:orders from ::ffff:10.6.6.6: allow User:a All on topic:ord* from 10.0.0.0/8"},
		{opts, "User:b c", "", Read, orders, RuleDefaultDeny,
			`"User:b c" may not Read topic:orders from a host that no binding names: bindings cover topic:orders, and none of them allows it`},
		{opts, "User:a", "", Read, Resource{ResourceGroup, "h", ""}, RuleNoACLDeny,
			"User:a may not Read group:h from a host that no binding names: no binding covers group:h"},
		{open, "User:a", "", Read, Resource{ResourceGroup, "h", Literal}, RuleNoACLAllow,
			"User:a may Read group:h from a host that no binding names: no binding covers group:h, and allow.everyone.if.no.acl.found is true"},
		{open, "User:a", "", Read, Resource{ResourceGroup, "g", Literal}, RuleDefaultDeny,
			"User:a may not Read group:g from a host that no binding names: bindings cover group:g, and none of them allows it"},
		{opts, everyone, "", Read, orders, RuleFails,
			"User:* may not Read topic:orders from a host that no binding names: the authorizer has no answer, so the request fails"},
		{opts, "User:root", "", Read, Resource{ResourceTopic, "ord", Prefixed}, RuleFails,
			"User:root may not Read topic:ord* from a host that no binding names: the authorizer has no answer, so the request fails"},
	} {
		var host netip.Addr
		if c.host != "" {
			host = netip.MustParseAddr(c.host)
		}
		d := NewAuthorizer(bindings, c.opts).Decide(Question{c.principal, host, c.op, c.resource})
		require.Equal(t, c.want, d.String())
		require.Equal(t, c.rule, d.Rule)
		data, err := json.Marshal(d)
		require.NoError(t, err)
		var back Decision
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, d, back)
		require.NotContains(t, string(data), `"Type"`, "resources are text, as in specs")
	}
}

// A caller that changes its slice afterwards changes no answers.
func TestNewAuthorizer_CopiesItsInput(t *testing.T) {
	q := Question{"User:a", netip.Addr{}, Read, Resource{ResourceTopic, "t", Literal}}
	b := []Binding{{"User:a", everyHost, Read, Allow, q.Resource}}
	users := []string{"User:x"}
	a := NewAuthorizer(b, AuthorizerOptions{SuperUsers: users})
	b[0].Principal, users[0] = "User:b", "User:b"
	require.True(t, a.Decide(q).Allowed)
	q.Principal = "User:b"
	require.False(t, a.Decide(q).Allowed)
	require.Equal(t, "User:x", a.Who(Read, q.Resource)[0].Principal)
}

func TestAuthorizer_IsSafeForConcurrentUse(t *testing.T) {
	a := NewAuthorizer(manyBindings(1_000), AuthorizerOptions{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				q := manyQuestion(i*4 + g)
				a.Decide(q)
				a.Who(q.Operation, q.Resource)
				a.What(q.Principal)
			}
			a.Lint()
		})
	}
	wg.Wait()
}

func TestParseSuperUsers(t *testing.T) {
	users, err := ParseSuperUsers(" User:a;User:CN=b,O=x\t;; User:c:d ;")
	require.NoError(t, err)
	require.Equal(t, []string{"User:a", "User:CN=b,O=x", "User:c:d"}, users)
	users, err = ParseSuperUsers("")
	require.NoError(t, err)
	require.Empty(t, users)
	_, err = ParseSuperUsers("User:a;bob")
	require.EqualError(t, err, `super users: principal "bob" has no type: a principal is Type:name, such as "User:alice", or "User:*" for everyone`)
}

func TestCompareJava(t *testing.T) {
	// In the order of String.compareTo.
	sorted := []string{"", "!", "*", "*a", "a", "ab", "b", "é", "\ud7ff", "𐀀", "𝟗", "𝟗x", "\U0010ffff", "\ue000", "\uff5a", "\uffff"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := compareJava(a, b)
			switch {
			case i < j:
				require.Negative(t, got, "%q %q", a, b)
			case i > j:
				require.Positive(t, got, "%q %q", a, b)
			default:
				require.Zero(t, got)
			}
		}
	}
}

// manyBindings is a cluster: n/5 topics, on each of which five principals have
// something, with some prefixes, ranges, denials and wildcards.
func manyBindings(n int) []Binding {
	bindings := make([]Binding, 0, n)
	ops := []Operation{Read, Write, Describe, All, Create}
	for i := range n {
		b := Binding{fmt.Sprintf("User:app-%d", i%997), everyHost, ops[i%len(ops)], Allow, Resource{ResourceTopic, fmt.Sprintf("team-%d.topic-%d", i/5%100, i/5), Literal}}
		switch {
		case i%100 == 0:
			b.Resource = Resource{ResourceTopic, fmt.Sprintf("team-%d.", i/100%100), Prefixed}
		case i%100 == 1:
			b.Host, b.Permission = fmt.Sprintf("10.%d.0.0/16", i%256), Deny
		case i%1000 == 2:
			b.Resource.Name, b.Permission = anyName, Deny
		case i%100 == 3:
			b.Principal = everyone
		}
		bindings = append(bindings, b)
	}
	return bindings
}

func manyQuestion(i int) Question {
	ops := []Operation{Read, Write, Describe, Delete}
	return Question{
		fmt.Sprintf("User:app-%d", i*7%1000), netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), ops[i%len(ops)],
		Resource{ResourceTopic, fmt.Sprintf("team-%d.topic-%d", i*13%10_000%100, i*13%10_000), Literal},
	}
}

// worst are 50,000 bindings that a scan of one topic, of one principal or of one
// host would have to walk over.
func worst(shape string, n int) []Binding {
	bindings := make([]Binding, 0, n)
	for i := range n {
		b := Binding{"User:a", everyHost, Read, Allow, Resource{ResourceTopic, "t", Literal}}
		switch shape {
		case "principals":
			b.Principal = fmt.Sprintf("User:%d", i)
		case "hosts":
			b.Host = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()
		case "ranges":
			b.Host = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i), byte(i >> 8), 0, 0}), 16+i%16).String()
		case "prefixes":
			b.Resource = Resource{ResourceTopic, fmt.Sprintf("team-%d.topic-%d", i%100, i), Prefixed}
		}
		bindings = append(bindings, b)
	}
	return bindings
}

func TestDecide_AllocatesNothing(t *testing.T) {
	for name, bindings := range map[string][]Binding{
		"many": manyBindings(50_000), "principals": worst("principals", 5_000), "hosts": worst("hosts", 5_000),
		"ranges": worst("ranges", 5_000), "prefixes": worst("prefixes", 5_000),
	} {
		a := NewAuthorizer(bindings, AuthorizerOptions{SuperUsers: []string{"User:root"}})
		questions := make([]Question, 64)
		for i := range questions {
			questions[i] = manyQuestion(i)
		}
		allowed := 0
		require.Zero(t, testing.AllocsPerRun(10, func() {
			for _, q := range questions {
				if a.Decide(q).Allowed {
					allowed++
				}
			}
		}), name)
	}
}

// BenchmarkDecide asks 10,000 questions of 50,000 bindings per op.
func BenchmarkDecide(b *testing.B) {
	questions := make([]Question, 10_000)
	for i := range questions {
		questions[i] = manyQuestion(i)
	}
	for _, shape := range []string{"many", "principals", "hosts", "ranges", "prefixes"} {
		bindings := manyBindings(50_000)
		if shape != "many" {
			bindings = worst(shape, 50_000)
		}
		a := NewAuthorizer(bindings, AuthorizerOptions{})
		asked := questions
		if shape != "many" && shape != "prefixes" {
			asked = make([]Question, len(questions))
			for i, q := range questions {
				q.Principal, q.Resource.Name = "User:a", "t"
				asked[i] = q
			}
		}
		b.Run(shape, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				allowed := 0
				for _, q := range asked {
					if a.Decide(q).Allowed {
						allowed++
					}
				}
				b.ReportMetric(float64(allowed), "allowed")
			}
		})
	}
}

func BenchmarkNewAuthorizer(b *testing.B) {
	bindings := manyBindings(50_000)
	b.ReportAllocs()
	for b.Loop() {
		NewAuthorizer(bindings, AuthorizerOptions{})
	}
}

func BenchmarkLint(b *testing.B) {
	for _, shape := range []string{"many", "principals", "hosts", "ranges", "prefixes"} {
		bindings := manyBindings(50_000)
		if shape != "many" {
			bindings = worst(shape, 50_000)
		}
		a := NewAuthorizer(bindings, AuthorizerOptions{AllowEveryone: true})
		b.Run(shape, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(len(a.Lint())), "findings")
			}
		})
	}
}
