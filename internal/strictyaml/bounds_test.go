package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func decodeProblems(t *testing.T, in string, v any) holdfast.Problems {
	t.Helper()
	_, err := Decode("in", []byte(in), v)
	var problems holdfast.Problems
	require.True(t, err == nil || errors.As(err, &problems), "want problems, got %v", err)
	return problems
}

func TestDecode_Bounds(t *testing.T) {
	t.Run("size", func(t *testing.T) {
		var v any
		in := "a: " + strings.Repeat("x", maxBytes-3)
		require.Empty(t, decodeProblems(t, in, &v))
		require.Equal(t, fmt.Sprintf("in:1:1: the document has %d bytes, allowed are %d", maxBytes+1, maxBytes),
			decodeProblems(t, in+"x", &v).Error())
	})
	t.Run("depth", func(t *testing.T) {
		var v any
		require.Empty(t, decodeProblems(t, strings.Repeat("[", maxDepth)+"x"+strings.Repeat("]", maxDepth), &v))
		require.NotEmpty(t, decodeProblems(t, strings.Repeat("[", maxDepth+1)+strings.Repeat("]", maxDepth+1), &v))
	})
	t.Run("key", func(t *testing.T) {
		var v any
		require.Empty(t, decodeProblems(t, "? "+strings.Repeat("k", maxKeyBytes)+"\n: x", &v))
	})
	t.Run("aliases", func(t *testing.T) {
		var v any
		head := "- &a [" + strings.Repeat("x, ", 99) + "]\n" // 100 values each time
		require.Empty(t, decodeProblems(t, head+strings.Repeat("- *a\n", maxAliased/100), &v))
		require.Len(t, decodeProblems(t, head+strings.Repeat("- *a\n", maxAliased/100+1), &v), 1)
	})
	t.Run("problems", func(t *testing.T) {
		var v []string
		problems := decodeProblems(t, strings.Repeat("- 1\n", 2*maxProblems), &v)
		require.Len(t, problems, maxProblems+1)
		require.Equal(t, "in:1001:3: reading stopped here, after 1000 problems", problems[maxProblems].Error())

		var m struct{}
		problems = decodeProblems(t, strings.Repeat("1: x\n", maxProblems)+strings.Repeat("k: 1\n", 5), &m)
		require.Len(t, problems, maxProblems+1)
	})
}

// The cost of an item does not depend on how many there are.
func TestDecode_LinearAllocations(t *testing.T) {
	perItem := func(items int) float64 {
		in := []byte("topics:\n" + strings.Repeat("  - {name: a, partitions: 3, configs: {retention.ms: 1}}\n", items))
		return testing.AllocsPerRun(1, func() {
			var s spec
			if _, err := Decode("in", in, &s); err != nil {
				t.Fatal(err)
			}
		}) / float64(items)
	}
	few, many := perItem(200), perItem(20_000)
	require.Less(t, many, few*1.1+1)
	require.Less(t, many, 100.0, "allocations for an item of 11 nodes, most of them the parser's")
}

func BenchmarkDecode(b *testing.B) {
	in := []byte("topics:\n" + strings.Repeat("  - {name: a, partitions: 3, configs: {retention.ms: 1}}\n", 20_000))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		var s spec
		if _, err := Decode("in", in, &s); err != nil {
			b.Fatal(err)
		}
	}
}

// Types that Decode cannot fill are found whatever the document says.
func TestDecode_RefusesTypes(t *testing.T) {
	type named struct {
		A string `yaml:"a"`
	}
	for name, c := range map[string]struct {
		v    any
		want string
	}{
		"nil":         {nil, "want a non-nil pointer"},
		"no pointer":  {named{}, "want a non-nil pointer"},
		"nil pointer": {(*named)(nil), "want a non-nil pointer"},
		"channel": {new(struct {
			C chan int `yaml:"c"`
		}), "type chan int cannot be read"},
		"bytes": {new([]byte), "type []uint8 cannot be read"},
		"array": {new([2]int), "type [2]int cannot be read"},
		"keys":  {new(map[int]string), "type map[int]string cannot be read"},
		"unexported": {new(struct {
			a string `yaml:"a"` //nolint:unused // the point of the test
		}), "needs to be exported"},
		"literal number": {new(struct {
			A int `yaml:"a,literal"`
		}), "the option literal is for text"},
		"option": {new(struct {
			A int `yaml:"a,omitempty"`
		}), "want a name"},
		"no name": {new(struct {
			A int `yaml:""`
		}), "want a name"},
		"inline with name": {new(struct {
			named `yaml:"x,inline"`
		}), "exported"},
		"inline field": {new(struct {
			N named `yaml:",inline"`
		}), "want a name"},
		"name twice": {new(struct {
			A string `yaml:"a"`
			B string `yaml:"a"`
		}), `the name "a" is taken`},
		"name twice through inline": {new(struct {
			Header  `yaml:",inline"`
			Version string `yaml:"version"`
		}), `the name "version" is taken`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode("in", []byte("a: x"), c.v)
			require.ErrorContains(t, err, c.want)
			var problems holdfast.Problems
			require.False(t, errors.As(err, &problems), "a mistake of the program is no problem of the input")
		})
	}
}

func TestDecode_KeepsWhatIsAbsentAndReplacesWhatIsGiven(t *testing.T) {
	s := spec{Topics: []topic{{Name: "default", Partitions: 7}}, Labels: map[string]string{"old": "x"}, Scope: &scope{Topics: []string{"x"}}}
	require.Empty(t, decodeProblems(t, "topics: [{name: a}]\nlabels: {new: y}\n", &s))
	require.Equal(t, []topic{{Name: "a"}}, s.Topics)
	require.Equal(t, map[string]string{"new": "y"}, s.Labels)
	require.Equal(t, []string{"x"}, s.Scope.Topics)
}
