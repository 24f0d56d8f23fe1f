package playbook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

// scripts run kafka-acls against a real cluster, as the playbook does.
type scripts struct {
	*testing.T
	oracle *oracle.Oracle
	where  []string
	client *kgo.Client
	// prefix makes the markers of one test different from all others.
	prefix  string
	markers int
}

func newScripts(t *testing.T, version string) *scripts {
	c := real.Kafka(t)
	login := real.Login{Protocol: real.SASLPlaintext, User: real.Admin}
	return &scripts{
		T:      t,
		oracle: oracle.Start(t, oracle.Options{Main: "AclCommandOracle", Component: "kafka-" + version}),
		where: []string{
			"--bootstrap-server", strings.Join(c.Bootstrap(real.SASLPlaintext), ","),
			"--command-config", c.ClientPropertiesFile(t, login),
		},
		client: c.AdminClient(t),
		prefix: "User:marker-" + c.Prefix(t),
	}
}

type scriptAnswer struct {
	Exit   int
	Output string
}

// run runs command lines, each as a shell would split it, and returns the answers.
func (s *scripts) run(lines ...string) []scriptAnswer {
	s.Helper()
	cases := make([][]string, len(lines))
	for i, line := range lines {
		cases[i] = slices.Concat(s.where, shellWords(s.T, line))
	}
	var answers []scriptAnswer
	s.oracle.Ask(s.T, cases, &answers)
	return answers
}

func (s *scripts) mustRun(lines ...string) {
	s.Helper()
	for i, a := range s.run(lines...) {
		require.Zero(s, a.Exit, "%s\n%s", lines[i], a.Output)
	}
}

