package kafkasec

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// gate stops the writes of a client, where n counts the requests of the keys:
// before a request goes out, when it is on its way, and when its answer has
// come, before the client reads it. The answer of the write lose is lost.
type gate struct {
	keys                []kmsg.Key
	before, sent, after func(n int)
	lose                int

	mu sync.Mutex
	n  int
}

// writeKeys are the requests that change the cluster.
var writeKeys = []kmsg.Key{kmsg.CreateTopics, kmsg.CreatePartitions, kmsg.IncrementalAlterConfigs, kmsg.CreateACLs, kmsg.DeleteACLs, kmsg.DeleteTopics,
	kmsg.AlterUserSCRAMCredentials, kmsg.AlterClientQuotas}

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &gatedConn{Conn: c, g: g}, nil
}

type gatedConn struct {
	net.Conn
	g  *gate
	mu sync.Mutex
	n  int // number of the write whose answer is awaited
}

func (c *gatedConn) Write(b []byte) (int, error) {
	// A request is a size of four bytes and then its key.
	if len(b) < 6 || !slices.Contains(c.g.keys, kmsg.Key(binary.BigEndian.Uint16(b[4:]))) {
		return c.Conn.Write(b)
	}
	c.g.mu.Lock()
	c.g.n++
	n := c.g.n
	c.g.mu.Unlock()
	call(c.g.before, n)
	c.mu.Lock()
	c.n = n
	c.mu.Unlock()
	k, err := c.Conn.Write(b)
	call(c.g.sent, n)
	return k, err
}

