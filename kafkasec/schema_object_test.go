package kafkasec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// object is a JSON object that keeps the order of its keys, so that the schema
// reads like the documentation of the types.
type object []member

type member struct {
	key   string
	value any
}

// obj makes an object of keys and values in turn.
func obj(pairs ...any) object {
	var o object
	for i := 0; i < len(pairs); i += 2 {
		o = append(o, member{pairs[i].(string), pairs[i+1]})
	}
	return o
}

// with returns o with the members of p, which win.
func (o object) with(p object) object {
	o = slices.Clone(o)
	for _, m := range p {
		if i := slices.IndexFunc(o, func(has member) bool { return has.key == m.key }); i >= 0 {
			o[i] = m
		} else {
			o = append(o, m)
		}
	}
	return o
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", m.key)
		value, err := unescapedJSON(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// unescapedJSON leaves < and > as they are: the schema is no HTML.
func unescapedJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// generateSchema makes the schema from the types that ParseSpec fills, the
// descriptions in schemaTexts and the rules in fieldRules and typeRules.
func generateSchema() ([]byte, error) {
	g := generator{}
	schema := obj(
		"$schema", "http://json-schema.org/draft-07/schema#",
		"title", SpecKind,
	).with(g.structure(reflect.TypeFor[Spec]()))
	if len(g.undescribed) > 0 {
		return nil, fmt.Errorf("spec fields without a description in schemaTexts (schema_text_test.go), which is what editors show: %s",
			strings.Join(g.undescribed, ", "))
	}
	data, err := unescapedJSON(schema)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, data, "", "  ")
	b.WriteByte('\n')
	return b.Bytes(), err
}

type generator struct{ undescribed []string }

// structure is the schema of a struct: its fields, and no others.
func (g *generator) structure(t reflect.Type) object {
	s := obj("type", "object")
	if text := schemaTexts[t.Name()]; text != "" {
		s = s.with(obj("description", text))
	} else {
		g.undescribed = append(g.undescribed, t.Name())
	}
	props := g.properties(t)
	if t == reflect.TypeFor[Role]() {
		return s.with(roleSchema(props))
	}
	return s.with(obj("properties", props, "additionalProperties", false)).with(typeRules()[t.Name()])
}

func (g *generator) properties(t reflect.Type) object {
	var props object
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		key := t.Name() + "." + name
		p := g.value(f.Type, options == "literal")
		if text := schemaTexts[key]; text != "" {
			p = obj("description", text).with(p)
		} else if f.Type.Kind() != reflect.Struct { // which has its own
			g.undescribed = append(g.undescribed, key)
		}
		props = append(props, member{name, p.with(fieldRules()[key])})
	}
	return props
}

// value is what the Go type alone says.
func (g *generator) value(t reflect.Type, literal bool) object {
	if e, ok := enums()[t]; ok {
		return e
	}
	switch t.Kind() {
	case reflect.Struct:
		return g.structure(t)
	case reflect.Slice:
		return obj("type", "array", "items", g.value(t.Elem(), literal))
	case reflect.Map:
		return obj("type", "object")
	case reflect.Bool:
		return obj("type", "boolean", "default", false)
	case reflect.Float64:
		return obj("type", "number")
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		return obj("type", "integer", "maximum", int64(1)<<(t.Bits()-1)-1)
	}
	if literal {
		return obj("type", []string{"string", "number"})
	}
	return obj("type", "string")
}
