package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// realSpec is the shipped spec under names of the test's own, wide enough for
// several requests.
func realSpec(t *testing.T, prefix string) string {
	data, err := os.ReadFile("spec.yaml")
	require.NoError(t, err)
	text := strings.ReplaceAll(string(data), "replication_factor: 2", "replication_factor: 1")
	for _, name := range []string{"metricbeat", "packetbeat", "user"} { // groups begin with a beat's name
		text = strings.ReplaceAll(text, name, prefix+name)
	}
	path := filepath.Join(t.TempDir(), "spec.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// On a real broker, over TLS: the whole way, and the program killed after each
// of its lines of progress.
func TestReal_PlanApplyKillConverge(t *testing.T) {
	c := real.Kafka(t)
	properties := c.ClientPropertiesFile(t, real.Login{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: real.Admin})
	program := func(ctx context.Context, verb, spec string, flags ...string) *exec.Cmd {
		args := append([]string{verb, "-f", spec, "--brokers", strings.Join(c.Bootstrap(real.SASLSSL), ","), "--command-config", properties}, flags...)
		return exec.CommandContext(ctx, "kafkasec", args...)
	}
	for k := 0; ; k++ {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		spec := realSpec(t, fmt.Sprintf("%sk%d-", c.Prefix(t), k))

		plan := program(ctx, "plan", spec)
		out, _ := plan.CombinedOutput()
		require.Equal(t, 2, plan.ProcessState.ExitCode(), "%s", out)
		require.Contains(t, string(out), "16 to create")

		killed := killAfterLine(t, program(ctx, "apply", spec, "--yes"), k)

		out, err := program(ctx, "apply", spec, "--yes").CombinedOutput()
		require.NoError(t, err, "%s", out)
		out, err = program(ctx, "plan", spec).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "no changes")
		if !killed {
			require.GreaterOrEqual(t, k, 4, "lines of progress at which the program was killed")
			return
		}
	}
}

// killAfterLine runs an apply and kills it when it has shown its k-th line of
// progress; it reports whether there was one.
func killAfterLine(t *testing.T, cmd *exec.Cmd, k int) bool {
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var shown bytes.Buffer
	n, killed := 0, false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		fmt.Fprintln(&shown, lines.Text())
		if !strings.HasSuffix(lines.Text(), "/16") {
			continue
		}
		if n == k {
			killed = true
			require.NoError(t, cmd.Process.Kill())
		}
		n++
	}
	if err := cmd.Wait(); !killed {
		require.NoError(t, err, "%s", shown.String())
	}
	return killed
}
