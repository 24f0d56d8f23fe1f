package kafkasec

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

// small is a world whose questions can all be asked: each set of principals,
// hosts, operations and names that bindings can tell apart has a member here.
type small struct {
	bindings   []Binding
	opts       AuthorizerOptions
	principals []string
	hosts      []netip.Addr
	operations []Operation
	names      []Resource
}

var (
	smallHosts = []string{everyHost, everyHost, everyHost, "10.0.0.0", "10.0.0.1", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.1/32", "10.3.0.0/8",
		"10.0.0.0/8", "0.0.0.0/31", "0.0.0.1", "0.0.0.0", "fe80:0:0:0:0:0:0:1", "fe80:0:0:0:0:0:0:1%1", "fe80::1/128", "fe80::/127", "fe80::/128", "::1", "0.0.0.0/0", "128.0.0.0/1", "0.0.0.0/1"}
	smallNames = []Resource{
		{ResourceTopic, "a", Literal}, {ResourceTopic, "a", Prefixed}, {ResourceTopic, "ab", Literal}, {ResourceTopic, "ab", Prefixed},
		{ResourceTopic, "*", Literal}, {ResourceTopic, "*", Prefixed}, {ResourceTopic, "*a", Literal}, {ResourceTopic, "*a", Prefixed},
	}
	smallOps = []Operation{All, All, Read, Write, Describe, DescribeConfigs, AlterConfigs}
)

// randomSmall has up to n bindings from few enough that they overlap.
func randomSmall(r *rand.Rand, n int) small {
	w := small{
		principals: []string{"User:a", "User:b", "User:other"},
		operations: []Operation{All, Read, Write, Delete, Describe, DescribeConfigs, AlterConfigs},
		hosts:      []netip.Addr{{}},
		opts: AuthorizerOptions{
			Engine: choose(r, []Engine{Standard, Standard, Standard40, ZooKeeper}), AllowEveryone: r.IntN(3) == 0,
			SuperUsers: choose(r, [][]string{nil, nil, {"User:b"}}),
		},
	}
	for _, h := range []string{"0.0.0.0", "0.0.0.1", "1.0.0.0", "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "11.0.0.0", "200.0.0.1",
		"::1", "fe80::", "fe80::1", "fe80::%1", "fe80::1%1", "fe80::2"} {
		w.hosts = append(w.hosts, netip.MustParseAddr(h))
	}
	for _, n := range []string{"a", "a~", "ab", "ab~", "b~", "*", "*~", "*a", "*a~"} {
		w.names = append(w.names, Resource{ResourceTopic, n, Literal})
	}
	// Few of each, so that bindings meet.
	hosts := []string{choose(r, smallHosts), choose(r, smallHosts), choose(r, smallHosts), choose(r, smallHosts)}
	names := []Resource{choose(r, smallNames), choose(r, smallNames), choose(r, smallNames)}
	ops := []Operation{choose(r, smallOps), choose(r, smallOps), choose(r, smallOps)}
	deny := r.IntN(6)
	for range 1 + r.IntN(n) {
		b := Binding{choose(r, []string{"User:a", "User:b", everyone, everyone}), choose(r, hosts), choose(r, ops), Allow, choose(r, names)}
		if r.IntN(10) < deny {
			b.Permission = Deny
		}
		w.bindings = append(w.bindings, b)
	}
	if w.opts.AllowEveryone && r.IntN(2) == 0 {
		w.bindings = append(w.bindings, Binding{everyone, everyHost, All, Allow, choose(r, smallNames[1:])})
	}
	return w
}

func (w small) questions(yield func(Question) bool) {
	for _, p := range w.principals {
		for _, h := range w.hosts {
			for _, op := range w.operations {
				for _, n := range w.names {
					if !yield(Question{p, h, op, n}) {
						return
					}
				}
			}
		}
	}
}

// sameAnswers compares all answers with those of other bindings, and returns a
// question that is answered differently.
func (w small) sameAnswers(bindings, others []Binding) (Question, bool) {
	a, b := NewAuthorizer(bindings, w.opts), NewAuthorizer(others, w.opts)
	for q := range w.questions {
		if a.Decide(q).Allowed != b.Decide(q).Allowed {
			return q, false
		}
	}
	return Question{}, true
}

