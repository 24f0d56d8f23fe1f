package kafkarules

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// kind is the type that ConfigDef gives a config.
type kind int

const (
	kindBoolean kind = iota
	kindInt
	kindLong
	kindDouble
	kindString
	kindList
)

// value is a parsed config value; the field of its kind is set.
type value struct {
	kind   kind
	truth  bool
	number int64
	real   float64
	text   string
	list   []string
}

// parseValue reads a value as ConfigDef.parseType does: trimmed first, whatever
// the kind.
func parseValue(k kind, raw string) (value, error) {
	text := javaTrim(raw)
	v := value{kind: k, text: text}
	switch k {
	case kindBoolean:
		switch {
		case strings.EqualFold(text, "true"):
			v.truth = true
		case !strings.EqualFold(text, "false"):
			return value{}, errors.New("is neither true nor false")
		}
	case kindInt, kindLong:
		bits := 64
		if k == kindInt {
			bits = 32
		}
		n, err := parseInteger(text, bits)
		if err != nil {
			return value{}, err
		}
		v.number = n
	case kindDouble:
		x, err := parseDouble(text)
		if err != nil {
			return value{}, err
		}
		v.real = x
	case kindString:
	case kindList:
		v.list = splitList(text)
	}
	return v, nil
}

// javaTrim is String.trim: everything up to U+0020 goes, at both ends.
func javaTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// parseInteger is Integer.parseInt and Long.parseLong. They take every decimal
// digit of the basic plane, not only the ASCII ones.
func parseInteger(text string, bits int) (int64, error) {
	ascii := strings.Map(func(r rune) rune {
		if d, ok := decimalDigit(r); ok {
			return '0' + d
		}
		if r == '+' || r == '-' {
			return r
		}
		return 'x'
	}, text)
	n, err := strconv.ParseInt(ascii, 10, bits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("does not fit in " + strconv.Itoa(bits) + " bits")
	case err != nil:
		return 0, errors.New("is not a whole number")
	}
	return n, nil
}

// decimalDigit is Character.digit(char, 10). Unicode keeps the ten decimal
// digits of a script together and in order.
func decimalDigit(r rune) (rune, bool) {
	if '0' <= r && r <= '9' {
		return r - '0', true
	}
	if r > 0xFFFF || !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	zero := r
	for unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return (r - zero) % 10, true
}

// javaDouble is the grammar of Double.valueOf, which knows hexadecimal
// fractions and the suffixes f and d, and is case-sensitive about NaN.
var javaDouble = regexp.MustCompile(`^[+-]?(NaN|Infinity|` +
	`([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?|` +
	`0[xX]([0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+[fFdD]?)$`)

func parseDouble(text string) (float64, error) {
	if !javaDouble.MatchString(text) {
		return 0, errors.New("is not a number")
	}
	number := text
	if !strings.HasSuffix(number, "Infinity") && !strings.HasSuffix(number, "NaN") {
		number = strings.TrimRight(number, "fFdD")
		if strings.ContainsAny(text, "xX") && !strings.ContainsAny(number, "pP") {
			number = text // the letters belonged to the digits
		}
	}
	x, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimPrefix(number, "+"), "-"), 64)
	// Out of range is no error in Java: the value is then infinite or zero.
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("is not a number")
	}
	if strings.HasPrefix(number, "-") {
		x = math.Copysign(x, -1)
	}
	return x, nil
}

// splitList splits at commas, with the white space around them, and keeps empty
// elements; an empty value is an empty list.
func splitList(text string) []string {
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i, item := range items {
		// The text is trimmed already, so that the outer ends have none to lose.
		items[i] = strings.Trim(item, " \t\n\v\f\r")
	}
	return items
}

// same reports whether a broker treats two parsed values alike.
func (v value) same(w value) bool {
	switch v.kind {
	case kindBoolean:
		return v.truth == w.truth
	case kindInt, kindLong:
		return v.number == w.number
	case kindDouble:
		return v.real == w.real || v.real != v.real && w.real != w.real
	case kindList:
		return slices.Equal(asSet(v.list), asSet(w.list))
	}
	return v.text == w.text
}

// asSet sorts and drops empty and repeated elements: no list of a topic has an
// order that a broker looks at.
func asSet(list []string) []string {
	set := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(set)
	return slices.Compact(set)
}
