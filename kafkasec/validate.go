package kafkasec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

// Validate reports everything that is wrong with the spec by itself, as
// [holdfast.Problems] with field paths, and lines where it was read from YAML:
// names, configs, principals, hosts and operations that a broker would refuse,
// items outside the scope, duplicates and contradictions. What needs the
// cluster to judge (shrinking partitions, a replication factor above the number
// of brokers) is reported by [Spec.Plan].
func (s Spec) Validate() error {
	v := s.validator()
	v.check(s)
	return v.located().Err()
}

func (s Spec) validator() *validator { return &validator{source: s.source, scope: s.Scope.index()} }

func (v *validator) check(s Spec) {
	switch {
	case s.Kind == "" && s.fromYAML():
		v.add("kind", "not given: a spec begins with kind: %s", SpecKind)
	case s.Kind != "" && s.Kind != SpecKind:
		v.add("kind", "%q: allowed is %s", s.Kind, SpecKind)
	}
	switch {
	case s.Version == 0 && s.fromYAML():
		v.add("version", "not given: allowed is %d", SpecVersion)
	case s.Version != 0 && s.Version != SpecVersion:
		v.add("version", "%d: allowed is %d", s.Version, SpecVersion)
	}
	v.checkScope(s.Scope)
	v.checkTopics(s.Topics)
	v.checkACLs(s.ACLs)
	v.checkRoles(s)
	v.checkSecretSchemes(s.SecretSchemes)
	v.checkUsers(s)
	v.checkQuotas(s.Quotas)
	v.checkPrune(s.Prune)
}

type validator struct {
	source strictyaml.Positions
	scope  scopeIndex
	// scopeUnread: not all of the scope could be decoded, so that nobody knows
	// what is outside.
	scopeUnread bool
	problems    holdfast.Problems
}

