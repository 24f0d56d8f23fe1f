package kafkasec

import (
	"maps"
	"net/netip"
	"slices"
)

// Access is some clients that have what [Authorizer.Who] was asked about: one
// principal, or with "User:*" all but a few, from some hosts.
type Access struct {
	Principal string `json:"principal"`
	// ExceptPrincipals are, with Principal "User:*", those that have bindings of
	// their own for this and so stand in entries of their own, or in none.
	ExceptPrincipals []string `json:"except_principals,omitempty"`
	// Host is written as in bindings: "*", an address or a range.
	Host string `json:"host"`
	// ExceptHosts are the hosts within it that are denied.
	ExceptHosts []string `json:"except_hosts,omitempty"`
	// Rule is RuleSuperUser, RuleNoACLAllow, RuleAllow or RuleImplied, the last
	// where all of the bindings are for other operations.
	Rule Rule `json:"rule"`
	// Bindings are those that allow it, in all of Host or in a part of it.
	Bindings []Binding `json:"bindings,omitempty"`
}

// Includes reports whether a client is among those of the entry. The zero Addr
// is a client that no binding names by its host.
func (c Access) Includes(principal string, host netip.Addr) bool {
	host = clientAddr(host)
	switch {
	case c.Rule == RuleSuperUser || c.Principal != everyone:
		if principal != c.Principal {
			return false
		}
	case principal == everyone || slices.Contains(c.ExceptPrincipals, principal):
		// No client is called "User:*" where others than the wildcard are.
		return false
	}
	return parseHostSet(c.Host, true).has(host) &&
		!slices.ContainsFunc(c.ExceptHosts, func(h string) bool { return parseHostSet(h, true).has(host) })
}

// Who lists the clients that may do the operation on a resource, which is a
// literal one: super users, then by principal those that bindings name, and
// "User:*" for all others. Each client for which [Authorizer.Decide] says
// yes is included in an entry, and no other is.
func (a *Authorizer) Who(op Operation, res Resource) []Access {
	if res.Pattern != Literal && res.Pattern != "" {
		return nil
	}
	var who []Access
	for _, u := range a.superUsers {
		who = append(who, Access{Principal: u, Host: everyHost, Rule: RuleSuperUser})
	}
	if a.fails(res.Type, res.Name) {
		return who
	}
	t, covering := a.containing(area{res.Type, res.Name, oneName})
	if len(covering) == 0 {
		if a.allowEveryone {
			who = append(who, Access{Principal: everyone, Host: everyHost, Rule: RuleNoACLAllow})
		}
		return who
	}
	allows, denies := map[string][]int32{}, map[string][]int32{}
	principals := map[string]bool{everyone: true}
	for _, r := range covering {
		for i := t.spans[r][0]; i < t.spans[r][1]; i++ {
			b := a.all[i]
			switch bit := opBit(b.Operation); {
			case b.Permission == Allow && bit&allowedBy(op) != 0:
				allows[b.Principal] = append(allows[b.Principal], i)
			case b.Permission == Deny && bit&deniedBy(op) != 0:
				denies[b.Principal] = append(denies[b.Principal], i)
			default:
				continue
			}
			principals[b.Principal] = true
		}
	}
	named := slices.Sorted(maps.Keys(principals))
	for _, p := range named {
		if a.isSuperUser[p] && p != everyone {
			continue
		}
		allowing, denying := allows[p], denies[p]
		c := Access{Principal: p}
		if p == everyone {
			c.ExceptPrincipals = slices.DeleteFunc(slices.Clone(named), func(n string) bool { return n == everyone || a.isSuperUser[n] })
		} else {
			allowing = slices.Concat(allowing, allows[everyone])
			denying = slices.Concat(denying, denies[everyone])
		}
		who = append(who, a.byHost(c, op, allowing, denying)...)
	}
	return who
}

// byHost makes an entry of each host that no other host contains.
func (a *Authorizer) byHost(c Access, op Operation, allowing, denying []int32) []Access {
	slices.Sort(allowing)
	var entries []Access
	denied := a.hostSets(denying)
	for n, i := range allowing {
		host := a.hosts[i]
		inOther := slices.ContainsFunc(allowing[:n], func(o int32) bool { return a.hosts[o].contains(host) }) ||
			slices.ContainsFunc(allowing[n+1:], func(o int32) bool { return a.hosts[o].contains(host) && !host.contains(a.hosts[o]) })
		if inOther || !host.uncovered(denied) {
			continue
		}
		c.Host, c.Rule, c.Bindings = a.all[i].Host, RuleImplied, nil
		c.ExceptHosts = a.widestWithin(host, denying)
		for _, o := range allowing {
			if !a.hosts[o].empty() && host.contains(a.hosts[o]) {
				c.Bindings = append(c.Bindings, a.all[o])
				if a.all[o].Operation == op || a.all[o].Operation == All {
					c.Rule = RuleAllow
				}
			}
		}
		entries = append(entries, c)
	}
	return entries
}

// widestWithin returns those hosts of bindings that lie in a host and in no
// other of them, sorted.
func (a *Authorizer) widestWithin(host hostSet, bindings []int32) []string {
	var widest []int32
	for _, i := range bindings {
		h := a.hosts[i]
		if h.empty() || !host.contains(h) || slices.ContainsFunc(widest, func(o int32) bool { return a.hosts[o].contains(h) }) {
			continue
		}
		widest = slices.DeleteFunc(widest, func(o int32) bool { return h.contains(a.hosts[o]) })
		widest = append(widest, i)
	}
	var texts []string
	for _, i := range widest {
		texts = append(texts, a.all[i].Host)
	}
	slices.Sort(texts)
	return texts
}

func (a *Authorizer) hostSets(bindings []int32) []hostSet {
	sets := make([]hostSet, len(bindings))
	for n, i := range bindings {
		sets[n] = a.hosts[i]
	}
	return sets
}
