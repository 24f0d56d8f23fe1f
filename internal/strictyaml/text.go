package strictyaml

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/holdfast-sec/holdfast"
)

// text knows the lines of the input, for positions that stay inside it.
type text struct {
	lines      int // up to the last that is not empty; at least 1
	lastColumn int // one past the last character of that line
}

// clamp moves a position behind the end of the input, where the parser reports
// what is missing, to the end of the last line.
func (t text) clamp(line, column int) (int, int) {
	if line > t.lines {
		return t.lines, t.lastColumn
	}
	return max(line, 1), max(column, 1)
}

// scanText checks the characters of data before the parser sees them. The parser
// refuses most of these too, but without line and column; and what it takes it
// reads in ways that differ between YAML 1.1 and 1.2.
func scanText(data []byte) (text, *holdfast.Problem) {
	t := text{lines: 1, lastColumn: 1}
	refuse := func(line, column int, format string, args ...any) (text, *holdfast.Problem) {
		return t, &holdfast.Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
	}
	if len(data) > maxBytes {
		return refuse(1, 1, "the document has %d bytes, allowed are %d", len(data), maxBytes)
	}
	rest := bytes.TrimPrefix(data, []byte("\ufeff"))
	line, column := 1, 1
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			return refuse(line, column, "byte 0x%02x is not UTF-8: want the document in UTF-8", rest[0])
		case r == '%' && column == 1:
			// A directive. %TAG serves tags, which are refused; %YAML would
			// change how the document is read; and the parser's time for many
			// of them grows with their square.
			return refuse(line, column, "directives are not allowed: leave out the line that begins with %%")
		case r == '\u0085' || r == '\u2028' || r == '\u2029':
			return refuse(line, column, `character %U breaks a line in YAML 1.1 but not in 1.2: write it as "\u%04x" in double quotes`, r, r)
		case !printable(r):
			return refuse(line, column, `character %U is not allowed in YAML: write it as an escape in double quotes`, r)
		}
		rest = rest[size:]
		column++
		if r == '\n' || r == '\r' && !bytes.HasPrefix(rest, []byte("\n")) {
			line, column = line+1, 1
			continue
		}
		if r != '\r' {
			t.lines, t.lastColumn = line, column
		}
	}
	return t, nil
}

// printable is c-printable of YAML 1.2.2, section 5.1, without the byte order
// mark, which belongs at the start only.
func printable(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return true
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r == '\ufeff' || r == '\ufffe' || r == '\uffff':
		return false
	}
	return true
}
