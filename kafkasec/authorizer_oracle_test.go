package kafkasec

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

// oracleCase is a case of AuthorizerCase.java.
type oracleCase struct {
	SuperUsers    string           `json:"superUsers"`
	AllowEveryone bool             `json:"allowEveryone"`
	Bindings      []oracleBinding  `json:"bindings"`
	Questions     []oracleQuestion `json:"questions"`
}

type oracleBinding struct {
	Type       int8   `json:"type"`
	Pattern    int8   `json:"pattern"`
	Operation  int8   `json:"operation"`
	Permission int8   `json:"permission"`
	Name       string `json:"name"`
	Principal  string `json:"principal"`
	Host       string `json:"host"`
}

type oracleQuestion struct {
	PrincipalType string `json:"principalType"`
	Principal     string `json:"principal"`
	Host          string `json:"host"`
	Type          int8   `json:"type"`
	Operation     int8   `json:"operation"`
	Name          string `json:"name"`
	Any           bool   `json:"any"`
}

type oracleAnswer struct {
	Allowed bool
	Rule    string
	Why     string
	Binding int
}

// world is a random set of bindings and questions about it.
type world struct {
	bindings   []Binding
	superUsers string
	everyone   bool
	questions  []Question
	any        []bool // asks for any resource of the type
}

func (w world) oracle() oracleCase {
	c := oracleCase{SuperUsers: w.superUsers, AllowEveryone: w.everyone, Bindings: []oracleBinding{}, Questions: []oracleQuestion{}}
	for _, b := range w.bindings {
		typ, pattern := b.Resource.wire()
		c.Bindings = append(c.Bindings, oracleBinding{int8(typ), int8(pattern), int8(b.Operation.wire()), int8(b.Permission.wire()),
			b.Resource.Name, b.Principal, b.Host})
	}
	for i, q := range w.questions {
		typ, _ := q.Resource.wire()
		kind, name, _ := strings.Cut(q.Principal, ":")
		c.Questions = append(c.Questions, oracleQuestion{kind, name, q.Host.String(), int8(typ), int8(q.Operation.wire()), q.Resource.Name, w.any[i]})
	}
	return c
}

func (w world) authorizer(t testing.TB, engine Engine) *Authorizer {
	users, err := ParseSuperUsers(w.superUsers)
	require.NoError(t, err)
	return NewAuthorizer(w.bindings, AuthorizerOptions{Engine: engine, SuperUsers: users, AllowEveryone: w.everyone})
}

// Small pools, so that bindings overlap and questions meet them.
var (
	poolPrincipals = []string{"User:a", "User:a", "User:b", "User:c", everyone, "User:CN=a,O=x:y", "user:a", "Group:a"}
	poolClients    = []string{"User:a", "User:a", "User:b", "User:c", "User:d", "User:CN=a,O=x:y", "Group:a"}
	poolTopics     = []string{"a", "ab", "abc", "abd", "b", "orders", "orders.eu", "*", "hard", "hardcode"}
	// Names of groups are free: half of a surrogate pair sorts before U+FF5A.
	poolGroups = []string{"a", "ab", "abc", "*", "*a", "*ab", "ｚ", "𝟗", "𝟗x", "/", "é"}
	poolHosts  = []string{everyHost, everyHost, everyHost, "10.0.0.1", "10.0.0.2", "10.1.0.1", "10.0.0.0/8", "10.99.0.0/8", "010.0.0.0/8", "10.0.0.0/31",
		"10.0.0.1/32", "0.0.0.0/0", "0.0.0.0", "::/0", "0:0:0:0:0:0:0:1", "::1", "fe80::/10", "fe80:0:0:0:0:0:0:1", "FE80::1/128",
		"fe80:0:0:0:0:0:0:1%1", "host.example", "10.0.0.0/33", "::ffff:10.0.0.0/104"}
	poolAddrs = []string{"10.0.0.1", "10.0.0.1", "10.0.0.2", "10.1.0.1", "10.0.0.0", "192.0.2.1", "0.0.0.0", "::1", "fe80::1", "fe80::1%1", "::ffff:10.0.0.1"}
	topicOps  = []Operation{All, Read, Write, Create, Delete, Alter, Describe, DescribeConfigs, AlterConfigs}
	groupOps  = []Operation{All, Read, Delete, Describe, DescribeConfigs, AlterConfigs}
)

