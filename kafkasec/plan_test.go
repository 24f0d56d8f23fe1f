package kafkasec

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestPlan_Golden(t *testing.T) {
	golden(t, "testdata/plan/*.txtar", func(t *testing.T, in map[string][]byte) string {
		var state State
		require.NoError(t, strictJSON(in["state.json"], &state))
		plan, err := parse(t, string(in["spec.yaml"])).Plan(state)
		if err != nil {
			require.Empty(t, plan)
			return err.Error()
		}
		require.Equal(t, len(plan.Changes)+len(plan.Unread) == 0, plan.Empty())
		return plan.String()
	})
}

// JSON is a contract: names and shapes as documented, and nothing is lost.
func TestPlan_JSON(t *testing.T) {
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topics: [orders], principals: ["User:app"]}
topics:
  - {name: orders, partitions: 6, configs: {retention.ms: 1000}}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:orders*"}
`)
	plan, err := spec.Plan(State{Cluster: "c1", Brokers: 3, Topics: map[string]TopicState{"orders": {Partitions: 3, ReplicationFactor: 1}},
		Unread: []Unread{{KindACL, "*", errors.New("denied")}}})
	require.NoError(t, err)
	plan.Changes = append(plan.Changes, Change{holdfast.ActionCreate, KindACL, "x", "does not exist", nil,
		Binding{"User:app", "*", Read, Allow, Resource{ResourceTopic, "orders", Prefixed}}})
	plan.Observed = "sha256:0"
	got, err := json.MarshalIndent(plan, "", " ")
	require.NoError(t, err)
	require.JSONEq(t, `{"plan":"kafkasec","version":1,"cluster":"c1","observed":"sha256:0","changes":[
  {"action":"update","kind":"topic-partitions","name":"orders","reason":"more partitions are declared; records with a key go to other partitions from then on",
   "before":{"partitions":3},"after":{"partitions":6}},
  {"action":"update","kind":"topic-config","name":"orders","reason":"declared configs differ",
   "before":{"configs":{"retention.ms":null}},"after":{"configs":{"retention.ms":"1000"}}},
  {"action":"create","kind":"acl","name":"x","reason":"does not exist","before":null,
   "after":{"principal":"User:app","host":"*","operation":"Read","permission":"allow","resource":"topic:orders*","pattern":"prefixed"}}],
 "unread":[{"kind":"acl","name":"*","error":"denied"}]}`, string(got))
}

// Equal input gives an equal plan, byte for byte, in whatever order it comes;
// a saved plan is the plan; no grant is after a revocation.
func TestPlan_Laws(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		spec, state := randomSpec(rng, "p"), randomState(rng, "p")
		plan, err := spec.Plan(state)
		require.NoError(t, err)
		text, err := json.Marshal(plan)
		require.NoError(t, err)

		shuffle(rng, spec.Topics)
		shuffle(rng, spec.ACLs)
		shuffle(rng, state.ACLs)
		again, err := spec.Plan(state)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(plan, again))

		read, err := ParsePlan("plan.json", text)
		require.NoError(t, err, plan)
		require.Empty(t, cmp.Diff(plan, read))

		require.True(t, slices.IsSortedFunc(plan.Changes, func(a, b Change) int { return int(a.stage()) - int(b.stage()) }))
		require.NotContains(t, strings.Split(strings.TrimSuffix(plan.String(), "\n"), "\n"), "")
	}
}

// At every step, who may do what lies between before and after: nothing that
// both give is missing, and nothing that neither gives is there.
func TestPlan_NoMomentWithLessOrMoreAccess(t *testing.T) {
	allowed := func(acls map[Binding]bool, who Binding) bool {
		match := func(b Binding) bool {
			r := b.Resource
			name := r.Name == "*" || r.Name == who.Resource.Name || r.Pattern == Prefixed && strings.HasPrefix(who.Resource.Name, r.Name)
			return r.Type == who.Resource.Type && name && (b.Principal == who.Principal || b.Principal == "User:*") &&
				(b.Operation == who.Operation || b.Operation == All) && (b.Host == "*" || b.Host == who.Host)
		}
		ok := false
		for b := range acls {
			if match(b) && b.Permission == Deny {
				return false
			}
			ok = ok || match(b)
		}
		return ok
	}
	decided := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 2))
		spec, state := randomSpec(rng, "p"), randomState(rng, "p")
		plan, err := spec.Plan(state)
		require.NoError(t, err)
		acls := newLive(state).acls
		questions := make([]Binding, 40)
		for i := range questions {
			questions[i] = randomBinding(rng, "p")
			questions[i].Resource.Pattern = Literal
			questions[i].Host = "10.0.0.1"
		}
		steps := [][]bool{answerAll(allowed, acls, questions)}
		for _, c := range plan.Changes {
			if c.Kind != KindACL {
				continue
			}
			if c.After != nil {
				acls[c.binding()] = true
			} else {
				delete(acls, c.binding())
			}
			steps = append(steps, answerAll(allowed, acls, questions))
		}
		first, last := steps[0], steps[len(steps)-1]
		for _, s := range steps {
			for i := range questions {
				if first[i] == last[i] {
					require.Equal(t, first[i], s[i], "%s\n%s", questions[i], plan)
					decided++
				}
			}
		}
	}
	require.Greater(t, decided, 10_000)
}

func answerAll(allowed func(map[Binding]bool, Binding) bool, acls map[Binding]bool, questions []Binding) []bool {
	out := make([]bool, len(questions))
	for i, q := range questions {
		out[i] = allowed(acls, q)
	}
	return out
}

func shuffle[T any](rng *rand.Rand, s []T) {
	rng.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
}

// The hash names what the plan was made from; foreign changes are not part of it.
func TestPlan_ObservedHash(t *testing.T) {
	spec := Spec{Scope: Scope{Topics: []string{"a"}, Principals: []string{"User:app"}}, Topics: []Topic{{Name: "a", Partitions: 2}}}
	base := State{Cluster: "c", Brokers: 1, Topics: map[string]TopicState{"a": {Partitions: 1, ReplicationFactor: 1}}}
	hash := func(change func(*State)) string {
		s := base
		change(&s)
		p, err := spec.Plan(s)
		require.NoError(t, err)
		return p.Observed
	}
	same := hash(func(*State) {})
	require.Equal(t, same, hash(func(s *State) {
		s.ACLs = []Binding{{"User:other", "*", Read, Allow, Resource{ResourceTopic, "b", Literal}}}
		s.OtherTopics = []string{"b"}
	}))
	require.NotEqual(t, same, hash(func(s *State) {
		s.ACLs = []Binding{{"User:app", "*", Read, Allow, Resource{ResourceTopic, "b", Literal}}}
	}))
	require.NotEqual(t, same, hash(func(s *State) { s.Cluster = "d" }))
}

// A range that an older cluster stored matches nobody there: granting it is a
// mistake, revoking it is not.
func TestPlan_RangeOnAnOldCluster(t *testing.T) {
	a := ACL{Principal: "User:app", Operations: []Operation{Read}, Resource: "topic:a", Host: "10.0.0.0/8"}
	spec := Spec{Scope: Scope{Topics: []string{"a"}}, ACLs: []ACL{a}}
	stored, err := a.Bindings()
	require.NoError(t, err)
	_, err = spec.Plan(State{})
	require.ErrorContains(t, err, "acls[0].host: \"10.0.0.0/8\": CIDR hosts need Kafka 4.4")
	spec.ACLs[0].State = Absent
	plan, err := spec.Plan(State{ACLs: stored})
	require.NoError(t, err)
	require.Len(t, plan.Changes, 1)
}

func TestParsePlan_Rejects(t *testing.T) {
	const head = `{"plan":"kafkasec","version":1,"cluster":"c","observed":"","changes":[`
	acl := `{"action":"create","kind":"acl","name":"allow User:a Read on topic:t from *","reason":"","before":null,"after":{"principal":"User:a","host":"*","operation":"Read","permission":"allow","resource":"topic:t","pattern":"literal"}}`
	topic := `{"action":"create","kind":"topic","name":"t","reason":"","before":null,"after":{"partitions":1}}`
	for name, c := range map[string]struct{ data, want string }{
		"empty":               {``, "EOF"},
		"cut short":           {head + topic, "unexpected EOF"},
		"without changes":     {`{"plan":"kafkasec","version":1}`, "changes: missing"},
		"trailing data":       {head + "]}{}", "more data"},
		"unknown field":       {`{"plan":"kafkasec","version":1,"prune":true}`, `unknown field "prune"`},
		"other package":       {`{"plan":"k3s","version":1,"changes":[]}`, `"k3s": allowed is kafkasec`},
		"other version":       {`{"plan":"kafkasec","version":2,"changes":[]}`, "2: this version reads 1"},
		"unknown kind":        {head + strings.Replace(topic, `"topic"`, `"connector"`, 1) + "]}", `kind "connector"`},
		"unknown action":      {head + strings.Replace(topic, "create", "recreate", 1) + "]}", "allowed are create, update and delete"},
		"nothing after":       {head + strings.Replace(topic, `{"partitions":1}`, "null", 1) + "]}", "wrong before or after"},
		"illegal name":        {head + strings.Replace(topic, `"t"`, `"a b"`, 1) + "]}", "illegal character"},
		"name of another acl": {head + strings.Replace(acl, "allow User:a Read", "allow User:a Write", 1) + "]}", "does not say what the change does"},
		"unknown operation":   {head + strings.Replace(acl, `"Read"`, `"Fly"`, 1) + "]}", `operation "Fly"`},
		"bad permission":      {head + strings.Replace(acl, `"allow"`, `"maybe"`, 1) + "]}", `permission "maybe"`},
		"bad principal":       {head + strings.ReplaceAll(acl, "User:a", "a") + "]}", "has no type"},
		"bad resource":        {head + strings.Replace(acl, `"topic:t"`, `"t"`, 1) + "]}", `resource "t"`},
		"bad host":            {head + strings.Replace(strings.Replace(acl, `"host":"*"`, `"host":"nope"`, 1), "from *", "from nope", 1) + "]}", "nope"},
		"twice":               {head + topic + "," + topic + "]}", "already"},
		"out of order":        {head + acl + "," + topic + "]}", "out of order"},
		"shrinking":           {head + `{"action":"update","kind":"topic-partitions","name":"t","before":{"partitions":3},"after":{"partitions":2}}]}`, "only grow"},
		"config without key":  {head + `{"action":"update","kind":"topic-config","name":"t","before":{},"after":{"configs":{"a":"1"}}}]}`, "same configs"},
		"config to nothing":   {head + `{"action":"update","kind":"topic-config","name":"t","before":{"configs":{"a":null}},"after":{"configs":{"a":null}}}]}`, "a value in one of them"},
		"records not said":    {head + `{"action":"delete","kind":"topic","name":"t","before":{"partitions":1},"after":null}]}`, "records before"},
		"records after":       {head + strings.Replace(topic, `:1}`, `:1,"records":"none"}`, 1) + "]}", "only before a delete"},
		"negative":            {head + strings.Replace(topic, `:1}`, `:-1}`, 1) + "]}", "negative"},
		"delete of anything":  {head + `{"action":"delete","kind":"topic","name":"t","before":{},"after":null}]}`, "needs the partitions before"},
		"more than its kind":  {head + `{"action":"update","kind":"topic-partitions","name":"t","before":{"partitions":1},"after":{"partitions":2,"configs":{"a":"1"}}}]}`, "nothing else"},
		"configs and more":    {head + `{"action":"update","kind":"topic-config","name":"t","before":{"partitions":1,"configs":{"a":null}},"after":{"configs":{"a":"1"}}}]}`, "nothing else"},
		"replication to none": {head + `{"action":"update","kind":"topic-replication","name":"t","before":{"replication_factor":1},"after":{}}]}`, "before and after"},
		"not of its resource": {head + strings.ReplaceAll(acl, "Read", "ClusterAction") + "]}", `operation "ClusterAction" does not exist`},
		"acl fields on topic": {head + strings.Replace(topic, "partitions", "principal", 1) + "]}", "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePlan("plan.json", []byte(c.data))
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "plan.json")
		})
	}
	p, err := ParsePlan("plan.json", []byte(head+topic+","+acl+"]}"))
	require.NoError(t, err)
	require.Len(t, p.Changes, 2)
}

// A plan that was built in Go is held to the same.
func TestPlan_CheckOfWhatJSONCannotSay(t *testing.T) {
	b := Binding{"User:a", "*", "read", Allow, Resource{ResourceTopic, "t", Literal}}
	check := func(b Binding) error {
		return Change{Action: holdfast.ActionCreate, Kind: KindACL, Name: b.String(), After: b}.check()
	}
	require.ErrorContains(t, check(b), `operation "read" does not exist`)
	b.Operation, b.Permission = Read, ""
	require.ErrorContains(t, check(b), `permission "": allowed are allow and deny`)
	b.Permission = Deny
	require.NoError(t, check(b))
}

// Names that may hold anything still give one line each, and no two bindings
// the same, so that a plan made from them can be applied and read.
func TestPlan_OddNames(t *testing.T) {
	var acls []ACL
	for _, group := range []string{"g*", "g* (literal)", `"group:g*" (literal)`, "a b", "a\nallow User:mallory All on cluster from *", "\u2028", "\xff", "x from *"} {
		for _, principal := range []string{"User:a", "User:CN=A B,O=c", "User:a Read on group:x from *", "User:\x1b[31m"} {
			acls = append(acls, ACL{Principal: principal, Operations: []Operation{Read}, Resource: "group:" + group, Pattern: Literal, State: Absent})
		}
	}
	state := State{Cluster: "c"}
	for _, a := range acls {
		bindings, err := a.Bindings()
		require.NoError(t, err)
		state.ACLs = append(state.ACLs, bindings...)
	}
	spec := Spec{Scope: Scope{Principals: []string{"User:a", "User:CN=A B,O=c", "User:a Read on group:x from *", "User:\x1b[31m"}}, ACLs: acls}
	plan, err := spec.Plan(state)
	require.NoError(t, err)
	require.NoError(t, plan.check("plan.json"))
	require.Equal(t, len(acls)+1, strings.Count(plan.String(), "\n"))
	for _, r := range plan.String() {
		require.True(t, r == '\n' || unicode.IsPrint(r), "%q", r)
	}
	require.Contains(t, plan.String(), `- acl allow "User:CN=A B,O=c" Read on group:g* (literal) from *`)
}

func TestUnread_WithoutAnError(t *testing.T) {
	plan := Plan{Unread: []Unread{{Kind: KindACL, Name: "*"}}}
	data, err := json.Marshal(plan)
	require.NoError(t, err)
	var read Plan
	require.NoError(t, json.Unmarshal(data, &read))
	require.Equal(t, plan, read)
}

// Why something is unread is said once for each declaration: by itself, or as
// all of its kind.
func TestPlan_UnreadOnceEach(t *testing.T) {
	all, one := errors.New("no topic may be described"), errors.New("b may not be described")
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topics: [a, b], principals: ["User:u"]}
topics: [{name: a, partitions: 1}, {name: b, partitions: 1}]
users: [{name: u, mechanisms: [SCRAM-SHA-256]}, {name: u, mechanisms: [SCRAM-SHA-512]}]
`)
	users := errors.New("no user may be described")
	plan, err := spec.Plan(State{Unread: []Unread{{KindTopic, "*", all}, {KindTopic, "b", one}, {KindScramUser, "*", users}}})
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
	require.Equal(t, []Unread{{KindScramUser, "u", users}, {KindTopic, "a", all}, {KindTopic, "b", one}}, plan.Unread)
}
