package kafkasec

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// Engine is the authorizer class whose answers are wanted.
type Engine string

const (
	// Standard is org.apache.kafka.metadata.authorizer.StandardAuthorizer of
	// Kafka 4.4, where the host of a binding can be a range (CIDR). Below
	// metadata.version 4.4-IV1 a cluster takes no new ranges, but brokers of 4.4
	// honour those that it has, so this is their engine too.
	Standard Engine = "standard"
	// Standard40 is that of Kafka 4.0 to 4.3, to which a range is a host that no
	// client has.
	Standard40 Engine = "standard-4.0"
	// Standard30 is that of Kafka 3: as Standard40, but a client whose principal
	// is "User:*" does not make it fail.
	Standard30 Engine = "standard-3.0"
	// ZooKeeper is kafka.security.authorizer.AclAuthorizer, up to Kafka 3.9.
	ZooKeeper Engine = "acl-authorizer"
)

// AuthorizerOptions are the settings of brokers that change answers. The zero
// value is a StandardAuthorizer of Kafka 4.4 as configured by default.
type AuthorizerOptions struct {
	// Engine is Standard where empty.
	Engine Engine
	// SuperUsers are the principals of super.users; see [ParseSuperUsers]. There
	// is no wildcard among them.
	SuperUsers []string
	// AllowEveryone is allow.everyone.if.no.acl.found.
	AllowEveryone bool
}

// Authorizer answers, from a set of bindings and without a cluster, what a
// broker would answer. It is immutable and safe for concurrent use.
type Authorizer struct {
	*aclIndex
	engine        Engine
	superUsers    []string // sorted
	isSuperUser   map[string]bool
	allowEveryone bool
}

// NewAuthorizer indexes the bindings, as a broker has them: duplicates count
// once, and bindings whose resource type, pattern, operation or permission this
// version does not know cover their resource and let nobody in.
func NewAuthorizer(bindings []Binding, opts AuthorizerOptions) *Authorizer {
	a := &Authorizer{engine: opts.Engine, isSuperUser: set(opts.SuperUsers), allowEveryone: opts.AllowEveryone}
	if a.engine == "" {
		a.engine = Standard
	}
	a.aclIndex = newACLIndex(bindings, a.engine == Standard)
	a.superUsers = slices.Compact(slices.Sorted(slices.Values(opts.SuperUsers)))
	return a
}

// ParseSuperUsers reads the value of super.users: principals between semicolons.
// Empty parts are left out, as StandardAuthorizer does; an AclAuthorizer refuses
// those that are not at the end.
func ParseSuperUsers(value string) ([]string, error) {
	var users []string
	for part := range strings.SplitSeq(value, ";") {
		// String.trim takes everything up to the space.
		part = strings.TrimFunc(part, func(r rune) bool { return r <= ' ' })
		if part == "" {
			continue
		}
		if !strings.Contains(part, ":") {
			return nil, fmt.Errorf("super users: %w", kafkarules.Principal(part))
		}
		users = append(users, part)
	}
	return users, nil
}

// Question asks whether a principal may do one thing.
type Question struct {
	// Principal is the client's, "User:alice".
	Principal string `json:"principal"`
	// Host is the client's address as the broker sees it. The zero Addr stands
	// for a client that no binding names by its host.
	Host      netip.Addr `json:"host"`
	Operation Operation  `json:"operation"`
	// Resource is the thing itself, so its pattern is Literal (or empty).
	Resource Resource `json:"resource"`
}

// Decide answers as the broker's authorizer would, and says what decides. The
// binding is the one that StandardAuthorizer names in its audit log where
// several would do; an AclAuthorizer names none.
func (a *Authorizer) Decide(q Question) Decision {
	d := Decision{Question: q}
	res := q.Resource
	switch {
	case res.Pattern != Literal && res.Pattern != "":
		d.Rule = RuleFails
		return d
	case a.isSuperUser[q.Principal]:
		d.Allowed, d.Rule = true, RuleSuperUser
		return d
	case q.Principal == everyone && (a.engine == Standard || a.engine == Standard40):
		// Set.of(principal, User:*) throws in StandardAuthorizerData.matchingPrincipals.
		d.Rule = RuleFails
		return d
	}
	m, ok := a.match(res.Type, res.Name, &asked{q.Principal, clientAddr(q.Host), deniedBy(q.Operation), allowedBy(q.Operation)})
	switch {
	case !ok:
		d.Rule = RuleFails
	case m.deny >= 0:
		d.Rule, d.Binding = RuleDeny, a.all[m.deny]
	case m.allow >= 0:
		d.Allowed, d.Rule, d.Binding = true, RuleAllow, a.all[m.allow]
		if d.Binding.Operation != q.Operation && d.Binding.Operation != All {
			d.Rule = RuleImplied
		}
	case m.covered:
		d.Rule = RuleDefaultDeny
	case a.allowEveryone:
		d.Allowed, d.Rule = true, RuleNoACLAllow
	default:
		d.Rule = RuleNoACLDeny
	}
	return d
}

// match finds the deciding bindings. It is false where the authorizer fails.
func (a *Authorizer) match(typ ResourceType, name string, q *asked) (match, bool) {
	t := a.types[typ]
	if t == nil {
		return noMatch, true
	}
	m := t.scanChain(name, q)
	if m.deny >= 0 {
		return m, true
	}
	if r, ok := t.literal[anyName]; ok && name != anyName && a.wildcardCovers(name) {
		wild := noMatch
		t.look(r, q, &wild)
		m.covered, m.deny = true, wild.deny
		if wild.allow >= 0 {
			m.allow = wild.allow
		}
	}
	if a.engine == ZooKeeper || m.deny >= 0 || !isLow(name) || len(t.low) == 0 {
		return m, true
	}
	return m, t.scanLow(name, q, &m)
}

// wildcardCovers reports whether bindings on the wildcard resource cover a name.
// To StandardAuthorizer "*" is then a name that is a prefix of the asked one
// without being it, which checkSection skips before it looks for the wildcard;
// that concerns groups, transactional ids and users, as topics have no stars.
func (a *Authorizer) wildcardCovers(name string) bool {
	return a.engine == ZooKeeper || name == anyName || !strings.HasPrefix(name, anyName)
}