func (c *gatedConn) Read(b []byte) (int, error) {
	k, err := c.Conn.Read(b)
	if k == 0 {
		return k, err
	}
	c.mu.Lock()
	n := c.n
	c.n = 0
	c.mu.Unlock()
	if n == 0 {
		return k, err
	}
	call(c.g.after, n)
	if n == c.g.lose {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return k, err
}

func call(hook func(int), n int) {
	if hook != nil {
		hook(n)
	}
}

// order is what a child applier is told, by file: the properties hold a password.
type order struct {
	Properties, Plan string
	// Write is the write at which the child stops, Answered whether the broker
	// has answered it by then.
	Write    int
	Answered bool
}

// TestMain is also the child's: an applier that is to be killed.
func TestMain(m *testing.M) {
	if file := os.Getenv("KAFKASEC_TEST_APPLIER"); file != "" {
		if err := applyAndStop(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func applyAndStop(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	go func() { // does not outlive its parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	ctx := context.Background()
	cfg, err := dial.ParseProperties(ctx, "client.properties", []byte(o.Properties), dial.ParseOptions{})
	if err != nil {
		return err
	}
	opts, err := cfg.Options()
	if err != nil {
		return err
	}
	stop := func(n int) {
		if n == o.Write {
			fmt.Println("stopped")
			select {}
		}
	}
	wire := &gate{keys: writeKeys}
	if o.Answered {
		wire.after = stop
	} else {
		wire.before = stop
	}
	client, err := kgo.NewClient(append(opts, kgo.Dialer(wire.dial))...)
	if err != nil {
		return err
	}
	defer client.Close()
	plan, err := ParsePlan("plan.json", []byte(o.Plan))
	if err != nil {
		return err
	}
	if _, err := (&Reconciler{Client: client, Resolve: passwordOf}).Apply(ctx, plan); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

// killApplier runs a child that applies the plan and kills it where it is told
// to stop. It reports false when the child was done before.
func (s *site) killApplier(plan Plan, write int, answered bool) bool {
	s.Helper()
	planJSON, err := json.Marshal(plan)
	require.NoError(s, err)
	data, err := json.Marshal(order{s.AdminProperties(s.T), string(planJSON), write, answered})
	require.NoError(s, err)
	file := filepath.Join(s.TempDir(), "order.json")
	require.NoError(s, os.WriteFile(file, data, 0o600))

	var stderr strings.Builder
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KAFKASEC_TEST_APPLIER="+file)
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(s, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	require.NoError(s, err)
	require.NoError(s, cmd.Start())
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	require.NoError(s, readErr, stderr.String())
	return line == "stopped\n"
}

// killedApplier kills an applier at each of its writes, before the request goes
// out and after it was answered, and then applies the same plan again.
func killedApplier(s *site, both bool) {
	const stages = 8
	for write := 1; write <= stages+1; write++ {
		for _, answered := range []bool{false, true} {
			if !both && answered != (write%2 == 0) {
				continue
			}
			here := &site{s.T, s.Cluster, s.r, fmt.Sprintf("%sk%d%t-", s.prefix, write, answered)}
			here.apply(here.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~old", partitions: 1}
  - {name: "~grow", partitions: 1}
acls:
  - {principal: "User:~x", operations: [Read], resource: "topic:~old"}
  - {principal: "User:~x", operations: [Delete], resource: "topic:~old", permission: deny}
`))
			spec := here.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~old", state: absent}
  - {name: "~grow", partitions: 2, configs: {retention.ms: 1000}}
  - {name: "~new", partitions: 1}
acls:
  - {principal: "User:~x", operations: [Read], resource: "topic:~old", state: absent}
  - {principal: "User:~x", operations: [Delete], resource: "topic:~old", permission: deny, state: absent}
  - {principal: "User:~x", operations: [Read], resource: "topic:~new"}
  - {principal: "User:~x", operations: [Delete], resource: "topic:~new", permission: deny}
`)
			plan := here.plan(s.r, spec)
			require.Len(s, plan.Changes, stages)
			killed := here.killApplier(plan, write, answered)
			require.Equal(s, write <= stages, killed)

			report, err := s.r.Apply(s.Context(), plan)
			require.NoError(s, err)
			require.True(s, report.Converged(), report)
			if s.Brokers() == 1 || s.Kind() == "kfake" {
				// Elsewhere a broker may not know yet what the killed one did.
				made := write - 1
				if answered {
					made = min(write, stages)
				}
				require.Equal(s, made, report.Count(holdfast.Unchanged), "write %d, answered %t:\n%s", write, answered, report)
			}
			require.True(s, here.plan(s.r, spec).Empty())
		}
	}
}

// killedPruner is killedApplier for users, quotas, a config that is unset, and
// what is pruned of each kind. It stops at the given writes of fourteen.
func killedPruner(s *site, writes []int, both bool) {
	const stages = 14
	for _, write := range writes {
		for _, answered := range []bool{false, true} {
			if !both && answered != (write%2 == 0) {
				continue
			}
			here := &site{s.T, s.Cluster, s.r, fmt.Sprintf("%sq%d%t-", s.prefix, write, answered)}
			const scope = `
scope: {topic_prefixes: ["~"], principals: ["User:~a", "User:~b", "User:~c"]}
`
			here.apply(here.spec(scope + `
topics:
  - {name: "~old", partitions: 1}
  - {name: "~grow", partitions: 1, configs: {segment.ms: 60000, retention.ms: 1000}}
acls:
  - {principal: "User:~a", operations: [Read], resource: "topic:~old"}
  - {principal: "User:~a", operations: [Delete], resource: "topic:~old", permission: deny}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], password: "env:A"}
quotas:
  - {user: "~a", producer_byte_rate: 1}
  - {user: "~b", producer_byte_rate: 1}
`))
			spec := here.spec(scope + `
prune: {topics: true, acls: true, configs: true, users: true, quotas: true, max_percent: 100}
topics:
  - {name: "~grow", partitions: 2, configs: {retention.ms: 1000}}
  - {name: "~new", partitions: 1}
acls:
  - {principal: "User:~b", operations: [Read], resource: "topic:~new"}
  - {principal: "User:~b", operations: [Delete], resource: "topic:~new", permission: deny}
users:
  - {name: "~b", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], iterations: 4097, password: "env:B"}
quotas:
  - {user: "~b", consumer_byte_rate: 2}
`)
			plan := here.plan(s.r, spec)
			require.Len(s, plan.Changes, stages, plan)
			killed := here.killApplier(plan, write, answered)
			require.Equal(s, write <= stages, killed)

			report, err := s.r.Apply(s.Context(), plan)
			require.NoError(s, err)
			require.True(s, report.Converged(), report)
			if s.Brokers() == 1 || s.Kind() == "kfake" {
				made := write - 1
				if answered {
					made = min(write, stages)
				}
				require.Equal(s, made, report.Count(holdfast.Unchanged), "write %d, answered %t:\n%s", write, answered, report)
			}
			require.True(s, here.plan(s.r, spec).Empty())
			here.apply(Spec{Scope: spec.Scope, Prune: Prune{Topics: true, ACLs: true, Users: true, Quotas: true, MaxPercent: 100}})
		}
	}
}
