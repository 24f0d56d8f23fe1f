package strictyaml

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

// spec is shaped like the specs that the package is for.
type spec struct {
	Header  `yaml:",inline"`
	Topics  []topic           `yaml:"topics"`
	Users   map[string]*user  `yaml:"users"`
	Scope   *scope            `yaml:"scope"`
	Labels  map[string]string `yaml:"labels"`
	Extra   any               `yaml:"extra"`
	Tuning  tuning            `yaml:"tuning"`
	Ignored string            `yaml:"-"`
	Untaged string
}

type Header struct {
	Kind    string `yaml:"kind"`
	Version int    `yaml:"version"`
}

type topic struct {
	Name       string            `yaml:"name"`
	Partitions int32             `yaml:"partitions"`
	Configs    map[string]string `yaml:"configs,literal"`
	State      state             `yaml:"state"`
}

type user struct {
	Password   secretRef `yaml:"password"`
	Iterations uint16    `yaml:"iterations"`
	Enabled    bool      `yaml:"enabled"`
}

type scope struct {
	Topics []string `yaml:"topics"`
	Self   *scope   `yaml:"self"`
}

type tuning struct {
	Timeout time.Duration `yaml:"timeout"`
	Ratio   float64       `yaml:"ratio"`
	Small   float32       `yaml:"small"`
	Tiny    int8          `yaml:"tiny"`
	Limit   *int          `yaml:"limit"`
	Mark    string        `yaml:"mark,literal"`
	Marks   []string      `yaml:"marks,literal"`
}

type state string

func (s *state) UnmarshalText(text []byte) error {
	if t := string(text); t != "present" && t != "absent" {
		return fmt.Errorf("unknown state %q: want present or absent", t)
	}
	*s = state(text)
	return nil
}

// secretRef stands for a type whose values may be secret.
type secretRef struct{ value holdfast.Secret }

func (r *secretRef) UnmarshalText(text []byte) error {
	r.value = holdfast.NewSecret(string(text))
	return nil
}

// TestDecode_Golden runs each testdata file: input.yaml, and what comes of it in
// problems (one a line) or value.
func TestDecode_Golden(t *testing.T) {
	update := os.Getenv("UPDATE_GOLDEN") != ""
	require.NoError(t, filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".txtar") {
			return err
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			golden, err := txtar.ParseFile(path)
			require.NoError(t, err)
			require.NotEmpty(t, golden.Files)
			got := problemLines(t, golden.Files[0].Data)
			if update {
				golden.Files = append(golden.Files[:1], txtar.File{Name: "problems", Data: []byte(got)})
				require.NoError(t, os.WriteFile(path, txtar.Format(golden), 0o644))
				return
			}
			require.Len(t, golden.Files, 2)
			require.NotEmpty(t, got, "a golden file holds a rejected input")
			require.Empty(t, cmp.Diff(string(golden.Files[1].Data), got))
		})
		return nil
	}))
}

func problemLines(t *testing.T, input []byte) string {
	t.Helper()
	var s spec
	_, err := Decode("in", input, &s)
	if err == nil {
		return ""
	}
	var problems holdfast.Problems
	require.True(t, errors.As(err, &problems), "want problems, got %v", err)
	return problems.Error() + "\n"
}

func TestDecode_FillsEveryKind(t *testing.T) {
	in := `
kind: KafkaSecurity
version: 0x1
topics:
  - &first
    name: "12"
    partitions: +6
    configs: {retention.ms: 604800000, cleanup.policy: compact, x: true, y: 1e3, z: 007, empty: ""}
    state: absent
  - *first
users:
  alice: {password: 2026-01-01, iterations: 4096, enabled: True}
  bob: null
scope: {topics: [yes, 2026-01-01, "null", ~x], self: {topics: []}}
labels:
  a.b: |
    two
    lines
extra: [1, -16, 18446744073709551615, 1.5, true, null, text, {k: [v], "": x}]
tuning: {timeout: 1m30s, ratio: 1, small: .5, tiny: -128, limit: 0o17, mark: 0777, marks: [1, x, no]}
`
	s := spec{Header: Header{Version: 9}, Untaged: "kept"}
	_, err := Decode("in", []byte(in), &s)
	require.NoError(t, err)
	first := topic{Name: "12", Partitions: 6, State: "absent", Configs: map[string]string{"retention.ms": "604800000",
		"cleanup.policy": "compact", "x": "true", "y": "1e3", "z": "007", "empty": ""}}
	limit := 15
	want := spec{
		Header:  Header{Kind: "KafkaSecurity", Version: 1},
		Topics:  []topic{first, first},
		Users:   map[string]*user{"alice": {Password: secretRef{holdfast.NewSecret("2026-01-01")}, Iterations: 4096, Enabled: true}, "bob": nil},
		Scope:   &scope{Topics: []string{"yes", "2026-01-01", "null", "~x"}, Self: &scope{Topics: []string{}}},
		Labels:  map[string]string{"a.b": "two\nlines\n"},
		Extra:   []any{int64(1), int64(-16), uint64(18446744073709551615), 1.5, true, nil, "text", map[string]any{"k": []any{"v"}, "": "x"}},
		Tuning:  tuning{Timeout: 90 * time.Second, Ratio: 1, Small: .5, Tiny: -128, Limit: &limit, Mark: "0777", Marks: []string{"1", "x", "no"}},
		Untaged: "kept",
	}
	require.Empty(t, cmp.Diff(want, s, cmp.AllowUnexported(secretRef{})))
}
