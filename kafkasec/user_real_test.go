package kafkasec

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// usersOnEvery is what must hold of users on every real Kafka.
func usersOnEvery(t *testing.T, c *real.Cluster, many, states int) {
	on := func(name string, f func(*site)) {
		t.Run(name, func(t *testing.T) { f(newSite(t, conform.Real(c))) })
	}
	on("lifecycle", userLifecycle)
	on("logins", func(s *site) { logins(s, c) })
	on("denied", deniedUsers)
	on("lost answers", lostUserAnswers)
	on("stale", staleUser)
	on("gone meanwhile", userGoneMeanwhile)
	on("many", func(s *site) { manyUsers(s, many) })
	on("random states", func(s *site) { randomIdentities(s, states) })
}

func TestReal_UsersOneNode(t *testing.T) { usersOnEvery(t, real.Kafka(t), 600, 40) }

func TestReal_UsersZooKeeper(t *testing.T) {
	usersOnEvery(t, real.NewKafka(t, real.Options{Version: "3.9.2"}), 20, 20)
}

// logins are made by clients that share no code with what sets the passwords:
// with the right one, a wrong one, the one of before a rotation, and none any more.
func logins(s *site, c *real.Cluster) {
	passwords := map[string]string{
		"env:A": "pässwort, with = and , and ; \"quotes\" \\", "env:B": "b", "env:A2": "after rotation",
	}
	s.r.Resolve = resolver(passwords)
	as := func(user string, m real.Mechanism, password string) error {
		cl := c.Client(s.T, real.Login{Protocol: real.SASLPlaintext, Mechanism: m, User: s.prefix + user, Password: holdfast.NewSecret(password)}, kgo.RequestRetries(0))
		defer cl.Close()
		return cl.Ping(s.Context())
	}
	// Brokers know a credential a moment after they describe it.
	in := func(user string, m real.Mechanism, password string) {
		s.Helper()
		require.Eventually(s, func() bool { return as(user, m, password) == nil }, 30*time.Second, 50*time.Millisecond, "%s %s", user, m)
	}
	out := func(user string, m real.Mechanism, password string) {
		s.Helper()
		require.Eventually(s, func() bool { return errors.Is(as(user, m, password), kerr.SaslAuthenticationFailed) },
			30*time.Second, 50*time.Millisecond, "%s %s", user, m)
	}
	const scope = `
scope: {principals: ["User:~a", "User:~b"]}
`
	s.apply(s.spec(scope + `
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], password: "env:A"}
  - {name: "~b", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], iterations: 16384, password: "env:B"}
`))
	for _, m := range []real.Mechanism{real.SCRAM256, real.SCRAM512} {
		in("a", m, passwords["env:A"])
		out("a", m, passwords["env:B"])
		in("b", m, passwords["env:B"])
		out("b", m, passwords["env:A"])
	}

	// The secret behind the reference changes, and with it the iterations of one
	// mechanism; the other keeps the old password.
	s.apply(s.spec(scope + `
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-512], iterations: 4097, password: "env:A2"}
  - {name: "~b", mechanisms: [SCRAM-SHA-256], state: absent}
`))
	in("a", real.SCRAM512, passwords["env:A2"])
	out("a", real.SCRAM512, passwords["env:A"])
	in("a", real.SCRAM256, passwords["env:A"])
	out("b", real.SCRAM256, passwords["env:B"])
	in("b", real.SCRAM512, passwords["env:B"])

	// Another tool agrees on what is there.
	described, err := kadm.NewClient(s.r.Client).DescribeUserSCRAMs(s.Context(), s.prefix+"a", s.prefix+"b")
	require.NoError(s, err)
	got := map[string]int32{}
	for _, d := range described.Sorted() {
		for _, info := range d.CredInfos {
			got[d.User+" "+info.Mechanism.String()] = info.Iterations
		}
	}
	require.Equal(s, map[string]int32{
		s.prefix + "a SCRAM-SHA-256": 4096, s.prefix + "a SCRAM-SHA-512": 4097, s.prefix + "b SCRAM-SHA-512": 16384,
	}, got)

	s.apply(s.spec(scope + `
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], state: absent}
  - {name: "~b", mechanisms: [SCRAM-SHA-512], state: absent}
`))
	out("a", real.SCRAM256, passwords["env:A"])
	out("a", real.SCRAM512, passwords["env:A2"])
	out("b", real.SCRAM512, passwords["env:B"])
}
