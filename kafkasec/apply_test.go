package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

const threeTopics = `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a], principals: ["User:app"]}
topics:
  - {name: a1, partitions: 1, configs: {retention.ms: 1000}}
  - {name: a2, partitions: 2}
  - {name: a3, partitions: 3}
`

func TestApply_ConvergesAndThenHasNothingToDo(t *testing.T) {
	f := newFake(t)
	spec := parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read, Write], resource: "topic:a*"}
  - {principal: "User:*", operations: [Delete], resource: "topic:a1", permission: deny}
`)
	report := f.apply(spec)
	require.Equal(t, 6, report.Count(holdfast.Applied))
	require.True(t, report.Converged())
	require.True(t, f.plan(spec).Empty())

	report, err := f.r.Apply(context.Background(), f.plan(spec))
	require.NoError(t, err)
	require.Empty(t, report.Outcomes)
	require.NotNil(t, report.Outcomes, "JSON has a list")

	// Drift comes back as exactly what drifted.
	spec.Topics[0].Configs["retention.ms"] = "2000"
	spec.Topics[1].Partitions = 5
	spec.ACLs[0].Operations = []Operation{Read}
	spec.ACLs = append(spec.ACLs, ACL{Principal: "User:app", Operations: []Operation{Write}, Resource: "topic:a*", State: Absent})
	require.Equal(t, []string{
		"applied update topic-partitions a2",
		"applied update topic-config a1",
		"applied delete acl allow User:app Write on topic:a* from *",
	}, outcomes(f.apply(spec)))
	require.True(t, f.plan(spec).Empty())

	spec.Topics[2] = Topic{Name: "a3", State: Absent}
	require.Equal(t, []string{"applied delete topic a3"}, outcomes(f.apply(spec)))
	require.True(t, f.plan(spec).Empty())
}

func TestApply_LeavesForeignItemsAlone(t *testing.T) {
	f := newFake(t)
	foreign := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [b], principals: ["User:other"]}
topics:
  - {name: b1, partitions: 1, configs: {retention.ms: 7}}
acls:
  - {principal: "User:other", operations: [Read], resource: "topic:a*"}
`)
	f.apply(foreign)
	spec := parse(t, threeTopics)
	require.NotContains(t, f.plan(spec).String(), "b1")
	f.apply(spec)
	require.True(t, f.plan(foreign).Empty())
}

func TestApply_OneRefusedTopicDoesNotHideTheOthers(t *testing.T) {
	f := newFake(t)
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "a2", Err: kerr.PolicyViolation})
	report, err := f.r.Apply(context.Background(), f.plan(parse(t, threeTopics)))
	require.ErrorIs(t, err, kerr.PolicyViolation)
	require.ErrorContains(t, err, `create topic "a2": POLICY_VIOLATION`)
	require.Equal(t, []string{"applied create topic a1", "failed create topic a2", "applied create topic a3"}, outcomes(report))
}

// A site's own policy that refuses everything costs a bounded number of
// requests to tell from a batch that is too large.
func TestApply_AllRefused(t *testing.T) {
	f := newFake(t)
	var requests atomic.Int64
	f.always(kmsg.CreateTopics, func(req kmsg.Request) (kmsg.Response, error, bool) {
		requests.Add(1)
		return refuseTopics(req, func(string) error { return kerr.PolicyViolation }), nil, true
	})
	spec := Spec{Scope: Scope{TopicPrefixes: []string{"a"}}}
	for i := range 100 {
		spec.Topics = append(spec.Topics, Topic{Name: fmt.Sprintf("a%d", i)})
	}
	report, err := f.r.Apply(context.Background(), f.plan(spec))
	require.ErrorIs(t, err, kerr.PolicyViolation)
	require.Equal(t, 100, report.Count(holdfast.Failed))
	require.LessOrEqual(t, requests.Load(), int64(15))
}

// A controller with a smaller record limit refuses the whole request; parts of
// it pass.
func TestApply_HalvesABatchThatIsTooLarge(t *testing.T) {
	f := newFake(t)
	f.always(kmsg.CreateTopics, func(req kmsg.Request) (kmsg.Response, error, bool) {
		if len(req.(*kmsg.CreateTopicsRequest).Topics) > 13 {
			return refuseTopics(req, func(string) error { return kerr.PolicyViolation }), nil, true
		}
		return nil, nil, false
	})
	spec := Spec{Scope: Scope{TopicPrefixes: []string{"a"}}}
	for i := range 100 {
		spec.Topics = append(spec.Topics, Topic{Name: fmt.Sprintf("a%d", i)})
	}
	require.Equal(t, 100, f.apply(spec).Count(holdfast.Applied))
}