func choose[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// lowGroups sort behind "*", where StandardAuthorizer goes astray.
var lowGroups = []string{"!", "!a", "!ab", "!b", "#a", "(x", "*", "*", "*", "a"}

// randomWorld has n questions about up to 14 bindings. Each world leans one way
// or the other, so that all paths are taken.
func randomWorld(r *rand.Rand, groups []string, n int) world {
	w := world{everyone: r.IntN(3) == 0, superUsers: choose(r, []string{"", "", "", "", "User:a", "User:b ; User:c", " User:d;;Group:a;", "User:*"})}
	deny, wide := r.IntN(6), r.IntN(3)
	resource := func() Resource {
		if r.IntN(3) == 0 {
			return Resource{ResourceGroup, choose(r, groups), Literal}
		}
		return Resource{ResourceTopic, choose(r, poolTopics), Literal}
	}
	operation := func(typ ResourceType) Operation {
		if typ == ResourceGroup {
			return choose(r, groupOps)
		}
		return choose(r, topicOps)
	}
	for range r.IntN(25) {
		res := resource()
		switch r.IntN(4) {
		case 0, 1:
			res.Pattern = Prefixed
		case 2:
			if wide == 0 {
				res.Name = anyName
			}
		}
		b := Binding{choose(r, poolPrincipals), choose(r, poolHosts), operation(res.Type), Allow, res}
		if r.IntN(10) < deny {
			b.Permission = Deny
		}
		if wide == 0 && r.IntN(2) == 0 {
			b.Operation = All
		}
		if len(w.bindings) > 0 && r.IntN(4) == 0 {
			b = choose(r, w.bindings) // from elsewhere, or a range in other words
			b.Host = choose(r, poolHosts)
		}
		w.bindings = append(w.bindings, b)
	}
	for range n {
		res := resource()
		q := Question{choose(r, poolClients), netip.MustParseAddr(choose(r, poolAddrs)), operation(res.Type), res}
		if len(w.bindings) > 0 && r.IntN(3) > 0 {
			q = near(r, choose(r, w.bindings), q)
		}
		w.questions = append(w.questions, q)
		w.any = append(w.any, r.IntN(8) == 0)
	}
	return w
}

// near moves a question towards a binding.
func near(r *rand.Rand, b Binding, q Question) Question {
	if b.Principal != everyone {
		q.Principal = b.Principal
	}
	q.Resource.Type = b.Resource.Type
	if b.Resource.Name != anyName || b.Resource.Pattern == Prefixed {
		q.Resource.Name = b.Resource.Name
	}
	if b.Resource.Pattern == Prefixed {
		q.Resource.Name += choose(r, []string{"", "a", "b", "𝟗"})
	}
	if host := parseHostSet(b.Host, true); host.kind == hostAddress {
		q.Host = host.addr
	} else if host.kind == hostRange {
		q.Host = host.prefix.Addr()
	}
	switch {
	case r.IntN(4) == 0:
		q.Operation = Describe
	case b.Operation != All:
		q.Operation = b.Operation
	}
	return q
}

// worlds makes random worlds with at least n questions in all.
func worlds(seed uint64, groups []string, n int) []world {
	r := rand.New(rand.NewPCG(seed, 0x61636c73))
	var all []world
	for n > 0 {
		w := randomWorld(r, groups, 12)
		all, n = append(all, w), n-len(w.questions)
	}
	return all
}

func askAuthorizer(t *testing.T, main, kafka string, all []world) [][]oracleAnswer {
	t.Helper()
	cases := make([]oracleCase, len(all))
	for i, w := range all {
		cases[i] = w.oracle()
	}
	var answers [][]oracleAnswer
	oracle.Start(t, oracle.Options{Main: main, Component: "kafka-" + kafka}).Ask(t, cases, &answers)
	require.Len(t, answers, len(all))
	return answers
}

// paths counts which way the answers came about.
type paths map[string]int

func (p paths) add(d Decision) {
	p["pairs"]++
	if d.Allowed {
		p["allowed"]++
	}
	p[string(d.Rule)]++
	b := d.Binding
	if b == (Binding{}) {
		return
	}
	if b.Resource.Pattern == Prefixed {
		p["prefix"]++
	} else if b.Resource.Name == anyName {
		p["wildcard name"]++
	}
	if b.Principal == everyone {
		p["wildcard principal"]++
	}
	switch parseHostSet(b.Host, true).kind {
	case hostAddress:
		p["host"]++
	case hostRange:
		p["range"]++
	}
}

// require holds that each path decided often enough, and 30 to 70 % are allowed.
func (p paths) require(t *testing.T, least int, names ...string) {
	t.Helper()
	var table strings.Builder
	for _, k := range slices.Sorted(mapsKeys(p)) {
		fmt.Fprintf(&table, "%8d %5.1f%% %s\n", p[k], 100*float64(p[k])/float64(p["pairs"]), k)
	}
	t.Logf("\n%s", table.String())
	for _, name := range names {
		require.GreaterOrEqual(t, p[name], least, name)
	}
	require.InDelta(t, 0.5, float64(p["allowed"])/float64(p["pairs"]), 0.2, "share of allowed")
}

func mapsKeys(p paths) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range p {
			if !yield(k) {
				return
			}
		}
	}
}

var allPaths = []string{string(RuleDeny), "prefix", "wildcard name", "wildcard principal", "host", string(RuleSuperUser), string(RuleImplied)}

// leastOften is how often each path must decide, of n pairs.
func leastOften() int { return oracle.Count(20, 500) }

