package properties

import (
	"unicode/utf16"

	"github.com/holdfast-sec/holdfast"
)

// Parse reads a .properties file. It accepts what Java accepts, with one
// exception: an escape like \ud800 that is half of a surrogate pair. Java keeps
// such a half in its string and sends "?" to the wire; here it is an error,
// because a Go string cannot hold it.
//
// The error is a [holdfast.Problems] with every malformed escape and its line.
// It never quotes keys or values, since either may be part of a password.
func Parse(data []byte) (*File, error) {
	var (
		file     File
		problems holdfast.Problems
	)
	r := reader{data: data, line: 1}
	for {
		l, ok := r.logicalLine()
		if !ok {
			break
		}
		key, value := l.split()
		e := Entry{Line: l.start}
		e.Key = key.unescape(&problems)
		e.Value = value.unescape(&problems)
		file.Entries = append(file.Entries, e)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &file, nil
}

// line is a logical line or a part of one: continuations are joined, escapes
// still in place.
type line struct {
	text []byte
	// lines holds the natural line of each byte of text.
	lines []int
	start int
}

func (l line) slice(from, to int) line {
	return line{text: l.text[from:to], lines: l.lines[from:to], start: l.start}
}

// split finds key and value: the key ends at the first unescaped "=", ":" or
// blank; blanks and at most one "=" or ":" separate it from the value.
func (l line) split() (key, value line) {
	end, escaped := 0, false
	for ; end < len(l.text); end++ {
		c := l.text[end]
		if !escaped && (isSeparator(c) || isBlank(c)) {
			break
		}
		escaped = c == '\\' && !escaped
	}
	from, separated := end, false
	for ; from < len(l.text); from++ {
		c := l.text[from]
		if isBlank(c) {
			continue
		}
		if separated || !isSeparator(c) {
			break
		}
		separated = true
	}
	return l.slice(0, end), l.slice(from, len(l.text))
}

// unescape resolves the backslash escapes. Java drops the backslash in front of
// any character that is no escape, so \b is "b".
func (l line) unescape(problems *holdfast.Problems) string {
	units := make([]uint16, 0, len(l.text))
	for i := 0; i < len(l.text); i++ {
		c := l.text[i]
		if c != '\\' || i+1 == len(l.text) {
			units = append(units, uint16(c))
			continue
		}
		i++
		switch c = l.text[i]; c {
		case 't':
			c = '\t'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 'f':
			c = '\f'
		case 'u':
			unit, ok := hex4(l.text[i+1:])
			if !ok {
				*problems = append(*problems, holdfast.Problem{Line: l.lines[i],
					Message: `malformed escape: after \u come exactly four hexadecimal digits`})
				continue
			}
			units = append(units, unit)
			i += 4
			continue
		}
		units = append(units, uint16(c))
	}
	if hasLoneSurrogate(units) {
		*problems = append(*problems, holdfast.Problem{Line: l.start,
			Message: `escape of half a surrogate pair: \ud800 to \udbff must be followed by \udc00 to \udfff`})
	}
	return string(utf16.Decode(units))
}

func hex4(s []byte) (uint16, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var v uint16
	for _, c := range s[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint16(c)
	}
	return v, true
}

func hasLoneSurrogate(units []uint16) bool {
	for i := 0; i < len(units); i++ {
		if !utf16.IsSurrogate(rune(units[i])) {
			continue
		}
		if i+1 == len(units) || utf16.DecodeRune(rune(units[i]), rune(units[i+1])) == '�' {
			return true
		}
		i++
	}
	return false
}

func isSeparator(c byte) bool { return c == '=' || c == ':' }

// isBlank: what Java calls white space within a line. Not the vertical tab.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' }
