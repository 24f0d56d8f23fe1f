//go:build linux

package real_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// endVariable tells the copy of this test binary that TestOrphans starts how to
// end; everywhere else it is unset.
const endVariable = "HOLDFAST_TEST_END"

// TestEnd is the copy's part: a shared cluster and an exclusive one of another
// kind, and then the end.
func TestEnd(t *testing.T) {
	how := os.Getenv(endVariable)
	if how == "" {
		return // TestOrphans runs this in a process of its own
	}
	report := func(c *real.Cluster) { fmt.Printf("\nCLUSTER %d %s\n", c.Node(1).PID(), c.Dir()) }
	report(real.Kafka(t))
	if how == "panic" {
		report(real.NewKafka(t, real.Options{Version: "3.9.2"}))
	}
	switch how {
	case "return":
	case "panic":
		done := make(chan struct{})
		go func() { // outside the test's goroutine: no deferred function and no Cleanup runs
			defer close(done)
			panic("as asked")
		}()
		<-done
	case "exit":
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func TestOrphans_NothingOutlivesTheTestProcess(t *testing.T) {
	real.Enabled(t)
	self, err := os.Executable()
	require.NoError(t, err)
	for _, how := range []string{"return", "panic", "exit", "kill"} {
		t.Run(how, func(t *testing.T) {
			tmp := t.TempDir()
			cmd := exec.Command(self, "-test.run=^TestEnd$", "-test.v")
			cmd.Env = append(os.Environ(), endVariable+"="+how, "TMPDIR="+tmp, "HOLDFAST_REQUIRE_REAL=1")
			out, err := cmd.CombinedOutput()
			require.Equal(t, how == "return", err == nil, "%s", out)
			if how == "panic" {
				require.Contains(t, string(out), "as asked")
			}

			clusters := bytes.Count(out, []byte("\nCLUSTER "))
			require.Equal(t, how == "panic", clusters == 2, "%s", out)
			require.NotZero(t, clusters, "%s", out)
			// The kernel signals the children and xargs removes the directories
			// after the parent's end, so both may take a moment.
			gone := assert.Eventually(t, func() bool { return len(mentions(t, tmp)) == 0 }, 20*time.Second, 20*time.Millisecond)
			if !gone {
				for pid, line := range mentions(t, tmp) {
					t.Errorf("process %d remains: %s", pid, line)
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			require.Eventually(t, func() bool {
				left, err := os.ReadDir(tmp)
				require.NoError(t, err)
				return len(left) == 0
			}, 30*time.Second, 20*time.Millisecond, "directories remain")
		})
	}
}

// mentions lists the processes whose command line has a word: brokers,
// ZooKeeper and the formatter all name files in their cluster's directory.
func mentions(t *testing.T, word string) map[int]string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	found := map[int]string{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(data, []byte(word)) {
			continue // another one, or one that has just ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		require.NoError(t, err)
		found[pid] = strings.ReplaceAll(string(data), "\x00", " ")
	}
	return found
}
