package jaas

import (
	"fmt"

	"github.com/holdfast-sec/holdfast"
)

// fileWords: sun.security.provider.ConfigFile, JDK 17.
const fileWords = "-_$*"

// FileOptions says how to read a JAAS file.
type FileOptions struct {
	// Source names the file in errors.
	Source string
	// Expand answers for ${name} in option values what the system property name
	// (java -Dname=...) is in the Java process that reads the file. Nil knows no
	// property; a property that is not there is an error, as in the JDK.
	Expand func(name string) (value string, ok bool)
}

// ParseFile reads a JAAS file as the JDK does:
//
//	Name {
//	    class flag key="value" ... ;
//	};
//
// Option values are expanded: ${name} becomes what [FileOptions.Expand] answers
// for it, ${/} the file separator; ${{name}} stays as it is, and so does what an
// answer contains. An expansion that leaves nothing is an error. (The JDK
// expands unless policy.expandProperties is false.)
//
// The error is a [holdfast.Problems]. Bytes that are not UTF-8 are an error
// outside of comments, though Java would replace them. A context whose name is
// neither a word nor quoted is accepted and left out: no program can ask for it.
func ParseFile(data []byte, opts FileOptions) (File, error) {
	p := fileParser{parser: newParser(opts.Source, string(data), fileWords), expand: opts.Expand}
	var file File
	seen := map[string]bool{}
	for p.tok.kind != endOfInput {
		name := p.tok
		c, ok := p.context()
		if !ok {
			break
		}
		// A name that is no text is null in Java, and may be there once, too.
		id := fmt.Sprint(name.isText(), name.text)
		if seen[id] {
			p.problem(name.line, "expected a new context, found a second one called %q", name.text)
		}
		seen[id] = true
		if name.isText() {
			file.Contexts = append(file.Contexts, c)
		}
	}
	if err := p.problems.Err(); err != nil {
		return File{}, err
	}
	return file, nil
}

type fileParser struct {
	*parser
	expand func(string) (string, bool)
}

func (p *fileParser) context() (c Context, ok bool) {
	c.Name = p.tok.text
	p.advance()
	if !p.tok.is('{') {
		p.expected(`"{" behind the name of a context`)
		return c, false
	}
	for p.advance(); !p.tok.is('}'); p.advance() {
		m, ok := p.module()
		if !ok {
			return c, false
		}
		c.Modules = append(c.Modules, m)
	}
	p.advance()
	if !p.tok.is(';') {
		p.expected(`";" behind the "}" of a context`)
		return c, false
	}
	p.advance()
	return c, true
}

// module reads up to its semicolon.
func (p *fileParser) module() (m LoginModule, ok bool) {
	if !p.isString() || p.tok.text == "" {
		p.expected(`the class of a login module or "}"`)
		return m, false
	}
	m.Class = p.tok.text
	p.advance()
	if !p.isString() {
		p.expected("required, requisite, sufficient or optional behind the class")
		return m, false
	}
	m.Flag = p.flag()
	for p.advance(); !p.tok.is(';'); p.advance() {
		if !p.isString() {
			p.expected(`the key of an option or ";"`)
			return m, false
		}
		key := p.tok.text
		p.advance()
		if !p.tok.is('=') {
			p.expected(`"=" behind the key of an option`)
			return m, false
		}
		p.advance()
		if !p.isString() {
			p.expected("the value of an option, in double quotes")
			return m, false
		}
		m.Options = append(m.Options, Option{Key: key, Value: p.value()})
	}
	return m, true
}

// isString: unlike Kafka's parser, the JDK's has no use for single quotes.
func (p *fileParser) isString() bool {
	return p.tok.kind == word || p.tok.kind == doubleQuoted
}

// value expands the current token. Only the value before the expansion can be
// empty.
func (p *fileParser) value() holdfast.Secret {
	s, problems := expand(p.tok.text, p.expand)
	for _, message := range problems {
		p.problem(p.tok.line, "%s", message)
	}
	if s == "" && p.tok.text != "" && len(problems) == 0 {
		p.problem(p.tok.line, "expected a value, found only properties that are empty")
	}
	return holdfast.NewSecret(s)
}