// refuseTopics answers a CreateTopics request with an error per topic.
func refuseTopics(kreq kmsg.Request, errOf func(topic string) error) *kmsg.CreateTopicsResponse {
	req := kreq.(*kmsg.CreateTopicsRequest)
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic = t.Topic
		var k *kerr.Error
		if errors.As(errOf(t.Topic), &k) {
			rt.ErrorCode = k.Code
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func TestApply_RetriesWhatIsWorthRetrying(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.NotController, kerr.ThrottlingQuotaExceeded, kerr.RequestTimedOut, kerr.CoordinatorLoadInProgress} {
		t.Run(e.Message, func(t *testing.T) {
			f := newFake(t)
			f.once(kmsg.CreateTopics, func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := refuseTopics(req, func(topic string) error {
					if topic == "a1" {
						return e
					}
					return kerr.InvalidConfig
				})
				resp.ThrottleMillis = 1
				return resp, nil, true
			})
			report, err := f.r.Apply(context.Background(), f.plan(parse(t, threeTopics)))
			require.ErrorIs(t, err, kerr.InvalidConfig)
			require.Equal(t, []string{"applied create topic a1", "failed create topic a2", "failed create topic a3"}, outcomes(report))
		})
	}
}

// Somebody else creates the topic between the look and the write.
func TestApply_Contested(t *testing.T) {
	for name, c := range map[string]struct {
		partitions int32
		want       string
	}{
		"as wanted":  {1, "unchanged/already-done create topic a1"},
		"other than": {9, "failed create topic a1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			spec := Spec{Scope: Scope{Topics: []string{"a1"}}, Topics: []Topic{{Name: "a1", Partitions: 1}}}
			plan := f.plan(spec)
			other := Spec{Scope: spec.Scope, Topics: []Topic{{Name: "a1", Partitions: c.partitions}}}
			otherPlan := f.plan(other)
			r := &Reconciler{Client: f.client("admin", "adminpw")}
			var held, done atomic.Bool
			f.once(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error, bool) {
				if held.Swap(true) {
					return nil, nil, false // the other applier's
				}
				// The first request is held while the other applier runs.
				f.SleepControl(func() {
					_, err := r.Apply(context.Background(), otherPlan)
					done.Store(err == nil)
				})
				return nil, nil, false
			})
			report, err := f.r.Apply(context.Background(), plan)
			require.True(t, done.Load())
			require.Equal(t, []string{c.want}, outcomes(report))
			if report.Count(holdfast.Failed) > 0 {
				require.ErrorIs(t, err, kerr.TopicAlreadyExists)
				require.ErrorContains(t, err, "found partitions 9")
			}
		})
	}
}

// The broker made the change, but its answer was lost on the way.
func TestApply_LostAnswer(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.CreatePartitions, kmsg.IncrementalAlterConfigs, kmsg.CreateACLs, kmsg.DeleteACLs, kmsg.DeleteTopics} {
		t.Run(key.Name(), func(t *testing.T) {
			f := newFake(t)
			first := parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
`)
			f.apply(first)
			second := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
topics:
  - {name: a1, configs: {retention.ms: 2000}}
  - {name: a2, partitions: 4}
  - {name: a3, state: absent}
  - {name: a4}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1", state: absent}
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
`)
			plan := f.plan(second)
			require.Len(t, plan.Changes, 6)
			lost := &loseAnswer{key: int16(key)}
			f.r.Client = f.client("admin", "adminpw", kgo.Dialer(lost.dial))
			report, err := f.r.Apply(context.Background(), plan)
			require.NoError(t, err)
			require.True(t, lost.happened.Load())
			require.Equal(t, 6, report.Count(holdfast.Applied), report)
			require.True(t, f.plan(second).Empty())
		})
	}
}

