package real_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// watchdog bounds what a test waits for; it is no expectation.
func watchdog(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func produce(ctx context.Context, client *kgo.Client, topic string) error {
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
}

// allowWrite creates a topic and lets principal write it.
func allowWrite(t *testing.T, c *real.Cluster, topic, principal string) {
	t.Helper()
	ctx := watchdog(t)
	admin := kadm.NewClient(c.AdminClient(t))
	_, err := admin.CreateTopic(ctx, 1, -1, nil, topic)
	require.NoError(t, err)
	acl := kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpWrite).Allow(principal).AllowHosts("*")
	created, err := admin.CreateACLs(ctx, acl)
	require.NoError(t, err)
	require.Len(t, created, 1)
	require.NoError(t, created[0].Err)
}

// checkPermitted shows that alice may write and bob may not. Brokers apply ACLs
// some time after they answer, so alice tries until it works.
func checkPermitted(t *testing.T, c *real.Cluster, topic string, mechanism real.Mechanism) {
	t.Helper()
	ctx := watchdog(t)
	alice := c.Client(t, real.Login{Protocol: real.SASLPlaintext, Mechanism: mechanism, User: "alice"})
	require.EventuallyWithT(t, func(t *assertT) {
		require.NoError(t, produce(ctx, alice, topic))
	}, 30*time.Second, 50*time.Millisecond)
	bob := c.Client(t, real.Login{Protocol: real.SASLPlaintext, Mechanism: mechanism, User: "bob"})
	require.ErrorIs(t, produce(ctx, bob, topic), kerr.TopicAuthorizationFailed)
}

func TestKafka_AuthorizesInEachVersion(t *testing.T) {
	for _, version := range []string{"4.4.0", "4.3.1", "3.9.2"} {
		t.Run(version, func(t *testing.T) {
			start := time.Now()
			c := real.NewKafka(t, real.Options{Version: version})
			t.Logf("kafka %s ready after %v, %d MB", version, time.Since(start).Round(10*time.Millisecond), residentMB(t, c.Node(1).PID()))

			topic := c.Prefix(t) + "audit"
			allowWrite(t, c, topic, "User:alice")
			checkPermitted(t, c, topic, real.Plain)
			checkPermitted(t, c, topic, real.SCRAM512)

			anonymous := c.Client(t, real.Login{Protocol: real.Plaintext})
			require.ErrorIs(t, produce(watchdog(t), anonymous, topic), kerr.TopicAuthorizationFailed)

			c.Node(1).Kill(t)
			require.False(t, c.Node(1).Running())
			start = time.Now()
			c.Node(1).Start(t)
			t.Logf("killed node back after %v", time.Since(start).Round(10*time.Millisecond))
			checkPermitted(t, c, topic, real.SCRAM256)
			start = time.Now()
			c.Node(1).Stop(t)
			t.Logf("stop took %v", time.Since(start).Round(10*time.Millisecond))
			start = time.Now()
			c.Node(1).Start(t)
			t.Logf("start took %v", time.Since(start).Round(10*time.Millisecond))
			checkPermitted(t, c, topic, real.SCRAM256)
		})
	}
}

func TestKafka_ThreeNodesSurviveTheLossOfOne(t *testing.T) {
	for _, version := range []string{"4.4.0", "3.9.2"} {
		t.Run(version, func(t *testing.T) {
			start := time.Now()
			c := real.NewKafka(t, real.Options{Version: version, Nodes: 3})
			t.Logf("kafka %s, three nodes, ready after %v, %d MB", version, time.Since(start).Round(10*time.Millisecond),
				residentMB(t, c.Node(1).PID())+residentMB(t, c.Node(2).PID())+residentMB(t, c.Node(3).PID()))

			ctx := watchdog(t)
			admin := kadm.NewClient(c.AdminClient(t))
			topic := c.Prefix(t) + "audit"
			allowWrite(t, c, topic, "User:alice")
			replicas := func() (replicas, inSync int) {
				topics, err := admin.ListTopics(ctx, topic)
				require.NoError(t, err)
				p := topics[topic].Partitions[0]
				return len(p.Replicas), len(p.ISR)
			}
			require.Eventually(t, func() bool { r, isr := replicas(); return r == 3 && isr == 3 }, 30*time.Second, 50*time.Millisecond)

			c.Node(2).Kill(t)
			require.Eventually(t, func() bool { _, isr := replicas(); return isr == 2 }, 60*time.Second, 100*time.Millisecond)
			checkPermitted(t, c, topic, real.SCRAM512)

			restart := time.Now()
			c.Node(2).Start(t)
			t.Logf("killed node back after %v", time.Since(restart).Round(10*time.Millisecond))
			require.Eventually(t, func() bool { _, isr := replicas(); return isr == 3 }, 60*time.Second, 100*time.Millisecond)

			restart = time.Now()
			c.Node(3).Restart(t)
			t.Logf("restart took %v", time.Since(restart).Round(10*time.Millisecond))
		})
	}
}

