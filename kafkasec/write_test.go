package kafkasec

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/holdfast-sec/holdfast"
)

// Each field of a binding reaches the cluster, and a revocation takes nothing
// that differs from it in one field.
func TestWrite_ExactBindings(t *testing.T) {
	f := newFake(t)
	base := ACL{Principal: "User:a", Operations: []Operation{Read}, Resource: "topic:t", Host: "10.0.0.1"}
	differ := func(change func(*ACL)) ACL {
		a := base
		change(&a)
		return a
	}
	spec := Spec{Scope: Scope{Principals: []string{"User:a", "User:b"}}, ACLs: []ACL{
		base,
		differ(func(a *ACL) { a.Principal = "User:b" }),
		differ(func(a *ACL) { a.Operations = []Operation{Write} }),
		differ(func(a *ACL) { a.Resource = "topic:t*" }),
		differ(func(a *ACL) { a.Resource = "topic:*" }),
		differ(func(a *ACL) { a.Resource = "group:t" }),
		differ(func(a *ACL) { a.Host = "*" }),
		differ(func(a *ACL) { a.Host = "10.0.0.2" }),
		differ(func(a *ACL) { a.Permission = Deny }),
	}}
	want := map[Binding]bool{}
	for _, a := range spec.ACLs {
		bs, err := a.Bindings()
		require.NoError(t, err)
		want[bs[0]] = true
	}
	stored := func() map[Binding]bool {
		state, err := f.r.Observe(context.Background(), spec)
		require.NoError(t, err)
		return newLive(state).acls
	}
	f.apply(spec)
	require.Equal(t, want, stored())
	spec.ACLs[0].State = Absent
	f.apply(spec)
	bs, err := base.Bindings()
	require.NoError(t, err)
	delete(want, bs[0])
	require.Equal(t, want, stored())
}

// Who finds nothing to delete says so, and does not claim the deletion.
func TestWrite_AlreadyGone(t *testing.T) {
	f := newFake(t)
	b := Binding{"User:a", "*", Read, Allow, Resource{ResourceTopic, "t", Literal}}
	for _, c := range []Change{
		{holdfast.ActionDelete, KindACL, b.String(), "", b, nil},
		{holdfast.ActionDelete, KindTopic, "t", "", TopicData{Partitions: 1}, nil},
	} {
		a := newApplier(f.r, Plan{Changes: []Change{c}})
		a.findController(context.Background())
		a.run(context.Background(), writerFor(c.stage()), []int{0})
		require.Equal(t, []string{"unchanged/already-gone delete " + c.Kind + " " + c.Name}, outcomes(a.report()))
	}
}

func TestWrite_ContestedPartitions(t *testing.T) {
	f := newFake(t)
	f.create("a")
	change := Change{holdfast.ActionUpdate, KindTopicPartitions, "a", "", TopicData{Partitions: 1}, TopicData{Partitions: 3}}
	spec := Spec{Scope: Scope{Topics: []string{"a"}}, Topics: []Topic{{Name: "a", Partitions: 3}}}
	s := runScript(context.Background(), f.r, Plan{Changes: []Change{change}}, func([]string) (answers, error) {
		f.apply(spec)
		return answers{items: []answer{{err: brokerError(kerr.InvalidPartitions.Code, nil, "")}}}, nil
	})
	require.Equal(t, []string{"unchanged/already-done update topic-partitions a"}, outcomes(s.report()))
}

// The weights are KRaft's records; a revocation weighs one of fewer.
func TestWrite_Weights(t *testing.T) {
	one := "1"
	configs := map[string]*string{"retention.ms": &one, "segment.ms": &one}
	require.Equal(t, 6, createTopicRecords(Change{After: TopicData{Partitions: 3, Configs: configs}}))
	require.Equal(t, 17, createTopicRecords(Change{After: TopicData{}}))
	require.Equal(t, 4, addedPartitions(Change{Before: TopicData{Partitions: 3}, After: TopicData{Partitions: 7}}))
	require.Equal(t, 2, changedConfigs(Change{After: TopicData{Configs: configs}}))

	var plan Plan
	for i := range 2_500 {
		b := Binding{fmt.Sprint("User:", i), "*", Read, Allow, Resource{ResourceTopic, "t", Literal}}
		plan.Changes = append(plan.Changes, Change{holdfast.ActionDelete, KindACL, b.String(), "", b, nil})
	}
	s := runScript(context.Background(), &Reconciler{}, plan, answerWith(0, nil))
	require.Equal(t, []int{1000, 1000, 500}, []int{len(s.sent[0]), len(s.sent[1]), len(s.sent[2])})
}

func TestByTopic(t *testing.T) {
	changes := createPlan("a", "b").Changes
	got, err := byTopic(changes, map[string]answer{"b": {gone: true}, "a": {}}, 7)
	require.NoError(t, err)
	require.Equal(t, answers{[]answer{{}, {gone: true}}, 7 * time.Millisecond}, got)
	_, err = byTopic(changes, map[string]answer{"a": {}, "c": {}}, 0)
	require.ErrorContains(t, err, "left topic b out")
}