func TestApply_FailedRevokeIsNeverASuccess(t *testing.T) {
	const yaml = `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
  - {principal: "User:app", operations: [Write], resource: "topic:a1", permission: deny}
  - {principal: "User:other", operations: [Read], resource: "topic:a1"}
`
	for name, answerWith := range map[string]func(*kmsg.DeleteACLsResponseResult){
		"filter error":   func(r *kmsg.DeleteACLsResponseResult) { r.ErrorCode = kerr.UnknownServerError.Code },
		"matching error": func(r *kmsg.DeleteACLsResponseResult) { r.MatchingACLs[0].ErrorCode = kerr.UnknownServerError.Code },
		"another binding": func(r *kmsg.DeleteACLsResponseResult) {
			r.MatchingACLs[0].Principal = "User:somebody"
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			spec := parse(t, yaml)
			f.apply(spec)
			f.r.VisibleFor = time.Millisecond // the answer below lies
			for i := range spec.ACLs {
				spec.ACLs[i].State = Absent
			}
			f.once(kmsg.DeleteACLs, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
				req := kreq.(*kmsg.DeleteACLsRequest)
				resp := req.ResponseKind().(*kmsg.DeleteACLsResponse)
				for i, fl := range req.Filters {
					res := kmsg.NewDeleteACLsResponseResult()
					m := kmsg.NewDeleteACLsResponseResultMatchingACL()
					m.ResourceType, m.ResourceName, m.ResourcePatternType = fl.ResourceType, *fl.ResourceName, fl.ResourcePatternType
					m.Principal, m.Host, m.Operation, m.PermissionType = *fl.Principal, *fl.Host, fl.Operation, fl.PermissionType
					res.MatchingACLs = append(res.MatchingACLs, m)
					if i == 0 {
						answerWith(&res)
					}
					resp.Results = append(resp.Results, res)
				}
				return resp, nil, true
			})
			report, err := f.r.Apply(context.Background(), f.plan(spec))
			require.Error(t, err)
			require.Equal(t, []string{
				"failed delete acl allow User:app Read on topic:a1 from *",
				"failed/not-visible delete acl allow User:app Write on topic:a1 from *",
				"failed/not-visible delete acl allow User:other Read on topic:a1 from *",
				"not-attempted/held delete acl deny User:app Write on topic:a1 from *",
			}, outcomes(report))
			require.ErrorContains(t, err, "held back, because this did not succeed: delete allow User:app Read on topic:a1 from *")
		})
	}
}

// A grant that fails holds back the revocation that it was to replace, but not
// those of other principals.
func TestApply_FailedGrantHoldsRevocations(t *testing.T) {
	f := newFake(t)
	before := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
  - {principal: "User:other", operations: [Read], resource: "topic:a1"}
`)
	f.apply(before)
	after := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a*"}
  - {principal: "User:app", operations: [Read], resource: "topic:a1", state: absent}
  - {principal: "User:other", operations: [Read], resource: "topic:a1", state: absent}
`)
	plan := f.plan(after)
	f.once(kmsg.CreateACLs, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		resp := kreq.(*kmsg.CreateACLsRequest).ResponseKind().(*kmsg.CreateACLsResponse)
		res := kmsg.NewCreateACLsResponseResult()
		res.ErrorCode, res.ErrorMessage = kerr.InvalidRequest.Code, kmsg.StringPtr("no")
		resp.Results = append(resp.Results, res)
		return resp, nil, true
	})
	report, err := f.r.Apply(context.Background(), plan)
	require.ErrorIs(t, err, kerr.InvalidRequest)
	require.Equal(t, []string{
		"failed create acl allow User:app Read on topic:a* from *",
		"not-attempted/held delete acl allow User:app Read on topic:a1 from *",
		"applied delete acl allow User:other Read on topic:a1 from *",
	}, outcomes(report))
	require.Equal(t, 3, f.applyRest(after).Count(holdfast.Applied)+1)
}

func (f *fake) applyRest(spec Spec) holdfast.Report {
	report := f.apply(spec)
	require.True(f.t, f.plan(spec).Empty())
	return report
}

// A saved plan whose grant is there already still revokes.
func TestApply_UnchangedGrantHoldsNothing(t *testing.T) {
	f := newFake(t)
	const head = `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
acls:
`
	f.apply(parse(t, head+`  - {principal: "User:app", operations: [Read], resource: "topic:a1"}`))
	plan := f.plan(parse(t, head+`  - {principal: "User:app", operations: [Read], resource: "topic:a*"}
  - {principal: "User:app", operations: [Read], resource: "topic:a1", state: absent}`))
	f.apply(parse(t, head+`  - {principal: "User:app", operations: [Read], resource: "topic:a*"}`))
	report, err := f.r.Apply(context.Background(), plan)
	require.NoError(t, err)
	require.True(t, report.Converged(), report)
}

func TestApply_TellsProgress(t *testing.T) {
	f := newFake(t)
	var events []string
	f.r.OnEvent = func(e holdfast.Event) { events = append(events, e.String()) }
	f.apply(parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a*"}
`))
	require.Equal(t, []string{
		"compare the plan with the cluster 0/4", "create topics 3/4", "create acls 4/4", "wait until every broker knows 4/4",
	}, events)
}
