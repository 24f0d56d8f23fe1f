package kafkasec

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/holdfast-sec/holdfast"
)

func TestApply_SavedPlan(t *testing.T) {
	f := newFake(t)
	spec := parse(t, threeTopics)
	plan := f.plan(spec)
	ctx := context.Background()

	// Part of it is there already, as after an interruption: resumed.
	part := spec
	part.Topics = spec.Topics[:2]
	f.apply(part)
	report, err := f.r.Apply(ctx, plan)
	require.NoError(t, err)
	require.Equal(t, []string{"unchanged/already-done create topic a1", "unchanged/already-done create topic a2", "applied create topic a3"}, outcomes(report))
	report, err = f.r.Apply(ctx, plan)
	require.NoError(t, err)
	require.Equal(t, 3, report.Count(holdfast.Unchanged))

	// Something else is there: refused as a whole, naming it, writing nothing.
	spec.Topics[0].Configs = map[string]string{"retention.ms": "5"}
	spec.Topics[1].Partitions = 4
	plan = f.plan(spec)
	moved := spec
	moved.Topics = []Topic{{Name: "a1", Configs: map[string]string{"retention.ms": "6"}}}
	f.apply(moved)
	report, err = f.r.Apply(ctx, plan)
	var stale *StaleError
	require.ErrorAs(t, err, &stale)
	require.Len(t, stale.Changes, 1)
	require.ErrorContains(t, err, "update topic-config a1: found partitions 1, replication factor 3, retention.ms=6")
	require.Equal(t, []string{"not-attempted/stale update topic-partitions a2", "not-attempted/stale update topic-config a1"}, outcomes(report))
	require.Equal(t, int32(2), f.r.mustTopic(t, "a2").Partitions)

	// A revocation of what is gone is already done.
	plan = Plan{Plan: "kafkasec", Version: 1, Cluster: plan.Cluster, Changes: []Change{{Action: holdfast.ActionDelete, Kind: KindACL,
		Before: Binding{"User:x", "*", Read, Allow, Resource{ResourceTopic, "a", Literal}}}}}
	plan.Changes[0].Name = plan.Changes[0].binding().String()
	report, err = f.r.Apply(ctx, plan)
	require.NoError(t, err)
	require.Equal(t, []string{"unchanged/already-gone delete acl allow User:x Read on topic:a from *"}, outcomes(report))
}

func (r *Reconciler) mustTopic(t *testing.T, name string) TopicState {
	state, _, err := r.read(context.Background(), reading{topics: []string{name}})
	require.NoError(t, err)
	require.Contains(t, state.Topics, name)
	return state.Topics[name]
}

func TestApply_RefusesAnotherClustersPlan(t *testing.T) {
	plan := newFake(t, kfake.ClusterID("one")).plan(parse(t, threeTopics))
	f := newFake(t, kfake.ClusterID("two"))
	report, err := f.r.Apply(context.Background(), plan)
	require.ErrorIs(t, err, ErrOtherCluster)
	require.ErrorContains(t, err, `"one", this one is "two"`)
	require.Equal(t, 3, report.Count(holdfast.NotAttempted))
	require.Empty(t, f.plan(parse(t, threeTopics)).Unread)
	require.Len(t, f.plan(parse(t, threeTopics)).Changes, 3)
}

// A plan can be edited by hand; what is protected stays untouched.
func TestApply_SkipsProtectedAndUnsupported(t *testing.T) {
	f := newFake(t)
	f.apply(parse(t, threeTopics))
	spec := parse(t, threeTopics)
	spec.Topics[0].ReplicationFactor = 1
	plan := f.plan(spec)
	require.False(t, plan.Empty())
	plan.Changes = append(plan.Changes, Change{holdfast.ActionDelete, KindTopic, "__consumer_offsets", "", TopicData{Partitions: 1, Records: RecordsSome}, nil})
	report, err := f.r.Apply(context.Background(), plan)
	require.NoError(t, err)
	require.Equal(t, []string{"skipped/unsupported update topic-replication a1", "skipped/protected delete topic __consumer_offsets"}, outcomes(report))
	require.False(t, report.Converged())
}

// An empty plan needs no cluster, and a plan that was never checked is not sent.
func TestApply_ChecksThePlanFirst(t *testing.T) {
	r := &Reconciler{} // nobody to ask
	report, err := r.Apply(context.Background(), Plan{Plan: "kafkasec", Version: 1})
	require.NoError(t, err)
	require.True(t, report.Converged())
	report, err = r.Apply(context.Background(), createPlan("a b"))
	require.ErrorContains(t, err, "illegal character")
	require.Equal(t, []string{"not-attempted create topic a b"}, outcomes(report))
}
