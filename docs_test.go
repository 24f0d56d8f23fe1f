package holdfast_test

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDocs_EveryPackageIntroducesItselfInDocGo(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only, or other systems' files only
		}
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go: ten lines there say who needs the package and which two calls they make", p.name())
			continue
		}
		want := regexp.MustCompile("^Package " + p.Name + " ")
		if p.Name == "main" {
			want = regexp.MustCompile("^(Command|Program) " + path.Base(p.ImportPath) + " |^(?i:" + path.Base(p.ImportPath) + ") ")
		}
		for _, name := range p.GoFiles {
			file := parse(t, filepath.Join(p.Dir, name), parser.ParseComments|parser.PackageClauseOnly)
			switch text := file.Doc.Text(); {
			case name == "doc.go" && !want.MatchString(text):
				t.Errorf("%s/doc.go begins with %.40q, and pkg.go.dev shows the first sentence in lists: it has to match %s", p.name(), text, want)
			case name != "doc.go" && text != "":
				t.Errorf("%s/%s has a second package comment, and pkg.go.dev would show both: move it to doc.go", p.name(), name)
			}
		}
	}
}

// Of the internal packages too, since contributors are users. The test kit is
// shown by the tests that use it, and a program by running it.
func TestDocs_EveryPackageHasARunnableExample(t *testing.T) {
	for _, p := range packages(t) {
		if p.Name == "main" || within(p.name(), "examples") || within(p.name(), "internal/testkit") {
			continue
		}
		runnable := false
		for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			for _, ex := range doc.Examples(parse(t, filepath.Join(p.Dir, name), parser.ParseComments)) {
				runnable = runnable || ex.Output != "" || ex.EmptyOutput
			}
		}
		if !runnable {
			t.Errorf("%s has no Example with an // Output comment: it is what people copy, so it has to run", p.name())
		}
	}
}

func TestDocs_ReadmeListsEveryPublicPackage(t *testing.T) {
	readme := read(t, "README.md")
	for _, p := range packages(t) {
		if public(p) && p.name() != "." && !regexp.MustCompile("(?m)^\\| \\[`"+regexp.QuoteMeta(p.name())+"`\\]").Match(readme) {
			t.Errorf("README.md's table of packages has no row for %s", p.name())
		}
	}
}

// Newcomers and changers both start at the map, so it shows every room, and none
// that is not there.
func TestDocs_ArchitectureNamesEveryPackage(t *testing.T) {
	var mapped []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_/.]+)` \\|").FindAllSubmatch(read(t, "docs/architecture.md"), -1) {
		mapped = append(mapped, string(m[1]))
	}
	for _, p := range packages(t) {
		if !slices.Contains(mapped, p.name()) {
			t.Errorf("docs/architecture.md has no row for %s", p.name())
		}
	}
	for _, name := range mapped {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("docs/architecture.md has a row for %s, which does not exist", name)
		}
	}
}

// Links to other sites are not followed: tests do not need the network.
func TestDocs_LinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for name, text := range files(t) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(string(m[1]), "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := name
			if target != "" {
				file = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, target)
			} else if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s links to #%s, and %s has no such heading", name, anchor, file)
			}
		}
	}
}

func TestDocs_MakeTargetsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for name, text := range files(t) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range regexp.MustCompile("`make ([a-z-]+)").FindAllSubmatch(text, -1) {
			if !bytes.Contains(makefile, append(append([]byte("\n"), m[1]...), ':')) {
				t.Errorf("%s speaks of make %s, and the Makefile has no such target", name, m[1])
			}
		}
	}
}

// The README's Go code is an Example, line for line, so it compiles and does
// what it says.
func TestDocs_ReadmeSnippetIsAnExample(t *testing.T) {
	fence := regexp.MustCompile("(?s)```go\n(.*?)```")
	snippets := fence.FindAllSubmatch(read(t, "README.md"), -1)
	var examples [][]byte
	for _, p := range packages(t) {
		if !public(p) {
			continue
		}
		for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			if strings.HasPrefix(name, "example") {
				examples = append(examples, withoutIndent(read(t, filepath.Join(p.Dir, name))))
			}
		}
	}
	for _, s := range snippets {
		if !slices.ContainsFunc(examples, func(e []byte) bool { return bytes.Contains(e, withoutIndent(s[1])) }) {
			t.Errorf("README.md shows Go code that stands in no Example of a public package:\n%s", s[1])
		}
	}
}

// What is true of one machine only does not belong in a project.
func TestDocs_NothingNamesAMachineOrAMirror(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	rules := map[string]*regexp.Regexp{
		"a directory of somebody's machine; use a path relative to the module, or t.TempDir()": regexp.MustCompile(regexp.QuoteMeta(here) + `\b|(^|[^\w.~*/-])/work(space)?/`),
		"a package registry; which one is asked is the business of the client's configuration": regexp.MustCompile(`\b(proxy|sum)\.golang\.org|\brepo1?\.maven(\.apache)?\.org|\b(deb|security)\.debian\.org|\bregistry\.npmjs\.org|\bpypi\.org\b|\bcrates\.io\b`),
	}
	for name, text := range files(t) {
		for what, pattern := range rules {
			for i, line := range bytes.Split(text, []byte("\n")) {
				if found := pattern.Find(line); found != nil {
					t.Errorf("%s:%d names %s: %s", name, i+1, what, found)
				}
			}
		}
	}
}

func public(p pkg) bool {
	return p.Name != "main" && !within(p.name(), "examples") && !slices.Contains(strings.Split(p.name(), "/"), "internal")
}

func parse(t *testing.T, name string, mode parser.Mode) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, mode)
	require.NoError(t, err)
	return file
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return text
}

// files returns the text files of the project, other people's data excepted,
// by slash-separated name.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "third_party" || name == "bin"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(name)
		if err == nil && !bytes.Contains(text[:min(len(text), 8000)], []byte{0}) {
			all[filepath.ToSlash(name)] = text
		}
		return err
	}))
	return all
}

// anchors returns the fragments under which GitHub shows a file's headings.
func anchors(markdown []byte) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllSubmatch(markdown, -1) {
		id := strings.ToLower(string(m[1]))
		id = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(id, "")
		all = append(all, strings.ReplaceAll(id, " ", "-"))
	}
	return all
}

func withoutIndent(text []byte) []byte {
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAll(bytes.TrimSpace(text), nil)
}
