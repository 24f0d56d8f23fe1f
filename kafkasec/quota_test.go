package kafkasec

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
)

func TestFake_QuotaLifecycle(t *testing.T) { quotaLifecycle(newSite(t, conform.NewFake(t))) }
func TestFake_DeniedQuotas(t *testing.T)   { deniedQuotas(newSite(t, conform.NewFake(t))) }
func TestFake_RandomQuotas(t *testing.T)   { randomQuotas(newSite(t, conform.NewFake(t)), 400) }
func TestFake_LostQuotaAnswers(t *testing.T) {
	lostQuotaAnswers(newSite(t, conform.NewFake(t)))
}
func TestFake_StaleQuota(t *testing.T) { staleQuota(newSite(t, conform.NewFake(t))) }

// quotaLifecycle has every kind of entity and limit, which another tool
// describes as they were declared.
func quotaLifecycle(s *site) {
	s.r.Resolve = passwordOf
	const scope = `
scope: {principals: ["User:~a", "User:~new"], client_ids: ["~c"], ips: [203.0.113.7, 203.0.113.8, "2001:db8::7"], quota_defaults: [user, client_id, ip]}
`
	spec := s.spec(scope + `
users:
  - {name: "~new", mechanisms: [SCRAM-SHA-256], password: "env:NEW"}
quotas:
  - {user: "~a", producer_byte_rate: 1048576, consumer_byte_rate: 2097152, request_percentage: 12.5, controller_mutation_rate: 0.75}
  - {user: "~a", client_id: "~c", request_percentage: 50}
  - {user: "~a", client_id_default: true, producer_byte_rate: 1}
  - {user: "~new", producer_byte_rate: 100}
  - {client_id: "~c", consumer_byte_rate: 7}
  - {user_default: true, client_id: "~c", producer_byte_rate: 9007199254740992}
  - {user_default: true, controller_mutation_rate: 1000000}
  - {client_id_default: true, request_percentage: 10000}
  - {user_default: true, client_id_default: true, request_percentage: 10000}
  - {ip: 203.0.113.7, connection_creation_rate: 10}
  - {ip: "2001:db8::7", connection_creation_rate: 11}
  - {ip_default: true, connection_creation_rate: 2147483647}
`)
	ip6 := slices.IndexFunc(spec.Quotas, func(q Quota) bool { return q.IP == "2001:db8::7" })
	if s.Kind() == conform.ZooKeeper {
		// Brokers there take the colons in their own encoding for the address.
		report, err := s.r.Apply(s.Context(), s.plan(s.r, Spec{Scope: spec.Scope, Quotas: spec.Quotas[ip6 : ip6+1]}))
		require.ErrorIs(s, err, kerr.InvalidRequest)
		require.Equal(s, []string{"failed create quota ip 2001:db8::7"}, s.outcomes(report))
		spec.Quotas[ip6].IP = "203.0.113.8"
	}
	report := s.apply(spec)
	require.Len(s, report.Outcomes, 13)
	require.Equal(s, KindScramUser, report.Outcomes[12].Kind)

	described, err := kadm.NewClient(s.r.Client).DescribeClientQuotas(s.Context(), false, nil)
	require.NoError(s, err)
	var got []string
	for _, d := range described {
		var line []string
		for _, e := range d.Entity {
			name := "<default>"
			if e.Name != nil {
				name = *e.Name
			}
			line = append(line, e.Type+"="+name)
		}
		slices.Sort(line)
		var values []string
		for _, v := range d.Values {
			values = append(values, v.Key+"="+number(v.Value))
		}
		slices.Sort(values)
		got = append(got, strings.ReplaceAll(strings.Join(append(line, values...), " "), s.prefix, "~"))
	}
	slices.Sort(got)
	want := []string{
		"client-id=<default> request_percentage=10000",
		"client-id=<default> user=<default> request_percentage=10000",
		"client-id=<default> user=~a producer_byte_rate=1",
		"client-id=~c consumer_byte_rate=7",
		"client-id=~c user=<default> producer_byte_rate=9007199254740992",
		"client-id=~c user=~a request_percentage=50",
		"ip=203.0.113.7 connection_creation_rate=10",
		"ip=" + spec.Quotas[ip6].IP + " connection_creation_rate=11",
		"ip=<default> connection_creation_rate=2147483647",
		"user=<default> controller_mutation_rate=1000000",
		"user=~a consumer_byte_rate=2097152 controller_mutation_rate=0.75 producer_byte_rate=1048576 request_percentage=12.5",
		"user=~new producer_byte_rate=100",
	}
	slices.Sort(want)
	require.Equal(s, want, got)

	// What is not declared any more stays.
	require.Equal(s, []string{
		"applied update quota user ~a",
		"applied delete scram-user ~new SCRAM-SHA-256",
		"applied delete quota user ~new",
	}, s.outcomes(s.apply(s.spec(scope+`
users:
  - {name: "~new", mechanisms: [SCRAM-SHA-256], state: absent}
quotas:
  - {user: "~a", producer_byte_rate: 5, consumer_byte_rate: 2097152}
  - {user: "~new", state: absent}
  - {user: "~new", client_id: "~c", state: absent}
`))))
	rest := s.spec(scope + `
quotas:
  - {user: "~a", state: absent}
  - {user: "~a", client_id: "~c", state: absent}
  - {user: "~a", client_id_default: true, state: absent}
  - {client_id: "~c", state: absent}
  - {user_default: true, client_id: "~c", state: absent}
  - {user_default: true, state: absent}
  - {client_id_default: true, state: absent}
  - {user_default: true, client_id_default: true, state: absent}
  - {ip: 203.0.113.7, state: absent}
  - {ip: "2001:db8::7", state: absent}
  - {ip_default: true, state: absent}
`)
	rest.Quotas[ip6-1].IP = spec.Quotas[ip6].IP

	// A limit by itself: with another that is set, alone, and the last one.
	require.Equal(s, []string{
		"applied update quota user ~a",
		"applied update quota client_id ~c",
		"applied update quota ip 203.0.113.7",
	}, s.outcomes(s.apply(s.spec(scope+`
quotas:
  - {user: "~a", producer_byte_rate: 6, absent_limits: [consumer_byte_rate, request_percentage]}
  - {client_id: "~c", absent_limits: [consumer_byte_rate, producer_byte_rate]}
  - {ip: 203.0.113.7, absent_limits: [connection_creation_rate]}
`))))
	state, err := s.r.Observe(s.Context(), rest)
	require.NoError(s, err)
	require.Equal(s, map[string]float64{"producer_byte_rate": 6, "controller_mutation_rate": 0.75}, state.quotas()[QuotaEntity{User: s.prefix + "a"}])
	require.NotContains(s, state.quotas(), QuotaEntity{ClientID: s.prefix + "c"})
	require.NotContains(s, state.quotas(), QuotaEntity{IP: "203.0.113.7"})

	require.Len(s, s.apply(rest).Outcomes, 9)
	described, err = kadm.NewClient(s.r.Client).DescribeClientQuotas(s.Context(), false, nil)
	require.NoError(s, err)
	require.Empty(s, described)
}

