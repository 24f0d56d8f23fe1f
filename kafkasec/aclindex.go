package kafkasec

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// everyone is the only principal of a binding that is a wildcard.
const everyone = "User:*"

// anyName is the name of the wildcard resource, whose pattern is literal.
const anyName = "*"

// aclIndex finds the bindings that cover a question, without walking over
// others. It does not change once it is built.
type aclIndex struct {
	// all is in the order in which StandardAuthorizer walks, without duplicates.
	all   []Binding
	hosts []hostSet // of all, one by one
	types map[ResourceType]*typeIndex
	// byPrincipal lists the bindings of a principal, ascending in all.
	byPrincipal map[string][]int32
}

// typeIndex is the bindings of one resource type.
type typeIndex struct {
	literal, prefixed map[string]int32 // name → resource, counted within the type
	// prefixLengths are those that occur, longest first.
	prefixLengths []int
	grants        map[grantKey]*principalACLs
	// patterns are the resources by number, and spans their bindings in
	// aclIndex.all, from the first up to the one behind the last.
	patterns []Resource
	spans    [][2]int32
	// low are the names that sort behind "*", which StandardAuthorizer walks into
	// once more; see scanLow.
	low []string
}

type grantKey struct {
	resource  int32
	principal string
}

// principalACLs is the bindings of one principal on one resource by their host.
// Each question meets at most one entry per operation and permission of "*", of
// the client's address, and of each length of range.
type principalACLs struct {
	every     []aclEntry
	addresses map[netip.Addr][]aclEntry
	ranges    map[netip.Prefix][]aclEntry
	// bits are the lengths of ranges that occur, by family.
	bits4, bits6 []int
}

type aclEntry struct {
	operation opSet // one bit
	deny      bool
	binding   int32
}

// opSet is a set of operations, one bit for each code of Kafka's.
type opSet uint32

// opBit is empty for operations that this version does not know, so that they
// match no question.
func opBit(o Operation) opSet {
	code := slices.Index(wireOperations[:], o)
	if code < 0 || o == "" {
		return 0
	}
	return 1 << code
}

// deniedBy is the operations of bindings that deny the asked one.
func deniedBy(asked Operation) opSet { return opBit(asked) | opBit(All) }

// allowedBy is the operations of bindings that allow the asked one. What is
// implied is implied for Allow only (StandardAuthorizerData.findResult, and
// AclAuthorizer.authorizeAction before).
func allowedBy(asked Operation) opSet {
	set := deniedBy(asked)
	switch asked {
	case Describe:
		set |= opBit(Read) | opBit(Write) | opBit(Delete) | opBit(Alter)
	case DescribeConfigs:
		set |= opBit(AlterConfigs)
	}
	return set
}

func newACLIndex(bindings []Binding, ranges bool) *aclIndex {
	x := &aclIndex{all: slices.Clone(bindings), types: map[ResourceType]*typeIndex{}, byPrincipal: map[string][]int32{}}
	slices.SortFunc(x.all, compareScan)
	x.all = slices.Clip(slices.Compact(x.all))
	x.hosts = make([]hostSet, len(x.all))
	for i, b := range x.all {
		x.hosts[i] = parseHostSet(b.Host, ranges)
		x.byPrincipal[b.Principal] = append(x.byPrincipal[b.Principal], int32(i))
		t := x.types[b.Resource.Type]
		if t == nil {
			t = &typeIndex{literal: map[string]int32{}, prefixed: map[string]int32{}, grants: map[grantKey]*principalACLs{}}
			x.types[b.Resource.Type] = t
		}
		t.add(b, x.hosts[i], int32(i))
	}
	for _, t := range x.types {
		slices.SortFunc(t.prefixLengths, func(a, b int) int { return cmp.Compare(b, a) })
	}
	return x
}

// add is called in the order of aclIndex.all.
func (t *typeIndex) add(b Binding, host hostSet, i int32) {
	names := t.literal
	switch b.Resource.Pattern {
	case Literal:
	case Prefixed:
		names = t.prefixed
		if n := len(b.Resource.Name); !slices.Contains(t.prefixLengths, n) {
			t.prefixLengths = append(t.prefixLengths, n)
		}
	default:
		return // nobody knows what it covers
	}
	r, ok := names[b.Resource.Name]
	if !ok {
		r = int32(len(t.patterns))
		names[b.Resource.Name] = r
		t.patterns = append(t.patterns, b.Resource)
		t.spans = append(t.spans, [2]int32{i, i})
		if isLow(b.Resource.Name) && (len(t.low) == 0 || t.low[len(t.low)-1] != b.Resource.Name) {
			t.low = append(t.low, b.Resource.Name)
		}
	}
	t.spans[r][1] = i + 1
	key := grantKey{r, b.Principal}
	g := t.grants[key]
	if g == nil {
		g = &principalACLs{}
		t.grants[key] = g
	}
	g.add(aclEntry{opBit(b.Operation), b.Permission == Deny, i}, b.Permission, host)
}

func (g *principalACLs) add(e aclEntry, p Permission, host hostSet) {
	if e.operation == 0 || p != Allow && p != Deny {
		return // of a newer broker: it covers, and nobody knows whom it lets in
	}
	switch host.kind {
	case hostEveryone:
		g.every = withEntry(g.every, e)
	case hostAddress:
		if g.addresses == nil {
			g.addresses = map[netip.Addr][]aclEntry{}
		}
		g.addresses[host.addr] = withEntry(g.addresses[host.addr], e)
	case hostRange:
		if g.ranges == nil {
			g.ranges = map[netip.Prefix][]aclEntry{}
		}
		g.ranges[host.prefix] = withEntry(g.ranges[host.prefix], e)
		bits := &g.bits6
		if host.prefix.Addr().Is4() {
			bits = &g.bits4
		}
		if n := host.prefix.Bits(); !slices.Contains(*bits, n) {
			*bits = append(*bits, n)
		}
	}
}

