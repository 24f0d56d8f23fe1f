package oracle

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/java"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

type loadCase struct {
	Load []byte `json:"load"`
}

type loadAnswer struct {
	Pairs map[string]string
	Error string
}

func TestOracle_AnswersInOrder(t *testing.T) {
	o := Start(t, Options{Main: "PropertiesOracle"})
	require.Same(t, o, Start(t, Options{Main: "PropertiesOracle", Component: "kafka-4.4.0"}), "same options must share a JVM")

	cases := make([]loadCase, 1000)
	for i := range cases {
		cases[i].Load = []byte("n=" + strconv.Itoa(i))
	}
	var answers []loadAnswer
	o.Ask(t, cases, &answers)
	require.Len(t, answers, len(cases))
	for i, a := range answers {
		require.Equal(t, strconv.Itoa(i), a.Pairs["n"])
	}
	o.Ask(t, []loadCase{{Load: []byte(`a=\u1`)}}, &answers)
	require.Len(t, answers, 1)
	require.NotEmpty(t, answers[0].Error)
	o.Ask(t, []loadCase{}, &answers)
	require.Empty(t, answers)
}

func TestOracle_ReportsFaultsAndDeath(t *testing.T) {
	real.Enabled(t)
	jars := real.ClassPath(t, "kafka-4.4.0")

	o, err := start(Options{Main: "PropertiesOracle"}, jars)
	require.NoError(t, err)
	var answers []loadAnswer
	err = o.ask([]int{1}, &answers)
	require.ErrorContains(t, err, "case 1: java.lang.NullPointerException")
	require.NoError(t, o.ask([]loadCase{{Load: []byte("a=b")}}, &answers), "a fault must not end the oracle")
	require.ErrorContains(t, o.ask("x", &answers), "not a slice")
	require.NoError(t, o.proc.close())
	require.ErrorContains(t, o.ask([]loadCase{{}}, &answers), "0 of 1 answers")

	o, err = start(Options{Main: "PropertiesOracle", JVM: []string{"-XX:NoSuchFlag"}}, jars)
	require.NoError(t, err)
	err = o.ask([]loadCase{{}}, &answers)
	require.ErrorContains(t, err, "NoSuchFlag", "the end of standard error belongs into the message")
	require.Equal(t, err, o.ask([]loadCase{{}}, &answers))

	_, err = start(Options{Main: "NoSuchOracle"}, jars)
	require.ErrorContains(t, err, "javac NoSuchOracle.java")
}

func TestHash_CoversEverything(t *testing.T) {
	base := fstest.MapFS{"A.java": {Data: []byte("a")}, "B.java": {Data: []byte("b")}}
	seen := map[string]bool{}
	add := func(files fs.FS, words ...string) {
		id, err := hash(files, words...)
		require.NoError(t, err)
		require.False(t, seen[id], "same hash as before")
		seen[id] = true
	}
	add(base, "Main", "17")
	add(base, "Main", "18")
	add(base, "Main1", "7")
	add(fstest.MapFS{"A.java": {Data: []byte("a")}, "C.java": {Data: []byte("b")}}, "Main", "17")
	add(fstest.MapFS{"A.java": {Data: []byte("a")}, "B.java": {Data: []byte("c")}}, "Main", "17")
	add(java.Sources, "Main", "17")
}

func TestCount(t *testing.T) {
	t.Setenv("HOLDFAST_ORACLE_FULL", "")
	require.Equal(t, 2, Count(2, 20))
	t.Setenv("HOLDFAST_ORACLE_FULL", "1")
	require.Equal(t, 20, Count(2, 20))
}

func TestShrink(t *testing.T) {
	in := []rune("the quick brown fox jumps over the lazy dog")
	got := Shrink(in, func(candidates [][]rune) []bool {
		fails := make([]bool, len(candidates))
		for i, c := range candidates {
			fails[i] = slices.Contains(c, 'x') && slices.Contains(c, 'z')
		}
		return fails
	})
	require.Equal(t, "xz", string(got))
	require.Empty(t, Shrink(in, func(c [][]rune) []bool { return slices.Repeat([]bool{true}, len(c)) }))
	require.Equal(t, in, Shrink(in, func(c [][]rune) []bool { return make([]bool, len(c)) }))
}

func TestTail_KeepsTheEnd(t *testing.T) {
	var tl tail
	for range 10 {
		_, err := tl.Write([]byte(strings.Repeat("a", 3000)))
		require.NoError(t, err)
	}
	_, _ = tl.Write([]byte("end\n"))
	require.Len(t, tl.buf, tailSize)
	require.True(t, strings.HasSuffix(tl.String(), "aaaend"))
}
