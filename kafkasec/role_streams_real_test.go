package kafkasec

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// The Java library itself, with a topology that has both kinds of internal
// topics: a repartition topic, which it purges, and a changelog.
func TestReal_StreamsRoleIsWhatAnApplicationNeeds(t *testing.T) {
	// In a streams group brokers say how often a member calls and for how long
	// they wait for a dead one: by default every 5 s, for 45 s.
	c := real.NewKafka(t, real.Options{Properties: map[string]string{
		"group.streams.min.heartbeat.interval.ms": "200", "group.streams.heartbeat.interval.ms": "200",
		"group.streams.initial.rebalance.delay.ms": "0", "group.streams.min.session.timeout.ms": "3000", "group.streams.session.timeout.ms": "3000",
	}})
	newSite(t, conform.Real(c)).awaitCoordinators()
	for name, v := range map[string]struct{ role, properties string }{
		"at least once":               {"", ""},
		"exactly once":                {", exactly_once: true", "processing.guarantee=exactly_once_v2\n"},
		"exactly once, streams group": {", exactly_once: true", "processing.guarantee=exactly_once_v2\ngroup.protocol=streams\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, conform.Real(c))
			s.User(t, s.prefix+"p") // who must exist
			spec := s.spec(`
scope: {topic_prefixes: ["~"], principals: ["User:~p"]}
topics: [{name: "~in", partitions: 1}, {name: "~out", partitions: 1}]
roles: [{principal: "User:~p", role: streams, application_id: "~app", input_topics: ["~in"], output_topics: ["~out"]` + v.role + `}]
`)
			s.provesLeastPrivilege(spec, func(s *site) error { return s.streams(c, v.properties) })
		})
	}
}

// streams runs the application as if for the first time, on a record of its own,
// and returns what it got to hear.
func (s *site) streams(c *real.Cluster, properties string) error {
	s.forgetApplication()
	require.NoError(s, s.produces(s.Admin(s.T), "in"))
	login := real.Login{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM256, User: s.prefix + "p"}
	text := c.ClientProperties(s.T, login) + "application.id=" + s.prefix + "app\n" +
		"commit.interval.ms=50\nrepartition.purge.interval.ms=50\nreplication.factor=1\n" + properties
	var answers []struct{ Error string }
	oracle.Start(s.T, oracle.Options{Main: "StreamsOracle", Component: "kafka-streams-4.4.0"}).
		Ask(s.T, []map[string]string{{"properties": text, "input": s.prefix + "in", "output": s.prefix + "out"}}, &answers)

	// The repartition topic is cut exactly where the application may cut it.
	cut := false
	for _, topic := range s.applicationTopics() {
		if strings.HasSuffix(topic, "-repartition") {
			starts, err := kadm.NewClient(s.Admin(s.T)).ListStartOffsets(s.Context(), topic)
			require.NoError(s, err)
			start, ok := starts.Lookup(topic, 0)
			require.True(s, ok)
			require.NoError(s, start.Err)
			cut = start.Offset > 0
		}
	}
	require.Equal(s, answers[0].Error == "", cut, answers)
	return javaError(answers[0].Error)
}

// applicationTopics are the application's internal topics.
func (s *site) applicationTopics() []string {
	topics, err := kadm.NewClient(s.Admin(s.T)).ListTopics(s.Context())
	require.NoError(s, err)
	return slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, s.prefix+"app-") })
}

// forgetApplication removes the application's internal topics and the members
// that died without leaving: for these the next one would wait until their
// sessions end.
func (s *site) forgetApplication() {
	cl := s.Admin(s.T)
	adm := kadm.NewClient(cl)
	groups, err := adm.DescribeGroups(s.Context(), s.prefix+"app")
	require.NoError(s, err)
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group = s.prefix + "app"
	for _, m := range groups[leave.Group].Members {
		member := kmsg.NewLeaveGroupRequestMember()
		member.MemberID = m.MemberID
		leave.Members = append(leave.Members, member)
	}
	if len(leave.Members) > 0 {
		_, err := leave.RequestWith(s.Context(), cl)
		require.NoError(s, err)
	}

	if topics := s.applicationTopics(); len(topics) > 0 {
		_, err := adm.DeleteTopics(s.Context(), topics...)
		require.NoError(s, err)
	}
	require.NoError(s, poll.Until(s.Context(), poll.Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}, func(context.Context) (bool, error) {
		return len(s.applicationTopics()) == 0, nil
	}))
}
