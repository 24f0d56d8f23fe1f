package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/aclstore"
)

// wireACLs are bindings as the store of the embedded cluster keeps them.
func wireACLs(bindings ...Binding) []aclstore.ACL {
	acls := make([]aclstore.ACL, len(bindings))
	for i, b := range bindings {
		typ, pattern := b.Resource.wire()
		acls[i] = aclstore.ACL{ResourceType: typ, ResourceName: b.Resource.Name, ResourcePatternType: pattern,
			Principal: b.Principal, Host: b.Host, Operation: b.Operation.wire(), PermissionType: b.Permission.wire()}
	}
	return acls
}

func largeSpec(topics, acls int) Spec {
	s := Spec{Scope: Scope{TopicPrefixes: []string{"t"}}}
	for i := range topics {
		s.Topics = append(s.Topics, Topic{Name: fmt.Sprintf("t%05d", i), Partitions: 3, ReplicationFactor: 3, Configs: map[string]string{"retention.ms": "1000"}})
	}
	for i := range acls / 2 {
		s.ACLs = append(s.ACLs, ACL{Principal: fmt.Sprintf("User:u%05d", i), Operations: []Operation{Read, Write}, Resource: fmt.Sprintf("topic:t%05d", i%topics)})
	}
	return s
}

// Planning and applying a large spec takes few requests, none of more records
// than KRaft takes at once, and looking again writes nothing. The sizes and limits
// are those of a real cluster; -short takes a smaller one.
func TestBudget_Requests(t *testing.T) {
	topics, acls, first, second := 10_000, 50_000, int64(30), int64(15)
	if testing.Short() {
		topics, acls, first, second = 2_000, 10_000, 16, 8
	}
	f := newFake(t)
	store := aclstore.New(t.Errorf)
	store.Install(f.Cluster)
	spec := largeSpec(topics, acls)

	report := f.apply(spec)
	require.Equal(t, topics+acls, report.Count(holdfast.Applied))
	made := f.requests.Swap(0)
	require.LessOrEqual(t, made, first)

	want := aclstore.New(nil, wireACLs(slices.Collect(maps.Keys(declared(t, spec)))...)...)
	require.True(t, maps.Equal(want.ACLs(), store.ACLs()))

	f.always(kmsg.CreateTopics, noWrite(t))
	f.always(kmsg.CreateACLs, noWrite(t))
	f.always(kmsg.IncrementalAlterConfigs, noWrite(t))
	plan := f.plan(spec)
	require.True(t, plan.Empty(), plan.Summary())
	_, err := f.r.Apply(context.Background(), plan)
	require.NoError(t, err)
	looked := f.requests.Load()
	require.LessOrEqual(t, looked, second)
	t.Logf("%d topics and %d bindings: %d requests to plan and apply, %d to look again", topics, acls, made, looked)
}

func noWrite(t *testing.T) func(kmsg.Request) (kmsg.Response, error, bool) {
	return func(req kmsg.Request) (kmsg.Response, error, bool) {
		t.Errorf("wrote %s", kmsg.Key(req.Key()).Name())
		return nil, nil, false
	}
}

// Whatever the weights, batches keep every item once and in order, and only a
// single item may be above the limit.
func TestPack(t *testing.T) {
	for _, weights := range [][]int{{}, {5}, {11}, {1, 9, 1}, {10, 10, 10}, {3, 3, 3, 3}, {12, 1, 12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}} {
		batches := pack(all(len(weights)), 10, func(i int) int { return weights[i] })
		require.Equal(t, all(len(weights)), append([]int{}, slices.Concat(batches...)...))
		for i, b := range batches {
			require.NotEmpty(t, b)
			sum := 0
			for _, it := range b {
				sum += weights[it]
			}
			require.True(t, sum <= 10 || len(b) == 1, "%v: %v", weights, b)
			if i > 0 { // and no batch that the one before had room for
				prev := 0
				for _, it := range batches[i-1] {
					prev += weights[it]
				}
				require.Greater(t, prev+weights[b[0]], 10)
			}
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	spec := largeSpec(10_000, 50_000)
	state := State{Topics: map[string]TopicState{}}
	for _, t := range spec.Topics {
		state.Topics[t.Name] = TopicState{Partitions: 3, ReplicationFactor: 3, Configs: map[string]string{"retention.ms": "1000"}}
	}
	for _, a := range spec.ACLs {
		bindings, _ := a.Bindings()
		state.ACLs = append(state.ACLs, bindings...)
	}
	nothing := State{Topics: map[string]TopicState{}}
	unread := nothing
	for _, t := range spec.Topics {
		unread.Unread = append(unread.Unread, Unread{KindTopic, t.Name, errors.New("may not be described")})
	}
	unread.Unread = append(unread.Unread, Unread{KindACL, "*", errors.New("may not be described")})
	for have, s := range map[string]State{"all": state, "nothing": nothing, "unread": unread} {
		b.Run(have, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := spec.Plan(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
