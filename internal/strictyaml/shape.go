package strictyaml

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

type kind int

const (
	textKind kind = iota
	boolKind
	intKind
	uintKind
	floatKind
	durationKind
	decodedKind // implements encoding.TextUnmarshaler
	anyKind
	pointerKind
	listKind
	mapKind
	structKind
)

// shape is what a Go type takes, worked out before the document is read: a type
// that cannot be filled is then found by every test, not by one odd document.
type shape struct {
	kind    kind
	literal bool
	binary  bool   // literal, and !!binary is decoded
	bits    int    // of a number
	elem    *shape // of a pointer, list or map
	fields  map[string]field
	names   []string // of the fields, as declared
	unknown []int    // index of the field that takes unknown keys; nil = they are problems
}

type field struct {
	index []int
	shape *shape
}

// shapes remembers each type once, which also ends the recursion of types that
// contain themselves. It lives for one call: a cache for the process would be
// global state.
type shapes map[shapeKey]*shape

type shapeKey struct {
	t       reflect.Type
	literal bool
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType    = reflect.TypeFor[time.Duration]()
	unknownKeys     = reflect.TypeFor[[]UnknownKey]()
)

func (m shapes) of(t reflect.Type, literal bool) (*shape, error) {
	key := shapeKey{t, literal}
	if s, ok := m[key]; ok {
		return s, nil
	}
	s := &shape{literal: literal}
	m[key] = s
	if literal && !takesText(t) {
		return nil, fmt.Errorf("%s: the option literal is for text", t)
	}
	var err error
	switch k := t.Kind(); {
	case k == reflect.Pointer:
		s.kind = pointerKind
		s.elem, err = m.of(t.Elem(), literal)
	case reflect.PointerTo(t).Implements(textUnmarshaler):
		s.kind = decodedKind
	case t == durationType:
		s.kind = durationKind
	case k == reflect.String:
		s.kind = textKind
	case k == reflect.Bool:
		s.kind = boolKind
	case k >= reflect.Int && k <= reflect.Int64:
		s.kind, s.bits = intKind, t.Bits()
	case k >= reflect.Uint && k <= reflect.Uint64:
		s.kind, s.bits = uintKind, t.Bits()
	case k == reflect.Float32 || k == reflect.Float64:
		s.kind, s.bits = floatKind, t.Bits()
	case k == reflect.Interface && t.NumMethod() == 0:
		s.kind, s.elem = anyKind, s
	case k == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		s.kind = listKind
		s.elem, err = m.of(t.Elem(), literal)
	case k == reflect.Map && t.Key().Kind() == reflect.String:
		s.kind = mapKind
		s.elem, err = m.of(t.Elem(), literal)
	case k == reflect.Struct:
		s.kind, s.fields = structKind, map[string]field{}
		err = m.addFields(s, t, nil)
	default:
		err = fmt.Errorf("type %s cannot be read from YAML", t)
	}
	return s, err
}

// takesText reports whether text is all that t holds.
func takesText(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		return true
	}
	switch t.Kind() {
	case reflect.String:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return takesText(t.Elem())
	}
	return false
}

// addFields adds the tagged fields of t, which stands at index in the struct
// that s describes.
func (m shapes) addFields(s *shape, t reflect.Type, index []int) error {
	for f := range t.Fields() {
		tag, ok := f.Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		at := append(append([]int(nil), index...), f.Index...)
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case !f.IsExported():
			return fmt.Errorf("%s.%s: a tagged field needs to be exported", t, f.Name)
		case options == "inline" && name == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			if err := m.addFields(s, f.Type, at); err != nil {
				return err
			}
			continue
		case options == "unknown" && name == "" && f.Type == unknownKeys && s.unknown == nil:
			s.unknown = at
			continue
		case name == "" || options != "" && options != "literal" && options != "binary":
			return fmt.Errorf("%s.%s: tag `yaml:%q`: want a name, a name with the option literal or binary, \",inline\" on an embedded struct, "+
				"or \",unknown\" on one []UnknownKey", t, f.Name, tag)
		}
		if _, taken := s.fields[name]; taken {
			return fmt.Errorf("%s.%s: the name %q is taken by another field", t, f.Name, name)
		}
		elem, err := m.of(f.Type, options == "literal")
		if err != nil {
			return fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		if options == "binary" {
			if f.Type.Kind() != reflect.String {
				return fmt.Errorf("%s.%s: the option binary is for text", t, f.Name)
			}
			elem = &shape{kind: elem.kind, literal: true, binary: true}
		}
		s.fields[name] = field{index: at, shape: elem}
		s.names = append(s.names, name)
	}
	return nil
}

// want names what the shape takes, for messages.
func (s *shape) want() string {
	switch s.kind {
	case textKind, decodedKind:
		return "text"
	case boolKind:
		return "true or false"
	case intKind:
		if s.bits == 64 { // the range is no help to who wrote text
			return "an integer of 64 bits"
		}
		return fmt.Sprintf("an integer from %d to %d", int64(math.MinInt64)>>(64-s.bits), int64(math.MaxInt64)>>(64-s.bits))
	case uintKind:
		if s.bits == 64 {
			return "an integer of 64 bits, not negative"
		}
		return fmt.Sprintf("an integer from 0 to %d", uint64(math.MaxUint64)>>(64-s.bits))
	case floatKind:
		return fmt.Sprintf("a finite number of %d bits", s.bits)
	case durationKind:
		return "a duration such as 30s or 1h15m"
	case pointerKind:
		return s.elem.want()
	case listKind:
		return "a list"
	case mapKind, structKind:
		return "a mapping"
	}
	return "a value"
}
