package properties

import (
	"fmt"
	"unicode/utf16"
)

// Format writes the entries in their order, a line each, so that Java loads
// back the same pairs. The lines are those that java.util.Properties.store
// writes, without its date comment: everything outside printable ASCII is
// escaped, so neither the file's encoding nor a line end can change a value.
//
// Keys and values must be valid UTF-8; each byte that is not becomes U+FFFD.
func Format(entries []Entry) []byte {
	var out []byte
	for _, e := range entries {
		out = appendEscaped(out, e.Key, true)
		out = append(out, '=')
		out = appendEscaped(out, e.Value, false)
		out = append(out, '\n')
	}
	return out
}

// appendEscaped escapes every blank of a key, since a blank would end it, and
// of a value only the leading one, since blanks in front of it are skipped.
func appendEscaped(out []byte, s string, key bool) []byte {
	for i, r := range s {
		switch {
		case r == ' ' && (key || i == 0):
			out = append(out, `\ `...)
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r == '\f':
			out = append(out, `\f`...)
		case r == '\\' || r == '=' || r == ':' || r == '#' || r == '!':
			out = append(out, '\\', byte(r))
		case r >= ' ' && r <= '~':
			out = append(out, byte(r))
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04X`, unit)
			}
		}
	}
	return out
}
