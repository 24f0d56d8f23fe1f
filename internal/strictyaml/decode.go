package strictyaml

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast"
)

// Bounds on what a document may ask for. They are far above any real spec and
// keep the time and memory of a hostile one small.
const (
	// maxBytes is the size of a document: room for more than 20,000 ACLs. Block
	// style of that size is read in less than a second; the parser's time for
	// one flow collection grows with the square of its keys, and this keeps it
	// to seconds.
	maxBytes = 4 << 20
	// maxDepth is how deep lists and mappings may nest, aliases included.
	maxDepth = 64
	// maxKeyBytes is the length of a key. YAML 1.2.2, section 7.4.2, allows
	// an implicit key 1024 characters.
	maxKeyBytes = 1024
	// maxAliased is how many values aliases may add to a document. Nested
	// aliases multiply: nine lines of "billion laughs" stand for 10^9 values.
	maxAliased = 100_000
	// maxProblems is how many problems are listed. Beyond it, one says so.
	maxProblems = 1000
)

// Decode reads the one document in data into v, a non-nil pointer. source names
// the input in problems, usually a file.
//
// A struct takes a mapping; its fields are those with a `yaml:"name"` tag, and
// an embedded struct tagged `yaml:",inline"` adds its fields to the outer ones.
// Keys that are absent leave the field as it was, so v may hold defaults. A
// slice takes a list, a map with string keys a mapping, a pointer also null,
// and string, bool, integer, unsigned and float types the scalar of that name.
// A [time.Duration] takes text such as 30s. A type that implements
// [encoding.TextUnmarshaler] takes text, and its error becomes a problem. An
// any takes nil, bool, int64 (uint64 above its range), float64, string, []any
// or map[string]any.
//
// Unknown keys are problems, except for a struct with a field of type
// []UnknownKey tagged `yaml:",unknown"`, which lists them in the order of the
// document. That is for documents of somebody else's program, of which one part
// is wanted: what stands under such a key may hold tags and whatever else.
//
// Text fields take text only: 12, true and null need quotes. With
// `yaml:"name,literal"` the text under the field (also in its lists and
// mappings) may be any scalar but null and is kept as written, 604800000, true
// and 1e3 alike. That is for values whose meaning is another system's, such as
// Kafka topic configs. `yaml:"name,binary"` on a text field is that, and reads what
// is tagged !!binary as the bytes that it stands for.
//
// The error is [holdfast.Problems], sorted by position; v then holds parts of
// the document and must not be used, while the Positions still answer. A type
// that Decode cannot fill is a mistake of the program and gives another error.
func Decode(source string, data []byte, v any) (Positions, error) {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return Positions{}, fmt.Errorf("decode YAML into %T: want a non-nil pointer", v)
	}
	want, err := shapes{}.of(target.Type().Elem(), false)
	if err != nil {
		return Positions{}, fmt.Errorf("decode YAML into %T: %w", v, err)
	}
	doc := parse(data)
	d := decoder{problems: doc.problems, open: map[*yaml.Node]struct{}{}}
	if doc.root != nil {
		d.value(doc.root, want, target.Elem())
	}
	for i := range d.problems {
		p := &d.problems[i]
		p.Source = source
		p.Line, p.Column = doc.text.clamp(p.Line, p.Column)
	}
	d.problems.Sort()
	return Positions{source: source, root: doc.root, text: doc.text}, d.problems.Err()
}

// decoder walks the node tree and the Go value together.
type decoder struct {
	problems holdfast.Problems
	path     path
	// open holds the anchored nodes on the way from the root to here: an alias
	// to one of them would never end.
	open map[*yaml.Node]struct{}
	// depth counts nested values, inAlias the aliases among them, aliased the
	// values visited through aliases so far.
	depth, inAlias, aliased int
	// stopped is set when a bound is passed: nothing more is read.
	stopped bool
}
