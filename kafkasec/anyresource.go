package kafkasec

import "net/netip"

// DecideAny reports whether the principal may do the operation on at least one
// resource of the type (Authorizer.authorizeByResourceType, KIP-679): since
// Kafka 2.8, Write on any topic is enough for an idempotent producer. It answers
// as brokers do, which count no implied operations here, and take a look at the
// name "hardcode" first where the engine is a StandardAuthorizer.
func (a *Authorizer) DecideAny(principal string, host netip.Addr, op Operation, typ ResourceType) bool {
	if a.isSuperUser[principal] {
		return true
	}
	if a.engine != ZooKeeper {
		d := a.Decide(Question{principal, host, op, Resource{typ, "hardcode", Literal}})
		if d.Allowed || d.Rule == RuleFails {
			return d.Allowed
		}
	}
	var allows []Resource
	denies := map[Resource]bool{}
	host = clientAddr(host)
	for _, p := range a.matching(principal) {
		for _, i := range a.byPrincipal[p] {
			b := a.all[i]
			if b.Resource.Type != typ || opBit(b.Operation)&deniedBy(op) == 0 || !a.hosts[i].has(host) {
				continue
			}
			if b.Resource.Pattern != Literal && b.Resource.Pattern != Prefixed {
				continue
			}
			switch b.Permission {
			case Deny:
				denies[b.Resource] = true
			case Allow:
				allows = append(allows, b.Resource)
			}
		}
	}
	wildcard := Resource{typ, anyName, Literal}
	switch {
	case denies[wildcard]:
		return false
	case a.engine == ZooKeeper && a.allowEveryone:
		return true
	}
	for _, r := range allows {
		if r == wildcard || !denies[r] && !deniedPrefix(r, denies) {
			return true
		}
	}
	return false
}

// deniedPrefix reports whether a prefix of the resource's name is denied.
func deniedPrefix(r Resource, denies map[Resource]bool) bool {
	for n := 1; n <= len(r.Name) && len(denies) > 0; n++ {
		if denies[Resource{r.Type, r.Name[:n], Prefixed}] {
			return true
		}
	}
	return false
}

// matching is the principals of bindings that match a client's.
func (a *Authorizer) matching(principal string) []string {
	if principal == everyone {
		return []string{everyone}
	}
	return []string{principal, everyone}
}
