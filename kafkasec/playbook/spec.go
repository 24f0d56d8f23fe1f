package playbook

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

// origins says where the parts of a spec come from, in the order of its lists.
type origins struct {
	scope  map[string][]Place // by field
	topics []Place
	acls   [][]Place // by operation
}

// spec is what remains, sorted. What [kafkasec.Spec.Validate] finds wrong with
// it is told where it stands in the file.
func (l *lines) spec(at strictyaml.Positions) (kafkasec.Spec, holdfast.Problems) {
	s := kafkasec.Spec{Kind: kafkasec.SpecKind, Version: kafkasec.SpecVersion}
	from := origins{scope: map[string][]Place{}}
	scope := func(field string, names map[string]Place) (list []string) {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if name != "*" { // which names nothing: such a binding is owned through its principal
				list = append(list, name)
				from.scope[field] = append(from.scope[field], names[name])
			}
		}
		return list
	}
	s.Scope.Topics = scope("topics", l.topics)
	s.Scope.Groups = scope("groups", l.groups)
	s.Scope.Principals = scope("principals", l.principals)
	for _, name := range slices.Sorted(maps.Keys(l.created)) {
		s.Topics = append(s.Topics, kafkasec.Topic{Name: name, Partitions: l.partitions, ReplicationFactor: l.replicas})
		from.topics = append(from.topics, l.created[name])
	}

	var last kafkasec.Binding
	add := func(b kafkasec.Binding, state kafkasec.DesiredState, place Place) {
		if n := len(s.ACLs); n == 0 || s.ACLs[n-1].State != state || !sameACL(last, b) {
			s.ACLs = append(s.ACLs, acl(b, state))
			from.acls = append(from.acls, nil)
		}
		last = b
		n := len(s.ACLs) - 1
		s.ACLs[n].Operations = append(s.ACLs[n].Operations, b.Operation)
		from.acls[n] = append(from.acls[n], place)
	}
	for _, b := range sortedBindings(l.grants) {
		add(b, "", l.grants[b][0])
	}
	removed := map[kafkasec.Binding]Place{}
	for _, r := range l.removals {
		for _, b := range r.bindings {
			note(removed, b, r.place)
		}
	}
	for _, b := range sortedBindings(removed) {
		add(b, kafkasec.Absent, removed[b])
	}

	var problems holdfast.Problems
	if err := s.Validate(); err != nil && !errors.As(err, &problems) {
		problems = holdfast.Problems{{Message: err.Error()}}
	}
	return s, from.relocate(problems, at)
}

// acl is the entry of a binding, without its operation.
func acl(b kafkasec.Binding, state kafkasec.DesiredState) kafkasec.ACL {
	text, pattern := b.Resource.Text()
	a := kafkasec.ACL{Principal: b.Principal, Resource: text, Pattern: pattern, State: state}
	if b.Host != "*" { // the default
		a.Host = b.Host
	}
	if b.Permission != kafkasec.Allow {
		a.Permission = b.Permission
	}
	return a
}

// sameACL reports whether two bindings differ in their operation at most.
func sameACL(a, b kafkasec.Binding) bool {
	a.Operation = b.Operation
	return a == b
}

// specPath is a path into the spec, as problems have it and their messages name
// another.
var specPath = regexp.MustCompile(`(scope\.([a-z]+)|topics|acls)\[(\d+)\](?:\.operations\[(\d+)\])?`)

// of returns the place of a path, and false for a path that came from nowhere.
func (o origins) of(path string) (Place, bool) {
	m := specPath.FindStringSubmatch(path)
	if m == nil {
		return Place{}, false
	}
	index, _ := strconv.Atoi(m[3])
	operation, _ := strconv.Atoi(m[4]) // "" is the first
	places := o.scope[m[2]]
	switch m[1] {
	case "topics":
		places = o.topics
	case "acls":
		if index >= len(o.acls) {
			return Place{}, false
		}
		index, places = operation, o.acls[index]
	}
	if index >= len(places) {
		return Place{}, false
	}
	return places[index], true
}

// relocate gives problems of the spec the places in the file that they come
// from. One cause there is often several here.
func (o origins) relocate(problems holdfast.Problems, at strictyaml.Positions) holdfast.Problems {
	for i, p := range problems {
		place, _ := o.of(p.Path)
		problems[i].Path = place.Path
		problems[i].Message = specPath.ReplaceAllStringFunc(p.Message, func(path string) string {
			if place, ok := o.of(path); ok {
				return place.String()
			}
			return path
		})
	}
	seen := map[holdfast.Problem]bool{}
	return slices.DeleteFunc(at.Locate(problems), func(p holdfast.Problem) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}

// sortedBindings groups what differs only in the operation.
func sortedBindings[V any](m map[kafkasec.Binding]V) []kafkasec.Binding {
	return slices.SortedFunc(maps.Keys(m), func(a, b kafkasec.Binding) int {
		operations := kafkasec.Binding{Operation: a.Operation}.Compare(kafkasec.Binding{Operation: b.Operation})
		a.Operation, b.Operation = "", ""
		if c := a.Compare(b); c != 0 {
			return c
		}
		return operations
	})
}
