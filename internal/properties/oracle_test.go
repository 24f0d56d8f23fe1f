package properties_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/properties"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

// javaCase and javaAnswer are those of PropertiesOracle.java.
type javaCase struct {
	Load  []byte            `json:"load,omitzero"`
	Store map[string]string `json:"store,omitzero"`
}

type javaAnswer struct {
	Pairs  map[string]string
	Halves bool
	Error  string
	Stored []byte
}

// load makes an empty file of a nil one, which JSON would give as null.
func load(file []byte) javaCase { return javaCase{Load: append([]byte{}, file...)} }

// atoms are what inputs are made of: everything that means something to Java,
// and its neighbours.
var atoms = strings.Split(`a|b|key|u|0|1|t|n|r|f|=|:| |\|\\|\u|\u00e9|\u0041|\u005C|\u003d|\u000a|\uD83D|\uDE00|\ud83d\ude00|\u12|\uxyz1|#|!|'|"|;|{|}|$`, "|")

var lineAtoms = []string{"\n", "\r", "\r\n", "\\\n", "\\\r", "\\\r\n", "\n#", "\n!", "\n\\\n", "\t", "\f", "\v", "\x00", "\x7f", "\x85", "\xa0", "\xe9", "\xff", "  "}

func randomFile(r *rand.Rand) []byte {
	var b strings.Builder
	for range r.IntN(16) {
		if r.IntN(3) == 0 {
			b.WriteString(lineAtoms[r.IntN(len(lineAtoms))])
		} else {
			b.WriteString(atoms[r.IntN(len(atoms))])
		}
	}
	return []byte(b.String())
}

// disagreement says how our answer differs from Java's, or "".
func disagreement(data []byte, java javaAnswer) string {
	f, err := properties.Parse(data)
	rejected := java.Error != "" || java.Halves
	switch {
	case rejected && err == nil:
		return fmt.Sprintf("Java rejects it (%s), we accept", java.Error)
	case rejected:
		return ""
	case err != nil:
		return fmt.Sprintf("Java reads %q, we reject: %v", java.Pairs, err)
	}
	return cmp.Diff(java.Pairs, f.Map())
}

func TestParse_AgreesWithJava(t *testing.T) {
	o := oracle.Start(t, oracle.Options{Main: "PropertiesOracle"})
	ask := func(files [][]byte) []javaAnswer {
		cases := make([]javaCase, len(files))
		for i, f := range files {
			cases[i] = load(f)
		}
		var answers []javaAnswer
		o.Ask(t, cases, &answers)
		return answers
	}
	r := rand.New(rand.NewPCG(1, 2))
	files := make([][]byte, oracle.Count(2_000, 50_000))
	for i := range files {
		files[i] = randomFile(r)
	}
	for _, seed := range seeds {
		files = append(files, []byte(seed))
	}
	// Beyond the size of Java's buffers, of 8192 bytes and 1024 characters.
	for n := 8180; n < 8200; n++ {
		files = append(files, []byte(strings.Repeat("x", n)+"=\\\r\n  y\\u00e9\r\n#"+strings.Repeat("z", n)+"\nb=c"))
	}
	accepted := 0
	for i, a := range ask(files) {
		if a.Error == "" {
			accepted++
		}
		if disagreement(files[i], a) == "" {
			continue
		}
		small := oracle.Shrink(files[i], func(candidates [][]byte) []bool {
			fails := make([]bool, len(candidates))
			for i, a := range ask(candidates) {
				fails[i] = disagreement(candidates[i], a) != ""
			}
			return fails
		})
		t.Fatalf("file %q: %s", small, disagreement(small, ask([][]byte{small})[0]))
	}
	t.Logf("%d files, of which Java accepts %d", len(files), accepted)
	require.Greater(t, accepted, len(files)/4, "too few accepted files to mean something")
}

var texts = []rune("ab01 \\=:#!\t\n\r\f\v\x00\x1f~\x7f\u0080é\u00ffĀ€😀\U0010ffff'\";{}$")

func randomText(r *rand.Rand) string {
	s := make([]rune, r.IntN(8))
	for i := range s {
		s[i] = texts[r.IntN(len(texts))]
	}
	return string(s)
}

// Format's lines are those of Java, and Java reads back what went in.
func TestFormat_AgreesWithJava(t *testing.T) {
	o := oracle.Start(t, oracle.Options{Main: "PropertiesOracle"})
	r := rand.New(rand.NewPCG(3, 4))
	n := oracle.Count(2_000, 20_000)
	want := make([]map[string]string, n)
	formatted := make([][]byte, n)
	stores, loads := make([]javaCase, n), make([]javaCase, n)
	for i := range n {
		pairs := map[string]string{}
		for range r.IntN(4) {
			pairs[randomText(r)] = randomText(r)
		}
		var entries []properties.Entry
		for k, v := range pairs {
			entries = append(entries, properties.Entry{Key: k, Value: v})
		}
		want[i], formatted[i] = pairs, properties.Format(entries)
		stores[i].Store, loads[i] = pairs, load(formatted[i])
	}
	var stored, loaded []javaAnswer
	o.Ask(t, stores, &stored)
	o.Ask(t, loads, &loaded)
	for i := range n {
		require.Equal(t, want[i], loaded[i].Pairs, "%q", formatted[i])
		require.Equal(t, lines(stored[i].Stored), lines(formatted[i]), "%q", want[i])
	}
}

// lines are sorted, since Java's are in no order, and without its date comment.
func lines(data []byte) []string {
	var out []string
	for _, l := range strings.SplitAfter(string(data), "\n") {
		if l != "" && l[0] != '#' {
			out = append(out, l)
		}
	}
	sort.Strings(out)
	return out
}
