package kafkasec

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
)

func TestFake_Prunes(t *testing.T)  { prunes(newSite(t, conform.NewFake(t)), 500) }
func TestFake_Records(t *testing.T) { records(newSite(t, conform.NewFake(t))) }

// topicConfigs are what is set on every topic that the prefix owns.
func (s *site) topicConfigs(prefix string) map[string]map[string]string {
	s.Helper()
	resp, who, err := s.r.metadata(s.Context(), nil)
	require.NoError(s, err)
	state := State{Cluster: who.cluster, Topics: map[string]TopicState{}}
	resp.Topics = slices.DeleteFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool { return !strings.HasPrefix(*t.Topic, prefix) })
	s.r.readTopics(resp, &state)
	keys := map[string][]string{}
	for name := range state.Topics {
		keys[name] = nil
	}
	_, err = s.r.readConfigs(s.Context(), keys, &state)
	require.NoError(s, err)
	configs := map[string]map[string]string{}
	for name, t := range state.Topics {
		configs[name] = t.Configs
	}
	return configs
}

// identities are the credentials and the quotas that a scope owns.
func (s *site) identities(scope Scope) (map[Credential]int32, map[QuotaEntity]map[string]float64) {
	s.Helper()
	owned := scope.index()
	state, _, err := s.r.read(s.Context(), reading{users: scope.scopeUsers(), quotasIn: &owned})
	require.NoError(s, err)
	require.Empty(s, state.Unread)
	credentials := map[Credential]int32{}
	for name, have := range state.Users {
		for m, iterations := range have {
			credentials[Credential{User: name, Mechanism: m}] = iterations
		}
	}
	return credentials, state.quotas()
}

// declaredOnly are those credentials that the spec speaks of.
func declaredOnly(have map[Credential]int32, spec Spec) map[Credential]int32 {
	declared := map[Credential]int32{}
	for _, u := range spec.Users {
		for _, m := range u.Mechanisms {
			if i, ok := have[Credential{User: u.Name, Mechanism: m}]; ok {
				declared[Credential{User: u.Name, Mechanism: m}] = i
			}
		}
	}
	return declared
}

// afterUsers are the credentials after an apply without pruning.
func afterUsers(have map[Credential]int32, spec Spec) map[Credential]int32 {
	now := maps.Clone(have)
	for _, u := range spec.Users {
		for _, m := range u.Mechanisms {
			c := Credential{User: u.Name, Mechanism: m}
			switch {
			case u.State == Absent:
				delete(now, c)
			case u.Iterations != 0:
				now[c] = u.Iterations
			case now[c] == 0:
				now[c] = minIterations
			}
		}
	}
	return now
}

// afterQuotas are the quotas after an apply.
func afterQuotas(have map[QuotaEntity]map[string]float64, spec Spec) map[QuotaEntity]map[string]float64 {
	now := map[QuotaEntity]map[string]float64{}
	if !spec.Prune.Quotas {
		for e, limits := range have {
			now[e] = maps.Clone(limits)
		}
	}
	for _, q := range spec.Quotas {
		e := q.Entity()
		limits := now[e]
		if limits == nil {
			limits = map[string]float64{}
		}
		maps.Copy(limits, q.limits())
		for _, k := range q.AbsentLimits {
			delete(limits, k)
		}
		if now[e] = limits; q.State == Absent || len(limits) == 0 {
			delete(now, e)
		}
	}
	return now
}

