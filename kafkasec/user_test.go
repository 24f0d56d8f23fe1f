package kafkasec

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
)

func TestFake_UserLifecycle(t *testing.T)     { userLifecycle(newSite(t, conform.NewFake(t))) }
func TestFake_DeniedUsers(t *testing.T)       { deniedUsers(newSite(t, conform.NewFake(t))) }
func TestFake_RandomIdentities(t *testing.T)  { randomIdentities(newSite(t, conform.NewFake(t)), 400) }
func TestFake_KilledUserApplier(t *testing.T) { lostUserAnswers(newSite(t, conform.NewFake(t))) }
func TestFake_UsersOfOneRequest(t *testing.T) {
	manyUsers(newSite(t, conform.NewFake(t)), maxCredentials+50)
}
func TestFake_UserGoneMeanwhile(t *testing.T) { userGoneMeanwhile(newSite(t, conform.NewFake(t))) }
func TestFake_StaleUser(t *testing.T)         { staleUser(newSite(t, conform.NewFake(t))) }

// passwordOf makes every reference its own password.
func passwordOf(_ context.Context, ref string) (holdfast.Secret, error) {
	return holdfast.NewSecret("pw of " + ref), nil
}

// userLifecycle goes from nothing to credentials, through a rotation, to nothing.
func userLifecycle(s *site) {
	s.r.Resolve = passwordOf
	const scope = `
scope: {topic_prefixes: ["~"], principals: ["User:~a", "User:~b"]}
`
	spec := s.spec(scope + `
topics:
  - {name: "~t", partitions: 1}
acls:
  - {principal: "User:~a", operations: [Write, Describe], resource: "topic:~t"}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], password: "env:A"}
  - {name: "~b", mechanisms: [SCRAM-SHA-512], iterations: 16384, password: "file:b"}
`)
	require.Equal(s, []string{
		"applied create topic ~t",
		"applied create scram-user ~a SCRAM-SHA-256",
		"applied create scram-user ~a SCRAM-SHA-512",
		"applied create scram-user ~b SCRAM-SHA-512",
		"applied create acl allow User:~a Describe on topic:~t from *",
		"applied create acl allow User:~a Write on topic:~t from *",
	}, s.outcomes(s.apply(spec)))

	spec = s.spec(scope + `
acls:
  - {principal: "User:~a", operations: [Write, Describe], resource: "topic:~t", state: absent}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256], iterations: 4097, password: "env:A2"}
  - {name: "~a", mechanisms: [SCRAM-SHA-512]}
  - {name: "~b", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], state: absent}
`)
	require.Equal(s, []string{
		"applied update scram-user ~a SCRAM-SHA-256",
		"applied delete acl allow User:~a Describe on topic:~t from *",
		"applied delete acl allow User:~a Write on topic:~t from *",
		"applied delete scram-user ~b SCRAM-SHA-512",
	}, s.outcomes(s.apply(spec)))
	state, err := s.r.Observe(s.Context(), spec)
	require.NoError(s, err)
	require.Equal(s, map[string]map[ScramMechanism]int32{s.prefix + "a": {ScramSHA256: 4097, ScramSHA512: 4096}}, state.Users)

	s.apply(s.spec(scope + `
topics:
  - {name: "~t", state: absent}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], state: absent}
`))
}

// deniedUsers has an applier without rights on the cluster.
func deniedUsers(s *site) {
	spec := s.spec(`
scope: {principals: ["User:~a", "User:~b"]}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-512], password: "env:A"}
  - {name: "~b", mechanisms: [SCRAM-SHA-512], state: absent}
`)
	r := &Reconciler{Client: s.User(s.T, s.prefix+"nobody"), Resolve: passwordOf}
	plan := s.plan(r, spec)
	require.Empty(s, plan.Changes)
	require.Len(s, plan.Unread, 2)
	require.ErrorIs(s, plan.Unread[0].Err, kerr.ClusterAuthorizationFailed)
	require.ErrorContains(s, plan.Unread[0].Err, "needs Describe on the cluster")

	s.apply(s.spec(`
scope: {principals: ["User:~nobody"]}
acls:
  - {principal: "User:~nobody", operations: [Describe], resource: "cluster"}
`))
	report, err := r.Apply(s.Context(), s.plan(r, spec))
	require.ErrorIs(s, err, kerr.ClusterAuthorizationFailed)
	require.ErrorContains(s, err, "needs Alter on the cluster")
	require.Equal(s, []string{"failed create scram-user ~a SCRAM-SHA-512"}, s.outcomes(report))
}

