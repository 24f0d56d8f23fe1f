package playbook

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

// Place is where something stands in the file.
type Place struct {
	Path string
	Line int
}

// String names the place.
func (p Place) String() string { return fmt.Sprintf("line %d (%s)", p.Line, p.Path) }

func (r *reader) place(path string) Place { return Place{path, r.at.At(path).Line} }

func (r *reader) problem(path, message string) {
	r.problems = append(r.problems, holdfast.Problem{Path: path, Message: message})
}

func (r *reader) untranslate(at strictyaml.Pos, path, text, reason string) {
	r.untranslated = append(r.untranslated, Untranslated{Path: path, Line: at.Line, Text: text, Reason: reason})
}

// written reports whether the root has the key.
func (r *reader) written(key string) bool { return r.at.At(key) != r.at.At("") }

// Every value may be a Jinja expression, which only Ansible evaluates. The
// functions below list it, and return false as they do after a problem.

func isJinja(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%") || strings.Contains(text, "{#")
}

const jinjaReason = "a Jinja expression, which only Ansible evaluates"

// jinja lists the value if it is an expression.
func (r *reader) jinja(path string, value any, consequence string) bool {
	text, ok := value.(string)
	if !ok || !isJinja(text) {
		return false
	}
	r.untranslate(r.at.At(path), path, text, jinjaReason+consequence)
	return true
}

func (r *reader) mismatch(path, want string, value any) {
	found := "a list"
	switch v := value.(type) {
	case nil:
		r.problem(path, "no value: want "+want+", or leave it out")
		return
	case map[string]any:
		found = "a mapping"
	case string:
		found = fmt.Sprintf("the text %q", clip(v))
	case []any:
	default:
		found = fmt.Sprint(v)
	}
	r.problem(path, "want "+want+", found "+found)
}

func clip(s string) string {
	const limit = 60
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}

func (r *reader) list(path string, value any) ([]any, bool) {
	if r.jinja(path, value, "") {
		return nil, false
	}
	list, ok := value.([]any)
	if !ok {
		r.mismatch(path, "a list", value)
	}
	return list, ok
}

// optionalList: the playbook stops where one of its lists is missing, so to have
// none is no other meaning.
func (r *reader) optionalList(path string, fields map[string]any, key string) ([]any, bool) {
	value, ok := fields[key]
	if !ok {
		return nil, true
	}
	return r.list(path, value)
}

// fields checks that the value is a mapping and lists the keys that are not known.
func (r *reader) fields(path string, value any, known ...string) (map[string]any, bool) {
	if r.jinja(path, value, "") {
		return nil, false
	}
	fields, ok := value.(map[string]any)
	if !ok {
		r.mismatch(path, "a mapping with the keys "+strings.Join(known, ", "), value)
		return nil, false
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, key) {
			at := path + "." + key
			if !plainKey.MatchString(key) {
				at = path + "[" + strconv.Quote(key) + "]"
			}
			r.untranslate(r.at.Key(at), at, "", "the playbook does not read this key")
		}
	}
	return fields, true
}

// plainKey is a key that strictyaml writes into paths without quotes.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// name is a required key that the playbook pastes into its command as one word.
func (r *reader) name(path string, fields map[string]any, key string) (string, bool) {
	value, ok := fields[key]
	if !ok {
		r.problem(path, "missing: the playbook needs it")
		return "", false
	}
	return r.word(path, value)
}

// word is a value that has to be one word to the shell.
func (r *reader) word(path string, value any) (string, bool) {
	text, ok := r.text(path, value)
	if !ok {
		return "", false
	}
	words, err := splitWords(text)
	switch {
	case err != nil:
		r.problem(path, fmt.Sprintf("%q: %v", clip(text), err))
	case len(words) == 0:
		r.problem(path, "empty: want a name")
	case len(words) > 1:
		r.problem(path, fmt.Sprintf("%q is %d words to the playbook's shell: put quotes inside the quotes, \"'...'\"", clip(text), len(words)))
	case words[0] == "":
		r.problem(path, "empty: want a name")
	default:
		return words[0], true
	}
	return "", false
}

