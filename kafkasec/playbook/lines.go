package playbook

import (
	"maps"
	"slices"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// lines is what the playbook would run, as bindings. Its order (all producers,
// all consumers, all operations) does not matter: what depends on it is a
// conflict.
type lines struct {
	scripts    kafkasec.Expansion // whose roles the console scripts make
	least      bool
	partitions int32
	replicas   int16

	// What the file names, and where first.
	topics, principals, groups map[string]Place
	created                    map[string]Place // topics that the playbook makes
	grants                     map[kafkasec.Binding][]Place
	removals                   []removal
	// size counts the bindings of all lines.
	size int
}

// removal is a line that removes.
type removal struct {
	topic    string
	place    Place
	bindings []kafkasec.Binding
}

// maxTotal is how many bindings a file may stand for. It is far above what one
// cluster carries, and keeps the memory for a hostile file small.
const maxTotal = 300_000

// maxPlaces is how many places that grant the same are kept, for the same
// reason: conflicts list them all, each.
const maxPlaces = 10

func newLines(opts Options) *lines {
	return &lines{
		least:  opts.LeastPrivilege,
		topics: map[string]Place{}, principals: map[string]Place{}, groups: map[string]Place{}, created: map[string]Place{},
		grants: map[kafkasec.Binding][]Place{},
	}
}

// note keeps the first place of a name.
func note[K comparable](in map[K]Place, name K, place Place) {
	if _, ok := in[name]; !ok {
		in[name] = place
	}
}

// add takes one line and reports whether there is room for it.
func (l *lines) add(topic string, place Place, c command) bool {
	l.name(place, c)
	e := l.scripts
	e.LeastPrivilege = l.least && c.set["add"] // a removal takes away all that the scripts gave
	bindings := c.bindings(e)
	if l.size += len(bindings); l.size > maxTotal {
		return false
	}
	if c.set["remove"] {
		l.removals = append(l.removals, removal{topic, place, bindings})
		return true
	}
	for _, b := range bindings {
		if places := l.grants[b]; len(places) < maxPlaces {
			l.grants[b] = append(places, place)
		}
	}
	return true
}

// name notes the topics, groups and principals of a command. A prefix names
// none: such a binding is owned through its principal.
func (l *lines) name(place Place, c command) {
	all := func(in map[string]Place, flag string) {
		for _, name := range c.values[flag] {
			note(in, name, place)
		}
	}
	all(l.principals, "allow-principal")
	all(l.principals, "deny-principal")
	if c.pattern() != "prefixed" {
		all(l.topics, "topic")
		all(l.groups, "group")
	}
}

// conflicts lists the removals of what other lines grant, per principal.
func (l *lines) conflicts() []Conflict {
	var conflicts []Conflict
	for _, r := range l.removals {
		by := map[string]*Conflict{}
		for _, b := range r.bindings {
			granted, ok := l.grants[b]
			if !ok {
				continue
			}
			c := by[b.Principal]
			if c == nil {
				c = &Conflict{Topic: r.topic, User: b.Principal, Removed: r.place}
				by[b.Principal] = c
			}
			c.Bindings = append(c.Bindings, b)
			c.Operations = append(c.Operations, b.Operation)
			c.Granted = append(c.Granted, granted...)
		}
		for _, principal := range slices.Sorted(maps.Keys(by)) {
			c := by[principal]
			slices.Sort(c.Operations)
			c.Operations = slices.Compact(c.Operations)
			slices.SortFunc(c.Granted, Place.compare)
			c.Granted = slices.Compact(c.Granted)
			conflicts = append(conflicts, *c)
		}
	}
	return conflicts
}

// resolve leaves no binding both granted and removed, or returns the conflicts.
func (l *lines) resolve(source string, how Resolution) *ConflictError {
	granted := func(b kafkasec.Binding) bool { return l.grants[b] != nil }
	switch how {
	case Grant:
		l.removals = slices.DeleteFunc(l.removals, func(r removal) bool { return slices.ContainsFunc(r.bindings, granted) })
	case Revoke:
		for _, r := range l.removals {
			for _, b := range r.bindings {
				delete(l.grants, b)
			}
		}
	default:
		if conflicts := l.conflicts(); len(conflicts) > 0 {
			return &ConflictError{Source: source, Conflicts: conflicts}
		}
	}
	return nil
}
