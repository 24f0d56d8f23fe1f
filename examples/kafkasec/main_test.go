package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// TestMain makes the program a command of the scripts: the test binary under
// another name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kafkasec": main})
}

// canary is the password of the scripts' clusters. No output may hold it.
const canary = "canary-3141592653"

// TestScripts runs testdata/script/*.txtar, each with a cluster of its own:
// three brokers with SCRAM and ACLs at $BROKERS. client.properties, spec.yaml
// and variables.yml are the ones beside the program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "", // rewrites what cmp compares with; read the diff
		Setup: func(env *testscript.Env) error {
			var opts []kfake.Opt
			if version, err := os.ReadFile(filepath.Join(env.WorkDir, "kafka-version")); err == nil {
				opts = append(opts, kfake.MaxVersions(kversion.FromString(strings.TrimSpace(string(version)))))
			}
			b, err := newBrokers(opts...)
			if err != nil {
				return err
			}
			env.Defer(b.close)
			env.Values[brokersKey{}] = b
			env.Setenv("BROKERS", strings.Join(b.kfake.ListenAddrs(), ","))
			env.Setenv("KAFKA_PASSWORD", canary)
			for _, name := range []string{"client.properties", "spec.yaml", "variables.yml"} {
				if err := copyFile(name, filepath.Join(env.WorkDir, name)); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"pasted":   pasted,
			"broker":   brokerCommand,
			"topics":   topicsCommand,
			"replace":  replaceCommand,
			"sigterm":  sigterm,
			"terminal": terminal,
		},
	})
}

type brokersKey struct{}

func brokersOf(ts *testscript.TestScript) *brokers { return ts.Value(brokersKey{}).(*brokers) }

// brokers is an embedded cluster and an administrator's client for it.
type brokers struct {
	kfake  *kfake.Cluster
	client *kgo.Client
	admin  *kadm.Client // on client
	gate   *gate
}

func newBrokers(opts ...kfake.Opt) (*brokers, error) {
	c, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(3), kfake.ClusterID("kfake-1"), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("SCRAM-SHA-512", "admin", canary),
		// May look at topics, and at nothing else.
		kfake.User("SCRAM-SHA-512", "viewer", canary, kfake.ACL{
			Resource: kmsg.ACLResourceTypeTopic, Name: "*", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe, Allow: true,
		}),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.SASL(scram.Auth{User: "admin", Pass: canary}.AsSha512Mechanism()),
		kgo.MetadataMinAge(minMetadataAge))
	if err != nil {
		c.Close()
		return nil, err
	}
	return &brokers{kfake: c, client: cl, admin: kadm.NewClient(cl), gate: newGate()}, nil
}

func (b *brokers) close() {
	b.gate.open()
	b.client.Close()
	b.kfake.Close()
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// exits CODE COMMAND...: like exec, with the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(stream), canary) {
			ts.Fatalf("the password is in %s", stream)
		}
	}
}

// pasted VERB: runs each example of the verb's help in a shell, as it stands,
// except that the brokers are the script's.
func pasted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: pasted VERB")
	}
	ts.Check(ts.Exec("kafkasec", args[0], "--help"))
	_, rest, found := strings.Cut(ts.ReadFile("stdout"), "\nExamples:\n")
	if !found {
		ts.Fatalf("%s has no examples", args[0])
	}
	examples, _, _ := strings.Cut(rest, "\n\n")
	ran := 0
	for line := range strings.Lines(examples) {
		err := ts.Exec("sh", "-c", strings.ReplaceAll(line, "localhost:9092", ts.Getenv("BROKERS")))
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2) {
			ts.Fatalf("%s%v", line, err)
		}
		ran++
	}
	if ran == 0 {
		ts.Fatalf("no example of %s was found", args[0])
	}
}

// sigterm sends SIGTERM to the command in the background; kill knows only
// SIGINT and SIGKILL.
func sigterm(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.BackgroundCmds()
	if neg || len(args) != 0 || len(running) != 1 {
		ts.Fatalf("usage: sigterm, with one command in the background")
	}
	ts.Check(running[0].Process.Signal(syscall.SIGTERM))
}

// topics NAME PARTITIONS...: creates a topic behind the program's back.
func topicsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: topics NAME PARTITIONS")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	_, err = brokersOf(ts).admin.CreateTopic(context.Background(), int32(n), 1, nil, args[0])
	ts.Check(err)
}

// replace FILE PATTERN TEXT: edits a file.
func replaceCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE PATTERN TEXT")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if !pattern.MatchString(text) {
		ts.Fatalf("%s does not match %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(pattern.ReplaceAllLiteralString(text, args[2])), 0o600))
}

// The spec that the program comes with is what its readers start from, and its
// ACLs are what the comments in it say.
func TestSpec_OneBeatOfTwoUsersEach(t *testing.T) {
	data, err := os.ReadFile("spec.yaml")
	require.NoError(t, err)
	spec, err := kafkasec.ParseSpec("spec.yaml", data)
	require.NoError(t, err)
	may := map[string]bool{}
	for _, acl := range spec.ACLs {
		for _, op := range acl.Operations {
			may[acl.Principal+" "+string(op)+" "+acl.Resource] = acl.State != kafkasec.Absent
		}
	}
	require.True(t, may["User:user1 Write topic:metricbeat"] && may["User:user3 Write topic:packetbeat"])
	require.False(t, may["User:user2 Write topic:metricbeat"] || may["User:user4 Write topic:packetbeat"])
	for user, beat := range map[string]string{"user1": "metricbeat", "user2": "metricbeat", "user3": "packetbeat", "user4": "packetbeat"} {
		require.True(t, may["User:"+user+" Read topic:"+beat], user)
	}
}