// prunes goes from one random state to another that prunes. What of the pruned
// kinds is left in scope is what is declared; of the other kinds, everything is
// left; outside the scope nothing has changed.
func prunes(s *site, n int) {
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))

	foreign := s.spec(`
scope: {topic_prefixes: ["~"], principals: ["User:~f"]}
topics:
  - {name: "~", partitions: 2, configs: {retention.ms: 7}}
  - {name: "~9x", partitions: 1}
acls:
  - {principal: "User:~f", operations: [Read], resource: "topic:~*"}
  - {principal: "User:~f", operations: [Read], resource: "topic:*", permission: deny}
  - {principal: "User:~f", operations: [Read, All], resource: "group:~9x"}
  - {principal: "User:*", operations: [Write], resource: "topic:~9x"}
`)
	s.apply(foreign)
	// A user whom the scope does not own, in spite of the name, and a quota of
	// what it owns for somebody whom it does not.
	neighbours := s.spec(`
scope: {principals: ["User:~p"]}
users:
  - {name: "~p", mechanisms: [SCRAM-SHA-256], password: "env:P"}
quotas:
  - {user: "~p", client_id: "~c", producer_byte_rate: 7}
`)
	s.apply(neighbours)
	pruned := 0
	for i := range n {
		prefix := fmt.Sprintf("%sp%d-", s.prefix, i)
		before := withIdentities(rng, randomSpec(rng, prefix), prefix)
		s.apply(before)
		was := s.topicConfigs(prefix)
		wasUsers, wasQuotas := s.identities(before.Scope)
		all, _, err := s.r.read(s.Context(), reading{acls: true})
		require.NoError(s, err)

		spec := growing(randomSpec(rng, prefix), before)
		spec.Topics = slices.DeleteFunc(spec.Topics, func(Topic) bool { return rng.IntN(3) == 0 })
		spec = withIdentities(rng, spec, prefix)
		spec.Prune = Prune{Topics: rng.IntN(2) == 0, ACLs: rng.IntN(2) == 0, Configs: rng.IntN(2) == 0,
			Users: rng.IntN(2) == 0, Quotas: rng.IntN(2) == 0, MaxCount: 1000, MaxPercent: 100}
		s.apply(spec) // after which the plan is empty

		topics := map[string]Topic{}
		for _, t := range spec.Topics {
			topics[t.Name] = t
		}
		now := s.topicConfigs(prefix)
		for name, t := range topics {
			configs, there := now[name]
			require.Equal(s, t.State != Absent, there, "seed %d, state %d: %s", seed, i, name)
			if !there {
				continue
			}
			want := maps.Clone(was[name])
			if want == nil || spec.Prune.Configs && len(t.Configs) > 0 {
				want = map[string]string{}
			}
			maps.Copy(want, t.Configs)
			require.Equal(s, len(want), len(configs), "seed %d, state %d: %s: %v %v", seed, i, name, want, configs)
		}
		for name, configs := range was {
			if _, ok := topics[name]; ok {
				continue
			}
			left, there := now[name]
			require.Equal(s, !spec.Prune.Topics, there, "seed %d, state %d: %s", seed, i, name)
			if there {
				require.Equal(s, configs, left)
			} else {
				pruned++
			}
		}
		require.LessOrEqual(s, len(now), len(was)+len(topics))

		after, _, err := s.r.read(s.Context(), reading{acls: true})
		require.NoError(s, err)
		want := map[Binding]bool{}
		for _, b := range all.ACLs {
			if !spec.Prune.ACLs || !spec.Scope.OwnsBinding(b) {
				want[b] = true
			} else {
				pruned++
			}
		}
		for _, a := range spec.ACLs {
			bindings, err := a.Bindings()
			require.NoError(s, err)
			for _, b := range bindings {
				if want[b] = true; a.State == Absent {
					delete(want, b)
				}
			}
		}
		left := map[Binding]bool{}
		for _, b := range after.ACLs {
			left[b] = true
		}
		require.Equal(s, want, left, "seed %d, state %d", seed, i)
		nowUsers, nowQuotas := s.identities(spec.Scope)
		if spec.Prune.Users {
			wasUsers = declaredOnly(wasUsers, spec)
		}
		require.Equal(s, afterUsers(wasUsers, spec), nowUsers, "seed %d, state %d", seed, i)
		require.Equal(s, afterQuotas(wasQuotas, spec), nowQuotas, "seed %d, state %d", seed, i)
		require.True(s, s.plan(s.r, foreign).Empty())
		require.True(s, s.plan(s.r, neighbours).Empty())

		// Nothing declared and everything pruned is an empty scope.
		s.apply(Spec{Scope: spec.Scope, Prune: Prune{Topics: true, ACLs: true, Users: true, Quotas: true, MaxCount: 1000, MaxPercent: 100}})
		require.Empty(s, s.topicConfigs(prefix))
		nowUsers, nowQuotas = s.identities(spec.Scope)
		require.Empty(s, nowUsers)
		require.Empty(s, nowQuotas)
	}
	s.apply(Spec{Scope: neighbours.Scope, Prune: Prune{Users: true, Quotas: true, MaxPercent: 100}})
	require.Greater(s, pruned, n)
}

