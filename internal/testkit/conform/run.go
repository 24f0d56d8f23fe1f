package conform

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast/internal/poll"
)

// Case is one thing that is asked of every kind of cluster.
type Case struct {
	Name string
	run  func(*session)
}

// Run runs the cases on the cluster, one after the other. On a kind that
// differs it also fails when one of its differences was not asked about.
func Run(t *testing.T, c Cluster, cases []Case) {
	t.Helper()
	asked := map[string]bool{}
	ran := 0
	for _, cs := range cases {
		t.Run(strings.ReplaceAll(cs.Name, " ", "_"), func(t *testing.T) {
			ran++
			s := newSession(t, c, asked)
			s.name = cs.Name
			cs.run(s)
		})
	}
	if ran < len(cases) || t.Failed() {
		return // some were left out, or ended early
	}
	for _, d := range Differences {
		ofCase := func(cs Case) bool { return strings.HasPrefix(d.Question, cs.Name+": ") }
		if d.Kind == c.Kind() && !asked[d.Question] && slices.ContainsFunc(cases, ofCase) {
			t.Errorf("no case asks %s: %q: remove it from Differences", d.Kind, d.Question)
		}
	}
}

// session is one case on one cluster.
type session struct {
	*testing.T
	Cluster
	name   string // of the case
	ctx    context.Context
	prefix string
	admin  *kgo.Client
	asked  map[string]bool
	marks  int
}

func newSession(t *testing.T, c Cluster, asked map[string]bool) *session {
	// A watchdog, no expectation.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return &session{T: t, Cluster: c, ctx: ctx, prefix: c.Prefix(t), admin: c.Admin(t), asked: asked}
}

// is compares an answer with the wanted one.
func (s *session) is(question, want, got string) {
	s.Helper()
	question, want = s.wants(question, want)
	if got != want {
		s.Errorf("%s: got %s, want %s", question, got, want)
	}
}

// becomes asks until the answer is the wanted one: brokers apply what was
// written some time after they acknowledge it. What must not become true has to
// be asked once, after [session.settle].
func (s *session) becomes(question, want string, ask func() string) {
	s.Helper()
	question, want = s.wants(question, want)
	if got := s.until(want, ask); got != want {
		s.Errorf("%s: got %s, want %s", question, got, want)
	}
}

// wants names the question in full and what this kind of cluster answers.
func (s *session) wants(question, want string) (string, string) {
	s.Helper()
	question = s.name + ": " + question
	if s.asked[question] {
		s.Errorf("%q is asked twice", question)
	}
	s.asked[question] = true
	for _, d := range Differences {
		if d.Kind != s.Kind() || d.Question != question {
			continue
		}
		if d.Answer == want {
			s.Errorf("%q: Differences has for %s what Kafka 4.4 answers too: remove it", question, d.Kind)
		}
		return question, d.Answer
	}
	return question, want
}

// until returns the last answer, the wanted one if it comes.
func (s *session) until(want string, ask func() string) (got string) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	pace := poll.Backoff{Initial: 20 * time.Millisecond, Factor: 1.5, Max: 500 * time.Millisecond}
	_ = poll.Until(ctx, pace, func(context.Context) (bool, error) {
		got = ask()
		return got == want, nil
	})
	return got
}

// patience is for a busy machine; only a failing case waits so long.
const patience = 10 * time.Second

func sorted(set map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(set)), " ")
}
