package kafkasec

import (
	"errors"
	"fmt"
	"slices"
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
func (s Spec) Validate() error { return s.validate().located().Err() }

func (s Spec) validate() *validator {
	v := &validator{source: s.source, scope: s.Scope.index()}
	if s.Kind != SpecKind && (s.Kind != "" || s.fromYAML()) {
		v.add("kind", "%q: allowed is %s", s.Kind, SpecKind)
	}
	if s.Version != SpecVersion && (s.Version != 0 || s.fromYAML()) {
		v.add("version", "%d: allowed is %d", s.Version, SpecVersion)
	}
	v.checkScope(s.Scope)
	v.checkTopics(s.Topics)
	v.checkACLs(s.ACLs)
	return v
}

type validator struct {
	source   strictyaml.Positions
	scope    scopeIndex
	problems holdfast.Problems
}

func (v *validator) add(path, format string, args ...any) {
	v.problems = append(v.problems, holdfast.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// located gives the problems their lines and sorts them.
func (v *validator) located() holdfast.Problems { return v.source.Locate(v.problems) }

// checkZeros refuses zeros that were written out in YAML: there they are a
// mistake, while in Go zero means the broker's default.
func (v *validator) checkZeros(topics []Topic) {
	// The position of a field that does not stand there is that of its parent.
	written := func(parent, field string) bool { return v.source.At(parent+"."+field) != v.source.At(parent) }
	for i, t := range topics {
		at := index("topics", i)
		if t.Partitions == 0 && written(at, "partitions") {
			v.add(at+".partitions", zeroNumber, 0)
		}
		if t.ReplicationFactor == 0 && written(at, "replication_factor") {
			v.add(at+".replication_factor", zeroNumber, 0)
		}
	}
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
			if n == "*" {
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
		} else if !v.scope.topics.owns(t.Name) {
			v.add(name, "%q is outside the scope: add it to scope.topics, or a prefix of it to scope.topic_prefixes", t.Name)
		}
		if _, ok := first[t.Name]; !ok {
			first[t.Name], unified[kafkarules.CollisionKey(t.Name)] = i, i
		}
		v.checkState(at, t.State)
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
		v.add(at+".state", "absent: an absent topic has only a name")
		return
	}
	for _, e := range kafkarules.TopicConfigs(t.Configs) {
		path := at + ".configs"
		var ce *kafkarules.ConfigError
		if errors.As(e, &ce) && ce.Key != "" {
			path += key(ce.Key)
		}
		v.add(path, "%v", e)
	}
}

func (v *validator) checkState(at string, s DesiredState) {
	if s != "" && s != Present && s != Absent {
		v.add(at+".state", "%q: allowed are present (the default) and absent", string(s))
	}
}

func (v *validator) checkACLs(acls []ACL) {
	type place struct {
		path  string
		state DesiredState
	}
	seen := map[Binding]place{}
	for i, a := range acls {
		at := index("acls", i)
		before := len(v.problems)
		res := v.checkACLFields(at, a)
		if len(v.problems) > before {
			continue // its bindings cannot be compared with others
		}
		b := Binding{Principal: a.Principal, Host: a.Host, Permission: a.Permission, Resource: res}
		if b.Host == "" {
			b.Host = "*"
		}
		if b.Permission == "" {
			b.Permission = Allow
		}
		if !v.scope.ownsBinding(b) {
			v.add(at, "%s of %s is outside the scope: its resource or its principal must stand there", res, a.Principal)
		}
		state := a.State
		if state == "" {
			state = Present
		}
		for j, op := range a.Operations {
			b.Operation, _ = ParseOperation(string(op)) // checked above
			here := index(at+".operations", j)
			there, dup := seen[b]
			switch {
			case !dup:
				seen[b] = place{here, state}
			case there.state == state:
				v.add(here, "%s: the same binding stands at %s already", b, there.path)
			default:
				v.add(here, "%s: wanted %s here and %s at %s: a binding cannot be both demanded and forbidden", b, state, there.state, there.path)
			}
		}
	}
}

// checkACLFields reports every bad field of one entry and returns its resource.
func (v *validator) checkACLFields(at string, a ACL) Resource {
	// What a broker stores although it matches nobody may be there, and may be
	// revoked; granting it is a mistake.
	refused := func(err error) bool {
		return err != nil && (a.State != Absent || !errors.Is(err, kafkarules.ErrMisleading))
	}
	if err := kafkarules.Principal(a.Principal); refused(err) {
		v.add(at+".principal", "%v", err)
	}
	if a.Host != "" {
		if err := kafkarules.Host(a.Host); refused(err) {
			v.add(at+".host", "%v", err)
		}
	}
	if a.Permission != "" && a.Permission != Allow && a.Permission != Deny {
		v.add(at+".permission", "%q: allowed are allow (the default) and deny", string(a.Permission))
	}
	v.checkState(at, a.State)
	res, err := ParseResource(a.Resource, a.Pattern)
	if err != nil {
		v.add(at+".resource", "%v", err)
	} else if err := resourceName(res); refused(err) {
		v.add(at+".resource", "%v", err)
	}
	if len(a.Operations) == 0 {
		v.add(at+".operations", "none given: name at least one operation")
	}
	for i, text := range a.Operations {
		op, opErr := ParseOperation(string(text))
		var allowed []string
		if err == nil {
			allowed = kafkarules.Operations(string(res.Type))
		}
		switch {
		case opErr != nil && allowed != nil:
			v.add(index(at+".operations", i), "%v; a %s resource has %s", opErr, res.Type, strings.Join(allowed, ", "))
		case opErr != nil:
			v.add(index(at+".operations", i), "%v", opErr)
		case allowed != nil && !slices.Contains(allowed, string(op)):
			v.add(index(at+".operations", i), "%s: a %s resource has only %s", op, res.Type, strings.Join(allowed, ", "))
		}
	}
	return res
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// key writes a map key as strictyaml writes it in a path.
func key(k string) string { return fmt.Sprintf("[%q]", k) }