// records deletes topics that hold records only where that is spelled out.
func records(s *site) {
	admin := s.Admin(s.T)
	s.apply(s.spec(`
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~empty", partitions: 3}
  - {name: "~full", partitions: 3}
  - {name: "~late", partitions: 1}
`))
	require.NoError(s, s.produces(admin, "full"))
	problems := func(yaml string) string {
		s.Helper()
		spec := s.spec(yaml)
		state, err := s.r.Observe(s.Context(), spec)
		require.NoError(s, err)
		_, err = spec.Plan(state)
		var problems holdfast.Problems
		require.ErrorAs(s, err, &problems)
		require.Len(s, problems, 1)
		return strings.ReplaceAll(problems[0].Message, s.prefix, "~")
	}
	const absent = `
scope: {topic_prefixes: ["~"]}
topics:
  - {name: "~empty", state: absent}
  - {name: "~full", state: absentFLAG}
  - {name: "~late", state: absent}
`
	require.Equal(s, `absent: "~full" holds records: delete_records: true beside it deletes them with the topic`,
		problems(strings.ReplaceAll(absent, "FLAG", "")))
	const prune = `
scope: {topic_prefixes: ["~"]}
prune: {topics: true, max_percent: 100FLAG}
topics: []
`
	require.Equal(s, "1 topic is not declared, and not known to be empty: declare them, or set prune.delete_records: true to delete them with their records: ~full",
		problems(strings.ReplaceAll(prune, "FLAG", "")))

	flagged := s.spec(strings.ReplaceAll(absent, "FLAG", ", delete_records: true"))
	plan := s.plan(s.r, flagged)
	require.Equal(s, strings.ReplaceAll(`- topic ~empty: empty, 3 partitions
- topic ~full: with its records, 3 partitions
- topic ~late: empty, 1 partitions
0 to create, 0 to update, 3 to delete
`, "~", s.prefix), plan.String())

	// What was empty when the plan was made, and is not any more, stays.
	require.NoError(s, s.produces(admin, "late"))
	report, err := s.r.Apply(s.Context(), plan)
	var stale *StaleError
	require.ErrorAs(s, err, &stale)
	require.Len(s, stale.Changes, 1)
	require.Equal(s, "partitions 1, replication factor "+fmt.Sprint(plan.Changes[2].Before.(TopicData).ReplicationFactor)+", records", stale.Changes[0].Found)
	require.Equal(s, 3, report.Count(holdfast.NotAttempted))

	s.apply(s.spec(strings.ReplaceAll(prune, "FLAG", ", delete_records: true")))
	require.Empty(s, s.topicConfigs(s.prefix))
}

// Offsets that could not be read count as records.
func TestPrune_OffsetsUnread(t *testing.T) {
	f := newFake(t)
	f.apply(parse(t, threeTopics))
	f.always(kmsg.ListOffsets, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.ListOffsetsRequest)
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, topic := range req.Topics {
			rt := kmsg.NewListOffsetsResponseTopic()
			rt.Topic = topic.Topic
			for _, p := range topic.Partitions {
				rp := kmsg.NewListOffsetsResponseTopicPartition()
				rp.Partition = p.Partition
				if topic.Topic == "a2" {
					rp.ErrorCode = kerr.TopicAuthorizationFailed.Code
				}
				rt.Partitions = append(rt.Partitions, rp)
			}
			if topic.Topic != "a3" { // which is not answered at all
				resp.Topics = append(resp.Topics, rt)
			}
		}
		return resp, nil, true
	})
	spec := Spec{Scope: parse(t, threeTopics).Scope, Prune: Prune{Topics: true, MaxPercent: 100}}
	plan := f.plan(spec)
	require.Equal(t, `- topic a1: empty, 1 partitions, not declared
? topic-records a2: could not be read: list offsets of partition 0: TOPIC_AUTHORIZATION_FAILED: needs Describe on the topic
? topic-records a3: could not be read: list offsets of partition 0: the brokers left it out of their answers
0 to create, 0 to update, 1 to delete, 2 unread
`, plan.String())

	spec.Prune.DeleteRecords = true
	require.Equal(t, `- topic a1: empty, 1 partitions, not declared
- topic a2: with any records that it holds, 2 partitions, not declared
- topic a3: with any records that it holds, 3 partitions, not declared
0 to create, 0 to update, 3 to delete
`, f.plan(spec).String())
}

// A binding of a later Kafka is said to be there, and left.
func TestPrune_UnknownBinding(t *testing.T) {
	spec := Spec{Scope: Scope{Principals: []string{"User:a"}}, Prune: Prune{ACLs: true, MaxPercent: 100}}
	plan, err := spec.Plan(State{ACLs: []Binding{
		{"User:a", "*", "Unknown(98)", Allow, Resource{ResourceTopic, "t", Literal}},
		{"User:a", "*", Read, Allow, Resource{"Unknown(99)", "t", Literal}},
		{"User:a", "*", Read, Allow, Resource{ResourceTopic, "t", "Unknown(7)"}},
		{"User:a", "*", Read, "Unknown(7)", Resource{ResourceTopic, "t", Literal}},
	}})
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
	require.Len(t, plan.Unread, 4)
	require.ErrorContains(t, plan.Unread[0].Err, "not declared, and cannot be revoked")
}

