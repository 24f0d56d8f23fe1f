package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
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

// On a real broker, every verb that connects to one.
func TestReal_EveryVerb(t *testing.T) {
	c := real.Kafka(t)
	p := c.Prefix(t)
	spec := realSpec(t, p)
	admin := []string{"--command-config", c.ClientPropertiesFile(t, real.Login{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: real.Admin}),
		"--brokers", strings.Join(c.Bootstrap(real.SASLSSL), ",")}
	// kafkasec runs the program, and gives its standard output.
	kafkasec := func(exit int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "kafkasec", args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, _ := cmd.Output()
		require.Equal(t, exit, cmd.ProcessState.ExitCode(), "%s: %s%s", args, out, &stderr)
		return string(out)
	}
	live := func(args ...string) []string { return append(args, admin...) }
	plan := filepath.Join(t.TempDir(), "plan.json")
	require.Contains(t, kafkasec(2, live("plan", "-f", spec, "--out", plan)...), "16 to create")
	require.Contains(t, kafkasec(0, live("apply", "--plan", plan, "--yes")...), "16 applied")
	require.Contains(t, kafkasec(0, live("apply", "--plan", plan, "--yes")...), "16 unchanged")
	require.Contains(t, kafkasec(0, live("plan", "-f", spec)...), "no changes")

	user1, user2, topic := "User:"+p+"user1", "User:"+p+"user2", "topic:"+p+"metricbeat"
	require.Contains(t, kafkasec(0, live("can", user1, "Write", topic)...), "may Write")
	require.Contains(t, kafkasec(2, live("can", user2, "Write", topic)...), "may not Write")
	who := kafkasec(0, live("who", "Write", topic)...)
	require.Contains(t, who, user1+" ")
	require.NotContains(t, who, user2)
	require.Contains(t, kafkasec(0, "lint", "-f", spec), "4 findings: 4 info")

	// The export of what the spec owns says the same as the spec.
	exported := filepath.Join(t.TempDir(), "exported.yaml")
	require.NoError(t, os.WriteFile(exported, []byte(kafkasec(0, live("export", "--scope-file", spec)...)), 0o600))
	require.Contains(t, kafkasec(0, live("plan", "-f", exported)...), "no changes")
	require.Contains(t, kafkasec(0, "lint", "-f", exported), "4 findings: 4 info")

	// The broker tells a client what the file says, and not what another file says.
	c.AddUser(t, p+"user1", holdfast.NewSecret("c4n4ry-of-user1"))
	as := c.ClientPropertiesFile(t, real.Login{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: p + "user1"})
	verify := []string{"verify", "--as", as, "--brokers", strings.Join(c.Bootstrap(real.SASLSSL), ","), topic, "topic:" + p + "packetbeat"}
	require.Contains(t, kafkasec(0, append(verify, "-f", spec)...), "1 agreed, 0 differ, 1 unknown")
	text, err := os.ReadFile(spec)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(exported, bytes.ReplaceAll(text, []byte("[Read, Write, Describe]"), []byte("[Read]")), 0o600))
	require.Contains(t, kafkasec(2, append(verify, "-f", exported)...), "0 agreed, 1 differ, 1 unknown")

	// All that the spec grants goes with a filter for each principal.
	require.NoError(t, os.WriteFile(exported, []byte(revokeAll.ReplaceAllString(string(text), `"$1, state: absent}`)), 0o600))
	require.Contains(t, kafkasec(0, live("apply", "-f", exported, "--yes", "--broad-revokes")...), "14 applied")
	require.Contains(t, kafkasec(2, live("can", user1, "Write", topic)...), "may not Write")
}

// revokeAll finds the end of each entry that grants.
var revokeAll = regexp.MustCompile(`"((?:topic|group):[^"]+")}`)

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