// lostUserAnswers cuts the connection at each write, before and after it.
func lostUserAnswers(s *site) {
	spec := s.spec(`
scope: {principals: ["User:~a", "User:~b"]}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], iterations: 5000, password: "env:A"}
  - {name: "~b", mechanisms: [SCRAM-SHA-256], state: absent}
`)
	s.r.Resolve = passwordOf
	for lose := 1; lose <= 3; lose++ {
		s.apply(s.spec(`
scope: {principals: ["User:~a", "User:~b"]}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], state: absent}
  - {name: "~b", mechanisms: [SCRAM-SHA-256], password: "env:B"}
`))
		wire := &gate{keys: []kmsg.Key{kmsg.AlterUserSCRAMCredentials}, lose: lose}
		r := &Reconciler{Client: s.Admin(s.T, kgo.Dialer(wire.dial), kgo.RequestRetries(1)), Resolve: passwordOf}
		plan := s.plan(r, spec)
		require.Len(s, plan.Changes, 3)
		report, err := r.Apply(s.Context(), plan)
		require.NoError(s, err)
		require.True(s, report.Converged(), report)
		s.requireTrue(plan, report)
		require.True(s, s.plan(s.r, spec).Empty())
	}
}

func manyUsers(s *site, n int) {
	s.r.Resolve = passwordOf
	spec := Spec{}
	for i := range n {
		name := fmt.Sprintf("%su%d", s.prefix, i)
		spec.Scope.Principals = append(spec.Scope.Principals, userPrincipal(name))
		spec.Users = append(spec.Users, User{Name: name, Mechanisms: []ScramMechanism{ScramSHA256}, Password: "env:X"})
	}
	require.Equal(s, n, s.apply(spec).Count(holdfast.Applied))
	for i := range spec.Users {
		spec.Users[i].Password, spec.Users[i].State = "", Absent
	}
	require.Equal(s, n, s.apply(spec).Count(holdfast.Applied))
}

// userGoneMeanwhile has somebody else delete a credential between the look and the
// write: it is not this Apply that did it.
func userGoneMeanwhile(s *site) {
	scope := `
scope: {principals: ["User:~a", "User:~b"]}
`
	s.apply(s.spec(scope + `
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-512], password: "env:A"}
  - {name: "~b", mechanisms: [SCRAM-SHA-512], password: "env:B"}
`))
	gone := s.spec(scope + `
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-512], state: absent}
  - {name: "~b", mechanisms: [SCRAM-SHA-512], state: absent}
`)
	wire := &gate{keys: []kmsg.Key{kmsg.AlterUserSCRAMCredentials}, before: func(int) {
		s.apply(Spec{Scope: gone.Scope, Users: gone.Users[:1]})
	}}
	r := &Reconciler{Client: s.Admin(s.T, kgo.Dialer(wire.dial))}
	report, err := r.Apply(s.Context(), s.plan(r, gone))
	require.NoError(s, err)
	require.Equal(s, []string{
		"unchanged/already-gone delete scram-user ~a SCRAM-SHA-512",
		"applied delete scram-user ~b SCRAM-SHA-512",
	}, s.outcomes(report))
}

