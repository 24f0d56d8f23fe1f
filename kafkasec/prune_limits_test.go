package kafkasec

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

// The limits count what goes and what there is of each kind: ten of them, or half
// of what is in scope, may go unless the spec says otherwise, and a percentage is
// never rounded in favour of deleting.
func TestPrune_Limits(t *testing.T) {
	for _, tt := range []struct {
		undeclared, declared   int
		maxCount, maxPercent   int
		countStops, shareStops bool
	}{
		{1, 1, 0, 0, false, false}, // 50 of 100, the default
		{2, 1, 0, 0, false, true},
		{51, 49, 51, 0, false, true},
		{1, 0, 0, 0, false, true},
		{10, 10, 0, 0, false, false}, // ten, the default
		{11, 11, 0, 0, true, false},
		{11, 11, 11, 0, false, false},
		{11, 0, 0, 0, true, true},
		{2, 1, 0, 66, false, true}, // 66.7
		{2, 1, 0, 67, false, false},
		{1, 999, 0, 1, false, false},
		{1, 98, 0, 1, false, true}, // 1.01
		{3, 0, 2, 100, true, false},
		{3, 0, 3, 100, false, false},
	} {
		spec := Spec{Scope: Scope{TopicPrefixes: []string{"t"}, Principals: []string{"User:a"}},
			Prune: Prune{Topics: true, ACLs: true, MaxCount: tt.maxCount, MaxPercent: tt.maxPercent}}
		state := State{Topics: map[string]TopicState{}}
		for i := range tt.undeclared + tt.declared {
			name := fmt.Sprintf("t%d", i)
			state.Topics[name] = TopicState{Partitions: 1, ReplicationFactor: 1, Records: RecordsNone}
			b := Binding{"User:a", "*", Read, Allow, Resource{ResourceTopic, name, Literal}}
			state.ACLs = append(state.ACLs, b)
			if i < tt.declared {
				spec.Topics = append(spec.Topics, Topic{Name: name})
				spec.ACLs = append(spec.ACLs, ACL{Principal: b.Principal, Operations: []Operation{Read}, Resource: "topic:" + name})
			}
		}
		plan, err := spec.Plan(state)
		var problems holdfast.Problems
		errors.As(err, &problems)
		stops := map[string]int{}
		for _, p := range problems {
			stops[p.Path]++
		}
		want := map[string]int{}
		if tt.countStops {
			want["prune.max_count"] = 2 // topics and acls
		}
		if tt.shareStops {
			want["prune.max_percent"] = 2
		}
		require.Equal(t, want, stops, "%+v", tt)
		if err == nil {
			require.Len(t, plan.Changes, 2*tt.undeclared, "%+v", tt)
		} else {
			require.Empty(t, plan.Changes, "%+v", tt)
		}
	}
}

// What a running reassignment keeps in configs of the topic, and keys that a spec
// cannot declare, are neither unset nor counted.
func TestPrune_LeavesThrottlesAndForeignConfigs(t *testing.T) {
	spec := Spec{Scope: Scope{Topics: []string{"t"}}, Prune: Prune{Configs: true, MaxPercent: 100},
		Topics: []Topic{{Name: "t", Configs: map[string]string{"retention.ms": "1"}}}}
	configs := map[string]string{"retention.ms": "1", "segment.bytes": "1048576", "vendor.key": "x",
		"leader.replication.throttled.replicas": "0:1", "follower.replication.throttled.replicas": "0:2"}
	plan, err := spec.Plan(State{Topics: map[string]TopicState{"t": {Partitions: 1, ReplicationFactor: 1, Configs: configs}}})
	require.NoError(t, err)
	require.Equal(t, "~ topic-config t: segment.bytes: 1048576 -> (not set)\n0 to create, 1 to update, 0 to delete\n", plan.String())
}