// deniedQuotas has an applier without rights on the cluster, then one that may look.
func deniedQuotas(s *site) {
	spec := s.spec(`
scope: {principals: ["User:~a"]}
quotas:
  - {user: "~a", producer_byte_rate: 1}
`)
	r := &Reconciler{Client: s.User(s.T, s.prefix+"nobody")}
	plan := s.plan(r, spec)
	require.Empty(s, plan.Changes)
	require.Len(s, plan.Unread, 1)
	require.ErrorIs(s, plan.Unread[0].Err, kerr.ClusterAuthorizationFailed)

	s.apply(s.spec(`
scope: {principals: ["User:~nobody"]}
acls:
  - {principal: "User:~nobody", operations: [DescribeConfigs], resource: "cluster"}
`))
	report, err := r.Apply(s.Context(), s.plan(r, spec))
	require.ErrorIs(s, err, kerr.ClusterAuthorizationFailed)
	require.ErrorContains(s, err, "needs AlterConfigs on the cluster")
	require.Equal(s, []string{"failed create quota user ~a"}, s.outcomes(report))
}

func lostQuotaAnswers(s *site) {
	for lose := 1; lose <= 2; lose++ {
		s.apply(s.spec(`
scope: {principals: ["User:~a", "User:~b"]}
quotas:
  - {user: "~a", producer_byte_rate: 1}
  - {user: "~b", producer_byte_rate: 1}
`))
		spec := s.spec(`
scope: {principals: ["User:~a", "User:~b"]}
quotas:
  - {user: "~a", producer_byte_rate: 2, consumer_byte_rate: 2}
  - {user: "~b", state: absent}
`)
		wire := &gate{keys: []kmsg.Key{kmsg.AlterClientQuotas}, lose: lose}
		r := &Reconciler{Client: s.Admin(s.T, kgo.Dialer(wire.dial), kgo.RequestRetries(1))}
		plan := s.plan(r, spec)
		require.Len(s, plan.Changes, 2)
		report, err := r.Apply(s.Context(), plan)
		require.NoError(s, err)
		require.True(s, report.Converged(), report)
		s.requireTrue(plan, report)
		require.True(s, s.plan(s.r, spec).Empty())
	}
	s.apply(s.spec("scope: {principals: [\"User:~a\"]}\nquotas: [{user: \"~a\", state: absent}]\n"))
}

