package kafkasec

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// applied is an applier whose changes have all been made.
func (f *fake) applied(plan Plan) *applier {
	a := newApplier(f.r, plan)
	for i := range plan.Changes {
		a.settle(i, holdfast.Applied, "", nil)
	}
	return a
}

// waits waits as Apply does after its last write.
func (a *applier) waits() error {
	a.findController(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), a.r.visibleFor())
	defer cancel()
	return a.waitVisible(ctx, a.lastOf(a.written()))
}

// One broker that lags is enough to wait, whichever it is and whatever the
// change; and which brokers there are is asked anew.
func TestWaitVisible_AsksEveryBroker(t *testing.T) {
	f := newFake(t)
	f.r.VisibleFor = 50 * time.Millisecond
	was := parse(t, threeTopics+`
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
`)
	f.apply(was)
	is := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
topics:
  - {name: a1, configs: {retention.ms: 2000}}
  - {name: a2, partitions: 4}
  - {name: a3, state: absent}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1", state: absent}
  - {principal: "User:app", operations: [Write], resource: "topic:a1"}
`)
	for _, c := range f.plan(is).Changes { // none of them made
		t.Run(c.Kind+" "+string(c.Action), func(t *testing.T) {
			err := f.applied(Plan{Changes: []Change{c}}).waits()
			require.ErrorIs(t, err, ErrNotVisible)
			require.ErrorContains(t, err, c.Name)
			require.ErrorContains(t, err, "not there yet")
		})
	}
	// Of several bindings the last is looked for.
	is.ACLs = append(is.ACLs, ACL{Principal: "User:app", Operations: []Operation{Read}, Resource: "topic:a*"})
	grants := f.plan(is).Changes[2:4]
	require.Equal(t, []stage{stageGrant, stageGrant}, []stage{grants[0].stage(), grants[1].stage()})
	require.Equal(t, []int{1}, f.applied(Plan{Changes: grants}).lastOf([]int{0, 1}))

	plan := f.plan(is)
	f.apply(is)
	require.NoError(t, f.applied(plan).waits())
	for lagging := range int32(3) {
		t.Run(fmt.Sprint("broker ", lagging), func(t *testing.T) {
			f := newFake(t)
			f.r.VisibleFor = 50 * time.Millisecond
			f.apply(parse(t, threeTopics))
			f.always(kmsg.Metadata, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
				req := kreq.(*kmsg.MetadataRequest)
				if f.CurrentNode() != lagging || len(req.Topics) == 0 {
					return nil, nil, false
				}
				return nil, errLost, true
			})
			err := f.applied(createPlan("a1")).waits()
			require.ErrorIs(t, err, ErrNotVisible)
			require.ErrorContains(t, err, fmt.Sprintf("broker %d does not show", lagging))
		})
	}
}

// A broker that leaves while it is waited for is not waited for any longer.
func TestWaitVisible_ABrokerThatLeaves(t *testing.T) {
	f := newFake(t)
	f.apply(parse(t, threeTopics))
	live, _, err := f.r.metadata(context.Background(), []string{})
	require.NoError(t, err)
	f.once(kmsg.Metadata, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		resp := kreq.(*kmsg.MetadataRequest).ResponseKind().(*kmsg.MetadataResponse)
		left := live.Brokers[0]
		left.NodeID, left.Port = 99, 1
		resp.ClusterID, resp.ControllerID, resp.Brokers = live.ClusterID, live.ControllerID, append(live.Brokers, left)
		return resp, nil, true
	})
	a := f.applied(createPlan("a1"))
	require.NoError(t, a.waits())
	require.NotContains(t, a.who.brokers, int32(99))
}