// No request names a user twice: KRaft refuses that as DUPLICATE_RESOURCE, for two
// mechanisms as well, which the embedded Kafka does not.
func TestApply_NamesEachUserOnceInARequest(t *testing.T) {
	f := newFake(t)
	f.r.Resolve = passwordOf
	var requests []int
	var twice []string
	f.always(kmsg.AlterUserSCRAMCredentials, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.AlterUserSCRAMCredentialsRequest)
		seen := map[string]bool{}
		for _, d := range req.Deletions {
			if seen[d.Name] {
				twice = append(twice, "delete "+d.Name)
			}
			seen[d.Name] = true
		}
		for _, u := range req.Upsertions {
			if seen[u.Name] {
				twice = append(twice, "set "+u.Name)
			}
			seen[u.Name] = true
		}
		requests = append(requests, len(seen))
		return nil, nil, false
	})
	spec := Spec{Scope: Scope{Principals: []string{"User:a", "User:b"}}}
	for _, name := range []string{"a", "b"} {
		spec.Users = append(spec.Users, User{Name: name, Mechanisms: []ScramMechanism{ScramSHA512, ScramSHA256}, Password: "env:P"})
	}
	f.apply(spec)
	for i := range spec.Users {
		spec.Users[i].Password, spec.Users[i].Iterations = "env:Q", 5000
	}
	f.apply(spec)
	for i := range spec.Users {
		spec.Users[i] = User{Name: spec.Users[i].Name, Mechanisms: spec.Users[i].Mechanisms, State: Absent}
	}
	f.apply(spec)
	require.Empty(t, twice)
	require.Equal(t, []int{2, 2, 2, 2, 2, 2}, requests)
}

// staleUser has somebody else set other iterations meanwhile.
func staleUser(s *site) {
	s.r.Resolve = passwordOf
	at := func(iterations int32) Spec {
		return Spec{Scope: Scope{Principals: []string{userPrincipal(s.prefix + "a")}}, Users: []User{
			{Name: s.prefix + "a", Mechanisms: []ScramMechanism{ScramSHA512}, Iterations: iterations, Password: "env:A"},
		}}
	}
	create := s.plan(s.r, at(4096))
	s.apply(at(8192))
	_, err := s.r.Apply(s.Context(), create)
	var stale *StaleError
	require.ErrorAs(s, err, &stale)
	require.Equal(s, "iterations 8192", stale.Changes[0].Found)

	update := s.plan(s.r, at(9000))
	gone := at(0)
	gone.Users[0].Password, gone.Users[0].State = "", Absent
	s.apply(gone)
	_, err = s.r.Apply(s.Context(), update)
	require.ErrorContains(s, err, "found no such credential")
}

// The order of access holds also when a step fails: a login is not made where
// its deny is missing, and a deny is not lifted where the login stays.
func TestApply_HoldsLogins(t *testing.T) {
	f := newFake(t)
	f.r.Resolve = passwordOf
	const scope = "kind: KafkaSecurity\nversion: 1\nscope: {principals: [\"User:new\", \"User:old\"]}\n"
	f.apply(parse(t, scope+`
acls:
  - {principal: "User:old", operations: [Write], resource: "topic:t", permission: deny}
users:
  - {name: old, mechanisms: [SCRAM-SHA-512], password: "env:OLD"}
`))
	spec := parse(t, scope+`
acls:
  - {principal: "User:old", operations: [Write], resource: "topic:t", permission: deny, state: absent}
  - {principal: "User:new", operations: [Write], resource: "topic:t", permission: deny}
users:
  - {name: old, mechanisms: [SCRAM-SHA-512], state: absent}
  - {name: new, mechanisms: [SCRAM-SHA-512], password: "env:NEW"}
`)
	f.once(kmsg.CreateACLs, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.CreateACLsResponse)
		resp.Results = []kmsg.CreateACLsResponseResult{{ErrorCode: kerr.InvalidRequest.Code}}
		return resp, nil, true
	})
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AlterUserSCRAMCredentials}, Resource: "old", Err: kerr.UnacceptableCredential})
	report, err := f.r.Apply(t.Context(), f.plan(spec))
	require.ErrorIs(t, err, kerr.UnacceptableCredential)
	require.Equal(t, []string{
		"failed create acl deny User:new Write on topic:t from *",
		"not-attempted/held create scram-user new SCRAM-SHA-512",
		"failed delete scram-user old SCRAM-SHA-512",
		"not-attempted/held delete acl deny User:old Write on topic:t from *",
	}, outcomes(report))
}