// staleQuota has somebody else change a quota meanwhile: the limit that a plan
// is about, or one that a deletion would lift unseen.
func staleQuota(s *site) {
	with := func(fields string) Spec {
		return s.spec("scope: {principals: [\"User:~a\"]}\nquotas: [{user: \"~a\", " + fields + "}]\n")
	}
	var stale *StaleError
	create := s.plan(s.r, with("producer_byte_rate: 1"))
	s.apply(with("consumer_byte_rate: 3"))
	_, err := s.r.Apply(s.Context(), create)
	require.ErrorAs(s, err, &stale)
	require.Equal(s, "consumer_byte_rate=3", stale.Changes[0].Found)

	remove := s.plan(s.r, with("state: absent"))
	s.apply(with("producer_byte_rate: 1"))
	_, err = s.r.Apply(s.Context(), remove)
	require.ErrorAs(s, err, &stale)
	s.apply(with("state: absent"))
	report, err := s.r.Apply(s.Context(), remove)
	require.NoError(s, err)
	require.Equal(s, []string{"unchanged/already-gone delete quota user ~a"}, s.outcomes(report))
}

// randomQuotas goes from one random desired state to the next, and holds the
// brokers against a model. Defaults are everybody's, so they are not touched.
func randomQuotas(s *site, n int) {
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	model := map[QuotaEntity]map[string]float64{}
	all := Spec{Scope: quotaScope(s.prefix)}
	for _, e := range quotaEntities(s.prefix) {
		all.Quotas = append(all.Quotas, quotaOf(e))
		all.Quotas[len(all.Quotas)-1].State = Absent
	}
	for i := range n {
		spec := Spec{Scope: quotaScope(s.prefix), Quotas: randomQuotaList(rng, s.prefix)}
		s.apply(spec)
		for _, q := range spec.Quotas {
			e := q.Entity()
			if q.State == Absent {
				delete(model, e)
				continue
			}
			if model[e] == nil {
				model[e] = map[string]float64{}
			}
			for k, v := range q.limits() {
				model[e][k] = v
			}
			for _, k := range q.AbsentLimits {
				delete(model[e], k)
			}
			if len(model[e]) == 0 {
				delete(model, e)
			}
		}
		state, err := s.r.Observe(s.Context(), all)
		require.NoError(s, err)
		require.Equal(s, model, state.quotas(), "seed %d, state %d", seed, i)
	}
	s.apply(all)
}

func quotaScope(prefix string) Scope {
	s := identityScope(prefix)
	s.ClientIDs, s.IPs = []string{prefix + "c", prefix + "d,e=f"}, []string{"203.0.113.9"}
	return s
}

// quotaEntities are of a few users and client ids, odd names among them.
func quotaEntities(prefix string) []QuotaEntity {
	es := []QuotaEntity{{ClientID: prefix + "c"}, {ClientID: prefix + "d,e=f"}, {IP: "203.0.113.9"}}
	for _, name := range someUsers {
		u := prefix + "u" + name
		es = append(es, QuotaEntity{User: u}, QuotaEntity{User: u, ClientID: prefix + "c"}, QuotaEntity{User: u, ClientIDDefault: true})
	}
	return es
}

func quotaOf(e QuotaEntity) Quota {
	return Quota{User: e.User, UserDefault: e.UserDefault, ClientID: e.ClientID, ClientIDDefault: e.ClientIDDefault, IP: e.IP, IPDefault: e.IPDefault}
}

