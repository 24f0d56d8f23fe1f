package holdfast_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"expvar"
	"fmt"
	htmltemplate "html/template"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast"
)

// hidden has a secret in every place where a printer may come upon one.
type hidden struct {
	Public   holdfast.Secret
	Pointer  *holdfast.Secret
	Twice    **holdfast.Secret `xml:"-"`
	Slice    []holdfast.Secret
	Array    [2]holdfast.Secret
	Map      map[string]holdfast.Secret    `xml:"-"`
	MapSlice map[string][]*holdfast.Secret `xml:"-"`
	MapKey   map[*holdfast.Secret]string   `xml:"-" yaml:"-"`
	Omit     holdfast.Secret               `json:",omitempty" yaml:",omitempty" xml:",omitempty"`
	OmitZero holdfast.Secret               `json:",omitzero"`
	Any      any                           `xml:"-"`
	Nested   struct{ Deep struct{ S holdfast.Secret } }
	embedded `yaml:",inline"`

	private  holdfast.Secret
	pointer  *holdfast.Secret
	slice    []holdfast.Secret
	mapped   map[string]holdfast.Secret
	mapKey   map[any]bool
	anything any
	deep     struct{ deeper struct{ s holdfast.Secret } }
}

type embedded struct{ holdfast.Secret }

func newHidden() hidden {
	s := holdfast.NewSecret(canary)
	p := &s
	h := hidden{
		Public: s, Pointer: p, Twice: &p,
		Slice: []holdfast.Secret{s}, Array: [2]holdfast.Secret{s, s},
		Map: map[string]holdfast.Secret{"k": s}, MapSlice: map[string][]*holdfast.Secret{"k": {p, p}},
		MapKey: map[*holdfast.Secret]string{p: "v"},
		Omit:   s, OmitZero: s, Any: []any{s, p, map[string]any{"k": s}},
		embedded: embedded{s},
		private:  s, pointer: p, slice: []holdfast.Secret{s},
		mapped: map[string]holdfast.Secret{"k": s}, mapKey: map[any]bool{p: true},
		anything: []any{s, p},
	}
	h.Nested.Deep.S = s
	h.deep.deeper.s = s
	return h
}

// places returns the secret alone and in company, as what callers pass around.
func places() map[string]any {
	s := holdfast.NewSecret(canary)
	h := newHidden()
	return map[string]any{
		"secret":         s,
		"pointer":        &s,
		"struct":         h,
		"struct pointer": &h,
		"slice":          []holdfast.Secret{s},
		"map":            map[string]holdfast.Secret{"k": s},
		"map key":        map[*holdfast.Secret]int{&s: 1},
		"any":            []any{s, &s, h},
		"method value":   s.Reveal,
		"embedded":       embedded{s},
	}
}

func TestSecret_EveryVerbAndFlag(t *testing.T) {
	noVerb := "none" // a variable, because vet rightly objects to a constant
	// Every ASCII letter, so that a verb added to fmt later is covered too.
	var verbs []string
	for r := 'A'; r <= 'z'; r++ {
		verbs = append(verbs, string(r))
	}
	var flags []string
	for set := range 1 << 5 {
		f := ""
		for i, c := range "+-# 0" {
			if set&(1<<i) != 0 {
				f += string(c)
			}
		}
		flags = append(flags, f)
	}
	for place, v := range places() {
		t.Run(place, func(t *testing.T) {
			var out strings.Builder
			for _, verb := range verbs {
				for _, flag := range flags {
					for _, width := range []string{"", "40", ".3", "40.7", "[1]"} {
						format := "%" + flag + width + verb
						out.Reset()
						fmt.Fprintf(&out, format, v)
						requireNoCanary(t, format, out.String())
					}
				}
			}
			requireNoCanary(t, "Sprint", fmt.Sprint(v))
			requireNoCanary(t, "Sprintln", fmt.Sprintln(v))
			requireNoCanary(t, "as width", fmt.Sprintf("%*d", v, 1))
			requireNoCanary(t, "as extra argument", fmt.Sprintf(noVerb, v))
		})
	}
}

