package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// killSpec needs a write of every kind, given the state of seedForKill.
const killSpec = `
kind: KafkaSecurity
version: 1
scope: {topics: [new, grows, configured, goes], principals: ["User:a", "User:b"]}
topics:
  - {name: new, partitions: 2, replication_factor: 2, configs: {retention.ms: 1000}}
  - {name: grows, partitions: 3}
  - {name: configured, configs: {retention.ms: 2000}}
  - {name: goes, state: absent}
acls:
  - {principal: "User:a", operations: [Read], resource: "topic:new"}
  - {principal: "User:b", operations: [Write], resource: "topic:new", permission: deny}
  - {principal: "User:a", operations: [Read], resource: "topic:goes", state: absent}
  - {principal: "User:b", operations: [Write], resource: "topic:goes", permission: deny, state: absent}
`

func seedForKill(ctx context.Context, b *brokers) error {
	for _, name := range []string{"grows", "configured", "goes"} {
		if _, err := b.admin.CreateTopic(ctx, 1, 1, nil, name); err != nil {
			return err
		}
	}
	return createACLs(ctx, b,
		bindingOn("goes", "User:a", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow),
		bindingOn("goes", "User:b", kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeDeny))
}

// writes are the requests that change something.
var writes = map[kmsg.Key]bool{
	kmsg.CreateTopics: true, kmsg.CreatePartitions: true, kmsg.IncrementalAlterConfigs: true,
	kmsg.CreateACLs: true, kmsg.DeleteACLs: true, kmsg.DeleteTopics: true,
}

// The program is killed with SIGKILL while its k-th write is at the broker, for
// every k, once so that the write is lost and once so that it is made. Run again
// it must finish the work.
func TestKill_AtEveryWriteThenConverges(t *testing.T) {
	for _, lost := range []bool{true, false} {
		t.Run(fmt.Sprintf("write lost=%v", lost), func(t *testing.T) {
			t.Parallel()
			for k := 1; ; k++ {
				if !killAndConverge(t, k, lost) {
					// Topics, partitions, configs, denies, grants, revokes, lifted
					// denies, deleted topics.
					require.Equal(t, 8, k-1, "writes at which the program was killed")
					return
				}
			}
		})
	}
}

// killAndConverge reports whether there was a k-th write.
func killAndConverge(t *testing.T, k int, lost bool) bool {
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	defer cancel()
	b, err := newBrokers()
	require.NoError(t, err)
	defer b.close()
	require.NoError(t, seedForKill(ctx, b))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kill.yaml"), []byte(killSpec), 0o600))
	require.NoError(t, copyFile("client.properties", filepath.Join(dir, "client.properties")))
	program := func(verb string, flags ...string) *exec.Cmd {
		args := append([]string{verb, "-f", "kill.yaml", "--brokers", strings.Join(b.kfake.ListenAddrs(), ","), "--command-config", "client.properties"}, flags...)
		cmd := exec.CommandContext(ctx, "kafkasec", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "KAFKA_PASSWORD="+canary)
		return cmd
	}

	victim := program("apply", "--yes")
	started, exited := make(chan struct{}), make(chan struct{})
	killed := killAtWrite(b.kfake, k, lost, func() {
		<-started
		_ = victim.Process.Kill()
		<-exited
	})
	require.NoError(t, victim.Start())
	close(started)
	err = victim.Wait()
	close(exited)
	if !killed.Load() {
		require.NoError(t, err)
		return false
	}
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit) && !exit.Exited(), "killed at write %d: %v", k, err)

	out, err := program("apply", "--yes").CombinedOutput()
	require.NoError(t, err, "apply after the kill at write %d:\n%s", k, out)
	out, err = program("plan").CombinedOutput()
	require.NoError(t, err, "plan after the kill at write %d:\n%s", k, out)
	require.Contains(t, string(out), "no changes")
	return true
}

// killAtWrite calls kill while the k-th write waits, and then drops the request
// or lets it through. The result is set when that has happened.
func killAtWrite(c *kfake.Cluster, k int, lost bool, kill func()) *atomic.Bool {
	var n int
	var done atomic.Bool
	c.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		if !writes[kmsg.Key(req.Key())] || done.Load() {
			return nil, nil, false
		}
		if n++; n < k {
			return nil, nil, false
		}
		done.Store(true)
		kill()
		return nil, errors.New("the broker never saw it"), lost
	})
	return &done
}

func bindingOn(topic, principal string, op kmsg.ACLOperation, permission kmsg.ACLPermissionType) kmsg.CreateACLsRequestCreation {
	c := kmsg.NewCreateACLsRequestCreation()
	c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, topic, kmsg.ACLResourcePatternTypeLiteral
	c.Principal, c.Host, c.Operation, c.PermissionType = principal, "*", op, permission
	return c
}

func createACLs(ctx context.Context, b *brokers, creations ...kmsg.CreateACLsRequestCreation) error {
	req := kmsg.NewPtrCreateACLsRequest()
	req.Creations = creations
	resp, err := req.RequestWith(ctx, b.client)
	if err != nil {
		return err
	}
	for _, r := range resp.Results {
		if r.ErrorCode != 0 {
			return fmt.Errorf("create acl: error code %d", r.ErrorCode)
		}
	}
	return nil
}
