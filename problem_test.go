package holdfast_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestProblem_Error(t *testing.T) {
	tests := []struct {
		name    string
		problem holdfast.Problem
		want    string
	}{
		{"everything", holdfast.Problem{Source: "spec.yaml", Line: 12, Column: 5, Path: "topics[0].name", Message: "is empty"}, "spec.yaml:12:5: topics[0].name: is empty"},
		{"no column", holdfast.Problem{Source: "jaas.conf", Line: 3, Message: `"x" is not a flag`}, `jaas.conf:3: "x" is not a flag`},
		{"no position", holdfast.Problem{Source: "spec.yaml", Path: "scope", Message: "is missing"}, "spec.yaml: scope: is missing"},
		{"column without line", holdfast.Problem{Source: "spec.yaml", Column: 4, Message: "m"}, "spec.yaml: m"},
		{"no source", holdfast.Problem{Line: 2, Column: 1, Path: "a", Message: "m"}, "line 2:1: a: m"},
		{"built in Go", holdfast.Problem{Path: "Topics[1].Partitions", Message: "0 is not positive"}, "Topics[1].Partitions: 0 is not positive"},
		{"message only", holdfast.Problem{Message: "empty document"}, "empty document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.problem.Error())
		})
	}
}

func TestProblem_JSON(t *testing.T) {
	full := holdfast.Problem{Source: "spec.yaml", Line: 12, Column: 5, Path: "a.b", Message: "m"}
	b, err := json.Marshal(holdfast.Problems{full, {Message: "m"}})
	require.NoError(t, err)
	require.JSONEq(t, `[{"source":"spec.yaml","line":12,"column":5,"path":"a.b","message":"m"},{"message":"m"}]`, string(b))
}

func TestProblems_Error(t *testing.T) {
	ps := holdfast.Problems{{Message: "a"}, {Path: "p", Message: "b"}}
	require.Equal(t, "a\np: b", ps.Error())
	require.Empty(t, holdfast.Problems{}.Error())
}

func TestProblems_ErrIsNilWithoutProblems(t *testing.T) {
	require.NoError(t, holdfast.Problems(nil).Err())
	require.NoError(t, holdfast.Problems{}.Err())
	require.EqualError(t, holdfast.Problems{{Message: "a"}}.Err(), "a")
}

func TestProblems_AreReachedThroughWrapping(t *testing.T) {
	ps := holdfast.Problems{{Path: "a", Message: "first"}, {Path: "b", Message: "second"}}
	err := fmt.Errorf("read spec: %w", errors.Join(errors.New("other"), ps.Err()))

	var all holdfast.Problems
	require.ErrorAs(t, err, &all)
	require.Equal(t, ps, all)

	var first holdfast.Problem
	require.ErrorAs(t, err, &first)
	require.Equal(t, ps[0], first)

	require.ErrorIs(t, err, ps[1], "each problem is in the tree")
	require.NotErrorIs(t, err, holdfast.Problem{Message: "third"})
	require.NotErrorIs(t, err, ps, "a slice has no identity, and asking must not panic")
}

func TestProblems_Sort(t *testing.T) {
	want := holdfast.Problems{
		{Message: "in Go, first"},
		{Message: "in Go, second"},
		{Source: "a.yaml", Line: 1, Message: "whole line"},
		{Source: "a.yaml", Line: 1, Column: 7},
		{Source: "a.yaml", Line: 1, Column: 7, Message: "same place, found later"},
		{Source: "a.yaml", Line: 9, Column: 2},
		{Source: "a.yaml", Line: 10, Column: 1},
		{Source: "a.yaml", Message: "no position, found first"},
		{Source: "a.yaml", Message: "a problem found second keeps its place"},
		{Source: "b.yaml", Line: 2},
	}
	// Swap any two that have an order; those that tie keep theirs, so they stay.
	ties := map[int]bool{0: true, 1: true, 3: true, 4: true, 7: true, 8: true}
	var movable []int
	for i := range want {
		if !ties[i] {
			movable = append(movable, i)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		got := append(holdfast.Problems(nil), want...)
		random.Shuffle(len(movable), func(i, j int) {
			got[movable[i]], got[movable[j]] = got[movable[j]], got[movable[i]]
		})
		got.Sort()
		require.Empty(t, cmp.Diff(want, got))
	}
}

func TestProblems_SortKeepsTheOrderOfFinding(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var ps holdfast.Problems
	for i := range 200 { // enough for an unstable sort to show itself
		ps = append(ps, holdfast.Problem{Source: "a.yaml", Line: random.IntN(5), Message: strconv.Itoa(i)})
	}
	ps.Sort()
	for i, p := range ps[1:] {
		if before := ps[i]; before.Line == p.Line {
			require.Less(t, number(t, before.Message), number(t, p.Message))
		}
	}
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}
