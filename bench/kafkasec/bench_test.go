package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// BenchmarkFake holds 10,000 topics and 50,000 bindings on an embedded Kafka, in
// a process of its own, to the limits.
func BenchmarkFake(b *testing.B) {
	self, fake := build(b, "."), build(b, "./fake")
	for b.Loop() {
		addresses, stop := startFake(b, fake)
		res := measure(b, self, "-brokers", addresses, "-replicas", "3")
		stop()

		table := newTable(b)
		table.atMost("first apply", "requests", float64(res.First.Requests), 30)
		table.atMost("second run", "requests", float64(res.Second.Requests), 15)
		table.atMost("second run", "changes", float64(res.Second.Changes), 0)
		table.atMost("whole process", "MB peak RSS", float64(res.PeakKB)/1000, 150)
		table.atMost("plan, nothing is there", "ms CPU", ms(res.First.Plan.CPU), 200)
		table.atMost("plan, all is there", "ms CPU", ms(res.Second.Plan.CPU), 200)
		table.atMost("10,000 questions", "ms CPU", ms(res.Can.CPU), 1000)
		table.info("index 50,000 bindings", "ms CPU", ms(res.Index.CPU))
		table.info("first run: observe, plan, apply", "ms", ms(res.First.wall()))
		table.info("second run: observe, plan", "ms", ms(res.Second.wall()))
		table.print("10,000 topics (3 partitions, 1 config) and 50,000 bindings, embedded Kafka")
	}
}

// BenchmarkReal holds 500 topics and 10,000 bindings on a real Kafka to 1.5 times
// the floor, in turns on one broker, and shows what the console scripts take.
func BenchmarkReal(b *testing.B) {
	self, floor := build(b, "."), build(b, "./floor")
	c := real.NewKafka(b, real.Options{SuperUsers: []string{"User:ANONYMOUS"}})
	broker := c.Bootstrap(real.Plaintext)[0]
	round := 0
	var first []string // what the steps of ours took
	// both run the same on bindings that the other has not left there.
	ours := func(topics, acls int) time.Duration {
		round++
		res := measure(b, self, "-brokers", broker, "-prefix", fmt.Sprintf("r%02d-", round), "-topics", strconv.Itoa(topics), "-acls", strconv.Itoa(acls))
		dropACLs(b, c)
		first = append(first, fmt.Sprintf("%.0f+%.0f+%.0f", ms(res.First.Observe.Wall), ms(res.First.Plan.Wall), ms(res.First.Apply.Wall)))
		return res.First.wall()
	}
	theirs := func(topics, acls int) time.Duration {
		round++
		out, err := exec.CommandContext(b.Context(), floor, broker, fmt.Sprintf("r%02d-", round), strconv.Itoa(topics), strconv.Itoa(acls)).Output()
		require.NoError(b, err, "%s", stderr(err))
		ns, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
		require.NoError(b, err)
		dropACLs(b, c)
		return time.Duration(ns)
	}
	for b.Loop() {
		for range 2 { // what a JVM compiles first is nobody's merit
			theirs(50, 10_000)
			ours(50, 10_000)
		}
		var mine, least []time.Duration
		for i := range 4 {
			if i%2 == 0 {
				least = append(least, theirs(500, 10_000))
				mine = append(mine, ours(500, 10_000))
			} else {
				mine = append(mine, ours(500, 10_000))
				least = append(least, theirs(500, 10_000))
			}
		}
		b.Logf("floor %v, kafkasec %v (observe+plan+apply, in ms: %v)", least, mine, first[2:])
		table := newTable(b)
		table.info("floor", "ms", ms(median(least)))
		table.info("kafkasec: observe, plan, apply", "ms", ms(median(mine)))
		table.atMost("kafkasec", "times the floor", float64(median(mine))/float64(median(least)), 1.5)
		wall, cpu := consoleScripts(b, c)
		table.info("console scripts, 10 topics and 10 bindings", "s", wall.Seconds())
		table.info("console scripts, the same", "s CPU", cpu.Seconds())
		table.print("500 topics (3 partitions, 1 config) and 10,000 bindings, Kafka " + c.Version() + ", one broker")
	}
}

