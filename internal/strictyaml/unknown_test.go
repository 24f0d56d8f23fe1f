package strictyaml

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecode_UnknownKeysAreListedWhereAskedFor(t *testing.T) {
	type inner struct {
		B string `yaml:"b"`
	}
	type lenient struct {
		A     string       `yaml:"a"`
		Inner inner        `yaml:"inner"`
		Rest  []UnknownKey `yaml:",unknown"`
	}
	var v lenient
	at, err := Decode("in", []byte("z.z: &x 'text'\na: b\ny: !vault |\n  cipher\nx: *x\nw: {k: 1_0, <<: {}}\nv: ~\n"), &v)
	require.NoError(t, err)
	require.Equal(t, "b", v.A)
	require.Equal(t, []UnknownKey{{`["z.z"]`, "text"}, {"y", "cipher\n"}, {"x", "text"}, {"w", ""}, {"v", "~"}}, v.Rest)
	require.Equal(t, Pos{3, 1}, at.Key("y"))

	// It does not reach into other structs, and keys stay text and unique.
	for in, want := range map[string]string{
		"inner: {c: 1}":  `in:1:9: inner: unknown key "c", did you mean "b"? (allowed: b)`,
		"x: 1\nx: 2":     "in:2:1: x: the key is given a second time, first on line 1",
		"<<: {a: b}":     "in:1:1: merge keys (<<) are not allowed: repeat the keys, or use an alias for the whole value",
		"12: b":          "in:1:1: a key has to be text, found the integer 12: put it in quotes",
		"a: 1\nother: 2": `in:1:4: a: want text, found the integer 1: put it in quotes`,
	} {
		require.EqualError(t, decodeProblems(t, in, &lenient{}), want)
	}
}

func TestDecode_UnknownFieldOfAnEmbeddedStruct(t *testing.T) {
	type Embedded struct {
		Rest []UnknownKey `yaml:",unknown"`
	}
	var v struct {
		Embedded `yaml:",inline"`
	}
	_, err := Decode("in", []byte("a: 1"), &v)
	require.NoError(t, err)
	require.Equal(t, []UnknownKey{{"a", "1"}}, v.Rest)
}

func TestDecode_RefusesWrongUnknownFields(t *testing.T) {
	for _, v := range []any{
		&struct {
			Rest []string `yaml:",unknown"`
		}{},
		&struct {
			Rest []UnknownKey `yaml:"rest,unknown"`
		}{},
		&struct {
			Rest []UnknownKey `yaml:",unknown"`
			More []UnknownKey `yaml:",unknown"`
		}{},
	} {
		_, err := Decode("in", []byte("a: 1"), v)
		require.ErrorContains(t, err, "want a name", "%T", v)
	}
}

func TestPositions_Plain(t *testing.T) {
	var v any
	at, err := Decode("in", []byte("a: yes\nb: 'yes'\nc: \"yes\"\nd: |\n  yes\ne: >-\n  yes\nf: [&y yes, 1, *y]\ng: &q 'yes'\nh: *q\n"), &v)
	require.NoError(t, err)
	for path, want := range map[string]bool{
		"a": true, "b": false, "c": false, "d": false, "e": false, "f": false, "f[0]": true, "f[1]": true, "f[2]": true, "h": false,
		"i": false, "a.b": false, "": false,
	} {
		require.Equal(t, want, at.Plain(path), path)
	}
	require.False(t, Positions{}.Plain("a"))
}