// Whatever the state, what is pruned is in scope, not declared and not
// protected, and never more than the limits.
func TestPrune_Laws(t *testing.T) {
	refused := 0
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 3))
		spec, state := withIdentities(rng, randomSpec(rng, "p"), "p"), randomState(rng, "p")
		for i := range spec.Users {
			if spec.Users[i].State != Absent {
				spec.Users[i].Password = "env:P"
			}
		}
		state.Users = map[string]map[ScramMechanism]int32{}
		for _, name := range []string{"pu", "pua", "qu"} {
			state.Users[name] = map[ScramMechanism]int32{ScramSHA256: 4096 + rng.Int32N(2), ScramSHA512: 4096}
		}
		for _, q := range append(randomQuotaList(rng, "p"), Quota{User: "qu", ProducerByteRate: 1}) {
			if q.State != Absent && len(q.limits()) > 0 {
				state.Quotas = append(state.Quotas, QuotaState{q.Entity(), q.limits()})
			}
		}
		if rng.IntN(3) == 0 {
			state.Self = Self{"User:pua", "pua", ScramSHA256}
		}
		if rng.IntN(3) == 0 {
			state.BrokerMechanisms = []ScramMechanism{ScramSHA512}
		}
		for _, name := range []string{"_p", "q", "p-internal"} {
			state.Topics[name] = TopicState{Partitions: 1, ReplicationFactor: 1, Internal: name == "p-internal", Records: RecordsNone}
		}
		for range 5 {
			state.ACLs = append(state.ACLs, randomBinding(rng, "q"))
		}
		spec.Scope.TopicPrefixes = append(spec.Scope.TopicPrefixes, "_p")
		spec.Prune = Prune{Topics: rng.IntN(2) == 0, ACLs: rng.IntN(2) == 0, Configs: rng.IntN(2) == 0,
			Users: rng.IntN(3) == 0, Quotas: rng.IntN(3) == 0, MaxCount: 1 + rng.IntN(10), MaxPercent: 1 + rng.IntN(100)}
		plan, err := spec.Plan(state)
		if err != nil {
			var problems holdfast.Problems
			require.ErrorAs(t, err, &problems)
			refused++
			continue
		}
		n := map[string]int{}
		for _, c := range plan.Changes {
			if c.Reason != reasonNotDeclared {
				continue
			}
			n[c.Kind]++
			switch c.Kind {
			case KindTopic:
				require.True(t, spec.Prune.Topics && spec.Scope.OwnsTopic(c.Name) && protectedTopic(c.Name) == "" && !state.Topics[c.Name].Internal)
			case KindACL:
				require.True(t, spec.Prune.ACLs && spec.Scope.OwnsBinding(c.binding()))
			case KindScramUser:
				cred := c.credential()
				require.True(t, spec.Prune.Users && spec.Scope.OwnsUser(cred.User))
				require.NotEqual(t, state.Self.User, cred.User)
				require.NotContains(t, state.BrokerMechanisms, cred.Mechanism)
			case KindQuota:
				require.True(t, spec.Prune.Quotas && spec.Scope.OwnsQuota(c.quota().QuotaEntity))
			}
		}
		for _, pruned := range n {
			require.LessOrEqual(t, pruned, spec.Prune.MaxCount)
		}
		require.Empty(t, errors.Unwrap(plan.check("")))
	}
	require.Positive(t, refused)
	require.Less(t, refused, 900)
}

// A key goes with DELETE: a SET without a value is an error to a real broker, and
// the embedded one takes it for the same.
func TestPrune_UnsetsWithDelete(t *testing.T) {
	f := newFake(t)
	spec := Spec{Scope: Scope{Topics: []string{"a"}}, Topics: []Topic{{Name: "a", Partitions: 1, Configs: map[string]string{"retention.ms": "1", "segment.bytes": "1048576"}}}}
	f.apply(spec)
	var ops []kmsg.IncrementalAlterConfigOp
	f.once(kmsg.IncrementalAlterConfigs, func(req kmsg.Request) (kmsg.Response, error, bool) {
		for _, c := range req.(*kmsg.IncrementalAlterConfigsRequest).Resources[0].Configs {
			ops = append(ops, c.Op)
		}
		return nil, nil, false
	})
	spec.Topics[0].Configs = map[string]string{"retention.ms": "2"}
	spec.Prune = Prune{Configs: true}
	f.apply(spec)
	require.Equal(t, []kmsg.IncrementalAlterConfigOp{kmsg.IncrementalAlterConfigOpSet, kmsg.IncrementalAlterConfigOpDelete}, ops)
	require.True(t, f.plan(spec).Empty())
}
