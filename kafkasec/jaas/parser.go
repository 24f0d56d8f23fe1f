package jaas

import (
	"fmt"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// parser is what the two dialects share: the current token and the problems.
type parser struct {
	tokens   *tokenizer
	tok      token
	source   string
	problems holdfast.Problems
	// openLine is where the last string without a closing quote began, or 0. Java
	// accepts such a string, so it only explains the error that mostly follows.
	openLine int
}

func newParser(source, text, words string) *parser {
	p := &parser{tokens: newTokenizer(text, words), source: source}
	p.advance()
	return p
}

func (p *parser) advance() {
	p.tok = p.tokens.next()
	if p.tok.open {
		p.openLine = p.tok.line
	}
	if p.tok.bad {
		p.problem(p.tok.line, "found a byte that is not UTF-8; Java would put another character in its place")
	}
}

func (p *parser) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, holdfast.Problem{Source: p.source, Line: line, Message: fmt.Sprintf(format, args...)})
}

// expected reports the current token as wrong. It is a syntax error: nothing
// behind it can be trusted, so the caller stops.
func (p *parser) expected(what string) {
	hint := ""
	if p.openLine > 0 {
		hint = fmt.Sprintf(" (the quoted string of line %d has no closing quote on its line)", p.openLine)
	}
	p.problem(p.tok.line, "expected %s, found %s%s", what, p.tok.describe(), hint)
}

// flag reads the current token as a control flag. A wrong one is reported and
// does not stop the parser. Java compares in upper case.
func (p *parser) flag() Flag {
	switch strings.ToUpper(p.tok.text) {
	case "REQUIRED":
		return Required
	case "REQUISITE":
		return Requisite
	case "SUFFICIENT":
		return Sufficient
	case "OPTIONAL":
		return Optional
	}
	p.problem(p.tok.line, "expected required, requisite, sufficient or optional, found another word")
	return ""
}

// describe names a token without its text, which may belong to a password. The
// characters of the syntax itself are told.
func (t token) describe() string {
	switch t.kind {
	case endOfInput:
		return "the end"
	case word:
		return "an unquoted word"
	case doubleQuoted:
		return "a quoted string"
	case singleQuoted:
		return "a string in single quotes"
	case number:
		return "an unquoted number"
	}
	if strings.ContainsRune(";={}", t.char) {
		return `"` + string(t.char) + `"`
	}
	return "a character that must stand inside quotes"
}
