package kafkasec

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyRole has each role with all that it may have.
func everyRole() []Role {
	topics := []string{"t", "app.*"}
	return []Role{
		{Role: RoleProducer, Topics: topics, TransactionalIDs: []string{"tx", "tx-*"}, Idempotent: true, Kafka: "2.7"},
		{Role: RoleProducer, Topics: topics, TransactionalIDs: []string{"tx", "tx-*"}, Idempotent: true, Expansion: ExpandConsole},
		{Role: RoleConsumer, Topics: topics, Groups: []string{"g", "g-*"}},
		{Role: RoleConsumer, Topics: topics, Groups: []string{"g", "g-*"}, Expansion: ExpandConsole},
		{Role: RoleStreams, ApplicationID: "app", InputTopics: topics, OutputTopics: topics, ExactlyOnce: true, Kafka: "2.7"},
		{Role: RoleConnectWorker, Group: "g", ConfigTopic: "c", OffsetTopic: "o", StatusTopic: "s", ExactlyOnce: true},
		{Role: RoleConnector, Connector: "c", InputTopics: topics, DeadLetterTopic: "d"},
		{Role: RoleConnector, Connector: "c", OutputTopics: topics, ExactlyOnce: true, Group: "g", OffsetTopic: "o"},
		{Role: RoleMirrorMaker, Cluster: MirrorSource, TargetAlias: "west", Topics: topics, Groups: []string{"g"}, SyncACLs: true, Heartbeats: true},
		{Role: RoleMirrorMaker, Cluster: MirrorTarget, SourceAlias: "east", Groups: []string{"g"}, SyncACLs: true, Heartbeats: true, OffsetSyncs: MirrorTarget},
		{Role: RoleSchemaRegistry, SchemasTopic: "s", Group: "g"},
		{Role: RoleReadOnlyAdmin, Kafka: "3.9"},
	}
}

func randomRole(rng *rand.Rand) Role {
	all := everyRole()
	r := all[rng.IntN(len(all))]
	r.Principal = []string{"User:a", "User:b"}[rng.IntN(2)]
	r.Host = []string{"", "10.0.0.1"}[rng.IntN(2)]
	return r
}

// A role's bindings are a set: sorted, each once, and the same whatever the
// order of its lists.
func TestRole_ExpandsToASet(t *testing.T) {
	for _, r := range everyRole() {
		r.Principal = "User:a"
		bindings, err := r.Bindings()
		require.NoError(t, err)
		require.NotEmpty(t, bindings)
		require.True(t, slices.IsSortedFunc(bindings, Binding.Compare), bindings)
		require.Len(t, slices.Compact(slices.Clone(bindings)), len(bindings))
		for _, list := range []*[]string{&r.Topics, &r.Groups, &r.TransactionalIDs, &r.InputTopics, &r.OutputTopics} {
			*list = slices.Clone(*list)
			slices.Reverse(*list)
		}
		again, err := r.Bindings()
		require.NoError(t, err)
		require.Equal(t, bindings, again)
		for _, b := range bindings {
			require.Equal(t, Binding{"User:a", "*", b.Operation, Allow, b.Resource}, b)
			require.NoError(t, Spec{Scope: Scope{Principals: []string{"User:a"}}, ACLs: []ACL{aclOf(b)}}.Validate(), b)
		}
	}
}

func aclOf(b Binding) ACL {
	text, pattern := b.Resource.Text()
	return ACL{Principal: b.Principal, Host: b.Host, Operations: []Operation{b.Operation}, Resource: text, Pattern: pattern, Permission: b.Permission}
}

// Roles in any order, and as entries of acls, plan the same; and a spec of them
// can be written and read again.
func TestRole_PlansTheSameInAnyOrderAndAsACLs(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for range 300 {
		s := Spec{Scope: Scope{Principals: []string{"User:a", "User:b"}}}
		for range 1 + rng.IntN(6) {
			s.Roles = append(s.Roles, randomRole(rng))
		}
		requireRoundTrip(t, s)
		state := State{Cluster: "c", Brokers: 3}
		var all []Binding
		for _, r := range s.Roles {
			all = append(all, r.expand()...)
		}
		for _, b := range all {
			if rng.IntN(3) == 0 && !slices.Contains(state.ACLs, b) {
				state.ACLs = append(state.ACLs, b)
			}
		}
		want, err := s.Plan(state)
		require.NoError(t, err)

		other := Spec{Scope: s.Scope, Roles: slices.Clone(s.Roles)}
		rng.Shuffle(len(other.Roles), func(i, j int) { other.Roles[i], other.Roles[j] = other.Roles[j], other.Roles[i] })
		for _, b := range all { // some of them twice, by a role and by an entry
			if acl := aclOf(b); rng.IntN(2) == 0 && !slices.ContainsFunc(other.ACLs, func(a ACL) bool { return reflect.DeepEqual(a, acl) }) {
				other.ACLs = append(other.ACLs, acl)
			}
		}
		got, err := other.Plan(state)
		require.NoError(t, err)
		require.Equal(t, want.Changes, got.Changes)
	}
}

func TestRole_BindingsRefusesWhatValidateRefuses(t *testing.T) {
	_, err := Role{Principal: "User:a", Role: RoleProducer}.Bindings()
	require.EqualError(t, err, "role producer: topics: not given: the role producer needs it")
}

// Every field that is not common to all belongs to a role, so that none is
// silently without meaning.
func TestRole_EveryFieldHasARole(t *testing.T) {
	used := map[string]bool{"principal": true, "host": true, "role": true, "expansion": true, "kafka": true}
	require.Len(t, roleFields, len(roleNames))
	for _, name := range roleNames {
		fields, ok := roleFields[RoleName(name)]
		require.True(t, ok, name)
		for _, f := range slices.Concat(fields.needs, fields.has) {
			used[f] = true
		}
	}
	typ := reflect.TypeFor[Role]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		require.True(t, used[name], name)
		delete(used, name)
	}
	require.Empty(t, used)
}

func TestParseRelease(t *testing.T) {
	r, err := parseRelease("2.10")
	require.NoError(t, err)
	require.Equal(t, Release{2, 10}, r)
	for _, bad := range []string{"2", "2.", ".8", "2.8.1", "-1.2", "0.0", "v2.8", "latest"} {
		_, err := parseRelease(bad)
		require.ErrorContains(t, err, "a release is two numbers", bad)
	}
}
