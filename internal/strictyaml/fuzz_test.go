package strictyaml

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/holdfast-sec/holdfast"
)

// FuzzDecode holds for every input: no panic, problems in order that lie inside
// the file and have a message, and for a value without problems the same value
// and no problem a second time.
func FuzzDecode(f *testing.F) {
	_ = filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".txtar") {
			if golden, err := txtar.ParseFile(path); err == nil {
				f.Add(golden.Files[0].Data)
			}
		}
		return nil
	})
	f.Add([]byte(positioned))
	lineBreak := regexp.MustCompile(`\r\n|\r|\n`)
	f.Fuzz(func(t *testing.T, in []byte) {
		lines := len(lineBreak.FindAll(in, -1)) + 1
		for _, v := range []any{new(spec), new(any), new(map[string][]string)} {
			p, err := Decode("in", in, v)
			var problems holdfast.Problems
			if err != nil && !errors.As(err, &problems) {
				t.Fatalf("not problems: %v", err)
			}
			for i, problem := range problems {
				if problem.Line < 1 || problem.Line > lines || problem.Column < 1 || problem.Message == "" || problem.Source != "in" {
					t.Fatalf("problem %+v in %d lines", problem, lines)
				}
				if i > 0 && (problem.Line < problems[i-1].Line || problem.Line == problems[i-1].Line && problem.Column < problems[i-1].Column) {
					t.Fatalf("not sorted: %+v", problems)
				}
				if at := p.At(problem.Path); at != (Pos{}) && at.Line > lines {
					t.Fatalf("%s is at %+v of %d lines", problem.Path, at, lines)
				}
			}
		}
	})
}
