package jaas

import "github.com/holdfast-sec/holdfast"

// propertyWords: org.apache.kafka.common.security.JaasConfig, the same in Kafka
// 3.9 to 4.4. (Its successor in development takes nearly all characters into
// words; what is accepted here means the same there.)
const propertyWords = "-_$"

// ParseProperty reads the value of sasl.jaas.config as Kafka does: exactly one
// login module,
//
//	class flag key="value" ... ;
//
// The error is a [holdfast.Problems] with lines of the value, which may hold
// several. Bytes that are not UTF-8 are an error, though Java would replace them.
//
// An option whose key is neither a word nor quoted, like 12="x", is accepted and
// left out: Kafka stores it where no login module can find it.
func ParseProperty(value holdfast.Secret) (LoginModule, error) {
	p := newParser("", value.Reveal(), propertyWords)
	if p.tok.kind == endOfInput {
		p.expected("a login module")
	}
	var modules []LoginModule
	for p.tok.kind != endOfInput {
		if len(modules) == 1 {
			// The rule of org.apache.kafka.common.security.JaasContext.
			p.problem(p.tok.line, "expected the end, found more than one login module")
		}
		m, ok := p.propertyModule()
		if !ok {
			break
		}
		modules = append(modules, m)
	}
	if err := p.problems.Err(); err != nil {
		return LoginModule{}, err
	}
	return modules[0], nil
}

func (p *parser) propertyModule() (m LoginModule, ok bool) {
	if !p.tok.isText() || p.tok.text == "" {
		p.expected("the class of a login module")
		return m, false
	}
	m.Class = p.tok.text
	p.advance()
	if !p.tok.isText() {
		p.expected("required, requisite, sufficient or optional behind the class")
		return m, false
	}
	m.Flag = p.flag()
	for p.advance(); !p.tok.is(';'); p.advance() {
		if p.tok.kind == endOfInput {
			p.expected(`";" at the end of the login module`)
			return m, false
		}
		key := p.tok
		p.advance()
		if !p.tok.is('=') {
			p.expected(`"=" behind the key of an option`)
			return m, false
		}
		p.advance()
		if !p.tok.isText() {
			p.expected("the value of an option, in quotes")
			return m, false
		}
		if key.isText() {
			m.Options = append(m.Options, Option{Key: key.text, Value: holdfast.NewSecret(p.tok.text)})
		}
	}
	p.advance()
	return m, true
}
