package strictyaml

import (
	"encoding"
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// The tags that the parser gives to scalars without one.
const (
	nullTag  = "!!null"
	boolTag  = "!!bool"
	intTag   = "!!int"
	floatTag = "!!float"
	mergeTag = "!!merge"

	binaryTag = "!!binary" // never without being written
)

// scalar reads a scalar into a Go value that is one.
func (d *decoder) scalar(at, n *yaml.Node, s *shape, v reflect.Value) {
	switch {
	case n.Tag == binaryTag: // the shape allows it, or it would not have come here
		value, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil {
			d.problem(at, "want base64 behind !!binary, found something else")
			return
		}
		v.SetString(string(value))
	case s.kind == textKind && (s.literal || isText(n)):
		v.SetString(n.Value)
	case s.kind == decodedKind && (s.literal || isText(n)):
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
			d.problem(at, err.Error())
		}
	case s.kind == boolKind && n.Tag == boolTag:
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case s.kind == durationKind && isText(n):
		value, err := time.ParseDuration(n.Value)
		if err != nil {
			d.mismatch(at, n, s)
			return
		}
		v.SetInt(int64(value))
	case (s.kind == intKind || s.kind == uintKind || s.kind == floatKind) && isNumber(n):
		d.number(at, n, s, v)
	default:
		d.mismatch(at, n, s)
	}
}

func (d *decoder) number(at, n *yaml.Node, s *shape, v reflect.Value) {
	if ambiguous(n.Value) {
		d.problem(at, fmt.Sprintf(ambiguousMessage, clip(n.Value)))
		return
	}
	var err error
	switch s.kind {
	case intKind:
		var value int64
		if value, err = strconv.ParseInt(n.Value, 0, s.bits); err == nil {
			v.SetInt(value)
		}
	case uintKind:
		var value uint64
		if value, err = strconv.ParseUint(strings.TrimPrefix(n.Value, "+"), 0, s.bits); err == nil {
			v.SetUint(value)
		}
	case floatKind:
		var value float64
		if value, err = parseFloat(n.Value, s.bits); err == nil {
			v.SetFloat(value)
		}
	}
	if err != nil {
		d.mismatch(at, n, s)
	}
}

// anyScalar gives a scalar its own type, or nil after a problem.
func (d *decoder) anyScalar(at, n *yaml.Node) any {
	switch {
	case isText(n):
		return n.Value
	case n.Tag == boolTag:
		return strings.EqualFold(n.Value, "true")
	case !isNumber(n):
		d.problem(at, fmt.Sprintf("%s is not a value: put it in quotes", n.Value))
		return nil
	case ambiguous(n.Value):
		d.problem(at, fmt.Sprintf(ambiguousMessage, clip(n.Value)))
		return nil
	}
	if value, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
		return value
	}
	if value, err := strconv.ParseUint(strings.TrimPrefix(n.Value, "+"), 0, 64); err == nil {
		return value
	}
	// An integer beyond 64 bits would lose digits as a float.
	if value, err := parseFloat(n.Value, 64); err == nil && strings.ContainsAny(n.Value, ".eE") {
		return value
	}
	d.problem(at, fmt.Sprintf("%s is no number that 64 bits hold: put it in quotes", clip(n.Value)))
	return nil
}

// parseFloat takes decimal floats and integers of any notation. YAML's .inf and
// .nan are spelled in a way that strconv refuses, and that is meant: no setting
// is "not a number", and JSON could not carry it.
func parseFloat(s string, bits int) (float64, error) {
	if value, err := strconv.ParseInt(s, 0, 64); err == nil {
		return float64(value), nil
	}
	return strconv.ParseFloat(s, bits)
}

const ambiguousMessage = "%s is read differently by YAML 1.1 and YAML 1.2: write a plain decimal number, or put it in quotes"

// ambiguous finds numbers that YAML versions disagree about: 010 is 8 in 1.1 and
// 10 in 1.2; 1_000, 0b1, 0X1F and -0x1f are numbers in one and text in the
// other. What remains is the core schema of YAML 1.2.2, section 10.3.2.
func ambiguous(s string) bool {
	digits := strings.TrimLeft(s, "+-")
	if strings.Contains(digits, "_") {
		return true
	}
	if len(digits) < 2 || digits[0] != '0' {
		return false
	}
	switch digits[1] {
	case 'x', 'o':
		return digits != s
	case '.', 'e', 'E':
		return false
	}
	return true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == nullTag }

func isNumber(n *yaml.Node) bool { return n.Tag == intTag || n.Tag == floatTag }

// isText includes what the parser calls a timestamp: in the core schema of YAML
// 1.2 a date is text. A merge key as a value, - <<, is text as well.
func isText(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag != nullTag && n.Tag != boolTag && !isNumber(n)
}

// foundKind says what n is without repeating it.
func foundKind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind != yaml.ScalarNode:
		return "an alias"
	case n.Tag == nullTag:
		return "null"
	case n.Tag == boolTag:
		return "true or false"
	case n.Tag == intTag:
		return "an integer"
	case n.Tag == floatTag:
		return "a number"
	}
	return "text"
}

// foundValue says what n is and repeats it.
func foundValue(n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag == nullTag:
		return foundKind(n)
	case n.Tag == boolTag:
		return n.Value
	case n.Tag == intTag:
		return "the integer " + clip(n.Value)
	case n.Tag == floatTag:
		return "the number " + clip(n.Value)
	}
	return "the text " + strconv.Quote(clip(n.Value))
}

// clip keeps messages to a line.
func clip(s string) string {
	const limit = 60
	if runes := []rune(s[:min(len(s), 4*limit)]); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}