func without(bindings []Binding, gone map[Binding]bool) []Binding {
	return slices.DeleteFunc(slices.Clone(bindings), func(b Binding) bool { return gone[b] })
}

// What Lint says can go can all go at once, and nothing else can: removing one
// of the denies that stay, or one of the allows, changes an answer.
func TestLint_LeavesExactlyWhatHasAnEffect(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	counts := map[ineffectiveReason]int{}
	kept := 0
	for range 400 {
		w := randomSmall(r, 9)
		a := NewAuthorizer(w.bindings, w.opts)
		w.bindings = a.all // without duplicates
		gone, goneDenies := map[Binding]bool{}, map[Binding]bool{}
		for _, f := range a.ineffective() {
			b := a.all[f.binding]
			counts[f.why]++
			gone[b] = true
			if b.Permission == Deny {
				goneDenies[b] = true
			}
		}
		if q, same := w.sameAnswers(w.bindings, without(w.bindings, gone)); !same {
			require.Fail(t, "not all of them can go", "%s\nwithout %v\nof %v\n%+v", a.Decide(q), gone, w.bindings, w.opts)
		}
		for _, b := range w.bindings {
			if gone[b] {
				continue
			}
			kept++
			rest := without(w.bindings, gone)
			if b.Permission == Deny {
				rest = without(w.bindings, goneDenies) // with the allows that it beats
			}
			if _, same := w.sameAnswers(rest, without(rest, map[Binding]bool{b: true})); same {
				require.Fail(t, "it can go, too", "%s\nof %v\nwithout %v\n%+v", b, w.bindings, gone, w.opts)
			}
		}
	}
	t.Logf("%d kept, ineffective %v", kept, counts)
	for why := covered; why <= openAnyway; why++ {
		require.Positive(t, counts[why], "reason %d", why)
	}
}

func TestWho_AgreesWithDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	yes, no := 0, 0
	for range 400 {
		w := randomSmall(r, 9)
		a := NewAuthorizer(w.bindings, w.opts)
		for _, name := range w.names {
			for _, op := range w.operations {
				who := a.Who(op, name)
				for _, p := range w.principals {
					for _, h := range w.hosts {
						d := a.Decide(Question{p, h, op, name})
						in := slices.IndexFunc(who, func(c Access) bool { return c.Includes(p, h) })
						require.Equal(t, d.Allowed, in >= 0, "%s\n%+v\n%v\n%+v", d, who, w.bindings, w.opts)
						if in < 0 {
							no++
							continue
						}
						yes++
						if d.Binding != (Binding{}) {
							require.Contains(t, who[in].Bindings, d.Binding, "%s\n%+v\n%v", d, who, w.bindings)
						} else {
							require.Equal(t, d.Rule, who[in].Rule)
						}
					}
				}
			}
		}
	}
	require.Greater(t, min(yes, no), 10_000)
}

func TestWhat_AgreesWithDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	yes, no := 0, 0
	for range 400 {
		w := randomSmall(r, 9)
		a := NewAuthorizer(w.bindings, w.opts)
		for _, p := range w.principals {
			rights := a.What(p)
			used := make([]bool, len(rights.Allowed))
			for _, h := range w.hosts {
				for _, name := range w.names {
					_, covering := a.containing(area{name.Type, name.Name, oneName})
					for _, op := range w.operations {
						d := a.Decide(Question{p, h, op, name})
						granted := rights.SuperUser || rights.Uncovered && len(covering) == 0
						for i, g := range rights.Allowed {
							if a.matches(g.Binding, h, op, name.Name) && !slices.ContainsFunc(g.Except, func(e Binding) bool { return a.matches(e, h, op, name.Name) }) {
								granted, used[i] = true, true
								require.True(t, slices.Contains(g.Operations, op) || slices.Contains(g.Operations, All), "%s: %+v", d, g)
							}
						}
						require.Equal(t, d.Allowed, granted, "%s\n%+v\n%v", d, rights, w.bindings)
						if granted {
							yes++
						} else {
							no++
						}
					}
				}
			}
			require.NotContains(t, used, false, "grants that give nothing: %+v\n%v", rights, w.bindings)
		}
	}
	require.Greater(t, min(yes, no), 10_000)
}