func (p pass) wall() time.Duration { return p.Observe.Wall + p.Plan.Wall + p.Apply.Wall }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(of []time.Duration) time.Duration {
	of = slices.Sorted(slices.Values(of))
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// build makes a program of a package here.
func build(b *testing.B, pkg string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "program")
	out, err := exec.CommandContext(b.Context(), "go", "build", "-o", path, pkg).CombinedOutput()
	require.NoError(b, err, "%s", out)
	return path
}

// startFake runs an embedded Kafka until stop, which requires that it liked all
// that it got.
func startFake(b *testing.B, path string) (addresses string, stop func()) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), path)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err, "%s", &complaints)
	return strings.TrimSpace(line), func() {
		require.NoError(b, in.(io.Closer).Close())
		require.NoError(b, cmd.Wait(), "%s", &complaints)
	}
}

// measure runs the program of this directory.
func measure(b *testing.B, path string, args ...string) result {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), path, args...).Output()
	require.NoError(b, err, "%s", stderr(err))
	var res result
	require.NoError(b, json.Unmarshal(out, &res))
	return res
}

func stderr(err error) []byte {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.Stderr
	}
	return nil
}

// dropACLs deletes all bindings. Topics stay: deleting them goes on for long.
func dropACLs(b *testing.B, c *real.Cluster) {
	b.Helper()
	req := kmsg.NewDeleteACLsRequest()
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	f.Operation, f.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	req.Filters = append(req.Filters, f)
	resp, err := req.RequestWith(b.Context(), c.AdminClient(b))
	require.NoError(b, err)
	require.Zero(b, resp.Results[0].ErrorCode)
}

// consoleScripts makes 10 topics and 10 bindings with a JVM for each, as the
// console scripts do.
func consoleScripts(b *testing.B, c *real.Cluster) (wall, cpu time.Duration) {
	b.Helper()
	classPath := real.ClassPath(b, "kafka-4.3.1")
	start := time.Now()
	call := func(class string, args ...string) {
		// The flags of kafka-run-class.sh that matter to the time are its defaults.
		args = append([]string{"-cp", classPath, "org.apache.kafka.tools." + class, "--bootstrap-server", c.Bootstrap(real.Plaintext)[0]}, args...)
		cmd := exec.CommandContext(b.Context(), "java", args...)
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	for i := range 10 {
		topic := fmt.Sprintf("console-%d", i)
		call("TopicCommand", "--create", "--if-not-exists", "--topic", topic, "--partitions", "3", "--replication-factor", "1", "--config", "retention.ms=86400000")
		call("AclCommand", "--add", "--allow-principal", fmt.Sprintf("User:console-%d", i), "--operation", "Read", "--topic", topic)
	}
	return time.Since(start), cpu
}

// table is what was measured beside what is allowed.
type table struct {
	b    *testing.B
	text bytes.Buffer
	rows *tabwriter.Writer
}

func newTable(b *testing.B) *table {
	t := &table{b: b}
	t.rows = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	return t
}

func (t *table) atMost(what, unit string, got, limit float64) {
	verdict := "ok"
	if got > limit || got < 0 {
		verdict = "MISSED"
		t.b.Errorf("%s: %.4g %s, the limit is %g", what, got, unit, limit)
	}
	fmt.Fprintf(t.rows, "%s\t%.4g %s\tat most %g\t%s\n", what, got, unit, limit, verdict)
}

func (t *table) info(what, unit string, got float64) {
	fmt.Fprintf(t.rows, "%s\t%.4g %s\t\t\n", what, got, unit)
}

func (t *table) print(title string) {
	if err := t.rows.Flush(); err != nil {
		t.b.Fatal(err)
	}
	// A log of a benchmark is cut after ten lines.
	fmt.Printf("\n%s\n%s\n", title, &t.text)
}
