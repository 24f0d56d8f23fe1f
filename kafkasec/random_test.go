package kafkasec

import (
	"fmt"
	"math/rand/v2"
)

// Random specs and states come from a small pool of overlapping names, so that
// they meet. Every name begins with the prefix, which is the scope.

func randomBinding(rng *rand.Rand, prefix string) Binding {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	b := Binding{
		Principal:  "User:" + pick(prefix+"a", prefix+"b", "*"),
		Host:       pick("*", "*", "10.0.0.1", "0:0:0:0:0:0:0:1"),
		Permission: Allow,
		Operation:  Operation(pick("Read", "Write", "Describe", "All")),
		Resource:   Resource{ResourceTopic, prefix + pick("", ".a", ".a.b", ".c", "-d"), Literal},
	}
	switch rng.IntN(8) {
	case 0:
		b.Resource.Type, b.Operation = ResourceGroup, Operation(pick("Read", "Describe", "Delete", "All"))
	case 1:
		b.Resource.Type, b.Operation = ResourceTransactionalID, Operation(pick("Write", "Describe", "All"))
	}
	if rng.IntN(3) == 0 {
		b.Resource.Pattern = Prefixed
	}
	if rng.IntN(4) == 0 {
		b.Permission = Deny
	}
	return b
}

func randomConfigs(rng *rand.Rand) map[string]string {
	configs := map[string]string{}
	for _, k := range []string{"retention.ms", "segment.bytes", "max.message.bytes"} {
		if rng.IntN(3) == 0 {
			configs[k] = fmt.Sprint(1 << (20 + rng.IntN(4)))
		}
	}
	if rng.IntN(4) == 0 {
		configs["cleanup.policy"] = []string{"delete", "compact", "compact,delete", "delete,compact"}[rng.IntN(4)]
	}
	return configs
}

func randomScope(prefix string) Scope {
	return Scope{TopicPrefixes: []string{prefix}, GroupPrefixes: []string{prefix}, TransactionalIDPrefixes: []string{prefix}}
}

func randomSpec(rng *rand.Rand, prefix string) Spec {
	s := Spec{Scope: randomScope(prefix)}
	for i := range 6 {
		if rng.IntN(2) == 0 {
			continue
		}
		t := Topic{Name: fmt.Sprintf("%s.t%d", prefix, i)}
		switch rng.IntN(4) {
		case 0:
			t.State = Absent
		default:
			t.Partitions = int32(4 + rng.IntN(3))
			t.Configs = randomConfigs(rng)
		}
		s.Topics = append(s.Topics, t)
	}
	seen := map[Binding]bool{}
	for range rng.IntN(20) {
		b := randomBinding(rng, prefix)
		if seen[b] {
			continue
		}
		seen[b] = true
		text, pattern := b.Resource.Text()
		a := ACL{Principal: b.Principal, Operations: []Operation{b.Operation}, Resource: text, Pattern: pattern, Host: b.Host, Permission: b.Permission}
		if rng.IntN(3) == 0 {
			a.State = Absent
		}
		s.ACLs = append(s.ACLs, a)
	}
	return s
}

func randomState(rng *rand.Rand, prefix string) State {
	s := State{Cluster: "c", Brokers: 3, Topics: map[string]TopicState{}}
	for i := range 6 {
		if rng.IntN(2) == 0 {
			s.Topics[fmt.Sprintf("%s.t%d", prefix, i)] = TopicState{Partitions: int32(1 + rng.IntN(4)), ReplicationFactor: 1, Configs: randomConfigs(rng), Records: RecordsNone}
		}
	}
	seen := map[Binding]bool{}
	for range rng.IntN(20) {
		if b := randomBinding(rng, prefix); !seen[b] {
			seen[b] = true
			s.ACLs = append(s.ACLs, b)
		}
	}
	return s
}

// withIdentities adds users and quotas to a random spec, and the names of theirs to
// its scope.
func withIdentities(rng *rand.Rand, s Spec, prefix string) Spec {
	of := quotaScope(prefix)
	s.Scope.Principals, s.Scope.ClientIDs, s.Scope.IPs = of.Principals, of.ClientIDs, of.IPs
	s.Users, s.Quotas = randomUsers(rng, prefix), randomQuotaList(rng, prefix)
	s.Users = s.Users[:min(len(s.Users), 1+rng.IntN(4))]
	return s
}
