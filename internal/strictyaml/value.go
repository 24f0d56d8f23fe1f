package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast"
)

// value reads n into v, which has the shape s.
func (d *decoder) value(n *yaml.Node, s *shape, v reflect.Value) {
	at := n // problems of an alias are told where the alias stands
	if n.Kind == yaml.AliasNode {
		n = n.Alias
		if _, ok := d.open[n]; ok {
			d.problem(at, "this alias stands inside the value that it repeats, which would never end")
			return
		}
		d.inAlias++
		defer func() { d.inAlias-- }()
	}
	if n.Anchor != "" {
		d.open[n] = struct{}{}
		defer delete(d.open, n)
	}
	d.depth++
	defer func() { d.depth-- }()
	if d.inAlias > 0 {
		d.aliased++
	}
	switch {
	case d.stopped:
		return
	case d.aliased > maxAliased:
		d.stopped = true
		d.problem(at, fmt.Sprintf("aliases add more than %d values to the document", maxAliased))
		return
	case d.depth > maxDepth+1: // a scalar in the deepest list is one more
		d.problem(at, depthError{}.Error())
		return
	case tagged(n) && !(s.binary && n.Tag == binaryTag):
		d.problem(at, tagMessage)
		return
	case isNull(n):
		d.null(at, n, s, v)
		return
	}
	switch s.kind {
	case pointerKind:
		p := reflect.New(v.Type().Elem())
		d.content(at, n, s.elem, p.Elem())
		v.Set(p)
	default:
		d.content(at, n, s, v)
	}
}

// content reads n, which is no alias, tag or null.
func (d *decoder) content(at, n *yaml.Node, s *shape, v reflect.Value) {
	switch s.kind {
	case pointerKind: // a pointer to a pointer
		p := reflect.New(v.Type().Elem())
		d.content(at, n, s.elem, p.Elem())
		v.Set(p)
	case anyKind:
		d.anything(at, n, s, v)
	case listKind:
		if n.Kind != yaml.SequenceNode {
			d.mismatch(at, n, s)
			return
		}
		list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		d.items(n, s.elem, list)
		v.Set(list)
	case mapKind:
		if n.Kind != yaml.MappingNode {
			d.mismatch(at, n, s)
			return
		}
		t := v.Type()
		m := reflect.MakeMapWithSize(t, len(n.Content)/2)
		d.entries(n, func(key, value *yaml.Node) {
			item := reflect.New(t.Elem()).Elem()
			d.value(value, s.elem, item)
			m.SetMapIndex(reflect.ValueOf(key.Value).Convert(t.Key()), item)
		})
		v.Set(m)
	case structKind:
		if n.Kind != yaml.MappingNode {
			d.mismatch(at, n, s)
			return
		}
		d.entries(n, func(key, value *yaml.Node) {
			f, ok := s.fields[key.Value]
			switch {
			case ok:
				d.value(value, f.shape, v.FieldByIndex(f.index))
			case s.unknown != nil:
				list := v.FieldByIndex(s.unknown)
				list.Set(reflect.Append(list, reflect.ValueOf(newUnknownKey(d.path, value))))
			default:
				d.unknownKey(key, s)
			}
		})
	default:
		if n.Kind != yaml.ScalarNode {
			d.mismatch(at, n, s)
			return
		}
		d.scalar(at, n, s, v)
	}
}

// items reads the items of a list into list, which has their number.
func (d *decoder) items(n *yaml.Node, elem *shape, list reflect.Value) {
	for i, item := range n.Content {
		d.path.pushIndex(i)
		d.value(item, elem, list.Index(i))
		d.path.pop()
	}
}

// anything reads what Go calls any: the value decides the type.
func (d *decoder) anything(at, n *yaml.Node, s *shape, v reflect.Value) {
	switch n.Kind {
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		d.items(n, s, reflect.ValueOf(list))
		v.Set(reflect.ValueOf(list))
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		d.entries(n, func(key, value *yaml.Node) {
			var item any
			d.value(value, s, reflect.ValueOf(&item).Elem())
			m[key.Value] = item
		})
		v.Set(reflect.ValueOf(m))
	default:
		if value := d.anyScalar(at, n); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	}
}

// null reads a null. An absent key is the way to leave a default, so an
// explicit null is refused where the type cannot hold it: `topics:` with all
// items commented out would silently mean something.
func (d *decoder) null(at, n *yaml.Node, s *shape, v reflect.Value) {
	switch {
	case s.kind == pointerKind || s.kind == anyKind:
		v.SetZero()
	case n.Value == "":
		d.problem(at, fmt.Sprintf("no value: want %s, or leave it out", s.want()))
	case s.kind == textKind || s.kind == decodedKind:
		d.problem(at, fmt.Sprintf("want text, found %s, which means no value: put it in quotes or leave it out", n.Value))
	case d.depth == 1: // the document: nothing to leave out
		d.problem(at, fmt.Sprintf("want %s, found %s", s.want(), n.Value))
	default:
		d.problem(at, fmt.Sprintf("want %s, found %s, which means no value: leave it out", s.want(), n.Value))
	}
}

// mismatch reports a value of the wrong kind.
func (d *decoder) mismatch(at, n *yaml.Node, s *shape) {
	found := foundKind(n)
	switch s.kind {
	case textKind, boolKind, intKind, uintKind, floatKind, durationKind:
		found = foundValue(n)
	}
	message := fmt.Sprintf("want %s, found %s", s.want(), found)
	if n.Kind == yaml.ScalarNode && (s.kind == textKind || s.kind == decodedKind) {
		message += ": put it in quotes"
	}
	d.problem(at, message)
}

const tagMessage = "tags are not allowed: leave the tag out, and put text that begins with ! in quotes"

// tagged reports whether n has a tag written by hand. The parser keeps the bare
// "!" as it is and marks the others.
func tagged(n *yaml.Node) bool {
	return n.Style&yaml.TaggedStyle != 0 || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
}

func (d *decoder) problem(n *yaml.Node, message string) {
	switch {
	case len(d.problems) < maxProblems:
		d.problems = append(d.problems, holdfast.Problem{Line: n.Line, Column: n.Column, Path: d.path.String(), Message: message})
	case !d.stopped:
		d.stopped = true
		d.problems = append(d.problems, holdfast.Problem{Line: n.Line, Column: n.Column,
			Message: fmt.Sprintf("reading stopped here, after %d problems", maxProblems)})
	}
}