// shellWords asks a shell. Its file name patterns are switched off, because the
// files of this directory are none that the playbook would find.
func shellWords(t *testing.T, text string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-f", "-c", `printf '%s\0' `+text).Output()
	require.NoError(t, err, text)
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// commands are the playbook's, in its order (roles/kafka_acl/tasks/main.yml of
// the project). They have --force in place of "echo y |", which the command of
// 4.x reads from a console only.
func commands(t *testing.T, vars string, skip func(status, user string) bool) []string {
	t.Helper()
	var file struct {
		Topics []struct {
			Topic     string                                         `yaml:"topic"`
			Producers []string                                       `yaml:"producers"`
			Consumers []struct{ Group, Username string }             `yaml:"consumers"`
			Ops       []struct{ Username, Operation, Status string } `yaml:"operations"`
		} `yaml:"topics_acl_users"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(vars), &file))
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, e := range file.Topics {
		for _, p := range e.Producers {
			add("--add --allow-principal User:%s  --producer --topic %s", p, e.Topic)
		}
	}
	for _, e := range file.Topics {
		for _, c := range e.Consumers {
			add("--add --allow-principal User:%s --consumer --topic %s --group %s", c.Username, e.Topic, c.Group)
		}
	}
	for _, e := range file.Topics {
		for _, o := range e.Ops {
			if skip == nil || !skip(o.Status, o.Username) {
				add("--force --%s --allow-principal User:%s %s --topic %s", o.Status, o.Username, o.Operation, e.Topic)
			}
		}
	}
	return lines
}

// acls are all of the cluster, once it shows everything written so far: a
// marker written last follows the rest in the metadata log.
func (s *scripts) acls() []string {
	s.Helper()
	s.markers++
	marker := fmt.Sprintf("%s%d", s.prefix, s.markers)
	add := kmsg.NewPtrCreateACLsRequest()
	creation := kmsg.NewCreateACLsRequestCreation()
	creation.ResourceType, creation.ResourceName, creation.ResourcePatternType = kmsg.ACLResourceTypeTopic, "marker", kmsg.ACLResourcePatternTypeLiteral
	creation.Principal, creation.Host, creation.Operation, creation.PermissionType = marker, "*", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow
	add.Creations = append(add.Creations, creation)
	created, err := add.RequestWith(s.Context(), s.client)
	require.NoError(s, err)
	require.Zero(s, created.Results[0].ErrorCode)

	var lines []string
	require.NoError(s, poll.Until(s.Context(), poll.Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}, func(ctx context.Context) (bool, error) {
		lines = nil
		req := kmsg.NewPtrDescribeACLsRequest()
		req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
		req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
		resp, err := req.RequestWith(ctx, s.client)
		if err != nil {
			return false, err
		}
		seen := false
		for _, r := range resp.Resources {
			for _, a := range r.ACLs {
				if a.Principal == marker {
					seen = true
				} else if !strings.HasPrefix(a.Principal, "User:marker-") {
					lines = append(lines, fmt.Sprintf("%s %s %s:%q %s %s %q", a.PermissionType, a.Operation, r.ResourceType, r.ResourceName, r.ResourcePatternType, a.Principal, a.Host))
				}
			}
		}
		return seen, nil
	}))
	slices.Sort(lines)
	return lines
}

func (s *scripts) wipe() {
	s.Helper()
	req := kmsg.NewPtrDeleteACLsRequest()
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.ResourceType, filter.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	filter.Operation, filter.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	req.Filters = append(req.Filters, filter)
	resp, err := req.RequestWith(s.Context(), s.client)
	require.NoError(s, err)
	require.Zero(s, resp.Results[0].ErrorCode)
	require.Empty(s, s.acls())
}

// same requires that the scripts and our spec lead from the same to the same.
func (s *scripts) same(vars string, opts Options, before []string, skip func(status, user string) bool) []string {
	s.Helper()
	result, err := Read("vars.yml", []byte(vars), opts)
	require.NoError(s, err)
	spec := result.Spec
	spec.Topics = nil // three replicas have no place on one node
	r := &kafkasec.Reconciler{Client: s.client}
	plan := func() kafkasec.Plan {
		state, err := r.Observe(s.Context(), spec)
		require.NoError(s, err)
		plan, err := spec.Plan(state)
		require.NoError(s, err)
		return plan
	}

	s.wipe()
	s.mustRun(before...)
	s.mustRun(commands(s.T, vars, skip)...)
	theirs := s.acls()
	require.True(s, plan().Empty(), "%s", plan())

	s.wipe()
	s.mustRun(before...)
	s.acls() // all of it shows
	_, err = r.Apply(s.Context(), plan())
	require.NoError(s, err)
	require.Equal(s, theirs, s.acls())
	require.NotEmpty(s, theirs)
	return theirs
}

func removes(status, _ string) bool { return status == "remove" }

// TestReal_AsTheConsoleScripts: the ACLs on a Kafka 4.4 are those that the
// playbook's commands make there, to the letter.
func TestReal_AsTheConsoleScripts(t *testing.T) {
	real.Enabled(t)
	for _, version := range []string{"4.3.1", "3.9.2"} {
		on := func(name string, f func(s *scripts)) {
			t.Run(version+"/"+name, func(t *testing.T) { f(newScripts(t, version)) })
		}
		sample := func(s *scripts, vars string) {
			require.Len(s, s.same(vars, Options{Conflicts: Grant}, nil, removes), 20)
			require.Len(s, s.same(vars, Options{Conflicts: Revoke}, nil, nil), 14)
			// Also where the rights to be revoked are there from an earlier run.
			require.Len(s, s.same(vars, Options{Conflicts: Revoke}, commands(s.T, vars, removes), nil), 14)
		}
		on("sample", func(s *scripts) { sample(s, fixture(s.T, "reject/conflict")) })
		on("original", func(s *scripts) {
			data, err := os.ReadFile("../../../shared/seeds/kafka/all.yml")
			if errors.Is(err, os.ErrNotExist) {
				s.Skip("the data beside the project is not here")
			}
			require.NoError(s, err)
			sample(s, string(data))
		})
		on("wildcards", func(s *scripts) { s.same(fixture(s.T, "translate/wildcards"), Options{}, nil, nil) })
		on("ignored", func(s *scripts) { s.same(fixture(s.T, "translate/ignored"), Options{}, nil, nil) })
		on("odd indentation", func(s *scripts) { s.same(fixture(s.T, "translate/odd-indentation"), Options{}, nil, nil) })
		on("flags", func(s *scripts) {
			s.same(fixture(s.T, "translate/flags"), Options{}, []string{
				"--add --allow-principal User:u14 --producer --topic t",
				"--add --allow-principal User:u14 --operation Alter --topic t",
				"--add --allow-principal User:u15 --consumer --topic t --group g",
				"--add --allow-principal User:u15 --consumer --topic t --group g --resource-pattern-type prefixed",
				"--add --allow-principal User:u15 --operation Read --group '*' --group gg",
				"--add --allow-principal User:u16 --allow-principal User:other --operation Read --operation Write --topic '*' --topic a --topic abc --topic abcd",
				"--add --allow-principal User:u16 --operation Read --operation Write --topic a --topic ab --topic abc --topic abcd --topic b --resource-pattern-type prefixed",
				"--add --allow-principal User:u16 --allow-host 10.0.0.1 --operation Read --topic abc",
				"--add --deny-principal User:u16 --operation Read --topic abc",
			}, nil)
		})
	}
}

// Random files of a few users, topics and flags, whose lines meet often.
func TestReal_RandomFiles(t *testing.T) {
	s := newScripts(t, "4.3.1")
	rng := rand.New(rand.NewPCG(4, 3))
	for range oracle.Count(8, 60) {
		vars := randomFile(rng)
		s.T.Log(vars)
		s.same(vars, Options{Conflicts: Revoke}, []string{
			"--add --allow-principal User:* --allow-principal User:a --allow-principal User:b --operation Read --operation Write --topic t --topic '*'",
			"--add --allow-principal User:a --operation All --topic t --topic tt --resource-pattern-type prefixed",
		}, nil)
	}
}

func randomFile(rng *rand.Rand) string {
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	user := func() string { return pick("a", "b", "'*'") }
	var b strings.Builder
	b.WriteString("topics_acl_users:\n")
	last := rng.IntN(3)
	for entry := range last + 1 {
		fmt.Fprintf(&b, "- topic: %s\n", pick("t", "tt", "u"))
		if rng.IntN(2) == 0 {
			fmt.Fprintf(&b, "  producers: [%s, %s]\n", user(), user())
		}
		if rng.IntN(2) == 0 {
			fmt.Fprintf(&b, "  consumers: [{group: %s, username: %s}]\n", pick("g", "gg"), user())
		}
		b.WriteString("  operations:\n")
		statuses := []string{"add", "add"}
		if entry == last { // in the other order Revoke is not what the playbook ends with
			statuses = append(statuses, "remove", "remove", "remove")
		}
		for _, status := range statuses {
			flags := []string{pick("", "--operation Read", "--operation read --operation ALL", "--operation Read --group g", "--consumer --group gg",
				"--producer", "--producer --idempotent --transactional-id t", "--producer --consumer --group g", "--operation Describe --deny-principal User:b")}
			if rng.IntN(3) == 0 {
				flags = append(flags, pick("--topic tt", "--allow-principal User:b", "--allow-host 10.0.0.1", "--allow-host '*' --allow-host 10.0.0.2"))
			}
			if rng.IntN(3) == 0 {
				patterns := []string{"literal", "prefixed", "any", "match"}
				if status == "add" {
					patterns = patterns[:2]
				}
				flags = append(flags, "--resource-pattern-type", pick(patterns...))
			}
			fmt.Fprintf(&b, "  - {status: %s, username: %s, operation: \"%s\"}\n", status, user(), strings.Join(flags, " "))
		}
	}
	return b.String()
}

// What is refused here the command refuses too, or takes although it cannot be
// meant, and these are all such.
func TestReal_RefusesAsTheConsoleScripts(t *testing.T) {
	s := newScripts(t, "4.3.1")
	var taken []string
	for _, name := range []string{"reject/flags", "reject/flags-of-brokers"} {
		lines := commands(t, fixture(t, name), nil)
		for i, a := range s.run(lines...) {
			if a.Exit == 0 {
				flags := strings.TrimSuffix(lines[i][strings.Index(lines[i], "User:u ")+len("User:u "):], " --topic t")
				taken = append(taken, flags)
			}
		}
	}
	s.wipe()
	require.Equal(t, []string{
		"--group", // the group is then called --topic
		"--operation Read --resource-pattern-type match --group " + strings.Repeat("g", 250),
		"--operation Read --allow-host broker1.example", // matches nobody
		"--operation Read --allow-principal user:amy",   // likewise
		`--operation Read --topic "a b"`,                // likewise
	}, taken)
}