func randomQuotaList(rng *rand.Rand, prefix string) (quotas []Quota) {
	for _, e := range quotaEntities(prefix) {
		q := quotaOf(e)
		switch kind := rng.IntN(5); {
		case kind < 2:
			continue
		case kind == 2:
			q.State = Absent
		case e.IP != "":
			q.ConnectionCreationRate = 1 + rng.Int32N(3)
		default:
			q.ProducerByteRate, q.ConsumerByteRate = rng.Int64N(3), rng.Int64N(3)
			q.RequestPercentage, q.ControllerMutationRate = float64(rng.IntN(4))/4, float64(rng.IntN(3))/2
			for _, k := range []string{"consumer_byte_rate", "producer_byte_rate", "request_percentage"} {
				if _, set := q.limits()[k]; !set && rng.IntN(2) == 0 {
					q.AbsentLimits = append(q.AbsentLimits, k)
				}
			}
			if len(q.limits())+len(q.AbsentLimits) == 0 {
				q.ConsumerByteRate = 1
			}
		}
		quotas = append(quotas, q)
	}
	return quotas
}

func TestPlan_LawsOfQuotas(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		spec := Spec{Scope: quotaScope("p"), Quotas: randomQuotaList(rng, "p"), Users: randomUsers(rng, "p")}
		for i := range spec.Users {
			if spec.Users[i].State != Absent {
				spec.Users[i].Password = "env:P"
			}
		}
		state := State{}
		for _, q := range randomQuotaList(rng, "p") {
			if q.State != Absent {
				state.Quotas = append(state.Quotas, QuotaState{q.Entity(), q.limits()})
			}
		}
		requireRoundTrip(t, spec)
		plan, err := spec.Plan(state)
		require.NoError(t, err)
		text, err := json.Marshal(plan)
		require.NoError(t, err)
		shuffle(rng, spec.Quotas)
		shuffle(rng, state.Quotas)
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

func TestParsePlan_RejectsQuotas(t *testing.T) {
	const head = `{"plan":"kafkasec","version":1,"cluster":"c","observed":"","changes":[`
	create := `{"action":"create","kind":"quota","name":"user a","reason":"","before":null,"after":{"user":"a","limits":{"producer_byte_rate":1}}}`
	update := `{"action":"update","kind":"quota","name":"user a","reason":"","before":{"user":"a","limits":{"producer_byte_rate":null}},"after":{"user":"a","limits":{"producer_byte_rate":1}}}`
	lift := `{"action":"update","kind":"quota","name":"user b","reason":"","before":{"user":"b","limits":{"producer_byte_rate":1}},"after":{"user":"b","limits":{"producer_byte_rate":null}}}`
	remove := `{"action":"delete","kind":"quota","name":"user a","reason":"","before":{"user":"a","limits":{"of_the_future":1}},"after":null}`
	for name, c := range map[string]struct{ data, old, new, want string }{
		"for nobody":       {create, `"user":"a",`, "", "for nobody"},
		"another name":     {create, `"name":"user a"`, `"name":"user b"`, "does not say what the change does"},
		"no limits":        {create, `"producer_byte_rate":1`, "", "names no limit"},
		"no value":         {create, `:1}`, `:null}`, "has no value"},
		"zero":             {create, `:1}`, `:0}`, "more than 0"},
		"an unknown limit": {create, "producer_byte_rate", "of_the_future", `limit "of_the_future"`},
		"of an address":    {create, "producer_byte_rate", connectionRate, "limit of addresses"},
		"unknown field":    {create, `"user":"a"`, `"group":"a"`, "unknown field"},
		"other limits":     {update, `"before":{"user":"a","limits":{"producer_byte_rate"`, `"before":{"user":"a","limits":{"consumer_byte_rate"`, "same limits"},
		"of another":       {update, `"before":{"user":"a"`, `"before":{"user":"b"`, "same limits"},
		"lifts nothing":    {update, `:1}`, `:null}`, "has no value"},
		"lifts unknown":    {lift, "producer_byte_rate", "of_the_future", `limit "of_the_future"`},
		"lifts of another": {lift, "producer_byte_rate", connectionRate, "limit of addresses"},
		"lifts too early":  {lift + "," + create, "", "", "out of order"},
		"update to gone":   {remove, `"delete"`, `"update"`, "wrong before or after"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, c.data, c.old)
			_, err := ParsePlan("plan.json", []byte(head+strings.ReplaceAll(c.data, c.old, c.new)+"]}"))
			require.ErrorContains(t, err, c.want)
		})
	}
	for _, data := range []string{create, update, lift, remove, create + "," + lift} {
		_, err := ParsePlan("plan.json", []byte(head+data+"]}"))
		require.NoError(t, err)
	}
}

