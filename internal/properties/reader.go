package properties

// reader yields logical lines.
type reader struct {
	data []byte
	pos  int
	line int
}

// logicalLine returns the next line that is neither blank nor a comment, with
// its continuation lines joined.
//
// Three corners are Java's and kept on purpose. A file that ends in a backslash,
// or in a backslash and a single line-end character, ends in a line of its own:
// the pair "" = "". A continuation that has brought no text yet may be followed
// by a comment. And a blank continuation line ends the logical line.
func (r *reader) logicalLine() (line, bool) {
	var l line
	continued := false
	for r.pos < len(r.data) {
		r.skipBlanks()
		if r.pos == len(r.data) {
			break
		}
		c := r.data[r.pos]
		switch {
		case isLineEnd(c):
			r.skipLineEnd()
			if continued && len(l.text) > 0 {
				return l, true
			}
			continued = false
			continue
		case len(l.text) == 0 && (c == '#' || c == '!'):
			for r.pos < len(r.data) && !isLineEnd(r.data[r.pos]) {
				r.pos++
			}
			continued = false
			continue
		}
		if !r.naturalLine(&l) {
			return l, true
		}
		continued = true
	}
	return l, len(l.text) > 0
}

// naturalLine appends the rest of the natural line and its line end, and
// reports whether another line continues it.
func (r *reader) naturalLine(l *line) bool {
	if len(l.text) == 0 {
		l.start = r.line
	}
	escaped := false
	for ; r.pos < len(r.data) && !isLineEnd(r.data[r.pos]); r.pos++ {
		c := r.data[r.pos]
		l.text = append(l.text, c)
		l.lines = append(l.lines, r.line)
		escaped = c == '\\' && !escaped
	}
	if escaped {
		l.text = l.text[:len(l.text)-1]
		l.lines = l.lines[:len(l.lines)-1]
	}
	last := r.pos+1 >= len(r.data)
	r.skipLineEnd()
	return escaped && !last
}

func (r *reader) skipBlanks() {
	for r.pos < len(r.data) && isBlank(r.data[r.pos]) {
		r.pos++
	}
}

// skipLineEnd takes "\r\n" as one.
func (r *reader) skipLineEnd() {
	if r.pos >= len(r.data) {
		return
	}
	if r.data[r.pos] == '\r' && r.pos+1 < len(r.data) && r.data[r.pos+1] == '\n' {
		r.pos++
	}
	r.pos++
	r.line++
}

func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }
