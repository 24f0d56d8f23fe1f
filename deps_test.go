package holdfast_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/holdfast-sec/holdfast"

// room is what one package may import outside the standard library, in files
// that are not tests. Our own packages are named relative to the module, the
// root as "."; "x/..." is x and everything below it.
type room struct {
	// because is what the failure text says to whoever adds an import.
	because string
	imports []string
}

// rooms is the allow-list. A package that is not on it fails the test, and so
// does an entry that nothing uses: the list is the map of the house.
var rooms = map[string]room{
	".": {because: "every importer of any package gets the root, so it is the standard library only"},

	"kafkasec": {
		because: "it plans and applies through franz-go; what it needs of connecting, such as which broker version has a request, is in kafkasec/dial",
		imports: []string{
			".", "internal/kafkarules", "internal/parallel", "internal/poll", "internal/strictyaml", "kafkasec/dial",
			"github.com/twmb/franz-go/pkg/kerr", "github.com/twmb/franz-go/pkg/kgo", "github.com/twmb/franz-go/pkg/kmsg",
		},
	},
	"kafkasec/dial": {
		because: "it turns a Java client properties file into a franz-go client, and is the only room that knows both",
		imports: []string{
			".", "internal/keystore", "internal/nearest", "internal/properties", "kafkasec/jaas",
			"github.com/twmb/franz-go/pkg/kerr", "github.com/twmb/franz-go/pkg/kgo", "github.com/twmb/franz-go/pkg/kmsg", "github.com/twmb/franz-go/pkg/kversion",
			"github.com/twmb/franz-go/pkg/sasl/...",
			"golang.org/x/oauth2/...",
		},
	},
	"kafkasec/jaas": {
		because: "it reads text; who only checks a JAAS file links no Kafka client",
		imports: []string{"."},
	},
	"kafkasec/playbook": {
		because: "it reads text into a spec; what a broker would refuse is for kafkasec to say",
		imports: []string{".", "internal/strictyaml", "kafkasec"},
	},

	"tlsprobe": {
		because: "it judges with the standard library; of x/crypto it takes the reader of DER and ChaCha20 for certificates that Go refuses and that of OCSP, of x/net the names of other letters",
		imports: []string{".", "internal/parallel", "golang.org/x/crypto/chacha20poly1305", "golang.org/x/crypto/cryptobyte/...", "golang.org/x/crypto/ocsp", "golang.org/x/net/idna"},
	},

	"tlsprobe/exporter": {
		because: "it writes what tlsprobe sees for Prometheus, by hand: a registry of client_golang per probe costs a third of the probe",
		imports: []string{".", "internal/strictyaml", "tlsprobe"},
	},

	"tlsprobe/certstore": {
		because: "it reads files of a file system that the caller opened; the client of a cluster is behind an interface, so that who watches files links no Kubernetes",
		imports: []string{".", "internal/keystore", "internal/strictyaml", "tlsprobe"},
	},

	"tlsprobe/monitoring": {
		because: "it writes files; what watches them is elsewhere",
		imports: []string{".", "tlsprobe", "go.yaml.in/yaml/v4"},
	},

	"internal/kafkarules": {because: "it holds facts about brokers as pure functions", imports: []string{"internal/nearest"}},
	"internal/keystore": {
		because: "it reads bytes that somebody else read from a file",
		imports: []string{".", "github.com/pavlo-v-chernykh/keystore-go/v4"},
	},
	"internal/nearest":    {because: "it compares words"},
	"internal/parallel":   {because: "it is a loop"},
	"internal/poll":       {because: "it is a loop"},
	"internal/properties": {because: "it reads and writes text", imports: []string{"."}},
	"internal/strictyaml": {
		because: "it is the one reader of YAML; no other package imports a YAML library to read with",
		imports: []string{".", "internal/nearest", "go.yaml.in/yaml/v4"},
	},

	"internal/testkit/aclstore": {
		because: "it answers requests as they are on the wire, without what is tested",
		imports: []string{"github.com/twmb/franz-go/..."},
	},
	"internal/testkit/cmd/realinstall": {
		because: "it is the program behind make install-real, a main around internal/testkit/real/install",
		imports: []string{"internal/testkit/real", "internal/testkit/real/install"},
	},
	"internal/testkit/conform": {
		because: "it runs the same cases on any Kafka, real or embedded",
		imports: []string{".", "internal/poll", "internal/testkit/real", "github.com/twmb/franz-go/..."},
	},
	"internal/testkit/java": {because: "it embeds Java sources"},
	"internal/testkit/oracle": {
		because: "it runs Java beside the tests",
		imports: []string{"internal/testkit/java", "internal/testkit/real"},
	},
	"internal/testkit/pki": {
		because: "it mints certificates and the stores that hold them, for tests",
		imports: []string{".", "github.com/pavlo-v-chernykh/keystore-go/v4", "software.sslmate.com/src/go-pkcs12"},
	},
	"internal/testkit/real": {
		because: "it runs real components beside the tests, and speaks to them with franz-go alone, so that a defect of what is tested cannot hide there",
		imports: []string{".", "internal/poll", "internal/properties", "internal/testkit/pki", "internal/testkit/real/install", "github.com/twmb/franz-go/...", "golang.org/x/oauth2/..."},
	},
	"internal/testkit/real/install": {because: "it has to build on a fresh machine before anything else is there"},
	"internal/testkit/tokenserver":  {because: "it answers OAuth token requests of tests", imports: []string{"."}},

	"bench/kafkasec": {
		because: "it is measured as an importer's program, so it links what one would",
		imports: []string{".", "kafkasec", "github.com/twmb/franz-go/pkg/kgo"},
	},
	"bench/kafkasec/fake": {
		because: "it is a process of its own so that its memory and time are not those of what is measured",
		imports: []string{"internal/testkit/aclstore", "github.com/twmb/franz-go/pkg/kfake"},
	},
	"bench/kafkasec/floor": {
		because: "a floor that shared code with what stands on it would move with it",
		imports: []string{"github.com/twmb/franz-go/pkg/kerr", "github.com/twmb/franz-go/pkg/kgo", "github.com/twmb/franz-go/pkg/kmsg"},
	},

	"examples/internal/cli": {
		because: "it is what the examples share, so it knows none of the systems",
		imports: []string{".", "github.com/fatih/color", "github.com/schollz/progressbar/v3", "golang.org/x/term"},
	},
	"examples/kafkasec": {
		because: "an example shows what an importer can do, so it uses public packages, not internal ones",
		imports: []string{".", "examples/internal/cli", "kafkasec", "kafkasec/dial", "kafkasec/playbook", "github.com/spf13/cobra"},
	},
	"examples/tlsprobe": {
		because: "an example shows what an importer can do, so it uses public packages, not internal ones",
		imports: []string{".", "examples/internal/cli", "tlsprobe", "tlsprobe/certstore", "github.com/spf13/cobra"},
	},
	"examples/quickstart": {
		because: "an example shows what an importer can do, so it uses public packages, not internal ones",
		imports: []string{
			".", "examples/internal/cli", "kafkasec", "kafkasec/dial", "kafkasec/playbook",
			"github.com/twmb/franz-go/...",
		},
	},
}

// testImports is what test files may import on top of what their package may.
// What is not here is most often a second way to do the same, or a mock of
// something that can be run.
var testImports = []string{
	"internal/...",
	"github.com/google/go-cmp/cmp/...",
	"github.com/rogpeppe/go-internal/testscript",
	"github.com/rogpeppe/go-internal/txtar",        // golden files with input and output in one
	"github.com/santhosh-tekuri/jsonschema/v6/...", // the peer that knows what our JSON Schema takes
	"github.com/stretchr/testify/require",
	"github.com/stretchr/testify/assert", // for assert.CollectT, which require.EventuallyWithT hands out
	"github.com/twmb/franz-go/...",       // the tests of Kafka packages act as clients, and kfake as the broker
	"golang.org/x/net/dns/dnsmessage",    // a name server in tests
	"golang.org/x/oauth2/...",            // as clients of the test kit's token server
	"go.yaml.in/yaml/v4",                 // how YAML prints our types
	"software.sslmate.com/src/go-pkcs12", // the peer that internal/keystore compares with
}

// unlinked says what must not come with a package, also not through another.
var unlinked = []struct {
	from, to string
	because  string
}{
	{".", "go.yaml.in/yaml", "the root is the standard library only"},
	{"kafkasec", "k8s.io", "managing Kafka needs no Kubernetes client"},
	{"kafkasec", "github.com/twmb/franz-go/pkg/kfake", "the embedded broker is for tests and the quickstart"},
	{"kafkasec/jaas", "github.com/twmb/franz-go", "checking a JAAS file needs no Kafka client"},
	{"kafkasec/jaas", "k8s.io", "checking a JAAS file needs no Kubernetes client"},
	{"kafkasec/jaas", "net", "reading text opens no connection"},
	{"internal/kafkarules", "net", "rules open no connection"},
	{"internal/properties", "net", "reading text opens no connection"},
}

// dependencies are the modules that go.mod may require directly, and what each
// is for.
var dependencies = map[string]string{
	"github.com/fatih/color":                     "colour in the examples' terminal output, with NO_COLOR",
	"github.com/google/go-cmp":                   "readable differences in tests",
	"github.com/pavlo-v-chernykh/keystore-go/v4": "the JKS format",
	"github.com/rogpeppe/go-internal":            "testscript, for the tests of the example programs",
	"github.com/santhosh-tekuri/jsonschema/v6":   "a validator of JSON Schema, in tests",
	"github.com/schollz/progressbar/v3":          "progress in the examples on a terminal",
	"github.com/spf13/cobra":                     "verbs, flags and help of the examples",
	"github.com/stretchr/testify":                "require, in tests",
	"github.com/twmb/franz-go":                   "the Kafka client",
	"github.com/twmb/franz-go/pkg/kadm":          "the admin client, in tests and examples",
	"github.com/twmb/franz-go/pkg/kfake":         "the embedded Kafka of tests and the quickstart",
	"github.com/twmb/franz-go/pkg/kmsg":          "Kafka's requests and responses",
	"go.yaml.in/yaml/v4":                         "YAML, behind internal/strictyaml",
	"golang.org/x/crypto":                        "a lenient reader of DER and the parser of stapled OCSP responses, kept by the Go team",
	"golang.org/x/net":                           "internationalised host names (IDNA), kept by the Go team",
	"golang.org/x/oauth2":                        "tokens by client credentials, for SASL OAUTHBEARER",
	"golang.org/x/term":                          "telling a terminal from a pipe",
	"software.sslmate.com/src/go-pkcs12":         "writing PKCS #12 files for tests, and a peer that reads them",
}

func TestDeps_EveryPackageImportsOnlyWhatItsRoomAllows(t *testing.T) {
	for _, p := range packages(t) {
		allowed, ok := rooms[p.name()]
		if !ok {
			t.Errorf("%s is not in rooms (deps_test.go): add it there with the imports it needs and the reason for its bounds, to docs/architecture.md, and, if it is public, to README's table", p.name())
			continue
		}
		for _, imp := range foreign(p.Imports) {
			if !covered(imp, allowed.imports) {
				t.Errorf("%s imports %s, which its room does not allow: %s. If the import does belong there, add it in deps_test.go and say why in the commit", p.name(), imp, allowed.because)
			}
		}
		for _, imp := range foreign(slices.Concat(p.TestImports, p.XTestImports)) {
			if imp != p.name() && !covered(imp, allowed.imports) && !covered(imp, testImports) {
				t.Errorf("a test of %s imports %s, which neither its room (%s) nor testImports in deps_test.go allows", p.name(), imp, allowed.because)
			}
		}
	}
}

func TestDeps_LayersPointDown(t *testing.T) {
	layer := func(name string) (int, string) {
		switch {
		case name == ".":
			return 0, "the root"
		case within(name, "internal/testkit"):
			return 3, "the test kit"
		case within(name, "internal"):
			return 1, "an internal package"
		case within(name, "examples"):
			return 4, "an example"
		case within(name, "bench"):
			return 5, "a benchmark"
		}
		return 2, "a public package"
	}
	for _, p := range packages(t) {
		from, fromKind := layer(p.name())
		for _, imp := range p.Imports {
			if !within(imp, modulePath) {
				continue
			}
			imp = relative(imp)
			to, toKind := layer(imp)
			switch {
			case to == 3 && from != 3 && from != 5:
				t.Errorf("%s imports %s outside its tests: the test kit is for tests, and whoever imports %s would link it", p.name(), imp, p.name())
			case to == 1 && from == 4:
				t.Errorf("%s imports %s: an example shows what an importer of the module can do, and importers cannot reach internal packages", p.name(), imp)
			case to > from:
				t.Errorf("%s (%s) imports %s (%s): imports go examples → public packages → internal packages → root", p.name(), fromKind, imp, toKind)
			case to >= 4 && from != to:
				t.Errorf("%s imports %s: nothing imports %s", p.name(), imp, toKind)
			}
		}
	}
}

func TestDeps_NothingHeavyComesAlong(t *testing.T) {
	for _, p := range packages(t) {
		for _, rule := range unlinked {
			if p.name() != rule.from {
				continue
			}
			for _, dep := range p.Deps {
				if dep == rule.to || !standard(rule.to) && within(dep, rule.to) {
					t.Errorf("%s links %s: %s", rule.from, dep, rule.because)
				}
			}
		}
	}
}