func TestKafka_IsSharedAndKeepsTestsApart(t *testing.T) {
	start := time.Now()
	c := real.Kafka(t)
	t.Logf("shared kafka after %v", time.Since(start).Round(10*time.Millisecond))
	require.Same(t, c, real.Kafka(t))
	mine := c.Prefix(t)
	require.Equal(t, mine, c.Prefix(t))
	t.Run("child", func(t *testing.T) {
		other := c.Prefix(t)
		require.False(t, strings.HasPrefix(other, mine) || strings.HasPrefix(mine, other), "%q and %q", mine, other)
	})

	name := mine + "carol"
	password := secret("p\"a\\s, s=[w]ö;")
	t.Run("users of a test", func(t *testing.T) {
		c.AddUser(t, name, password)
		for _, m := range []real.Mechanism{real.SCRAM256, real.SCRAM512} {
			require.NoError(t, c.Client(t, real.Login{Protocol: real.SASLSSL, Mechanism: m, User: name}).Ping(watchdog(t)))
		}
	})
	require.Eventually(t, func() bool {
		gone := c.Client(t, real.Login{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: name, Password: password})
		return gone.Ping(watchdog(t)) != nil
	}, 30*time.Second, 50*time.Millisecond, "AddUser outlives its test")
}

func TestNewKafka_TakesPropertiesAndUsers(t *testing.T) {
	password := secret("p\"a\\s, s=[w] ö;'")
	c := real.NewKafka(t, real.Options{
		Users:         []real.User{{Name: "with space", Password: password, Mechanisms: []real.Mechanism{real.Plain, real.SCRAM512}}},
		Properties:    map[string]string{"num.partitions": "7", "message.max.bytes": "123456"},
		AllowEveryone: true,
		SuperUsers:    []string{"User:CN=root"},
		ClientAuth:    "requested",
	})
	ctx := watchdog(t)
	for _, m := range []real.Mechanism{real.Plain, real.SCRAM512} {
		require.NoError(t, c.Client(t, real.Login{Protocol: real.SASLPlaintext, Mechanism: m, User: "with space"}).Ping(ctx))
	}
	require.True(t, c.Password("with space").Equal(password))
	require.NoError(t, c.Client(t, real.Login{Protocol: real.SSL}).Ping(ctx), "no certificate is needed")

	admin := kadm.NewClient(c.AdminClient(t))
	_, err := admin.CreateTopic(ctx, -1, -1, nil, "open")
	require.NoError(t, err)
	anonymous := c.Client(t, real.Login{Protocol: real.Plaintext})
	require.NoError(t, produce(ctx, anonymous, "open"), "allow.everyone")

	configs, err := admin.DescribeBrokerConfigs(ctx, 1)
	require.NoError(t, err)
	require.Len(t, configs, 1)
	values := map[string]string{}
	for _, config := range configs[0].Configs {
		values[config.Key] = config.MaybeValue()
	}
	require.Equal(t, "7", values["num.partitions"])
	require.Equal(t, "123456", values["message.max.bytes"])

	allowWrite(t, c, "closed", "User:alice")
	require.Eventually(t, func() bool {
		return errors.Is(produce(ctx, anonymous, "closed"), kerr.TopicAuthorizationFailed)
	}, 30*time.Second, 50*time.Millisecond)
	root := c.Client(t, real.Login{Protocol: real.SSL, User: "root"})
	require.NoError(t, produce(ctx, root, "closed"), "super user by certificate")

	info, err := os.Stat(c.Dir())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// residentMB is the memory that a process holds now.
func residentMB(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var kb int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); err == nil {
			return kb / 1024
		}
	}
	t.Fatalf("no VmRSS of %d", pid)
	return 0
}