// A real client logs in with what was set, and with nothing else.
func TestApply_LoginOnTheEmbeddedKafka(t *testing.T) {
	f := newFake(t)
	f.r.Resolve = passwordOf
	f.apply(Spec{Scope: Scope{Principals: []string{"User:a"}}, Users: []User{
		{Name: "a", Mechanisms: []ScramMechanism{ScramSHA256, ScramSHA512}, Password: "env:A"},
	}})
	login := func(auth scram.Auth, sha512 bool) error {
		mechanism := auth.AsSha256Mechanism()
		if sha512 {
			mechanism = auth.AsSha512Mechanism()
		}
		cl, err := kgo.NewClient(kgo.SeedBrokers(f.ListenAddrs()...), kgo.SASL(mechanism), kgo.RequestRetries(0))
		require.NoError(t, err)
		defer cl.Close()
		return cl.Ping(t.Context())
	}
	for _, sha512 := range []bool{false, true} {
		require.NoError(t, login(scram.Auth{User: "a", Pass: "pw of env:A"}, sha512))
		require.Error(t, login(scram.Auth{User: "a", Pass: "pw of env:B"}, sha512))
	}
}

var someUsers = []string{"", "a", "b,c=d", "ü x"}

// randomUsers declares some of a few users.
func randomUsers(rng *rand.Rand, prefix string) (users []User) {
	for _, name := range someUsers {
		for _, m := range []ScramMechanism{ScramSHA256, ScramSHA512} {
			u := User{Name: prefix + "u" + name, Mechanisms: []ScramMechanism{m}}
			switch rng.IntN(5) {
			case 0:
				continue
			case 1:
				u.State = Absent
			default:
				u.Password = "env:P"
				if rng.IntN(3) > 0 {
					u.Iterations = minIterations + rng.Int32N(3)
				}
			}
			users = append(users, u)
		}
	}
	return users
}

func identityScope(prefix string) (s Scope) {
	for _, name := range someUsers {
		s.Principals = append(s.Principals, userPrincipal(prefix+"u"+name))
	}
	return s
}

// randomIdentities goes from one random desired state of users to the next; the
// brokers hold what a model holds.
func randomIdentities(s *site, n int) {
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s.r.Resolve = passwordOf
	model := map[Credential]int32{}
	all := Spec{Scope: identityScope(s.prefix)}
	for _, name := range someUsers {
		all.Users = append(all.Users, User{Name: s.prefix + "u" + name, Mechanisms: []ScramMechanism{ScramSHA256, ScramSHA512}, State: Absent})
	}
	for i := range n {
		spec := Spec{Scope: identityScope(s.prefix), Users: randomUsers(rng, s.prefix)}
		s.apply(spec)
		for _, u := range spec.Users {
			c := Credential{User: u.Name, Mechanism: u.Mechanisms[0]}
			switch {
			case u.State == Absent:
				delete(model, c)
			case u.Iterations != 0:
				model[c] = u.Iterations
			case model[c] == 0:
				model[c] = minIterations
			}
		}
		state, err := s.r.Observe(s.Context(), all)
		require.NoError(s, err)
		got := map[Credential]int32{}
		for name, have := range state.Users {
			for m, iterations := range have {
				got[Credential{User: name, Mechanism: m}] = iterations
			}
		}
		require.Equal(s, model, got, "seed %d, state %d", seed, i)
	}
	s.apply(all)
}