// matches is the plain meaning of a binding, without an index.
func (a *Authorizer) matches(b Binding, host netip.Addr, op Operation, name string) bool {
	names, _ := areaOf(b.Resource)
	ops := allowedBy(op)
	if b.Permission == Deny {
		ops = deniedBy(op)
	}
	return a.contains(names, area{b.Resource.Type, name, oneName}) && opBit(b.Operation)&ops != 0 && parseHostSet(b.Host, a.engine == Standard).has(clientAddr(host))
}

func TestLint_Findings(t *testing.T) {
	topic := Resource{ResourceTopic, "orders", Literal}
	prefix := Resource{ResourceTopic, "ord", Prefixed}
	allow := func(p string, op Operation, r Resource) Binding { return Binding{p, everyHost, op, Allow, r} }
	deny := func(p string, op Operation, r Resource) Binding { return Binding{p, everyHost, op, Deny, r} }
	at := func(b Binding, host string) Binding { b.Host = host; return b }
	for name, c := range map[string]struct {
		bindings []Binding
		opts     AuthorizerOptions
		want     []holdfast.Finding
	}{
		"nothing": {bindings: []Binding{allow("User:a", Write, topic), allow("User:a", Describe, prefix), deny("User:b", Read, prefix), allow(everyone, Read, topic), allow("User:c", AlterConfigs, topic)}},
		"redundant": {
			bindings: []Binding{allow("User:a", Describe, topic), allow("User:a", Read, prefix)},
			want: []holdfast.Finding{{Control: ControlACLRedundant, Subject: "allow User:a Describe on topic:orders from *", Severity: holdfast.Low,
				Message: "it adds nothing to allow User:a Read on topic:ord* from *", Fix: revokeIt}},
		},
		"spelled out": {
			bindings: []Binding{allow("User:a", Describe, topic), allow("User:a", Write, topic), at(allow("User:b", DescribeConfigs, prefix), "10.0.0.1"), at(allow("User:b", AlterConfigs, prefix), "10.0.0.1")},
			want: []holdfast.Finding{
				{Control: ControlACLRedundant, Subject: "allow User:a Describe on topic:orders from *", Status: holdfast.Pass, Severity: holdfast.Info,
					Message: "it spells out what is implied by allow User:a Write on topic:orders from *", Fix: revokeIt},
				{Control: ControlACLRedundant, Subject: "allow User:b DescribeConfigs on topic:ord* from 10.0.0.1", Status: holdfast.Pass, Severity: holdfast.Info,
					Message: "it spells out what is implied by allow User:b AlterConfigs on topic:ord* from 10.0.0.1", Fix: revokeIt},
			},
		},
		"given by All, not implied": {
			bindings: []Binding{allow("User:a", Describe, topic), allow("User:a", All, topic)},
			want: []holdfast.Finding{{Control: ControlACLRedundant, Subject: "allow User:a Describe on topic:orders from *", Severity: holdfast.Low,
				Message: "it adds nothing to allow User:a All on topic:orders from *", Fix: revokeIt}},
		},
		"implied from elsewhere": {
			bindings: []Binding{at(allow("User:a", Describe, topic), "10.0.0.1"), allow("User:a", Read, topic), allow("User:b", Describe, Resource{ResourceTopic, "x", Literal}), allow(everyone, Read, Resource{ResourceTopic, "x", Prefixed})},
			want: []holdfast.Finding{
				{Control: ControlACLRedundant, Subject: "allow User:a Describe on topic:orders from 10.0.0.1", Severity: holdfast.Low,
					Message: "it adds nothing to allow User:a Read on topic:orders from *", Fix: revokeIt},
				{Control: ControlACLRedundant, Subject: "allow User:b Describe on topic:x from *", Severity: holdfast.Low,
					Message: "it adds nothing to allow User:* Read on topic:x* from *", Fix: revokeIt},
			},
		},
		"redundant by ranges together": {
			bindings: []Binding{at(allow("User:a", Read, topic), "10.0.0.0/8"), at(allow("User:a", All, prefix), "10.0.0.0/9"), at(allow(everyone, Read, topic), "10.128.0.0/9")},
			want: []holdfast.Finding{{Control: ControlACLRedundant, Subject: "allow User:a Read on topic:orders from 10.0.0.0/8", Severity: holdfast.Low,
				Message: "it adds nothing to allow User:* Read on topic:orders from 10.128.0.0/9 and allow User:a All on topic:ord* from 10.0.0.0/9", Fix: revokeIt}},
		},
		"redundant by addresses together": {
			bindings: []Binding{at(allow("User:a", Read, topic), "10.0.0.0/31"), at(allow("User:a", All, topic), "10.0.0.0"), at(allow("User:a", All, topic), "10.0.0.1")},
			want: []holdfast.Finding{{Control: ControlACLRedundant, Subject: "allow User:a Read on topic:orders from 10.0.0.0/31", Severity: holdfast.Low,
				Message: "it adds nothing to allow User:a All on topic:orders from 10.0.0.0 and allow User:a All on topic:orders from 10.0.0.1", Fix: revokeIt}},
		},
		"the wide one stays": {
			bindings: []Binding{at(allow("User:a", Read, topic), "10.0.0.0/8"), at(allow("User:a", Read, topic), "10.0.0.0/9"), at(allow("User:a", Read, topic), "10.128.0.0/9")},
			want: []holdfast.Finding{
				{Control: ControlACLRedundant, Subject: "allow User:a Read on topic:orders from 10.0.0.0/9", Severity: holdfast.Low,
					Message: "it adds nothing to allow User:a Read on topic:orders from 10.0.0.0/8", Fix: revokeIt},
				{Control: ControlACLRedundant, Subject: "allow User:a Read on topic:orders from 10.128.0.0/9", Severity: holdfast.Low,
					Message: "it adds nothing to allow User:a Read on topic:orders from 10.0.0.0/8", Fix: revokeIt},
			},
		},
		"contradictory and shadowed": {
			bindings: []Binding{allow("User:a", Write, topic), deny("User:a", Write, topic), allow("User:b", Create, topic), deny(everyone, Create, prefix)},
			want: []holdfast.Finding{
				{Control: ControlACLContradictory, Subject: "allow User:a Write on topic:orders from *", Severity: holdfast.High,
					Message: "it is denied as well: deny User:a Write on topic:orders from *; the deny wins", Fix: "revoke one of the two"},
				{Control: ControlACLShadowed, Subject: "allow User:b Create on topic:orders from *", Severity: holdfast.Medium,
					Message: "it never allows anything: all of it is denied by deny User:* Create on topic:ord* from *", Fix: "revoke it, or narrow what denies"},
			},
		},
		"without effect": {
			opts:     AuthorizerOptions{SuperUsers: []string{"User:root"}},
			bindings: []Binding{deny("User:root", Delete, topic), at(deny("User:a", Read, topic), "host.example"), deny("User:c", Read, topic), allow("User:a", Read, topic)},
			want: []holdfast.Finding{
				{Control: ControlACLWithoutEffect, Subject: "deny User:a Read on topic:orders from host.example", Severity: holdfast.High,
					Message: `host "host.example" is not an IP address and matches no client, because a broker compares it with the address, never with a name: ` +
						`allowed are "*", an IP address, or a range such as 10.0.0.0/8 (since 4.4)`, Fix: "write the host as the broker sees it, or revoke the binding"},
				{Control: ControlACLWithoutEffect, Subject: "deny User:root Delete on topic:orders from *", Severity: holdfast.High,
					Message: "User:root is a super user, to whom no binding applies", Fix: "revoke it, or take the principal out of super.users"},
				{Control: ControlACLWithoutEffect, Subject: "deny User:c Read on topic:orders from *", Severity: holdfast.Info,
					Message: "it denies what nothing allows", Fix: "revoke it, unless it guards against a grant to come"},
			},
		},
		"range before 4.4": {
			opts:     AuthorizerOptions{Engine: Standard40},
			bindings: []Binding{at(allow("User:a", Read, topic), "10.0.0.0/8")},
			want: []holdfast.Finding{{Control: ControlACLWithoutEffect, Subject: "allow User:a Read on topic:orders from 10.0.0.0/8", Severity: holdfast.Medium,
				Message: "its host is a range, which matches no client before Kafka 4.4", Fix: "write the host as the broker sees it, or revoke the binding"}},
		},
		"lockout": {
			opts: AuthorizerOptions{AllowEveryone: true},
			bindings: []Binding{allow("User:b", Read, topic), allow("User:a", Read, topic), deny("User:x", Read, Resource{ResourceGroup, "g", Literal}),
				allow(everyone, All, Resource{ResourceTopic, "open", Literal}), deny("User:x", All, Resource{ResourceTopic, "open", Literal})},
			want: []holdfast.Finding{
				{Control: ControlACLLockout, Subject: "group:g", Severity: holdfast.High,
					Message: "bindings on it (1) end what allow.everyone.if.no.acl.found gives everyone: they give nobody any access",
					Fix:     "set allow.everyone.if.no.acl.found to false and grant what is needed, or revoke all bindings on it"},
				{Control: ControlACLLockout, Subject: "topic:orders", Severity: holdfast.High,
					Message: "bindings on it (2) end what allow.everyone.if.no.acl.found gives everyone: they give access only to User:a and User:b",
					Fix:     "set allow.everyone.if.no.acl.found to false and grant what is needed, or revoke all bindings on it"},
			},
		},
		"hangs": {
			bindings: []Binding{allow("User:a", Read, Resource{ResourceGroup, "!ab", Literal}), allow("User:a", Read, Resource{ResourceTransactionalID, "#", Literal})},
			want: []holdfast.Finding{{Control: ControlACLHangs, Subject: "group:!ab", Severity: holdfast.Critical,
				Message: `StandardAuthorizer never answers for other names that begin with "!": any client that sends one occupies a request thread for good`,
				Fix:     `give the resource a name that begins with a letter, a digit or one of "-./:_"`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.want {
				if c.want[i].Status == "" {
					c.want[i].Status = holdfast.Fail
				}
			}
			require.Equal(t, c.want, NewAuthorizer(c.bindings, c.opts).Lint())
		})
	}
}

// Lint says that an authorizer hangs where Decide says it of some name.
func TestLint_HangsWhereDecideFails(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	chars := []string{"!", "#", "*", "a", "b"}
	var names []string
	for _, x := range chars {
		names = append(names, x)
		for _, y := range chars {
			names = append(names, x+y, x+y+"~")
		}
	}
	seen := [2]int{}
	for range 1_000 {
		var bindings []Binding
		for range 1 + r.IntN(3) {
			bindings = append(bindings, Binding{"User:a", everyHost, Read, Allow, Resource{ResourceGroup, choose(r, names), choose(r, []Pattern{Literal, Prefixed})}})
		}
		a := NewAuthorizer(bindings, AuthorizerOptions{})
		fails := slices.ContainsFunc(names, func(n string) bool {
			return a.Decide(Question{"User:b", netip.Addr{}, Read, Resource{ResourceGroup, n, Literal}}).Rule == RuleFails
		})
		found := slices.ContainsFunc(a.Lint(), func(f holdfast.Finding) bool { return f.Control == ControlACLHangs })
		require.Equal(t, fails, found, "%v", bindings)
		if fails {
			seen[1]++
		} else {
			seen[0]++
		}
		require.False(t, slices.ContainsFunc(NewAuthorizer(bindings, AuthorizerOptions{Engine: ZooKeeper}).Lint(),
			func(f holdfast.Finding) bool { return f.Control == ControlACLHangs }))
	}
	require.Greater(t, min(seen[0], seen[1]), 50)
}
