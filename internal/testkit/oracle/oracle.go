package oracle

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// Options choose an oracle.
type Options struct {
	// Main is the class in internal/testkit/java.
	Main string
	// Component of package install whose jars are on the class path. Empty means
	// "kafka-4.4.0".
	Component string
	// JVM are more arguments for java, such as "-Dname=value".
	JVM []string
}

// Oracle is a running Java program that answers cases. All tests of a binary
// that start one with the same options share it; it ends with the binary.
type Oracle struct {
	main string
	mu   sync.Mutex
	proc *process
}

// Count is how many cases a property test makes: full under
// HOLDFAST_ORACLE_FULL=1, which `make oracle` sets, else sample.
func Count(sample, full int) int {
	if os.Getenv("HOLDFAST_ORACLE_FULL") == "1" {
		return full
	}
	return sample
}

// shared holds the oracles of this test binary.
var shared struct {
	sync.Mutex
	oracles map[string]*Oracle
}

// Start returns the oracle, started on first use. It skips the test where real
// components are off or absent; see package real.
func Start(t testing.TB, opts Options) *Oracle {
	t.Helper()
	real.Enabled(t)
	if opts.Component == "" {
		opts.Component = "kafka-4.4.0"
	}
	shared.Lock()
	defer shared.Unlock()
	key := fmt.Sprintf("%q", opts)
	if o := shared.oracles[key]; o != nil {
		return o
	}
	for _, tool := range []string{"java", "javac"} {
		_, err := exec.LookPath(tool)
		real.Need(t, "a JDK", err)
	}
	jars := real.ClassPath(t, opts.Component)

	o, err := start(opts, jars)
	if err != nil {
		t.Fatalf("start oracle %s: %v", opts.Main, err)
	}
	if shared.oracles == nil {
		shared.oracles = map[string]*Oracle{}
	}
	shared.oracles[key] = o
	return o
}

func start(opts Options, jars string) (*Oracle, error) {
	classes, err := compile(opts.Main, jars)
	if err != nil {
		return nil, err
	}
	proc, err := spawn(opts, classes, jars)
	if err != nil {
		return nil, err
	}
	return &Oracle{main: opts.Main, proc: proc}, nil
}

// Ask sends the cases, a slice, and stores the answers in the slice that out
// points to, one per case. The test fails at once when the oracle dies, or
// throws where its own source expects no exception.
func (o *Oracle) Ask(t testing.TB, cases, out any) {
	t.Helper()
	if err := o.ask(cases, out); err != nil {
		t.Fatalf("ask oracle %s: %v", o.main, err)
	}
}

func (o *Oracle) ask(cases, out any) error {
	all, err := json.Marshal(cases)
	if err != nil {
		return err
	}
	var lines []json.RawMessage
	if err := json.Unmarshal(all, &lines); err != nil {
		return fmt.Errorf("cases are not a slice: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	replies, err := o.proc.exchange(lines)
	if err != nil {
		return err
	}
	results := make([]string, len(replies))
	for i, r := range replies {
		var reply struct {
			Result json.RawMessage
			Fault  string
		}
		if err := json.Unmarshal(r, &reply); err != nil {
			return fmt.Errorf("reply %d: %w", i, err)
		}
		if reply.Fault != "" {
			return fmt.Errorf("case %s: %s", lines[i], reply.Fault)
		}
		results[i] = string(reply.Result)
	}
	return json.Unmarshal([]byte("["+strings.Join(results, ",")+"]"), out)
}