// A quota of a user and a client id without a name is not that of the user: it
// would be taken for a limit that is there, or be lifted as one.
func TestObserve_QuotaOfANamelessClient(t *testing.T) {
	f := newFake(t)
	f.always(kmsg.DescribeClientQuotas, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeClientQuotasResponse)
		entry := kmsg.NewDescribeClientQuotasResponseEntry()
		for typ, name := range map[string]string{"user": "a", "client-id": ""} {
			part := kmsg.NewDescribeClientQuotasResponseEntryEntity()
			part.Type, part.Name = typ, &name
			entry.Entity = append(entry.Entity, part)
		}
		value := kmsg.NewDescribeClientQuotasResponseEntryValue()
		value.Key, value.Value = "producer_byte_rate", 1
		entry.Values = append(entry.Values, value)
		resp.Entries = append(resp.Entries, entry)
		return resp, nil, true
	})
	spec := Spec{Scope: Scope{Principals: []string{"User:a"}}, Prune: Prune{Quotas: true, MaxPercent: 100},
		Quotas: []Quota{{User: "a", ConsumerByteRate: 1}}}
	state, err := f.r.Observe(t.Context(), spec)
	require.NoError(t, err)
	require.Empty(t, state.Quotas)
	plan, err := spec.Plan(state)
	require.NoError(t, err)
	require.Equal(t, "+ quota user a: consumer_byte_rate=1\n1 to create, 0 to update, 0 to delete\n", plan.String())
}

// What is lifted goes as a removal, and not as a limit of zero.
func TestApply_LiftsWithRemove(t *testing.T) {
	f := newFake(t)
	spec := Spec{Scope: Scope{Principals: []string{"User:a"}}, Quotas: []Quota{{User: "a", ProducerByteRate: 1, ConsumerByteRate: 2, RequestPercentage: 3}}}
	f.apply(spec)
	var ops []string
	f.always(kmsg.AlterClientQuotas, func(req kmsg.Request) (kmsg.Response, error, bool) {
		for _, op := range req.(*kmsg.AlterClientQuotasRequest).Entries[0].Ops {
			ops = append(ops, fmt.Sprintf("%s %v %t", op.Key, op.Value, op.Remove))
		}
		return nil, nil, false
	})
	spec.Quotas[0] = Quota{User: "a", ProducerByteRate: 4, AbsentLimits: []string{"consumer_byte_rate"}}
	f.apply(spec)
	spec.Quotas[0] = Quota{User: "a", State: Absent}
	f.apply(spec)
	require.Equal(t, []string{"consumer_byte_rate 0 true", "producer_byte_rate 4 false", "producer_byte_rate 0 true", "request_percentage 0 true"}, ops)
}

// YAML cannot say these, Go can.
func TestValidate_QuotasOfGoValues(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		spec := Spec{Scope: Scope{ClientIDs: []string{"c"}}, Quotas: []Quota{{ClientID: "c", RequestPercentage: v}}}
		require.ErrorContains(t, spec.Validate(), "allowed is more than 0")
	}
}

// What is of a user is owned through the principal, whatever the client id.
func TestScope_OwnsQuota(t *testing.T) {
	s := Scope{Principals: []string{"User:a"}, ClientIDs: []string{"c"}, IPs: []string{"10.0.0.1"}, QuotaDefaults: []string{"client_id"}}
	for _, e := range []QuotaEntity{{User: "a"}, {User: "a", ClientID: "x"}, {User: "a", ClientIDDefault: true}, {ClientID: "c"}, {ClientIDDefault: true}, {IP: "10.0.0.1"}} {
		require.True(t, s.OwnsQuota(e), e)
	}
	for _, e := range []QuotaEntity{{}, {User: "b"}, {User: "b", ClientID: "c"}, {UserDefault: true}, {UserDefault: true, ClientID: "c"}, {ClientID: "d"}, {IP: "10.0.0.2"}, {IPDefault: true}} {
		require.False(t, s.OwnsQuota(e), e)
	}
}
