package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

var update = flag.Bool("update", false, "write the golden file anew")

const goldenFile = "testdata/tour.txt"

// watchdog ends what hangs; a tour takes less than a second.
const watchdog = 1 * time.Minute

// telling is a tour as in a pipe, with what it opened and made up.
type telling struct {
	out     bytes.Buffer
	mu      sync.Mutex
	addrs   []string
	secrets []holdfast.Secret
}

func (r *telling) stage(out io.Writer) *stage {
	return &stage{
		out: out,
		listen: func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err == nil {
				r.mu.Lock()
				r.addrs = append(r.addrs, l.Addr().String())
				r.mu.Unlock()
			}
			return l, err
		},
		newSecret: func() holdfast.Secret {
			secret := holdfast.NewSecret("canary-" + strconv.Itoa(len(r.secrets)) + "-7f3a")
			r.secrets = append(r.secrets, secret)
			return secret
		},
	}
}

// requireNothingLeft waits until no port and no goroutine of the tour is there.
func (r *telling) requireNothingLeft(t *testing.T) {
	t.Helper()
	require.NotEmpty(t, r.addrs)
	for _, addr := range r.addrs {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		require.Error(t, err, "%s still listens", addr)
	}
	ours := regexp.MustCompile(`franz-go/pkg|quickstart\.(tour|tell|\(\*(stage|kafka))|holdfast/kafkasec`)
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if ours.MatchString(stack) && !strings.Contains(stack, "testing.tRunner") {
				return false
			}
		}
		return true
	}, watchdog, time.Millisecond, "goroutines of the tour are left")
}

func TestTour_TellsTheSameInAPipeEachTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), watchdog)
	defer cancel()
	var r telling
	require.NoError(t, tour(ctx, r.stage(&r.out)))
	if *update {
		require.NoError(t, os.WriteFile(goldenFile, r.out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(goldenFile)
	require.NoError(t, err, "run with -update once, then read the result")
	require.Equal(t, string(want), r.out.String())
	for line := range strings.Lines(r.out.String()) {
		line = strings.TrimSuffix(line, "\n")
		require.LessOrEqual(t, len(line), maxWidth, line)
		require.NotRegexp(t, `[^ -~]`, line, "plain text only")
		require.NotRegexp(t, ` $`, line)
	}
	for _, secret := range r.secrets {
		require.NotContains(t, r.out.String(), secret.Reveal())
	}
	require.Len(t, r.addrs, 3, "three brokers")
	r.requireNothingLeft(t)
}

// What the golden file may change in wording, but not in substance and order.
func TestTour_GoldenFileHoldsTheStory(t *testing.T) {
	text, err := os.ReadFile(goldenFile)
	require.NoError(t, err)
	rest := string(text)
	for _, key := range []string{
		"\n1. Kafka",
		"ScramLoginModule",
		"user1  produces to metricbeat .*refused: TOPIC_AUTHORIZATION_FAILED",
		"kind: KafkaSecurity",
		`\+ topic metricbeat: partitions 3`,
		`\+ acl allow User:user2 Write on topic:metricbeat`,
		"13 to create, 0 to update, 0 to delete",
		"apply .*13 applied",
		"no changes: the cluster is as declared",
		"user1  produces to metricbeat .*works",
		"user2  consumes metricbeat in group metricbeatCon2 .*works",
		"user3  produces to metricbeat .*refused: TOPIC_AUTHORIZATION_FAILED",
		"- acl allow User:user2 Write on topic:metricbeat",
		"0 to create, 0 to update, 1 to delete",
		"no changes: the cluster is as declared",
		"user2  produces to metricbeat .*refused: TOPIC_AUTHORIZATION_FAILED",
		"Who can write to metricbeat",
		"User:user1 .*allow User:user1 Write on topic:metricbeat",
		"User:user2 may not Write topic:metricbeat",
		"allow User:erp Write on topic:billing",
		"erp  produces to billing .*works",
		`"billing" is outside the scope`,
		"\n    topics_acl_users:\n",
		"Write of User:user2 is removed on line 11",
		`\+ acl allow User:user1 Create on topic:metricbeat`,
		"4 to create, 0 to update, 0 to delete",
		"no changes: the cluster is as declared",
		"docs/kafkasec.md",
	} {
		at := regexp.MustCompile(key).FindStringIndex(rest)
		require.NotNil(t, at, "%q in its place", key)
		rest = rest[at[1]:]
	}
}

var errStopped = errors.New("stopped by the test")

// cancelAt ends the context when it is given the n-th line.
type cancelAt struct {
	io.Writer
	n      int
	cancel context.CancelCauseFunc
}

func (c *cancelAt) Write(p []byte) (int, error) {
	if c.n--; c.n == 0 {
		c.cancel(errStopped)
	}
	return c.Writer.Write(p)
}

func TestTour_EndsWithItsContextWhereverItIs(t *testing.T) {
	golden, err := os.ReadFile(goldenFile)
	require.NoError(t, err)
	lines := strings.Split(string(golden), "\n")
	for n := 9; lines[n-1] != "-- Where to read on --"; n++ {
		if n%10 != 0 && !strings.Contains(lines[n-1], "produces") { // a part of them is enough
			continue
		}
		t.Run("line "+strconv.Itoa(n), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), watchdog)
			defer cancel()
			ctx, stop := context.WithCancelCause(ctx)
			defer stop(nil)
			var r telling
			err := tour(ctx, r.stage(&cancelAt{&r.out, n, stop}))
			require.ErrorIs(t, err, errStopped)
			require.NotContains(t, err.Error(), "\n")
			require.True(t, bytes.HasPrefix(golden, r.out.Bytes()))
			r.requireNothingLeft(t)
		})
	}
}

