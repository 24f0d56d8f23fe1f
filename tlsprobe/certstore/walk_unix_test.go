//go:build unix

package certstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRead_WalksNoCircleAndOpensNoPipe: on a real directory, where opening a pipe
// would wait for its writer for ever.
func TestRead_WalksNoCircleAndOpensNoPipe(t *testing.T) {
	m := mint(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.MkdirAll(in("d/sub"), 0o700))
	require.NoError(t, os.WriteFile(in("d/sub/ca.pem"), m.store["ca.pem"], 0o600))
	require.NoError(t, os.WriteFile(in("secret.pem"), m.store["ca.pem"], 0))
	require.NoError(t, os.WriteFile(in("large.pem"), append(m.store["ca.pem"], make([]byte, 8<<20)...), 0o600))
	require.NoError(t, os.WriteFile(in("large.log"), append(m.store["ca.pem"], strings.Repeat("x", 8<<20)...), 0o600))
	require.NoError(t, os.Symlink("..", in("d/up")))
	require.NoError(t, os.Symlink("loop.pem", in("loop.pem")))
	require.NoError(t, os.Symlink("d/sub/ca.pem", in("link.pem")))
	require.NoError(t, os.Symlink("/nowhere", in("gone")))
	require.NoError(t, syscall.Mkfifo(in("pipe.pem"), 0o600))

	want := []string{
		"d/sub/ca.pem pem [] root", "d/up []", "gone []", "large.pem [] !over the limit", "link.pem pem [] root", "loop.pem []", "pipe.pem []",
	}
	if os.Getuid() == 0 {
		want = append(want, "secret.pem pem [] root")
	} else {
		want = append(want, "secret.pem [] !permission denied")
	}
	require.Equal(t, want, read(t, os.DirFS(dir), options()))

	opts := options()
	opts.Globs = []string{"d/up/d/up/d/sub/*", "pipe.pem"}
	require.Equal(t, []string{"d/up/d/up/d/sub/ca.pem pem [] root", "pipe.pem []"}, read(t, os.DirFS(dir), opts))

	opts.Globs = []string{"d/*/ca.pem"}
	require.Equal(t, []string{"d/sub/ca.pem pem [] root", "d/up []"}, read(t, os.DirFS(dir), opts))
}
