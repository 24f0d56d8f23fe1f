package kafkasec

import (
	"cmp"
	"slices"
)

// ineffective is a binding without which every answer is the same.
type ineffective struct {
	binding int32
	why     ineffectiveReason
	// because are the bindings that make it so.
	because []int32
}

type ineffectiveReason uint8

const (
	// covered: others give, or deny, all that it does.
	covered ineffectiveReason = iota
	// beaten: an Allow, all of which is denied.
	beaten
	// pointless: a Deny of what nothing allows.
	pointless
	// unmatched: its host is one that no client has.
	unmatched
	// superUser: its principal is one, to whom no binding applies.
	superUser
	// openAnyway: it gives everybody what allow.everyone.if.no.acl.found gives.
	openAnyway
)

// effects finds the bindings that have no effect, such that all of them can go
// at once. It judges one after the other, each against those that are still
// there, narrow ones first so that of two the wider one stays; and denies before
// allows, so that a deny which beats an allow is not called pointless for it.
//
// The argument rests on [area], [hostSet] and operations being nested or
// disjoint. A binding is a box: principal × host × operation × names. If no
// other binding has all of its principals, operations and names, a question
// inside that no smaller box reaches shows its effect; if some have, they have
// them everywhere, and only their hosts are left to compare. Names and
// principals of clients are free, so smaller boxes never use up a larger one;
// only hosts can, see hostSet.uncovered.
type effects struct {
	*Authorizer
	gone  []bool
	on    map[resourcePrincipal]*hostIndex
	count map[Resource]int // bindings that are still there
}

type resourcePrincipal struct {
	resource  Resource
	principal string
}

func (a *Authorizer) ineffective() []ineffective {
	e := &effects{a, make([]bool, len(a.all)), map[resourcePrincipal]*hostIndex{}, map[Resource]int{}}
	order := make([]int32, len(a.all))
	for i, b := range a.all {
		key := resourcePrincipal{b.Resource, b.Principal}
		if e.on[key] == nil {
			e.on[key] = &hostIndex{}
		}
		e.on[key].add(a.hosts[i], int32(i))
		e.count[b.Resource]++
		order[i] = int32(i)
	}
	for _, x := range e.on {
		x.sort()
	}
	slices.SortStableFunc(order, e.narrowFirst)
	var found []ineffective
	for _, permission := range []Permission{Deny, Allow} {
		for _, i := range order {
			b := a.all[i]
			names, known := areaOf(b.Resource)
			if !known || opBit(b.Operation) == 0 || b.Permission != permission {
				continue // nobody knows the effect of those from a newer broker
			}
			if f, none := e.judge(i, names); none {
				e.gone[i] = true
				e.count[b.Resource]--
				found = append(found, f)
			}
		}
	}
	return found
}

// narrowFirst orders a binding before those whose box contains its own.
func (e *effects) narrowFirst(i, j int32) int {
	b, c := e.all[i], e.all[j]
	less := func(narrow, wide bool) int {
		switch {
		case wide && !narrow:
			return -1
		case narrow && !wide:
			return 1
		}
		return 0
	}
	nb, _ := areaOf(b.Resource)
	nc, _ := areaOf(c.Resource)
	width := func(o Operation) int {
		if o == All {
			return 3
		}
		return len(gives(o))
	}
	return cmp.Or(
		less(b.Principal == everyone, c.Principal == everyone),
		cmp.Compare(width(b.Operation), width(c.Operation)),
		cmp.Compare(nb.kind, nc.kind),
		cmp.Compare(len(nc.name), len(nb.name)),
		cmp.Compare(e.hosts[i].kind, e.hosts[j].kind),
		cmp.Compare(e.hosts[j].prefix.Bits(), e.hosts[i].prefix.Bits()),
	)
}

// judge reports whether the binding has no effect on any answer.
func (e *effects) judge(i int32, names area) (ineffective, bool) {
	b := e.all[i]
	f := ineffective{binding: i}
	if e.allowEveryone && !e.coveredWithout(i, names) {
		// With it gone, names become open to all. That takes nothing from whom it
		// denies or does not mention, unless it mentions everybody.
		if b.Permission != Allow || b.Principal != everyone || b.Operation != All || b.Host != everyHost {
			return f, false
		}
		f.why = openAnyway
		return f, !e.opensNarrower(i, names)
	}
	switch {
	case e.hosts[i].empty():
		f.why = unmatched
		return f, true
	case e.isSuperUser[b.Principal] && b.Principal != everyone:
		f.why = superUser
		return f, true
	case b.Permission == Deny:
		return e.judgeDeny(i, names)
	}
	f.why = beaten
	for _, op := range gives(b.Operation) {
		allowing, denying := e.deciders(i, b.Principal, e.hosts[i], op, names)
		if e.hosts[i].uncovered(e.hostSets(denying)) {
			f.why = covered
			denying = append(denying, allowing...)
			if e.hosts[i].uncovered(e.hostSets(denying)) {
				return f, false
			}
		}
		f.because = append(f.because, e.enough(i, denying)...)
	}
	slices.Sort(f.because)
	f.because = slices.Compact(f.because)
	return f, true
}