// Plans of users are deterministic, ordered, and come back from JSON as they were.
func TestPlan_LawsOfUsers(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		spec := Spec{Scope: identityScope("p"), Users: randomUsers(rng, "p")}
		state := State{Users: map[string]map[ScramMechanism]int32{}}
		for _, name := range someUsers {
			for _, m := range []ScramMechanism{ScramSHA256, ScramSHA512} {
				if rng.IntN(2) == 0 {
					continue
				}
				if state.Users["pu"+name] == nil {
					state.Users["pu"+name] = map[ScramMechanism]int32{}
				}
				state.Users["pu"+name][m] = minIterations + rng.Int32N(3)
			}
		}
		plan, err := spec.Plan(state)
		require.NoError(t, err)
		text, err := json.Marshal(plan)
		require.NoError(t, err)
		shuffle(rng, spec.Users)
		again, err := spec.Plan(state)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(plan, again))
		read, err := ParsePlan("plan.json", text)
		require.NoError(t, err, plan)
		require.Empty(t, cmp.Diff(plan, read))
		stateText, err := json.Marshal(state)
		require.NoError(t, err)
		var stateRead State
		require.NoError(t, strictJSON(stateText, &stateRead))
		require.Equal(t, state, stateRead)
	}
}

func TestParsePlan_RejectsUsers(t *testing.T) {
	const head = `{"plan":"kafkasec","version":1,"cluster":"c","observed":"","changes":[`
	create := `{"action":"create","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":null,"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A"}}`
	update := `{"action":"update","kind":"scram-user","name":"a SCRAM-SHA-512","reason":"","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":1},"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A"}}`
	remove := `{"action":"delete","kind":"scram-user","name":"b SCRAM-SHA-256","reason":"","before":{"user":"b","mechanism":"SCRAM-SHA-256","iterations":4096},"after":null}`
	for name, c := range map[string]struct{ old, new, want string }{
		"a password":        {"env:A", "c4n4ry", "not a reference"},
		"no password":       {`,"password":"env:A"`, "", "not a reference"},
		"few iterations":    {"4096", "4095", "allowed are 4096 to 16384"},
		"many iterations":   {"4096", "16385", "allowed are 4096 to 16384"},
		"another name":      {`"name":"a `, `"name":"b `, "does not say what the change does"},
		"another mechanism": {"SCRAM-SHA-512", "PLAIN", "allowed are"},
		"everyone":          {`"user":"a"`, `"user":"*"`, "User:*"},
		"nothing after":     {`{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A"}`, "null", "wrong before or after"},
		"fields of a topic": {`"user":"a"`, `"partitions":1`, "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePlan("plan.json", []byte(head+strings.ReplaceAll(create, c.old, c.new)+"]}"))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "c4n4ry")
		})
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"password before":  {`"iterations":1}`, `"iterations":1,"password":"env:A"}`, "no password"},
		"nothing before":   {`"iterations":1}`, `"iterations":0}`, "before must hold iterations"},
		"same iterations":  {`"iterations":1}`, `"iterations":4096}`, "different iterations"},
		"of another user":  {`{"user":"a","mechanism":"SCRAM-SHA-512","iterations":1}`, `{"user":"b","mechanism":"SCRAM-SHA-512","iterations":1}`, "same credential"},
		"create from some": {`"update"`, `"create"`, "wrong before or after"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePlan("plan.json", []byte(head+strings.ReplaceAll(update, c.old, c.new)+"]}"))
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := ParsePlan("plan.json", []byte(head+create+","+remove+"]}"))
	require.NoError(t, err)
	_, err = ParsePlan("plan.json", []byte(head+remove+","+create+"]}"))
	require.ErrorContains(t, err, "out of order")
	_, err = ParsePlan("plan.json", []byte(head+update+"]}"))
	require.NoError(t, err)
}

func TestYAML_Users(t *testing.T) {
	for seed := range uint64(100) {
		requireRoundTrip(t, Spec{Scope: identityScope("p"), Users: randomUsers(rand.New(rand.NewPCG(seed, 4)), "p"), SecretSchemes: []string{"vault"}})
	}
}
