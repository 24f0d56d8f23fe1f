package kafkasec

import "strings"

// area is a set of names of one resource type: one name, all with a prefix, or
// all. Any two are nested or disjoint, but for one corner; see meet.
type area struct {
	typ  ResourceType
	name string
	kind areaKind
}

type areaKind uint8

const (
	oneName areaKind = iota
	withPrefix
	allNames
)

// areaOf is false for patterns of a newer broker.
func areaOf(r Resource) (area, bool) {
	switch {
	case r.Pattern == Prefixed:
		return area{r.Type, r.Name, withPrefix}, true
	case r.Pattern != Literal:
		return area{}, false
	case r.Name == anyName:
		return area{r.Type, "", allNames}, true
	}
	return area{r.Type, r.Name, oneName}, true
}

// contains reports whether every name of s is in r.
func (a *Authorizer) contains(r, s area) bool {
	switch {
	case r.typ != s.typ || r.kind < s.kind:
		return false
	case r.kind == oneName:
		return r.name == s.name
	case r.kind == withPrefix:
		return strings.HasPrefix(s.name, r.name)
	case s.kind == withPrefix:
		// To a StandardAuthorizer the wildcard is not all names: see wildcardCovers.
		return a.engine == ZooKeeper || !strings.HasPrefix(s.name, anyName)
	case s.kind == oneName:
		return a.wildcardCovers(s.name)
	}
	return true
}

// meet returns the names that both have.
func (a *Authorizer) meet(r, s area) (area, bool) {
	switch {
	case a.contains(r, s):
		return s, true
	case a.contains(s, r):
		return r, true
	case r.typ == s.typ && (r.kind == allNames || s.kind == allNames):
		// The corner: of the names that begin with "*", the wildcard of a
		// StandardAuthorizer has this one.
		star := area{r.typ, anyName, oneName}
		return star, a.contains(r, star) && a.contains(s, star)
	}
	return area{}, false
}

// containing lists, by number within the type, the resources with bindings that
// have every name of the area.
func (a *Authorizer) containing(s area) (*typeIndex, []int32) {
	t := a.types[s.typ]
	if t == nil {
		return nil, nil
	}
	var found []int32
	if s.kind == oneName {
		if r, ok := t.literal[s.name]; ok {
			found = append(found, r)
		}
	}
	if s.kind != allNames {
		for _, n := range t.prefixLengths {
			if n <= len(s.name) {
				if r, ok := t.prefixed[s.name[:n]]; ok {
					found = append(found, r)
				}
			}
		}
	}
	if r, ok := t.literal[anyName]; ok && a.contains(area{s.typ, "", allNames}, s) && (s.kind != oneName || s.name != anyName) {
		found = append(found, r)
	}
	return t, found
}

// fails reports whether a StandardAuthorizer fails on a name unless a binding
// denies the question first, so that only super users have access.
func (a *Authorizer) fails(typ ResourceType, name string) bool {
	m := noMatch
	t := a.types[typ]
	return a.engine != ZooKeeper && t != nil && isLow(name) && !t.scanLow(name, &asked{}, &m)
}