// coveredWithout reports whether other bindings cover all names of the area.
func (e *effects) coveredWithout(i int32, names area) bool {
	t, resources := e.containing(names)
	return slices.ContainsFunc(resources, func(r int32) bool {
		n := e.count[t.patterns[r]]
		if t.patterns[r] == e.all[i].Resource {
			n--
		}
		return n > 0
	})
}

// opensNarrower reports whether a binding that gives everything to everybody
// matters to a resource inside its own, where others let only some in.
func (e *effects) opensNarrower(i int32, names area) bool {
	all := hostSet{kind: hostEveryone}
	for _, r := range e.types[names.typ].patterns {
		inner, known := areaOf(r)
		if !known || r == e.all[i].Resource || e.count[r] == 0 || !e.contains(names, inner) {
			continue
		}
		allowing, denying := e.deciders(i, everyone, all, All, inner)
		if all.uncovered(e.hostSets(append(allowing, denying...))) {
			return true
		}
	}
	// The corner of meet: a name that others may cover without being nested.
	star := area{names.typ, anyName, oneName}
	if !e.contains(names, star) || !e.coveredWithout(i, star) {
		return false
	}
	allowing, denying := e.deciders(i, everyone, all, All, star)
	return all.uncovered(e.hostSets(append(allowing, denying...)))
}

// deciders are the bindings besides i that decide about the operation for every
// client of the principal ("User:*" being those that have no binding) and every
// name of the area, from some of the hosts.
func (e *effects) deciders(i int32, principal string, host hostSet, op Operation, names area) (allowing, denying []int32) {
	var met []int32
	t, resources := e.containing(names)
	for _, r := range resources {
		for _, p := range e.matching(principal) {
			x := e.on[resourcePrincipal{t.patterns[r], p}]
			if x == nil {
				continue
			}
			met = x.appendMeeting(met[:0], host)
			for _, j := range met {
				bit := opBit(e.all[j].Operation)
				switch {
				case j == i || e.gone[j]:
				case e.all[j].Permission == Deny && bit&deniedBy(op) != 0:
					denying = append(denying, j)
				case e.all[j].Permission == Allow && bit&allowedBy(op) != 0:
					allowing = append(allowing, j)
				}
			}
		}
	}
	return allowing, denying
}

// judgeDeny looks for something allowed that only this binding denies.
func (e *effects) judgeDeny(i int32, names area) (ineffective, bool) {
	b := e.all[i]
	_, denying := e.deciders(i, b.Principal, e.hosts[i], b.Operation, names)
	if !e.hosts[i].uncovered(e.hostSets(denying)) {
		return ineffective{i, covered, e.enough(i, denying)}, true
	}
	beats := func(j int32) bool {
		c := e.all[j]
		inner, known := areaOf(c.Resource)
		host := e.hosts[i].meet(e.hosts[j])
		if c.Permission != Allow || !known || opBit(c.Operation) == 0 || host.empty() {
			return false
		}
		principal := b.Principal
		if principal == everyone {
			principal = c.Principal
		}
		inner, some := e.meet(names, inner)
		if !some || e.isSuperUser[principal] && principal != everyone {
			return false
		}
		for _, op := range wireOperations[2:] {
			if opBit(b.Operation)&deniedBy(op) == 0 || opBit(c.Operation)&allowedBy(op) == 0 {
				continue
			}
			_, denying := e.deciders(i, principal, host, op, inner)
			if host.uncovered(e.hostSets(denying)) {
				return true
			}
		}
		return false
	}
	if b.Principal == everyone {
		for j := range e.all {
			if e.all[j].Resource.Type == b.Resource.Type && beats(int32(j)) {
				return ineffective{}, false
			}
		}
	}
	for _, p := range e.matching(b.Principal) {
		if slices.ContainsFunc(e.byPrincipal[p], beats) {
			return ineffective{}, false
		}
	}
	return ineffective{i, pointless, nil}, true
}

// enough is those of the others that it takes: the one whose host contains that of
// binding i, or all together.
func (e *effects) enough(i int32, others []int32) []int32 {
	for _, j := range others {
		if e.hosts[j].contains(e.hosts[i]) {
			return []int32{j}
		}
	}
	return others
}
