package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestPrintError_ALinePerProblem(t *testing.T) {
	located := holdfast.Problems{
		{Source: "spec.yaml", Line: 3, Column: 7, Path: "topics[0].name", Message: "bad"},
		{Source: "spec.yaml", Message: "worse"},
	}
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("no brokers"), "prog: no brokers\n"},
		{"located problems without the verbs around them", fmt.Errorf("read spec: %w", located), "spec.yaml:3:7: topics[0].name: bad\nspec.yaml: worse\n"},
		{"joined", errors.Join(located.Err(), errors.New("no brokers")), "spec.yaml:3:7: topics[0].name: bad\nspec.yaml: worse\nprog: no brokers\n"},
		{"a joined problem", errors.Join(holdfast.Problem{Path: "--brokers", Message: "empty"}), "prog: --brokers: empty\n"},
		{"two in one text", fmt.Errorf("%w: broker 2: %w", errors.New("not visible"), errors.New("gone")), "prog: not visible: broker 2: gone\n"},
		{"lines", errors.New("stale\n\ntopic a"), "prog: stale\nprog: topic a\n"},
		{"what the network sent", errors.New("policy: \x1b[31mred\a\tand\rmore"), "prog: policy: [31mred and; more\n"},
	} {
		var b strings.Builder
		printError(&b, "prog", tc.err)
		require.Equal(t, tc.want, b.String(), tc.name)
	}
}

func TestAlign_CountsCharactersAndLeavesTheLastCell(t *testing.T) {
	require.Equal(t, []string{
		"+  größe  a",
		"~  b      a long last cell",
		"a lone cell that is longer than all",
	}, Align([][]string{{"+", "größe", "a"}, {"~", "b", "a long last cell"}, {"a lone cell that is longer than all"}}))
}

func TestAlign_OneLongCellWidensNoOtherRow(t *testing.T) {
	long := strings.Repeat("x", widestCell+1)
	require.Equal(t, []string{
		"ab  1  c",
		long + "  1  c",
	}, Align([][]string{{"ab", "1", "c"}, {long, "1", "c"}}))
}

func TestWriteFile_ReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plan.json")
	require.NoError(t, os.WriteFile(path, []byte("a much longer file than the new one"), 0o644))
	require.NoError(t, WriteFile(path, []byte("new")))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	requireOnly(t, dir, "plan.json")
}

// A reader that has the old file open keeps the old content: the new one is
// another file that took its name.
func TestWriteFile_NeverWritesIntoTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	require.NoError(t, WriteFile(path, []byte("old")))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, WriteFile(path, []byte("new")))
	buf := make([]byte, 8)
	n, err := f.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "old", string(buf[:n]))
}

func TestWriteFile_Refuses(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "target"), []byte("precious"), 0o600))
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("target", link))
	require.ErrorContains(t, WriteFile(link, nil), "found a symbolic link; allowed is a new file or a regular one")
	require.ErrorContains(t, WriteFile(dir, nil), "found a directory")
	require.ErrorContains(t, WriteFile(os.DevNull, nil), "found a device, pipe or socket")
	missing := filepath.Join(dir, "none", "plan.json")
	err := WriteFile(missing, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "write "+missing+": create a file in "+filepath.Dir(missing)+": ")
	requireOnly(t, dir, "link", "target")
}

func requireOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	require.Equal(t, names, got)
}

func TestResolveSecret(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pw"), []byte(" s3cret \r\n"), 0o600))
	t.Setenv("HOLDFAST_TEST_SECRET", "from env")
	for ref, want := range map[string]string{
		"env:HOLDFAST_TEST_SECRET":      "from env",
		"env:path:HOLDFAST_TEST_SECRET": "from env",
		"file:" + dir + "/pw":           " s3cret ",
		"directory:" + dir + ":pw":      " s3cret ",
	} {
		got, err := ResolveSecret(context.Background(), ref)
		require.NoError(t, err, ref)
		require.True(t, got.Equal(holdfast.NewSecret(want)), ref)
	}
	for ref, want := range map[string]string{
		"env:HOLDFAST_TEST_UNSET":    "the environment variable HOLDFAST_TEST_UNSET is not set",
		"file:" + dir + "/none":      "no such file",
		"file:" + dir + "/pw:key":    "allowed are env:NAME, file:PATH and directory:DIR:NAME",
		"directory:" + dir:           "allowed is directory:DIR:NAME",
		"directory:" + dir + ":../x": "allowed is directory:DIR:NAME",
		"directory:" + dir + ":..":   "allowed is directory:DIR:NAME",
		"vault:a:b":                  `unknown provider "vault"`,
		"":                           `unknown provider ""`,
	} {
		_, err := ResolveSecret(context.Background(), ref)
		require.ErrorContains(t, err, want, ref)
	}
}

func TestProgress_ALineEachWithoutATerminal(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b)
	p.Event(holdfast.Event{What: "create topics", Step: 2, Of: 10})
	p.Event(holdfast.Event{What: "wait until every broker knows", Step: 10, Of: 10})
	p.Done()
	require.Equal(t, "create topics 2/10\nwait until every broker knows 10/10\n", b.String())
}

func TestFormat_OnlyTheTwo(t *testing.T) {
	var f Format
	require.Equal(t, "text", f.String())
	require.NoError(t, f.Set("json"))
	require.Equal(t, JSON, f)
	require.EqualError(t, f.Set("yaml"), "allowed are text and json")
	require.Equal(t, JSON, f)
}

func TestConfirm_NobodyToAsk(t *testing.T) {
	var b strings.Builder
	yes, err := Confirm(t.Context(), strings.NewReader("y\n"), &b, "Go on?")
	require.ErrorIs(t, err, ErrNoTerminal)
	require.False(t, yes)
	require.Empty(t, b.String())
}