// words is a required key whose text the shell splits.
func (r *reader) words(path string, fields map[string]any, key string) ([]string, bool) {
	value, ok := fields[key]
	if !ok {
		r.problem(path, "missing: want flags of kafka-acls")
		return nil, false
	}
	text, ok := r.text(path, value)
	if !ok {
		return nil, false
	}
	words, err := splitWords(text)
	if err != nil {
		r.problem(path, err.Error())
	}
	return words, err == nil
}

// yaml11Bool are the words that Ansible, whose YAML is 1.1, reads as true or
// false where they stand without quotes (PyYAML's resolver; y and n are not
// among them). True and false are the same in 1.2.
var yaml11Bool = regexp.MustCompile(`^(yes|Yes|YES|on|On|ON|(no|No|NO|off|Off|OFF))$`)

func (r *reader) text(path string, value any) (string, bool) {
	if r.jinja(path, value, "") {
		return "", false
	}
	text, ok := value.(string)
	switch {
	case !ok:
		if value != nil {
			r.mismatch(path, "text (in quotes)", value)
		} else {
			r.problem(path, "no value: want text")
		}
	case r.at.Plain(path) && yaml11Bool.MatchString(text):
		r.problem(path, fmt.Sprintf("Ansible reads %s without quotes as true or false: put it in quotes", text))
		ok = false
	}
	return text, ok
}

// toggle is true where the variable is left out: the playbook demands it, so
// then it comes from another file.
func (r *reader) toggle(key string, value any) bool {
	if !r.written(key) {
		return true
	}
	if r.jinja(key, value, ", so what it switches is left out") {
		return false
	}
	switch v := value.(type) {
	case bool:
		return v
	case string:
		if m := yaml11Bool.FindStringSubmatch(v); m != nil && r.at.Plain(key) {
			return m[2] == ""
		}
		// The text 'false' is true or false by the version of Ansible and the
		// form of the condition.
		r.problem(key, fmt.Sprintf("want true or false, found the text %q: leave out the quotes", clip(v)))
	default:
		r.mismatch(key, "true or false", value)
	}
	return false
}

// number is 0 where the variable is left out.
func (r *reader) number(key string, value any, limit int64) int64 {
	if !r.written(key) || r.jinja(key, value, ", so it is left to the broker") {
		return 0
	}
	n, ok := value.(int64)
	if text, isText := value.(string); isText {
		var err error
		n, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		ok = err == nil
	}
	if !ok || n < 1 || n > limit {
		r.mismatch(key, fmt.Sprintf("an integer from 1 to %d", limit), value)
		return 0
	}
	return n
}

// usersKnown reads the listener protocol: without SASL and TLS everybody is
// User:ANONYMOUS, and the project makes topics only.
func (r *reader) usersKnown(key string, value any) bool {
	if !r.written(key) {
		return true
	}
	if r.jinja(key, value, ", so ACLs are left out: with PLAINTEXT there are none") {
		return false
	}
	switch value {
	case "SASL_PLAINTEXT", "SASL_SSL", "SSL":
		return true
	case "PLAINTEXT":
	default:
		r.mismatch(key, "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", value)
	}
	return false
}

var releaseNumber = regexp.MustCompile(`^([0-9]{1,4})(?:\.([0-9]{1,4}))?(?:[.-].*)?$`)

func (r *reader) release(key string, value any) kafkasec.Release {
	if !r.written(key) || r.jinja(key, value, ", so roles are those of the newest Kafka") {
		return kafkasec.Release{}
	}
	text, _ := value.(string)
	switch v := value.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	}
	m := releaseNumber.FindStringSubmatch(text)
	if m == nil {
		r.mismatch(key, "a Kafka version such as 2.8.0", value)
		return kafkasec.Release{}
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2]) // "" is 0
	return kafkasec.Release{Major: major, Minor: minor}
}