func (v *validator) add(path, format string, args ...any) {
	v.problems = append(v.problems, holdfast.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// located gives the problems their lines and sorts them.
func (v *validator) located() holdfast.Problems { return v.source.Locate(v.problems) }

// checkWritten refuses zeros and empty texts that were written out in YAML:
// there they are a mistake, mostly of a template, while in Go they mean the
// default. An empty host that became "*" would open to all what was meant for one.
func (v *validator) checkWritten(s Spec) {
	// The position of a field that does not stand there is that of its parent.
	written := func(parent, field string) bool { return v.source.At(parent+"."+field) != v.source.At(parent) }
	text := func(parent, field, value, byDefault string) {
		if value == "" && written(parent, field) {
			v.add(parent+"."+field, "empty: leave it out for the default, %s", byDefault)
		}
	}
	for i, t := range s.Topics {
		at := index("topics", i)
		if t.Partitions == 0 && written(at, "partitions") {
			v.add(at+".partitions", zeroNumber, 0)
		}
		if t.ReplicationFactor == 0 && written(at, "replication_factor") {
			v.add(at+".replication_factor", zeroNumber, 0)
		}
		text(at, "state", string(t.State), string(Present))
	}
	for _, limit := range []struct {
		field string
		value int
	}{{"max_count", s.Prune.MaxCount}, {"max_percent", s.Prune.MaxPercent}} {
		if limit.value == 0 && written("prune", limit.field) {
			v.add("prune."+limit.field, "0: allowed is 1 or more; leave it out for the default")
		}
	}
	for i, a := range s.ACLs {
		at := index("acls", i)
		text(at, "pattern", string(a.Pattern), "what the resource says")
		text(at, "host", a.Host, "every host")
		text(at, "permission", string(a.Permission), string(Allow))
		text(at, "state", string(a.State), string(Present))
	}
	for i, r := range s.Roles {
		at := index("roles", i)
		text(at, "host", r.Host, "every host")
		text(at, "expansion", string(r.Expansion), string(ExpandLeastPrivilege))
		text(at, "kafka", r.Kafka, "the newest release")
		text(at, "group", r.Group, "that of the role")
		text(at, "schemas_topic", r.SchemasTopic, "_schemas")
		text(at, "dead_letter_topic", r.DeadLetterTopic, "none")
	}
	v.checkUsersWritten(s.Users, written)
	v.checkQuotasWritten(s.Quotas, written)
}

const zeroNumber = "%d: allowed is 1 or more; leave it out for the broker's default"

func (v *validator) checkScope(s Scope) {
	names := func(field string, list []string, check func(string) error) {
		seen := map[string]int{}
		for i, n := range list {
			path := index("scope."+field, i)
			if n == "" && strings.HasSuffix(field, "prefixes") {
				v.add(path, "an empty prefix would own everything: write the prefix out")
				continue
			}
			if j, dup := seen[n]; dup {
				v.add(path, "%q stands in %s already", n, index("scope."+field, j))
			}
			seen[n] = i
			if err := check(n); err != nil {
				v.add(path, "%v", err)
			}
		}
	}
	named := func(typ ResourceType) func(string) error {
		return func(n string) error {
			switch n {
			case "":
				return errors.New("empty: want a name")
			case "*":
				return errors.New(`"*" is not a name: own a wildcard binding through its principal`)
			}
			return resourceName(Resource{typ, n, Literal})
		}
	}
	names("topics", s.Topics, named(ResourceTopic))
	names("topic_prefixes", s.TopicPrefixes, prefixWithoutStar)
	names("groups", s.Groups, named(ResourceGroup))
	names("group_prefixes", s.GroupPrefixes, prefixWithoutStar)
	names("transactional_ids", s.TransactionalIDs, named(ResourceTransactionalID))
	names("transactional_id_prefixes", s.TransactionalIDPrefixes, prefixWithoutStar)
	names("tokens", s.Tokens, named(ResourceToken))
	names("users", s.Users, named(ResourceUser))
	names("principals", s.Principals, kafkarules.Principal)
	names("client_ids", s.ClientIDs, clientID)
	names("ips", s.IPs, quotaIP)
	names("quota_defaults", s.QuotaDefaults, quotaDefault)
}

func prefixWithoutStar(p string) error {
	if stem, ok := strings.CutSuffix(p, "*"); ok {
		return fmt.Errorf("%q: a prefix is written without a star: %q", p, stem)
	}
	return nil
}

func resourceName(r Resource) error {
	return kafkarules.ResourceName(string(r.Type), kafkarules.Pattern(r.Pattern), r.Name)
}

func (v *validator) checkTopics(topics []Topic) {
	first := map[string]int{}   // by name
	unified := map[string]int{} // by name with . and _ made one
	for i, t := range topics {
		at := index("topics", i)
		name := at + ".name"
		if err := kafkarules.TopicName(t.Name); err != nil {
			v.add(name, "%v", err)
		} else if j, dup := first[t.Name]; dup {
			v.add(name, "%q is declared at %s already", t.Name, index("topics", j))
		} else if j, dup := unified[kafkarules.CollisionKey(t.Name)]; dup {
			v.add(name, "%q collides with %q at %s: names that differ only in . and _ share their metrics, so Kafka refuses the second",
				t.Name, topics[j].Name, index("topics", j))
		} else if why := protectedTopic(t.Name); why != "" {
			v.add(name, "%q: %s", t.Name, why)
		} else if !v.scopeUnread && !v.scope.topics.owns(t.Name) {
			v.add(name, "%q is outside the scope: add it to scope.topics, or a prefix of it to scope.topic_prefixes", t.Name)
		}
		if _, ok := first[t.Name]; !ok {
			first[t.Name], unified[kafkarules.CollisionKey(t.Name)] = i, i
		}
		if t.State != "" && t.State != Present && t.State != Absent {
			v.add(at+".state", badState, string(t.State))
		}
		v.checkTopicShape(at, t)
	}
}

func (v *validator) checkTopicShape(at string, t Topic) {
	if t.Partitions < 0 {
		v.add(at+".partitions", zeroNumber, t.Partitions)
	}
	if t.ReplicationFactor < 0 {
		v.add(at+".replication_factor", zeroNumber, t.ReplicationFactor)
	}
	if t.State == Absent && (t.Partitions != 0 || t.ReplicationFactor != 0 || len(t.Configs) > 0) {
		v.add(at+".state", "absent: an absent topic has only a name, and perhaps delete_records")
		return
	}
	if t.DeleteRecords && t.State != Absent {
		v.add(at+".delete_records", "has no effect without state: absent")
	}
	for _, e := range kafkarules.TopicConfigs(t.Configs) {
		var ce *kafkarules.ConfigError
		if !errors.As(e, &ce) || ce.Key == "" {
			v.add(at+".configs", "%v", e)
			continue
		}
		v.add(at+".configs"+key(ce.Key), "%s", ce.Reason())
	}
}

const badState = "%q: allowed are present (the default) and absent"

func (v *validator) checkACLs(acls []ACL) {
	type place struct {
		acl, operation int
		state          DesiredState
	}
	path := func(p place) string { return index(index("acls", p.acl)+".operations", p.operation) }
	seen := make(map[Binding]place, 2*len(acls))
	for i, a := range acls {
		before := len(v.problems)
		res := v.checkACLFields(i, a)
		if len(v.problems) > before {
			continue // its bindings cannot be compared with others
		}
		b := a.template(res)
		if !v.scopeUnread && !v.scope.ownsBinding(b) {
			v.add(index("acls", i), "%s of %s is outside the scope: its resource or its principal must stand there", res, a.Principal)
		}
		for j, op := range a.Operations {
			b.Operation, _ = ParseOperation(string(op)) // checked above
			here := place{i, j, a.State.orPresent()}
			there, dup := seen[b]
			switch {
			case !dup:
				seen[b] = here
			case there.state == here.state:
				v.add(path(here), "%s: the same binding stands at %s already", b, path(there))
			default:
				v.add(path(here), "%s: wanted %s here and %s at %s: a binding cannot be both demanded and forbidden",
					b, here.state, there.state, path(there))
			}
		}
	}
}

// checkACLFields reports every bad field of one entry and returns its resource.
func (v *validator) checkACLFields(i int, a ACL) Resource {
	add := func(field, format string, args ...any) { v.add(index("acls", i)+field, format, args...) }
	// What a broker stores although it matches nobody may be there, and may be
	// revoked; granting it is a mistake.
	refused := func(err error) bool {
		return err != nil && (a.State != Absent || !errors.Is(err, kafkarules.ErrMisleading))
	}
	if err := kafkarules.Principal(a.Principal); refused(err) {
		add(".principal", "%v", err)
	}
	if a.Host != "" {
		if err := kafkarules.Host(a.Host); refused(err) {
			add(".host", "%v", err)
		}
	}
	if a.Permission != "" && a.Permission != Allow && a.Permission != Deny {
		add(".permission", "%q: allowed are allow (the default) and deny", string(a.Permission))
	}
	if a.State != "" && a.State != Present && a.State != Absent {
		add(".state", badState, string(a.State))
	}
	res, err := ParseResource(a.Resource, a.Pattern)
	if err != nil {
		add(".resource", "%v", err)
	} else if err := resourceName(res); refused(err) {
		add(".resource", "%v", err)
	}
	if len(a.Operations) == 0 {
		add(".operations", "none given: name at least one operation")
	}
	for j, text := range a.Operations {
		op, opErr := ParseOperation(string(text))
		if opErr != nil {
			op = text
		}
		if err == nil { // says what the type has
			opErr = kafkarules.Operation(string(res.Type), string(op))
		}
		if opErr != nil {
			add(index(".operations", j), "%v", opErr)
		}
	}
	return res
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// key writes a map key as strictyaml writes it in a path.
func key(k string) string { return fmt.Sprintf("[%q]", k) }
