//go:build unix

package oracle

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// The test binary runs itself with this set, to die in that way.
const dieEnv = "HOLDFAST_ORACLE_TEST_DIE"

// TestOracle_EndsWithTheTestBinary lets a child test binary start an oracle and
// die, and waits for the JVM to close the pipe that it inherits from the child.
func TestOracle_EndsWithTheTestBinary(t *testing.T) {
	real.Enabled(t)
	for _, how := range []string{"panic", "kill"} {
		t.Run(how, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestOracle_DyingBinary$", "-test.v")
			child.Env = append(os.Environ(), dieEnv+"="+how)
			out, err := child.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, child.Start())
			var pid int
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if text, ok := strings.CutPrefix(lines.Text(), "jvm "); ok {
					pid, err = strconv.Atoi(text)
					require.NoError(t, err)
				}
			}
			require.Error(t, child.Wait())
			require.NotZero(t, pid, "the child must have started a JVM")
			require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil || isZombie(pid) },
				time.Minute, 10*time.Millisecond, "JVM %d outlives the test binary", pid)
		})
	}
}

// isZombie: where nobody collects orphans, as in some containers, an ended
// process keeps its number.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestOracle_DyingBinary(t *testing.T) {
	how := os.Getenv(dieEnv)
	if how == "" {
		// Not a skip, which HOLDFAST_REQUIRE_REAL=1 forbids: this is only the
		// child's side of TestOracle_EndsWithTheTestBinary.
		return
	}
	o := Start(t, Options{Main: "PropertiesOracle"})
	var answers []loadAnswer
	o.Ask(t, []loadCase{{Load: []byte("a=b")}}, &answers)
	_, _ = os.Stdout.WriteString("jvm " + strconv.Itoa(o.proc.cmd.Process.Pid) + "\n")
	if how == "panic" {
		panic("as asked")
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