// Real StandardAuthorizers of three releases and we give the same answers by the
// same rule, and name the same binding.
func TestOracle_StandardAuthorizer(t *testing.T) {
	for _, release := range []struct {
		kafka      string
		engine     Engine
		seed, n    int
		everyPath  []string
		fullNumber int
	}{
		{"4.4.0", Standard, 1, oracle.Count(3_000, 24_000), append([]string{"range"}, allPaths...), 20_000},
		{"4.3.1", Standard40, 2, oracle.Count(1_200, 12_000), nil, 0},
		{"3.9.2", Standard30, 3, oracle.Count(1_200, 12_000), nil, 0},
	} {
		t.Run(release.kafka, func(t *testing.T) {
			all := worlds(uint64(release.seed), poolGroups, release.n)
			seen := compareStandard(t, release.kafka, release.engine, all)
			seen["no-acl"] = seen[string(RuleNoACLAllow)] + seen[string(RuleNoACLDeny)]
			if release.everyPath != nil {
				require.GreaterOrEqual(t, seen["pairs"], oracle.Count(2_000, release.fullNumber))
				seen.require(t, leastOften(), append([]string{string(RuleNoACLAllow), string(RuleNoACLDeny), string(RuleDefaultDeny)}, release.everyPath...)...)
			}
		})
	}
}

// compareStandard requires the answers of a real StandardAuthorizer.
func compareStandard(t *testing.T, kafka string, engine Engine, all []world) paths {
	t.Helper()
	seen := paths{}
	for i, answers := range askAuthorizer(t, "StandardAuthorizerOracle", kafka, all) {
		w := all[i]
		a := w.authorizer(t, engine)
		for j, q := range w.questions {
			want := answers[j]
			if w.any[j] {
				require.Equal(t, want.Allowed, a.DecideAny(q.Principal, q.Host, q.Operation, q.Resource.Type), "any of %+v\n%+v", q, w)
				seen["any of a type"]++
				continue
			}
			got := a.Decide(q)
			seen.add(got)
			require.Equal(t, want.Allowed, got.Allowed, "%s\n%+v\n%+v", got, want, w)
			require.Equal(t, want.Rule, kafkasRule(got.Rule), "%s\n%+v\n%+v", got, want, w)
			if want.Binding >= 0 {
				require.Equal(t, w.bindings[want.Binding], got.Binding, "%s\n%+v", got, w)
			} else {
				require.Zero(t, got.Binding)
			}
			if want.Rule == string(RuleFails) {
				why, _, _ := strings.Cut(want.Why, ":")
				seen["fails: "+why]++
			}
		}
	}
	return seen
}

// Names behind "*" and the client "User:*" make StandardAuthorizers throw or
// walk in circles, and we know for which questions.
func TestOracle_StandardAuthorizerFails(t *testing.T) {
	for _, release := range []struct {
		kafka  string
		engine Engine
	}{{"4.4.0", Standard}, {"4.3.1", Standard40}, {"3.9.2", Standard30}} {
		all := worlds(5, lowGroups, oracle.Count(3_600, 12_000))
		for i := range all {
			all[i].questions[0].Principal = everyone
		}
		seen := compareStandard(t, release.kafka, release.engine, all)
		for _, k := range slices.Sorted(mapsKeys(seen)) {
			if strings.HasPrefix(k, "fails") {
				t.Log(release.kafka, seen[k], k)
			}
		}
		whys := []string{"AuthorizerCase$EndlessLoop", "java.lang.StringIndexOutOfBoundsException"}
		if release.engine != Standard30 {
			whys = append(whys, "java.lang.IllegalArgumentException")
		}
		for _, why := range whys {
			require.Positive(t, seen["fails: "+why], why)
		}
	}
}

func kafkasRule(r Rule) string {
	switch r {
	case RuleDeny, RuleAllow, RuleImplied:
		return "acl"
	case RuleNoACLAllow, RuleNoACLDeny:
		return "no-acl"
	}
	return string(r)
}

// The AclAuthorizer of ZooKeeper clusters, which says yes or no only.
func TestOracle_AclAuthorizer(t *testing.T) {
	all := worlds(4, poolGroups, oracle.Count(3_000, 48_000))
	for i := range all {
		// It does not start with empty parts in between.
		all[i].superUsers = strings.ReplaceAll(all[i].superUsers, ";;", ";")
	}
	seen := paths{}
	for i, answers := range askAuthorizer(t, "AclAuthorizerOracle", "3.9.2", all) {
		w := all[i]
		a := w.authorizer(t, ZooKeeper)
		for j, q := range w.questions {
			if w.any[j] {
				require.Equal(t, answers[j].Allowed, a.DecideAny(q.Principal, q.Host, q.Operation, q.Resource.Type), "any of %+v\n%+v", q, w)
				continue
			}
			got := a.Decide(q)
			seen.add(got)
			require.Equal(t, answers[j].Allowed, got.Allowed, "%s\n%+v\n%+v", got, answers[j], w)
		}
	}
	require.GreaterOrEqual(t, seen["pairs"], 2_000)
	seen.require(t, leastOften(), append([]string{string(RuleNoACLAllow), string(RuleNoACLDeny), string(RuleDefaultDeny)}, allPaths...)...)
}
