package jaas_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
	"github.com/holdfast-sec/holdfast/kafkasec/jaas"
)

// javaCase, javaModule and javaAnswer are those of JaasPropertyOracle.java and
// JaasFileOracle.java.
type javaCase struct {
	Text       string            `json:"text"`
	Properties map[string]string `json:"properties,omitempty"`
}

type javaModule struct {
	Class   string
	Flag    jaas.Flag
	Options map[string]string
}

type javaAnswer struct {
	Modules  []javaModule
	Contexts map[string][]javaModule
	Error    string
}

func plainModules(modules []jaas.LoginModule) []javaModule {
	out := make([]javaModule, len(modules))
	for i, m := range modules {
		out[i] = javaModule{Class: m.Class, Flag: m.Flag, Options: map[string]string{}}
		for _, o := range m.Options {
			out[i].Options[o.Key] = o.Value.Reveal()
		}
	}
	return out
}

// dialect is one of our parsers with its oracle.
type dialect struct {
	options oracle.Options
	// parse gives our answer in Java's shape.
	parse func(text string) (javaAnswer, error)
	// properties are the system properties of the JVM.
	properties map[string]string
	wrap       func(option string) string
	skeleton   []string
}

func propertyDialect() dialect {
	return dialect{
		options: oracle.Options{Main: "JaasPropertyOracle"},
		parse: func(text string) (javaAnswer, error) {
			m, err := jaas.ParseProperty(holdfast.NewSecret(text))
			return javaAnswer{Modules: plainModules([]jaas.LoginModule{m})}, err
		},
		wrap:     propertyText,
		skeleton: []string{"a.B", "required", "k", "=", `"v"`, "l", "=", "'w'", ";"},
	}
}

func fileDialect() dialect {
	properties := map[string]string{"user.home": "/home/kafka", "empty": "", "nested": "${user.home}", "a": "1", "v": "$"}
	return dialect{
		options: oracle.Options{
			Main: "JaasFileOracle",
			JVM:  []string{"--add-opens=java.base/javax.security.auth.login=ALL-UNNAMED", "--add-opens=java.base/sun.security.provider=ALL-UNNAMED"},
		},
		parse: func(text string) (javaAnswer, error) {
			f, err := jaas.ParseFile([]byte(text), jaas.FileOptions{Expand: func(name string) (string, bool) {
				v, ok := properties[name]
				return v, ok
			}})
			answer := javaAnswer{Contexts: map[string][]javaModule{}}
			for _, c := range f.Contexts {
				answer.Contexts[c.Name] = plainModules(c.Modules)
			}
			return answer, err
		},
		properties: properties,
		wrap:       fileText,
		skeleton: []string{"A", "{", "a.B", "required", "k", "=", `"v"`, "l", "=", "w", ";", "c.D", "optional", "m", "=", `"${a}"`, ";", "}", ";",
			"B", "{", "}", ";"},
	}
}

// atoms are what texts are made of: all that means something to either parser,
// and its neighbours.
var atoms = []string{
	"a", "B", "k", "v", "required", "OPTIONAL", "Sufficient", "requisıte", "user", "1", "12", "9", "0", "7", ".", "-", "_", "$", "*", "@", "+", ":", "#", "!", "?", "%", "&",
	",", "(", ")", "[", "]", "~", "`", "^", "<", ">", "|", "\\", "\\n", "\\t", "\\\"", "\\\\", "\\101", "\\477", "\\377", "\\08", "\\7", "\\u0041", "\\'", "\\\n", "\\\r",
	"\"", "'", "\"\"", "\"a b\"", "\"v;\"", "'v'", "\"1\"", "\"o\n", "\"o\r", "'o\r\n", ";", "=", "{", "}", "${", "}}", "${{", "${a}", "${user.home}", "${empty}", "${nested}", "${no}", "${/}", "${}",
	"/", "//", "/*", "*/", "/**/", "// c\n", "/\n", " ", " ", " ", "\t", "\n", "\n", "\r", "\r\n", "\f", "\v", "\x00", "\x1f", "\x7f", "\u0080", "\u009f", "\u00a0",
	"é", "ÿ", "Ā", "€", "😀", "\ufeff", "\u2028", "\uffff",
}

