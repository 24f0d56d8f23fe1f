package properties_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/properties"
)

// seeds start the fuzzer, and oracle_test.go asks Java about them.
var seeds = []string{
	"",
	"a=1\nb:2\nc 3\rd\r\n",
	"# comment\\\n! another\n \t\fkey = value \\\n   continued\n",
	"\\",
	"\\\n",
	"\\\r\n",
	"\\\n#a\nb=1",
	"a=1\\\n\nb=2",
	"a\\=b\\:c\\ d=e",
	`a=\u00e9\uD83D\uDE00\t\z`,
	`a=\u12`,
	`a=\uD83D`,
	"=\n:\n == \n",
	"a=\xe9\x00\x85",
	"sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n  username=\"a\" \\\n  password=\"b\\\\\\\\c\";\n",
}

// FuzzParse: no input panics, an error is a list of problems with lines, and
// what was read survives being written and read again.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := properties.Parse(data)
		if err != nil {
			var problems holdfast.Problems
			if !errors.As(err, &problems) || len(problems) == 0 || problems[0].Line == 0 {
				t.Fatalf("not a list of problems with lines: %v", err)
			}
			return
		}
		again, err := properties.Parse(properties.Format(file.Entries))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(file.Entries, again.Entries, cmpopts.IgnoreFields(properties.Entry{}, "Line"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		line := 0
		for _, e := range file.Entries {
			if e.Line <= line {
				t.Fatalf("line %d after line %d", e.Line, line)
			}
			line = e.Line
		}
	})
}
