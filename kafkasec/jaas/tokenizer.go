package jaas

import "unicode/utf8"

// kind is the type of a token.
type kind int

const (
	endOfInput kind = iota
	word
	doubleQuoted
	singleQuoted
	number
	// symbol is a character that is neither a part of a word nor white space.
	symbol
)

// token is one token of a text.
type token struct {
	kind kind
	// text is what a word or quoted string holds; empty for the other kinds.
	text string
	// char is the character of a symbol.
	char rune
	line int
	// bad tells that text held bytes that are not UTF-8.
	bad bool
	// open tells that a quoted string ended with its line, not with a quote.
	open bool
}

// isText reports whether the token has a text: StreamTokenizer's sval is not null.
func (t token) isText() bool {
	return t.kind == word || t.kind == doubleQuoted || t.kind == singleQuoted
}

func (t token) is(char rune) bool { return t.kind == symbol && t.char == char }

// tokenizer is java.io.StreamTokenizer (JDK 17) as far as the two JAAS parsers
// use it. Both start from its default syntax table, switch // and /* */ comments
// on and add some word characters; those are all that differs.
//
// Java works on UTF-16 units and this on runes, which is the same: all units
// from 256 on are word characters.
type tokenizer struct {
	in   []rune
	pos  int
	line int
	// words are the characters that belong to words beyond letters.
	words string
}

const (
	eof rune = -1
	// invalid marks a byte that is not UTF-8; the byte is added. It lies above
	// all runes, thus counts as a word character, like the U+FFFD that Java puts.
	invalid rune = utf8.MaxRune + 1
)

func newTokenizer(text, words string) *tokenizer {
	in := make([]rune, 0, len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			r = invalid + rune(text[i])
		}
		in = append(in, r)
		i += n
	}
	return &tokenizer{in: in, line: 1, words: words}
}

// peek returns the next character without taking it.
func (t *tokenizer) peek() rune {
	if t.pos >= len(t.in) {
		return eof
	}
	return t.in[t.pos]
}

// read takes the next character and counts lines.
func (t *tokenizer) read() rune {
	c := t.peek()
	if c == eof {
		return eof
	}
	t.pos++
	if c == '\n' || c == '\r' && t.peek() != '\n' {
		t.line++
	}
	return c
}

// next returns the next token.
func (t *tokenizer) next() token {
	for {
		c := t.peek()
		switch {
		case c == eof:
			return token{kind: endOfInput, line: t.line}
		case c <= ' ':
			t.read()
		case isNumeric(c):
			// Before isWord: a dash or digit begins a number though words may
			// hold both.
			return t.number()
		case t.isWord(c):
			return t.word()
		case c == '"' || c == '\'':
			return t.quoted()
		case c == '/':
			t.comment()
		default:
			line := t.line
			t.read()
			return token{kind: symbol, char: c, line: line}
		}
	}
}

// number takes [-][digits][.digits]. What follows directly, such as the letters
// of 1abc, is the next token. A dash alone is a symbol.
func (t *tokenizer) number() token {
	tok := token{kind: number, line: t.line}
	if t.peek() == '-' {
		t.read()
		if c := t.peek(); c == '-' || !isNumeric(c) {
			tok.kind, tok.char = symbol, '-'
			return tok
		}
	}
	for dot := false; ; t.read() {
		c := t.peek()
		if c == '.' && !dot {
			dot = true
			continue
		}
		if c < '0' || c > '9' {
			return tok
		}
	}
}

func (t *tokenizer) word() token {
	tok := token{kind: word, line: t.line}
	start := t.pos
	for c := t.peek(); c != eof && (t.isWord(c) || isNumeric(c)); c = t.peek() {
		t.read()
	}
	tok.setText(t.in[start:t.pos])
	return tok
}

// quoted takes a string up to the same quote, to the end of the line, which is
// no error, or to the end of the text.
func (t *tokenizer) quoted() token {
	tok := token{kind: doubleQuoted, line: t.line}
	quote := t.read()
	if quote == '\'' {
		tok.kind = singleQuoted
	}
	var text []rune
	for {
		switch c := t.peek(); c {
		case eof, '\n', '\r':
			tok.open = true
			tok.setText(text)
			return tok
		case quote:
			t.read()
			tok.setText(text)
			return tok
		case '\\':
			t.read()
			text = append(text, t.escape())
		default:
			text = append(text, t.read())
		}
	}
}

// escape returns what a backslash and the characters behind it stand for: a
// control character, one to three octal digits up to 377, or else the character
// itself, a line end included. There is no \u. At the end of the text it is eof,
// which nobody sees: a text that ends within a string lacks its semicolon.
func (t *tokenizer) escape() rune {
	c := t.read()
	switch c {
	case 'a':
		return '\a'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'v':
		return '\v'
	}
	if c < '0' || c > '7' {
		return c
	}
	digits := 3
	if c > '3' {
		digits = 2
	}
	v := c - '0'
	for n := 1; n < digits; n++ {
		d := t.peek()
		if d < '0' || d > '7' {
			break
		}
		v = v<<3 | (t.read() - '0')
	}
	return v
}

// comment skips // and /* */, and also whatever follows a lone slash on the
// line, because the slash is a comment character of the default table.
func (t *tokenizer) comment() {
	t.read()
	// A slash that ends its line takes the next line with it: Java has read the
	// line end to look for a star and then skips to the following one.
	if t.read() != '*' {
		for c := t.peek(); c != eof && c != '\n' && c != '\r'; c = t.peek() {
			t.read()
		}
		return
	}
	for prev := rune(0); ; {
		c := t.read()
		if c == eof || c == '/' && prev == '*' {
			return
		}
		prev = c
	}
}

// setText keeps the characters, with U+FFFD for each byte that is not UTF-8.
func (t *token) setText(runes []rune) {
	for _, r := range runes {
		if r >= invalid {
			t.bad = true
		}
	}
	t.text = string(runes)
}

// isNumeric reports StreamTokenizer's numeric attribute.
func isNumeric(c rune) bool { return c >= '0' && c <= '9' || c == '.' || c == '-' }

// isWord reports StreamTokenizer's alphabetic attribute.
func (t *tokenizer) isWord(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 160:
		return true
	}
	for _, w := range t.words {
		if c == w {
			return true
		}
	}
	return false
}