// withEntry keeps, where a range is written in several ways, the binding that
// decides: the first that denies and the last that allows.
func withEntry(entries []aclEntry, e aclEntry) []aclEntry {
	i := slices.IndexFunc(entries, func(o aclEntry) bool { return o.operation == e.operation && o.deny == e.deny })
	switch {
	case i < 0:
		return append(entries, e)
	case !e.deny:
		entries[i] = e
	}
	return entries
}

// compareScan is StandardAcl.compareTo: by type, name in reverse, pattern,
// operation, principal, host, permission. Kafka compares Java strings.
func compareScan(a, b Binding) int {
	if c := cmp.Compare(slices.Index(wireResources[:], a.Resource.Type), slices.Index(wireResources[:], b.Resource.Type)); c != 0 {
		return c
	}
	if c := compareJava(b.Resource.Name, a.Resource.Name); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Resource.Pattern, b.Resource.Pattern); c != 0 { // literal, prefixed
		return c
	}
	if c := cmp.Compare(opBit(a.Operation), opBit(b.Operation)); c != 0 {
		return c
	}
	if c := compareJava(a.Principal, b.Principal); c != 0 {
		return c
	}
	if c := compareJava(a.Host, b.Host); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Permission, a.Permission); c != 0 { // deny, allow
		return c
	}
	return a.Compare(b) // types and operations of a newer broker
}

// compareJava is String.compareTo, which compares UTF-16 code units: what needs
// two of them sorts before U+E000, where UTF-8 has it behind.
func compareJava(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			for i > 0 && !utf8.RuneStart(a[i]) {
				i-- // both have the same bytes before
			}
			ra, _ := utf8.DecodeRuneInString(a[i:])
			rb, _ := utf8.DecodeRuneInString(b[i:])
			if (ra >= 0x10000) != (rb >= 0x10000) {
				ra, rb = firstUnit(ra), firstUnit(rb)
			}
			return cmp.Compare(ra, rb)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func firstUnit(r rune) rune {
	if r >= 0x10000 {
		return 0xd800 + (r-0x10000)>>10
	}
	return r
}

// isLow reports whether a name sorts behind "*" in the order of the scan,
// other than by being "*" itself or beginning with it.
func isLow(name string) bool { return name != "" && name[0] < anyName[0] }

// asked is a question in the terms of the index.
type asked struct {
	principal   string
	addr        netip.Addr // Unmapped
	deny, allow opSet
}

// match is the bindings that decide among those looked at so far.
type match struct {
	deny, allow int32 // -1: none
	covered     bool
}

var noMatch = match{deny: -1, allow: -1}

// scanChain looks at the bindings on the name itself and on its prefixes.
func (t *typeIndex) scanChain(name string, q *asked) match {
	m := noMatch
	if r, ok := t.literal[name]; ok {
		t.look(r, q, &m)
	}
	for _, n := range t.prefixLengths {
		if n <= len(name) {
			if r, ok := t.prefixed[name[:n]]; ok {
				t.look(r, q, &m)
			}
		}
	}
	return m
}

// look adds the bindings on one resource.
func (t *typeIndex) look(r int32, q *asked, m *match) {
	m.covered = true
	if g := t.grants[grantKey{r, q.principal}]; g != nil {
		g.look(q, m)
	}
	if q.principal != everyone {
		if g := t.grants[grantKey{r, everyone}]; g != nil {
			g.look(q, m)
		}
	}
}

func (g *principalACLs) look(q *asked, m *match) {
	lookEntries(g.every, q, m)
	if g.addresses != nil {
		lookEntries(g.addresses[q.addr], q, m)
	}
	if g.ranges == nil {
		return
	}
	addr, bits := rangeAddr(q.addr), g.bits6
	if addr.Is4() {
		bits = g.bits4
	}
	for _, n := range bits {
		if prefix, err := addr.Prefix(n); err == nil {
			lookEntries(g.ranges[prefix], q, m)
		}
	}
}

func lookEntries(entries []aclEntry, q *asked, m *match) {
	for _, e := range entries {
		switch {
		case e.deny && e.operation&q.deny != 0:
			if m.deny < 0 || e.binding < m.deny {
				m.deny = e.binding
			}
		case !e.deny && e.operation&q.allow != 0:
			m.allow = max(m.allow, e.binding)
		}
	}
}

// scanLow continues a scan of StandardAuthorizerData.checkSection behind "*" for
// a name that sorts there. It comes by the chain's prefixes once more, and the
// last that allows decides. Where it meets a name that only begins like the
// asked one it never ends, or throws, because it cuts its place in the walk from
// the name "*" (4.4.0, 4.3.1 and 3.9.2): then it reports false.
func (t *typeIndex) scanLow(name string, q *asked, m *match) bool {
	if _, ok := t.prefixed[anyName]; ok {
		return true // it begins unlike the name, and ends the walk
	}
	for _, low := range t.low {
		if !strings.HasPrefix(name, low) {
			return low[0] != name[0]
		}
		again := noMatch
		if r, ok := t.literal[low]; ok && low == name {
			t.look(r, q, &again)
		}
		if r, ok := t.prefixed[low]; ok {
			t.look(r, q, &again)
		}
		if again.allow >= 0 {
			m.allow = again.allow
		}
	}
	return true
}
