package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pipedApply starts an apply whose CreateAcls waits for release, with standard
// output, and standard error where both is set, in a pipe that this test reads.
func pipedApply(t *testing.T, both bool) (cmd *exec.Cmd, read *os.File, stderr *bytes.Buffer, b *brokers) {
	b, err := newBrokers()
	require.NoError(t, err)
	t.Cleanup(b.close)
	b.kfake.ControlKey(int16(kmsg.CreateACLs), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.gate.first.Do(func() { close(b.gate.held) })
		b.kfake.SleepControl(func() { <-b.gate.opened })
		return nil, nil, false
	})
	dir := t.TempDir()
	for _, name := range []string{"client.properties", "spec.yaml"} {
		require.NoError(t, copyFile(name, filepath.Join(dir, name)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	t.Cleanup(cancel)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = read.Close() })
	cmd = exec.CommandContext(ctx, "kafkasec", "apply", "--yes", "-f", "spec.yaml", "--brokers", strings.Join(b.kfake.ListenAddrs(), ","), "--command-config", "client.properties")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "KAFKA_PASSWORD="+canary)
	stderr = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = write, stderr
	if both {
		cmd.Stderr = write
	}
	require.NoError(t, cmd.Start())
	require.NoError(t, write.Close())
	select {
	case <-b.gate.held:
	case <-ctx.Done():
		require.Fail(t, "the request never came")
	}
	return cmd, read, stderr, b
}

// Ctrl-C in "kafkasec apply | tee log" ends tee as well: the report goes to where
// somebody may still see it.
func TestPipe_ReportsWhereNobodyReadsStandardOutput(t *testing.T) {
	for _, interrupted := range []bool{true, false} {
		cmd, read, stderr, b := pipedApply(t, false)
		require.NoError(t, read.Close())
		if interrupted {
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
		} else {
			b.gate.open()
		}
		_ = cmd.Wait()
		require.Equal(t, 1, cmd.ProcessState.ExitCode(), "%s\n%s", cmd.ProcessState, stderr)
		require.Contains(t, stderr.String(), "\napplied create topic metricbeat\n")
		require.Contains(t, stderr.String(), map[bool]string{true: "\n2 applied, 14 failed\n", false: "\n16 applied\n"}[interrupted])
		require.Contains(t, stderr.String(), "kafkasec: apply: the report is not on standard output but on standard error: write ")
	}
}

// With nobody to tell anything, what was begun is still finished.
func TestPipe_FinishesWhereNobodyReadsAnything(t *testing.T) {
	cmd, read, _, b := pipedApply(t, true)
	require.True(t, bufio.NewScanner(read).Scan())
	require.NoError(t, read.Close())
	b.gate.open()
	_ = cmd.Wait()
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), "%s", cmd.ProcessState)
	acls := kmsg.NewPtrDescribeACLsRequest()
	acls.ResourceType, acls.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	acls.Operation, acls.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	resp, err := acls.RequestWith(t.Context(), b.client)
	require.NoError(t, err)
	granted := 0
	for _, r := range resp.Resources {
		for _, acl := range r.ACLs {
			if strings.HasPrefix(acl.Principal, "User:user") {
				granted++
			}
		}
	}
	require.Equal(t, 14, granted)
}
