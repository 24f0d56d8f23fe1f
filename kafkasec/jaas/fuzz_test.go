package jaas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/jaas"
)

// seeds start the fuzzers, and oracle_test.go asks Java about them.
var seeds = []string{
	"",
	`org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b;\"\\\101";`,
	"a.B optional k='v' 1=2;",
	"a.B required k=v /* c */ l=w; // end",
	"a.B required\n;\nc.D required;",
	"a.B required k=\"open\n;",
	`a.B required k="\`,
	"KafkaServer { a.B required k=\"${a}${{b}}${/}\"; };\nClient { };",
	"'A' { };@ { };1.2.3 { };",
	"A { }; A { };",
	"A { };\n@ { };\n1 { };",
	"/*/ \n**/ A { /\n}; };\n};",
	"A { a.B requıred; };",
	"\ufeffA { };",
	"-1 -a -.5 .. 1..2 -- -",
	"a.B required \"user_a@b\"=\"x\" user_a.b=y $=*;",
}

// checkError: no error without a line, none that holds the canary.
func checkError(t *testing.T, err error) {
	t.Helper()
	var problems holdfast.Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("not a list of problems: %v", err)
	}
	for _, p := range problems {
		if p.Line == 0 {
			t.Fatalf("problem without a line: %v", p)
		}
	}
	if strings.Contains(err.Error(), canary) {
		t.Fatalf("error holds a value: %v", err)
	}
}

// checkModule: what Java would refuse to construct never comes out.
func checkParsed(t *testing.T, m jaas.LoginModule) {
	t.Helper()
	if m.Class == "" || m.Flag == "" {
		t.Fatalf("module without class or flag: %v", m)
	}
	for _, o := range m.Options {
		if _, ok := m.Get(o.Key); !ok || o.Value.IsZero() {
			t.Fatalf("option without value: %v", o)
		}
	}
}

func FuzzParseProperty(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := jaas.ParseProperty(holdfast.NewSecret(text))
		if err != nil {
			checkError(t, err)
		} else {
			checkParsed(t, m)
		}
		// The canary is a password in the middle of anything.
		if _, err := jaas.ParseProperty(holdfast.NewSecret(text + canary + text)); err != nil {
			checkError(t, err)
		}
	})
}

func FuzzParseFile(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	known := func(name string) (string, bool) { return "1", name == "a" }
	f.Fuzz(func(t *testing.T, text string) {
		file, err := jaas.ParseFile([]byte(text), jaas.FileOptions{Expand: known})
		if err != nil {
			checkError(t, err)
			return
		}
		names := map[string]bool{}
		for _, c := range file.Contexts {
			if names[c.Name] {
				t.Fatalf("context %q twice", c.Name)
			}
			names[c.Name] = true
			for _, m := range c.Modules {
				checkParsed(t, m)
			}
		}
	})
}
