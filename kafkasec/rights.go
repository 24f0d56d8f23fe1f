package kafkasec

import "slices"

// Rights is what one principal may do.
type Rights struct {
	Principal string `json:"principal"`
	// SuperUser: everything. Allowed is empty then.
	SuperUser bool `json:"super_user,omitempty"`
	// Uncovered: everything with any resource that no binding of anybody covers
	// (allow.everyone.if.no.acl.found).
	Uncovered bool `json:"uncovered,omitempty"`
	// Allowed is what bindings for the principal and for "User:*" give, by
	// resource, without those that are denied altogether.
	Allowed []Right `json:"allowed,omitempty"`
}

// Right is what one binding gives: what it allows, but for what the exceptions
// deny.
type Right struct {
	Binding Binding `json:"binding"`
	// Operations are those that it gives with all that they imply. All stands
	// for itself, and for what later releases add to it.
	Operations []Operation `json:"operations"`
	// Except are the bindings that deny a part of it: some of its operations,
	// names or hosts.
	Except []Binding `json:"except,omitempty"`
}

// What lists what a principal may do, from which hosts too. Where
// [Authorizer.Decide] says yes there is a right for it; where none of them is
// for it, or an exception of each is, it says no.
func (a *Authorizer) What(principal string) Rights {
	rights := Rights{Principal: principal}
	if a.isSuperUser[principal] {
		rights.SuperUser = true
		return rights
	}
	if principal == everyone && (a.engine == Standard || a.engine == Standard40) {
		return rights // see Decide
	}
	rights.Uncovered = a.allowEveryone
	var allowing, denying []int32
	for _, p := range a.matching(principal) {
		for _, i := range a.byPrincipal[p] {
			switch a.all[i].Permission {
			case Allow:
				allowing = append(allowing, i)
			case Deny:
				denying = append(denying, i)
			}
		}
	}
	slices.Sort(denying)
	for _, i := range allowing {
		if g, some := a.right(i, denying); some {
			rights.Allowed = append(rights.Allowed, g)
		}
	}
	slices.SortFunc(rights.Allowed, func(g, o Right) int { return g.Binding.Compare(o.Binding) })
	return rights
}

// gives is the operations that an allowing binding is good for. Of All it is
// All, which only an All denies wholly.
func gives(granted Operation) []Operation {
	switch granted {
	case Read, Write, Delete, Alter:
		return []Operation{granted, Describe}
	case AlterConfigs:
		return []Operation{granted, DescribeConfigs}
	}
	return []Operation{granted}
}

// right is false where denials leave nothing of the binding.
func (a *Authorizer) right(i int32, denying []int32) (Right, bool) {
	b, host := a.all[i], a.hosts[i]
	names, known := areaOf(b.Resource)
	if !known || opBit(b.Operation) == 0 || host.empty() {
		return Right{}, false
	}
	g := Right{Binding: b}
	var excepts []int32
	for _, op := range gives(b.Operation) {
		var whole []hostSet
		for _, d := range denying {
			deny := a.all[d]
			denied, known := areaOf(deny.Resource)
			if !known || opBit(deny.Operation)&deniedBy(op) == 0 && b.Operation != All || a.hosts[d].meet(host).empty() {
				continue
			}
			if _, some := a.meet(names, denied); !some {
				continue
			}
			if a.contains(denied, names) && opBit(deny.Operation)&deniedBy(op) != 0 {
				whole = append(whole, a.hosts[d])
			}
			excepts = append(excepts, d)
		}
		if host.uncovered(whole) {
			g.Operations = append(g.Operations, op)
		}
	}
	slices.Sort(excepts)
	for _, d := range slices.Compact(excepts) {
		g.Except = append(g.Except, a.all[d])
	}
	return g, len(g.Operations) > 0
}