func TestTour_SaysWhereItCannotGoOn(t *testing.T) {
	full := errors.New("no port is free")
	t.Run("no port", func(t *testing.T) {
		var r telling
		s := r.stage(&r.out)
		listen, left := s.listen, 2
		s.listen = func(network, address string) (net.Listener, error) {
			if left--; left < 0 {
				return nil, full
			}
			return listen(network, address)
		}
		require.EqualError(t, tour(context.Background(), s), "chapter 1: start kafka: no port is free")
		r.requireNothingLeft(t)
	})
	t.Run("output closed", func(t *testing.T) {
		var r telling
		out, in := io.Pipe()
		require.NoError(t, out.Close())
		require.ErrorIs(t, tour(context.Background(), r.stage(in)), io.ErrClosedPipe)
		r.requireNothingLeft(t)
	})
	t.Run("arguments", func(t *testing.T) {
		var out bytes.Buffer
		require.ErrorContains(t, run(context.Background(), []string{"all"}, nil, &out, &out), `found the argument "all"`)
		require.Empty(t, out.String())
		require.NoError(t, run(context.Background(), []string{"--help"}, nil, &out, &out))
		require.Contains(t, out.String(), "go run ./examples/quickstart\n")
		out.Reset()
		require.NoError(t, run(context.Background(), []string{"--version"}, nil, &out, &out))
		require.Regexp(t, `^quickstart version \S+ go1\.\S+\n$`, out.String())
	})
}

func TestStage_NeverTellsASecret(t *testing.T) {
	var r telling
	s := r.stage(&r.out)
	secret := s.secret()
	s.line("fine")
	s.file("password="+secret.Reveal(), "#")
	s.line("after")
	require.Equal(t, "fine\n\n", r.out.String())
	require.ErrorIs(t, s.err, errNotSo)
	require.NotContains(t, s.err.Error(), secret.Reveal())
}

// Every attempt whose outcome is not the told one stops the tour.
func TestTry_StopsWhereTheTextIsWrong(t *testing.T) {
	var r telling
	s := r.stage(&r.out)
	k, err := startKafka(s)
	require.NoError(t, err)
	story := &kafkasecStory{stage: s, kafka: k}
	ctx, cancel := context.WithTimeout(context.Background(), watchdog)
	defer cancel()
	for name, tt := range map[string]struct {
		a    attempt
		want string
	}{
		"a forbidden produce works": {
			produces("admin", foreignTopic, "x").refused("TOPIC_AUTHORIZATION_FAILED"),
			"admin produces to billing, which should be refused (TOPIC_AUTHORIZATION_FAILED): it worked",
		},
		"a permitted produce is refused": {
			produces("user1", foreignTopic, "x").works(),
			"user1 produces to billing, which should work: TOPIC_AUTHORIZATION_FAILED",
		},
		"refused for another reason": {
			produces("user1", foreignTopic, "x").refused("credentials"),
			"user1 produces to billing, which should be refused (credentials): TOPIC_AUTHORIZATION_FAILED",
		},
		"other records": {
			consumes("admin", "all", foreignTopic, "y").works(),
			`admin consumes billing in group all, which should work: found the records ["x"`,
		},
		"a guessed password is right": {
			guesses("admin", r.secrets[0]).refused("credentials"),
			"admin logs in with a guessed password, which should be refused (credentials): it worked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(tt.want, "records") {
				require.NoError(t, k.produce(ctx, "admin", foreignTopic, "x"))
			}
			r.out.Reset()
			err := story.try(ctx, tt.a)
			require.ErrorIs(t, err, errNotSo)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, "\n", r.out.String(), "nothing wrong is told")
		})
	}
	k.Close()
	r.requireNothingLeft(t)
}

func TestReadOn_NamesWhatIsThere(t *testing.T) {
	var r telling
	r.stage(&r.out).readOn()
	found := regexp.MustCompile(`(?m)(?:^    |\./| )((?:docs|examples|kafkasec)/?[a-z/.]*)`).FindAllStringSubmatch(r.out.String(), -1)
	require.Greater(t, len(found), 5)
	for _, m := range found {
		_, err := os.Stat(filepath.Join("..", "..", m[1]))
		require.NoError(t, err, m[0])
	}
}