func TestSecret_FormatShowsTheMask(t *testing.T) {
	s := holdfast.NewSecret(canary)
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x", "%X", "%d", "%t", "%b", "%o", "%e", "%c", "%U", "%10s"} {
		require.Equal(t, "[secret]", fmt.Sprintf(verb, s), verb)
		require.Equal(t, "[secret]", fmt.Sprintf(verb, &s), verb)
	}
	require.Equal(t, "holdfast.Secret{[secret]}", fmt.Sprintf("%#v", s))
	require.Equal(t, "holdfast.Secret", fmt.Sprintf("%T", s))
}

func TestSecret_Encoders(t *testing.T) {
	encoders := map[string]func(any) (string, error){
		"json": func(v any) (string, error) {
			b, err := json.Marshal(v)
			return string(b), err
		},
		"json indented": func(v any) (string, error) {
			b, err := json.MarshalIndent(map[string]any{"v": v}, "", " ")
			return string(b), err
		},
		"yaml": func(v any) (string, error) {
			b, err := yaml.Marshal(v)
			return string(b), err
		},
		"xml": func(v any) (string, error) {
			b, err := xml.Marshal(v)
			return string(b), err
		},
		"gob": func(v any) (string, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.String(), err
		},
		"text/template": func(v any) (string, error) {
			var b strings.Builder
			err := template.Must(template.New("").Parse(`{{.}} {{printf "%d %x %q %#v" . . . .}} {{print .}} {{js .}} {{urlquery .}}`)).Execute(&b, v)
			return b.String(), err
		},
		"html/template": func(v any) (string, error) {
			var b strings.Builder
			err := htmltemplate.Must(htmltemplate.New("").Parse(`<a title="{{.}}" href="?q={{.}}">{{.}}</a><script>var x = {{.}}</script>`)).Execute(&b, v)
			return b.String(), err
		},
		"slog text": slogged(func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }),
		"slog json": slogged(func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }),
		"log": func(v any) (string, error) {
			var b strings.Builder
			log.New(&b, "", 0).Print(v, v)
			return b.String(), nil
		},
		"expvar":  func(v any) (string, error) { return expvar.Func(func() any { return v }).String(), nil },
		"reflect": func(v any) (string, error) { return walk(reflect.ValueOf(v)), nil },
		"cmp.Diff": func(v any) (string, error) {
			return cmp.Diff(v, 1, cmp.Exporter(func(reflect.Type) bool { return true })), nil
		},
		"strconv": func(v any) (string, error) { return strconv.Quote(fmt.Sprint(v)), nil },
		"errors.As": func(v any) (string, error) {
			return fmt.Sprintf("%+v", fmt.Errorf("log in with %v: %w", v, errors.ErrUnsupported)), nil
		},
		"errors.Join": func(v any) (string, error) {
			return errors.Join(fmt.Errorf("a %v", v), fmt.Errorf("b %q %d", v, v)).Error(), nil
		},
		"%w of a non-error": func(v any) (string, error) {
			format := "%w" // not a constant, because vet rightly objects
			return fmt.Errorf(format, v).Error(), nil
		},
		"error in a struct": func(v any) (string, error) {
			err := &loginError{with: v}
			return fmt.Sprintf("%v %+v %#v", err, fmt.Errorf("x: %w", err), *err), nil
		},
	}
	for name, encode := range encoders {
		t.Run(name, func(t *testing.T) {
			for place, v := range places() {
				// Not every encoder takes every shape (JSON has no functions). Its
				// refusal must keep the secret as well.
				out, err := encode(v)
				requireNoCanary(t, place, out)
				if err != nil {
					requireNoCanary(t, place, err.Error())
				}
			}
		})
	}
}

type loginError struct{ with any }

func (e *loginError) Error() string { return fmt.Sprint("log in with ", e.with) }

func slogged(handler func(*bytes.Buffer) slog.Handler) func(any) (string, error) {
	return func(v any) (string, error) {
		var b bytes.Buffer
		l := slog.New(handler(&b))
		l.Info("plain", "v", v)
		l.With("with", v).WithGroup("g").Info("grouped", slog.Group("h", slog.Any("v", v)), slog.Any("list", []any{v}))
		l.Info(fmt.Sprint(v), "err", fmt.Errorf("x: %v", v))
		return b.String(), nil
	}
}