// Libraries compute or talk to the system they are for. They do not print, read
// flags or run programs.
func TestDeps_LibrariesLeaveTheProcessAlone(t *testing.T) {
	because := map[string]string{
		"flag":          "a library is configured with struct fields",
		"log":           "a library logs to the *slog.Logger that it is given, or not at all",
		"math/rand":     "randomness comes from the caller or from crypto/rand",
		"os/exec":       "running programs is for packages that work on hosts",
		"os/signal":     "signals belong to the program",
		"testing":       "test helpers live in internal/testkit",
		"unsafe":        "nothing here is worth it",
		"html/template": "nothing here makes HTML",
	}
	for _, p := range packages(t) {
		if within(p.name(), "examples") || within(p.name(), "bench") || within(p.name(), "internal/testkit") {
			continue
		}
		for _, imp := range p.Imports {
			if reason, ok := because[imp]; ok {
				t.Errorf("%s imports %s: %s", p.name(), imp, reason)
			}
		}
	}
}

func TestDeps_GoMod(t *testing.T) {
	var mod struct {
		Module  struct{ Path string }
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace []struct{ Old struct{ Path string } }
		Exclude []struct{ Path string }
	}
	require.NoError(t, json.Unmarshal(goTool(t, "mod", "edit", "-json"), &mod))
	require.Equal(t, modulePath, mod.Module.Path)
	require.Empty(t, mod.Replace, "a replace directive counts in the main module only, so importers would build something else than we test")
	require.Empty(t, mod.Exclude, "an exclude directive counts in the main module only, so importers would build something else than we test")

	direct := map[string]bool{}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct[r.Path] = true
		if dependencies[r.Path] == "" {
			t.Errorf("go.mod requires %s, and dependencies in deps_test.go does not say what for", r.Path)
		}
	}
	for path := range dependencies {
		if !direct[path] {
			t.Errorf("dependencies in deps_test.go explains %s, which go.mod does not require: remove the line", path)
		}
	}
}

func TestDeps_ListIsExact(t *testing.T) {
	left := maps.Clone(rooms)
	for _, p := range packages(t) {
		imports := foreign(p.Imports)
		for i, pattern := range left[p.name()].imports {
			if slices.Contains(left[p.name()].imports[:i], pattern) {
				t.Errorf("rooms in deps_test.go lets %s import %s twice: remove one", p.name(), pattern)
			}
			if !slices.ContainsFunc(imports, func(imp string) bool { return covered(imp, []string{pattern}) }) {
				t.Errorf("rooms in deps_test.go lets %s import %s, but it does not: remove the line", p.name(), pattern)
			}
		}
		delete(left, p.name())
	}
	for name := range left {
		t.Errorf("rooms in deps_test.go has %s, which does not exist: remove the entry", name)
	}
}

// pkg is what these tests need of the output of go list.
type pkg struct {
	ImportPath, Name, Dir, Doc               string
	GoFiles, TestGoFiles, XTestGoFiles       []string
	Imports, TestImports, XTestImports, Deps []string
}

func (p pkg) name() string { return relative(p.ImportPath) }

// packages lists the packages of this module, those of nested modules excepted.
func packages(t *testing.T) []pkg {
	t.Helper()
	list, err := listed()
	require.NoError(t, err)
	require.NotEmpty(t, list)
	return list
}

var listed = sync.OnceValues(func() ([]pkg, error) {
	out, err := run("list", "-json=ImportPath,Name,Dir,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps", "./...")
	if err != nil {
		return nil, err
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err
		}
		list = append(list, p)
	}
})

func goTool(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := run(args...)
	require.NoError(t, err)
	return out
}

func run(args ...string) ([]byte, error) {
	out, err := exec.Command("go", args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, errors.New("go " + strings.Join(args, " ") + ": " + string(exit.Stderr))
	}
	return out, err
}

// foreign leaves out the standard library and names our own packages relative
// to the module.
func foreign(imports []string) []string {
	var out []string
	for _, imp := range imports {
		if !standard(imp) {
			out = append(out, relative(imp))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func relative(importPath string) string {
	if importPath == modulePath {
		return "."
	}
	return strings.TrimPrefix(importPath, modulePath+"/")
}

// standard reports whether an import path is the standard library's: no other
// may begin with a word that has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

func covered(imp string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		dir, below := strings.CutSuffix(pattern, "/...")
		return imp == pattern || below && within(imp, dir)
	})
}

// within reports whether the path is dir or below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
