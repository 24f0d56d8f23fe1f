package kafkasec

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

func TestApply_Cancelled(t *testing.T) {
	f := newFake(t)
	spec := parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read, Write], resource: "topic:a*"}
`)
	plan := f.plan(spec)
	stop := errors.New("operator pressed ctrl-c")
	ctx, cancel := context.WithCancelCause(context.Background())
	held := make(chan struct{})
	f.once(kmsg.CreateACLs, func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel(stop)
		f.SleepControl(func() { <-held })
		return nil, nil, false
	})
	report, err := f.r.Apply(ctx, plan)
	close(held)
	require.ErrorIs(t, err, stop)
	require.Equal(t, []string{
		"applied create topic a1", "applied create topic a2", "applied create topic a3",
		"failed/unknown-result create acl allow User:app Read on topic:a* from *",
		"failed/unknown-result create acl allow User:app Write on topic:a* from *",
	}, outcomes(report))
	f.apply(spec)
	require.True(t, f.plan(spec).Empty())

	cancelled, cancel2 := context.WithCancel(context.Background())
	cancel2()
	report, err = f.r.Apply(cancelled, plan)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 5, report.Count(holdfast.NotAttempted))
	require.Equal(t, holdfast.ReasonCanceled, report.Outcomes[0].Reason)
	expired, cancel3 := context.WithTimeout(context.Background(), -1)
	defer cancel3()
	report, err = f.r.Apply(expired, plan)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, holdfast.ReasonExpired, report.Outcomes[4].Reason)
}

// Between two requests nothing is unclear: what was confirmed is applied, the
// rest is not attempted and not held, and the error says why, and that nobody
// looked whether every broker knows.
func TestApply_CancelledBetweenRequests(t *testing.T) {
	f := newFake(t)
	f.apply(parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
`))
	plan := f.plan(parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a*"}
  - {principal: "User:app", operations: [Read], resource: "topic:a1", state: absent}
`))
	stop := errors.New("operator pressed ctrl-c")
	ctx, cancel := context.WithCancelCause(context.Background())
	f.r.OnEvent = func(e holdfast.Event) {
		if e.Step == 3 {
			cancel(stop)
		}
	}
	report, err := f.r.Apply(ctx, plan)
	require.ErrorIs(t, err, stop)
	require.ErrorIs(t, err, ErrNotVisible)
	require.Equal(t, []string{
		"applied create topic a1", "applied create topic a2", "applied create topic a3",
		"not-attempted/canceled create acl allow User:app Read on topic:a* from *",
		"not-attempted/canceled delete acl allow User:app Read on topic:a1 from *",
	}, outcomes(report))
}

// Everything was written, but the context ends while the brokers catch up.
func TestApply_CancelledWhileWaiting(t *testing.T) {
	f := newFake(t)
	plan := f.plan(parse(t, threeTopics))
	stop := errors.New("operator pressed ctrl-c")
	ctx, cancel := context.WithCancelCause(context.Background())
	f.r.OnEvent = func(e holdfast.Event) {
		if e.What == "wait until every broker knows" {
			cancel(stop)
		}
	}
	report, err := f.r.Apply(ctx, plan)
	require.Equal(t, 3, report.Count(holdfast.Applied))
	require.ErrorIs(t, err, ErrNotVisible)
	require.ErrorIs(t, err, stop)
}

// When no write is ever answered, Apply gives up after RetryFor, once, and says
// what it does not know.
func TestApply_GivesUp(t *testing.T) {
	f := newFake(t)
	f.r.RetryFor = 50 * time.Millisecond
	spec := parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a*"}
`)
	plan := f.plan(spec)
	f.always(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("gone"), true // kfake closes the connection
	})
	report, err := f.r.Apply(context.Background(), plan)
	require.Error(t, err)
	require.Equal(t, 3, report.Count(holdfast.Failed), report)
	require.Equal(t, []string{"not-attempted/expired create acl allow User:app Read on topic:a* from *"}, outcomes(report)[3:])
	require.Equal(t, holdfast.ReasonUnknownResult, report.Outcomes[0].Reason)
}

// A revocation that came too late is not held by the grant before it: both ended
// for the same reason, which is said.
func TestApply_GivesUpBeforeARevocation(t *testing.T) {
	f := newFake(t)
	f.r.RetryFor = 50 * time.Millisecond
	const head = `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"`
	f.apply(parse(t, head+"}\n"))
	plan := f.plan(parse(t, head+`, state: absent}
  - {principal: "User:app", operations: [Read], resource: "topic:a*"}
`))
	f.once(kmsg.CreateACLs, func(kmsg.Request) (kmsg.Response, error, bool) {
		go f.Close()
		return nil, errLost, true
	})
	report, err := f.r.Apply(context.Background(), plan)
	require.Error(t, err)
	require.Equal(t, []string{
		"failed/unknown-result create acl allow User:app Read on topic:a* from *",
		"not-attempted/expired delete acl allow User:app Read on topic:a1 from *",
	}, outcomes(report))
}

func TestApply_NotVisible(t *testing.T) {
	f := newFake(t)
	f.r.VisibleFor = time.Millisecond
	plan := f.plan(parse(t, threeTopics))
	writing := false
	f.ControlKey(int16(kmsg.Metadata), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		req := kreq.(*kmsg.MetadataRequest)
		if !writing || len(req.Topics) == 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewMetadataResponseTopic()
			rt.Topic, rt.ErrorCode = t.Topic, kerr.UnknownTopicOrPartition.Code
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	f.r.OnEvent = func(e holdfast.Event) { writing = e.Step > 0 }
	report, err := f.r.Apply(context.Background(), plan)
	require.ErrorIs(t, err, ErrNotVisible)
	require.ErrorContains(t, err, `create topic "a3": written, but not yet visible on every broker; found no such topic`)
	require.Equal(t, []string{
		"failed/not-visible create topic a1", "failed/not-visible create topic a2", "failed/not-visible create topic a3",
	}, outcomes(report))
}