// walk prints every value that reflection can reach, also through unexported
// fields, the way a debugging printer does.
func walk(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return walk(v.Elem())
	case reflect.Struct:
		s := ""
		for _, f := range v.Fields() {
			s += walk(f) + " "
		}
		return s
	case reflect.Slice, reflect.Array:
		s := ""
		for i := range v.Len() {
			s += walk(v.Index(i)) + " "
		}
		return s
	case reflect.Map:
		s := ""
		for it := v.MapRange(); it.Next(); {
			s += walk(it.Key()) + " " + walk(it.Value()) + " "
		}
		return s
	default:
		return fmt.Sprintf("%v %#v", v, v)
	}
}

func TestSecret_EncodersShowTheMask(t *testing.T) {
	type doc struct {
		Password holdfast.Secret `json:"password" yaml:"password" xml:"password"`
	}
	d := doc{holdfast.NewSecret(canary)}

	b, err := json.Marshal(d)
	require.NoError(t, err)
	require.JSONEq(t, `{"password":"[secret]"}`, string(b))

	s := holdfast.NewSecret(canary)
	b, err = json.Marshal(map[*holdfast.Secret]int{&s: 1})
	require.NoError(t, err)
	require.JSONEq(t, `{"[secret]":1}`, string(b))

	b, err = yaml.Marshal(d)
	require.NoError(t, err)
	require.Equal(t, "password: '[secret]'\n", string(b))

	b, err = xml.Marshal(d)
	require.NoError(t, err)
	require.Equal(t, "<doc><password>[secret]</password></doc>", string(b))

	b, err = json.Marshal(struct {
		A holdfast.Secret `json:",omitzero"`
		B holdfast.Secret `json:",omitzero"`
	}{B: holdfast.NewSecret("")})
	require.NoError(t, err)
	require.JSONEq(t, `{"B":"[secret]"}`, string(b), "omitzero drops the zero Secret and keeps an empty one")
}

// A decoder must refuse: a document has no business holding the secret, and its
// error must not quote what stood there.
func TestSecret_DecodersRefuse(t *testing.T) {
	type doc struct {
		Password holdfast.Secret `json:"password" yaml:"password" xml:"password"`
	}
	var gobbed bytes.Buffer
	require.NoError(t, gob.NewEncoder(&gobbed).Encode(doc{holdfast.NewSecret(canary)}))

	tests := map[string]func(*doc) error{
		"json string": func(d *doc) error { return json.Unmarshal([]byte(`{"password":"`+canary+`"}`), d) },
		"json number": func(d *doc) error { return json.Unmarshal([]byte(`{"password":31415926}`), d) },
		"json object": func(d *doc) error { return json.Unmarshal([]byte(`{"password":{"`+canary+`":1}}`), d) },
		"yaml string": func(d *doc) error { return yaml.Unmarshal([]byte("password: "+canary), d) },
		"yaml number": func(d *doc) error { return yaml.Unmarshal([]byte("password: 31415926"), d) },
		"yaml list":   func(d *doc) error { return yaml.Unmarshal([]byte("password: ["+canary+"]"), d) },
		"xml":         func(d *doc) error { return xml.Unmarshal([]byte("<doc><password>"+canary+"</password></doc>"), d) },
		"gob":         func(d *doc) error { return gob.NewDecoder(&gobbed).Decode(d) },
	}
	for name, decode := range tests {
		t.Run(name, func(t *testing.T) {
			var d doc
			err := decode(&d)
			require.Error(t, err)
			require.True(t, d.Password.IsZero())
			requireNoCanary(t, "error", err.Error())
			require.NotContains(t, err.Error(), canary[:4], "not even its first letters")
			require.NotContains(t, err.Error(), "31415926")
		})
	}
}

func TestSecret_CmpDiff(t *testing.T) {
	type login struct {
		User     string
		Password holdfast.Secret
	}
	a := login{"alice", holdfast.NewSecret(canary)}
	same := login{"alice", holdfast.NewSecret(canary)}
	other := login{"bob", holdfast.NewSecret(canary + "x")}

	require.Empty(t, cmp.Diff(a, same), "equal secrets compare equal")
	diff := cmp.Diff(a, other)
	require.NotEmpty(t, diff)
	requireNoCanary(t, "cmp.Diff", diff)

	h := newHidden()
	diff = cmp.Diff(h, hidden{}, cmp.Exporter(func(reflect.Type) bool { return true }))
	requireNoCanary(t, "cmp.Diff of unexported fields", diff)
}

