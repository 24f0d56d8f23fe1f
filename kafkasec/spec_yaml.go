package kafkasec

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// YAML writes the spec as [ParseSpec] reads it. Fields that are zero are left
// out, and what YAML might read as something else than text is quoted. A spec
// with problems is not written; the error has them.
func (s Spec) YAML() ([]byte, error) {
	if s.Kind == "" {
		s.Kind = SpecKind
	}
	if s.Version == 0 {
		s.Version = SpecVersion
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("write spec: %w", err)
	}
	var w yamlWriter
	w.fields(reflect.ValueOf(s), "", "")
	if w.err != nil {
		return nil, fmt.Errorf("write spec: %w", w.err)
	}
	return w.b.Bytes(), nil
}

// yamlWriter writes structs by their yaml tags, in the few shapes that specs
// have. Marshalling by the library would not do: it does not know our
// "literal" option, and it knows quoting for one version of YAML, while the
// files are also read by the templates and editors of others.
type yamlWriter struct {
	b   bytes.Buffer
	err error
}

// fields writes the fields of a struct, a line or more each. First stands before
// the first of them and indent before the others.
func (w *yamlWriter) fields(v reflect.Value, first, indent string) {
	for i := range v.NumField() {
		name, opts, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		f := v.Field(i)
		if name == "" || empty(f) {
			continue
		}
		w.b.WriteString(first)
		first = indent
		w.b.WriteString(name)
		w.b.WriteByte(':')
		w.value(f, indent, opts == "literal")
	}
	if first != indent {
		w.b.WriteString(first + "{}\n") // every field is zero
	}
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		for i := range v.NumField() {
			if !empty(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// value writes what follows a key's colon, up to the end of its last line.
func (w *yamlWriter) value(v reflect.Value, indent string, literal bool) {
	switch v.Kind() {
	case reflect.Pointer:
		w.value(v.Elem(), indent, literal)
	case reflect.Struct:
		w.b.WriteByte('\n')
		w.fields(v, indent+"  ", indent+"  ")
	case reflect.Map:
		w.b.WriteByte('\n')
		m := map[string]reflect.Value{}
		for _, k := range v.MapKeys() {
			m[k.String()] = v.MapIndex(k)
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			w.b.WriteString(indent + "  " + w.text(k, false) + ":")
			w.value(m[k], indent+"  ", literal)
		}
	case reflect.Slice:
		w.list(v, indent)
	default:
		w.b.WriteString(" " + w.scalar(v, literal) + "\n")
	}
}

// list writes structs and names below each other, operations beside each other.
func (w *yamlWriter) list(v reflect.Value, indent string) {
	if v.Type().Elem() == reflect.TypeFor[Operation]() {
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = w.scalar(v.Index(i), false)
		}
		w.b.WriteString(" [" + strings.Join(texts, ", ") + "]\n")
		return
	}
	w.b.WriteByte('\n')
	for i := range v.Len() {
		item := v.Index(i)
		if item.Kind() == reflect.Struct {
			w.fields(item, indent+"  - ", indent+"    ")
			continue
		}
		w.b.WriteString(indent + "  - " + w.scalar(item, false) + "\n")
	}
}

func (w *yamlWriter) scalar(v reflect.Value, literal bool) string {
	switch {
	case v.Kind() == reflect.String:
		return w.text(v.String(), literal)
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.Kind() == reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	w.err = fmt.Errorf("%s has no spelling in a spec", v.Type())
	return ""
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/-]*$`)
	// Words that YAML 1.1 or 1.2 reads as something else.
	notText = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
	// Literal fields take numbers and truths by the letter.
	plainLiteral = regexp.MustCompile(`^(-?[1-9][0-9]{0,17}|0|true|false)$`)
)

func (w *yamlWriter) text(s string, literal bool) string {
	if plainText.MatchString(s) && !notText.MatchString(s) || literal && plainLiteral.MatchString(s) {
		return s
	}
	if !utf8.ValidString(s) && w.err == nil {
		w.err = fmt.Errorf("%q is not UTF-8, which YAML cannot hold", s)
	}
	return quoteYAML(s)
}

// quoteYAML writes text between double quotes. Everything outside printable
// ASCII is escaped, except letters of other scripts, which are there to be read.
func quoteYAML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
