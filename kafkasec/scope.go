package kafkasec

import (
	"slices"
	"strings"
)

// Scope is what a spec owns. A topic is owned when its name is in scope; a
// binding when its resource or its principal is. The zero Scope owns nothing:
// an empty list never means everything.
type Scope struct {
	// Topics and the other name lists hold exact names, each once; "*" is none. A
	// name also owns the bindings on it, but not those with a prefix or the
	// wildcard, which reach further.
	Topics []string `yaml:"topics"`
	// TopicPrefixes own every topic, and every prefixed topic resource, that
	// begins with one of them. Prefixes are not empty, and written without a star.
	TopicPrefixes           []string `yaml:"topic_prefixes"`
	Groups                  []string `yaml:"groups"`
	GroupPrefixes           []string `yaml:"group_prefixes"`
	TransactionalIDs        []string `yaml:"transactional_ids"`
	TransactionalIDPrefixes []string `yaml:"transactional_id_prefixes"`
	// Tokens and Users hold exact names of the token and user resources; that of
	// a user is a principal, "User:alice".
	Tokens []string `yaml:"tokens"`
	Users  []string `yaml:"users"`
	// Cluster owns the bindings on the cluster resource.
	Cluster bool `yaml:"cluster"`
	// Principals own every binding of theirs, whatever its resource, and
	// "User:NAME" the SCRAM user NAME and the quotas of that user.
	Principals []string `yaml:"principals"`
	// ClientIDs and IPs own the quotas of those client ids and addresses.
	ClientIDs []string `yaml:"client_ids"`
	IPs       []string `yaml:"ips"`
	// QuotaDefaults own what holds for all who have no quota of their own:
	// "user", "client_id" and "ip".
	QuotaDefaults []string `yaml:"quota_defaults"`
}

// OwnsTopic reports whether the topic is in scope.
func (s Scope) OwnsTopic(name string) bool { return s.index().topics.owns(name) }

// OwnsBinding reports whether the binding's resource or principal is in scope.
func (s Scope) OwnsBinding(b Binding) bool { return s.index().ownsBinding(b) }

// scopeIndex answers for many items without walking the lists each time.
type scopeIndex struct {
	topics, groups, txnIDs, tokens, users nameSet
	cluster                               bool
	principals                            map[string]bool
	clientIDs, ips, quotaDefaults         map[string]bool
}

// nameSet is exact names and prefixes.
type nameSet struct {
	names    map[string]bool
	prefixes []string
}

func (s Scope) index() scopeIndex {
	return scopeIndex{
		topics:     nameSet{set(s.Topics), s.TopicPrefixes},
		groups:     nameSet{set(s.Groups), s.GroupPrefixes},
		txnIDs:     nameSet{set(s.TransactionalIDs), s.TransactionalIDPrefixes},
		tokens:     nameSet{names: set(s.Tokens)},
		users:      nameSet{names: set(s.Users)},
		cluster:    s.Cluster,
		principals: set(s.Principals),
		clientIDs:  set(s.ClientIDs), ips: set(s.IPs), quotaDefaults: set(s.QuotaDefaults),
	}
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func (x scopeIndex) ownsBinding(b Binding) bool {
	return x.principals[b.Principal] || x.ownsResource(b.Resource)
}

func (x scopeIndex) ownsResource(r Resource) bool {
	var in nameSet
	switch r.Type {
	case ResourceCluster:
		return x.cluster
	case ResourceTopic:
		in = x.topics
	case ResourceGroup:
		in = x.groups
	case ResourceTransactionalID:
		in = x.txnIDs
	case ResourceToken:
		in = x.tokens
	case ResourceUser:
		in = x.users
	}
	switch {
	case r.Pattern == Prefixed:
		// A prefix reaches names that no exact name in scope covers.
		return in.hasPrefixOf(r.Name)
	case r.Name == "*":
		// The wildcard reaches everything, so no name or prefix owns it.
		return false
	}
	return in.owns(r.Name)
}

func (n nameSet) owns(name string) bool { return n.names[name] || n.hasPrefixOf(name) }

func (n nameSet) hasPrefixOf(name string) bool {
	return slices.ContainsFunc(n.prefixes, func(p string) bool { return p != "" && strings.HasPrefix(name, p) })
}

// protectedTopic says why a topic is never created, altered or deleted, or "".
// Internal topics belong to the brokers, and by convention names that start
// with "_" belong to platform components that manage them themselves
// (_schemas, _confluent-*). Bindings on them are ordinary bindings.
func protectedTopic(name string) string {
	if strings.HasPrefix(name, "_") {
		return "names that start with _ are protected: brokers and platform components manage those topics themselves"
	}
	return ""
}