func TestSecret_Values(t *testing.T) {
	var zero holdfast.Secret
	empty, set := holdfast.NewSecret(""), holdfast.NewSecret(canary)

	require.True(t, zero.IsZero())
	require.False(t, empty.IsZero())
	require.False(t, set.IsZero())

	require.Empty(t, zero.Reveal())
	require.Empty(t, empty.Reveal())
	require.Equal(t, canary, set.Reveal())

	all := []holdfast.Secret{zero, empty, set, holdfast.NewSecret(canary + "x")}
	for i, a := range all {
		for j, b := range all {
			require.Equal(t, i == j, a.Equal(b), "%d and %d", i, j)
		}
	}
	require.True(t, set.Equal(holdfast.NewSecret(canary)))

	for _, s := range all {
		require.Equal(t, "[secret]", s.String(), "the mask tells neither length nor presence")
	}
}

func TestSecret_NilPointer(t *testing.T) {
	var p *holdfast.Secret
	require.NotPanics(t, func() {
		_ = fmt.Sprintf("%v %+v %#v %d %s", p, p, p, p, p)
		_, err := json.Marshal(struct{ P *holdfast.Secret }{})
		require.NoError(t, err)
		_, err = yaml.Marshal(struct{ P *holdfast.Secret }{})
		require.NoError(t, err)
		slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)).Info("x", "p", p)
	})
}

// The runtime prints the value of a panic, and a trace with every argument, on
// its own paths, so a child process has to die for this one.
func TestSecret_Panic(t *testing.T) {
	const env = "HOLDFAST_TEST_PANIC"
	if how := os.Getenv(env); how != "" {
		die(how)
		t.Fatalf("%q did not panic", how)
	}
	for _, how := range []string{"secret", "pointer", "struct", "struct pointer", "error", "sprintf", "recovered", "nested", "runtime error"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSecret_Panic$", "-test.v")
			cmd.Env = append(os.Environ(), env+"="+how, "GOTRACEBACK=system")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Contains(t, string(out), "panic: ")
			require.Contains(t, string(out), "goroutine ")
			requireNoCanary(t, how, string(out))
		})
	}
}

func die(how string) {
	s := holdfast.NewSecret(canary)
	h := newHidden()
	switch how {
	case "secret":
		panic(s)
	case "pointer":
		panic(&s)
	case "struct":
		panic(h)
	case "struct pointer":
		panic(&h)
	case "error":
		panic(&loginError{with: h})
	case "sprintf":
		panic(fmt.Sprintf("%+v %#v", h, s))
	case "recovered":
		defer func() { panic(fmt.Errorf("again: %v", recover())) }()
		panic(h)
	case "nested":
		defer func() { panic(s) }()
		panic(embedded{s})
	case "runtime error":
		// An argument by value, so that it stands in the trace.
		func(s holdfast.Secret, h hidden) {
			h.Slice[len(h.Slice)] = s
		}(s, h)
	}
}

// Laws hold for any value, not only for the canary.
func FuzzSecret(f *testing.F) {
	for _, seed := range []string{canary, "12345678", "\xff\xfe\x00binary", "päss wörd", `quo"ted\`, "%!s(MISSING)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := holdfast.NewSecret(value)
		require.Equal(t, value, s.Reveal())
		require.True(t, s.Equal(holdfast.NewSecret(value)))
		require.False(t, s.Equal(holdfast.NewSecret(value+"x")))
		// Outputs do not depend on the value, so they cannot tell anything about it.
		other := holdfast.NewSecret("another")
		for _, print := range []func(holdfast.Secret) string{
			func(s holdfast.Secret) string {
				return fmt.Sprintf("%v %+v %#v %s %q %x %d %T", s, s, s, s, s, s, s, s)
			},
			func(s holdfast.Secret) string { b, _ := json.Marshal(s); return string(b) },
			func(s holdfast.Secret) string { b, _ := yaml.Marshal(s); return string(b) },
			func(s holdfast.Secret) string { b, _ := xml.Marshal(s); return string(b) },
			func(s holdfast.Secret) string { return s.LogValue().String() },
		} {
			require.Equal(t, print(other), print(s))
		}
	})
}
