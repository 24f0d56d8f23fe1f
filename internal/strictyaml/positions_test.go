package strictyaml

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

const positioned = `kind: x
topics:
  - name: a
    configs:
      retention.ms: 1
      "a\"]b": 2
  - &second
    name: b
users: {alice: {password: p}}
extra: [*second]
`

func TestPositions(t *testing.T) {
	var s spec
	in := []byte("# first\n" + positioned)
	p, err := Decode("in", in, &s)
	require.NoError(t, err)
	for path, want := range map[string]struct{ value, key Pos }{
		"":                                  {Pos{2, 1}, Pos{2, 1}},
		"kind":                              {Pos{2, 7}, Pos{2, 1}},
		"topics":                            {Pos{4, 3}, Pos{3, 1}},
		"topics[0]":                         {Pos{4, 5}, Pos{4, 5}},
		"topics[0].name":                    {Pos{4, 11}, Pos{4, 5}},
		`topics[0].configs["retention.ms"]`: {Pos{6, 21}, Pos{6, 7}},
		`topics[0].configs["a\"]b"]`:        {Pos{7, 16}, Pos{7, 7}},
		`topics[0]["name"]`:                 {Pos{4, 11}, Pos{4, 5}},
		"topics[1]":                         {Pos{8, 5}, Pos{8, 5}},
		"users.alice.password":              {Pos{10, 27}, Pos{10, 17}},
		"extra[0]":                          {Pos{11, 9}, Pos{11, 9}},
		"extra[0].name":                     {Pos{9, 11}, Pos{9, 5}},
		// What is not in the document falls back to its nearest parent.
		"version":                   {Pos{2, 1}, Pos{2, 1}},
		"topics[0].partitions":      {Pos{4, 5}, Pos{4, 5}},
		"topics[7].name":            {Pos{4, 3}, Pos{4, 3}},
		"kind.deeper[3]":            {Pos{2, 7}, Pos{2, 7}},
		"users.bob.password":        {Pos{10, 8}, Pos{10, 8}},
		"topics[0].configs[\"a":     {Pos{6, 7}, Pos{5, 5}},
		"topics[x]":                 {Pos{4, 3}, Pos{3, 1}},
		"topics[-1]":                {Pos{4, 3}, Pos{3, 1}},
		"topics[99999999999999999]": {Pos{4, 3}, Pos{4, 3}},
		"..":                        {Pos{2, 1}, Pos{2, 1}},
	} {
		require.Equal(t, want.value, p.At(path), "At(%s)", path)
		require.Equal(t, want.key, p.Key(path), "Key(%s)", path)
	}
}

func TestPositions_LocateFillsAndSorts(t *testing.T) {
	var s spec
	p, err := Decode("in", []byte(positioned), &s)
	require.NoError(t, err)
	in := holdfast.Problems{
		{Path: "users.alice.password", Message: "late"},
		{Source: "other", Line: 3, Message: "placed already"},
		{Path: "topics[1].partitions", Message: "early"},
	}
	require.Equal(t, holdfast.Problems{
		{Source: "in", Line: 7, Column: 5, Path: "topics[1].partitions", Message: "early"},
		{Source: "in", Line: 9, Column: 27, Path: "users.alice.password", Message: "late"},
		{Source: "other", Line: 3, Message: "placed already"},
	}, p.Locate(in))
	require.Zero(t, in[0].Line, "the argument is not changed")
}

func TestPositions_AnswerAfterProblemsAndWithoutDocument(t *testing.T) {
	var s spec
	p, err := Decode("in", []byte("kind: 1\nversion: x\n"), &s)
	require.Error(t, err)
	require.Equal(t, Pos{2, 10}, p.At("version"))

	p, err = Decode("in", []byte("kind: ["), &s)
	require.Error(t, err)
	require.Equal(t, Pos{}, p.At("kind"))
	require.Equal(t, holdfast.Problems{{Path: "kind", Message: "m"}}, p.Locate(holdfast.Problems{{Path: "kind", Message: "m"}}))
	require.Equal(t, Pos{}, Positions{}.Key("kind"))
}

// A path that problems show is a path that At finds.
func TestPath_RoundTrip(t *testing.T) {
	for _, p := range []path{
		nil,
		{{key: "a", index: -1}},
		{{key: "a", index: -1}, {index: 0}, {key: "b-c_D9", index: -1}},
		{{index: 3}, {key: "", index: -1}, {key: "a.b", index: -1}, {index: 12}},
		{{key: `["x"]`, index: -1}, {key: "é\n\x00", index: -1}},
	} {
		require.Equal(t, p, parsePath(p.String()), p.String())
	}
}