// random gives a text of four kinds: a jumble, a valid text with one or two
// pieces changed, and an option that is a jumble, or mostly just its value.
func (d dialect) random(r *rand.Rand) string {
	jumble := func(n int) string {
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteString(atoms[r.IntN(len(atoms))])
		}
		return b.String()
	}
	seldom := func(s string) string {
		if r.IntN(6) > 0 {
			return ""
		}
		return s
	}
	switch r.IntN(8) {
	case 0:
		return jumble(20)
	case 1:
		return d.wrap(jumble(3) + "=" + jumble(3))
	case 2, 3, 4:
		var b strings.Builder
		changes := 1 + r.IntN(2)
		for _, piece := range d.skeleton {
			if r.IntN(len(d.skeleton)) < changes {
				switch r.IntN(3) {
				case 0:
					piece = atoms[r.IntN(len(atoms))]
				case 1:
					piece += atoms[r.IntN(len(atoms))]
				case 2:
					piece = atoms[r.IntN(len(atoms))] + piece
				}
			}
			b.WriteString(piece)
			b.WriteString([]string{" ", " ", " ", "\n", "\t", "/**/", "//\n"}[r.IntN(7)])
		}
		return b.String()
	default:
		value := strings.NewReplacer(`\"`, `\"`, `"`, "", "\n", "", "\r", "").Replace(jumble(8))
		return d.wrap(seldom(jumble(3)) + `k="` + value + `"` + seldom(jumble(3)))
	}
}

// disagreement says how our answer to the text differs from Java's, or "".
func (d dialect) disagreement(text string, java javaAnswer) string {
	ours, err := d.parse(text)
	switch {
	case java.Error != "" && err == nil:
		return fmt.Sprintf("Java rejects it (%s), we accept", java.Error)
	case java.Error != "":
		return ""
	case err != nil:
		return fmt.Sprintf("Java reads %v, we reject: %v", java, err)
	}
	return cmp.Diff(java, ours)
}

func (d dialect) check(t *testing.T, texts []string) {
	o := oracle.Start(t, d.options)
	ask := func(texts []string) []javaAnswer {
		cases := make([]javaCase, len(texts))
		for i, text := range texts {
			cases[i] = javaCase{Text: text}
		}
		if len(cases) > 0 {
			cases[0].Properties = d.properties
		}
		var answers []javaAnswer
		o.Ask(t, cases, &answers)
		return answers
	}
	accepted := 0
	for i, a := range ask(texts) {
		if a.Error == "" {
			accepted++
		}
		if d.disagreement(texts[i], a) == "" {
			continue
		}
		small := string(oracle.Shrink([]rune(texts[i]), func(candidates [][]rune) []bool {
			texts := make([]string, len(candidates))
			for i, c := range candidates {
				texts[i] = string(c)
			}
			fails := make([]bool, len(texts))
			for i, a := range ask(texts) {
				fails[i] = d.disagreement(texts[i], a) != ""
			}
			return fails
		}))
		t.Fatalf("text %q: %s", small, d.disagreement(small, ask([]string{small})[0]))
	}
	t.Logf("%d texts, of which Java accepts %d", len(texts), accepted)
	require.Greater(t, accepted, len(texts)/8, "too few accepted texts to mean something")
}

// texts are those of the tables and n random ones.
func (d dialect) texts(seed uint64, n int) []string {
	var texts []string
	for _, tt := range dialectCases {
		texts = append(texts, d.wrap(tt.option))
	}
	for _, tt := range expandCases {
		texts = append(texts, d.wrap(`k="`+tt.value+`"`))
	}
	texts = append(texts, seeds...)
	r := rand.New(rand.NewPCG(seed, seed))
	for range n {
		texts = append(texts, d.random(r))
	}
	return texts
}

func TestParseProperty_AgreesWithKafka(t *testing.T) {
	d := propertyDialect()
	d.check(t, d.texts(1, oracle.Count(2_000, 50_000)))
}

func TestParseProperty_AgreesWithOlderKafka(t *testing.T) {
	for _, version := range []string{"4.3.1", "3.9.2"} {
		t.Run(version, func(t *testing.T) {
			d := propertyDialect()
			d.options.Component = "kafka-" + version
			d.check(t, d.texts(2, oracle.Count(1_000, 20_000)))
		})
	}
}

func TestParseFile_AgreesWithJDK(t *testing.T) {
	d := fileDialect()
	// The JDK takes 2 ms for one.
	d.check(t, d.texts(3, oracle.Count(2_000, 20_000)))
}
