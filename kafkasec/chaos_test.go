package kafkasec

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// trouble answers requests with errors, and breaks connections before or after
// a request is served, at random.
type trouble struct {
	mu     sync.Mutex
	rng    *rand.Rand
	on     bool
	cancel context.CancelFunc
}

func (tr *trouble) roll(n int) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.on && tr.rng.IntN(n) == 0
}

func (tr *trouble) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if tr.roll(12) {
		return nil, &net.OpError{Op: "dial", Err: errLost}
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	return &troubledConn{c, tr}, err
}

type troubledConn struct {
	net.Conn
	tr *trouble
}

func (c *troubledConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.tr.roll(40) { // served, and the answer is lost
		_ = c.Conn.Close()
		return 0, errLost
	}
	return n, err
}

func (tr *trouble) errorCode() int16 {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	all := []*kerr.Error{kerr.NotController, kerr.ThrottlingQuotaExceeded, kerr.RequestTimedOut, kerr.PolicyViolation, kerr.UnknownServerError}
	return all[tr.rng.IntN(len(all))].Code
}

func (tr *trouble) topics(kreq kmsg.Request) (kmsg.Response, error, bool) {
	if tr.roll(20) {
		tr.cancel()
	}
	if !tr.roll(3) {
		return nil, nil, false
	}
	req := kreq.(*kmsg.CreateTopicsRequest)
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	resp.ThrottleMillis = 1
	for _, t := range req.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic, rt.ErrorCode = t.Topic, tr.errorCode()
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil, true
}

func (tr *trouble) acls(kreq kmsg.Request) (kmsg.Response, error, bool) {
	if tr.roll(20) {
		tr.cancel()
	}
	if !tr.roll(3) {
		return nil, nil, false
	}
	resp := kreq.ResponseKind()
	switch req := kreq.(type) {
	case *kmsg.CreateACLsRequest:
		for range req.Creations {
			r := kmsg.NewCreateACLsResponseResult()
			r.ErrorCode = tr.errorCode()
			resp.(*kmsg.CreateACLsResponse).Results = append(resp.(*kmsg.CreateACLsResponse).Results, r)
		}
	case *kmsg.DeleteACLsRequest:
		for range req.Filters {
			r := kmsg.NewDeleteACLsResponseResult()
			r.ErrorCode = tr.errorCode()
			resp.(*kmsg.DeleteACLsResponse).Results = append(resp.(*kmsg.DeleteACLsResponse).Results, r)
		}
	}
	return resp, nil, true
}

// Whatever fails, and whenever the context ends, the report says what is: what
// it calls applied or unchanged holds, what it calls failed or not attempted
// does not, and only an unknown result may be either. Afterwards it converges.
func TestApply_ReportIsTrueWhateverFails(t *testing.T) {
	for seed := range uint64(15) {
		rng := rand.New(rand.NewPCG(seed, 9))
		f := newFake(t)
		tr := &trouble{rng: rng}
		r := &Reconciler{Client: f.client("admin", "adminpw", kgo.Dialer(tr.dial)), RetryFor: 300 * time.Millisecond, VisibleFor: time.Second}
		f.apply(randomSpec(rng, "p"))
		spec := randomSpec(rng, "p")
		for i := range spec.Topics {
			if spec.Topics[i].State != Absent {
				spec.Topics[i].Partitions += 3 // partitions never shrink
			}
		}
		plan := f.plan(spec)
		ctx, cancel := context.WithCancel(context.Background())
		tr.cancel = cancel
		f.always(kmsg.CreateTopics, tr.topics)
		f.always(kmsg.CreateACLs, tr.acls)
		f.always(kmsg.DeleteACLs, tr.acls)
		tr.mu.Lock()
		tr.on = true
		tr.mu.Unlock()
		report, err := r.Apply(ctx, plan)
		tr.mu.Lock()
		tr.on = false
		tr.mu.Unlock()
		cancel()
		require.Equal(t, report.Converged(), report.Err() == nil && report.Count(holdfast.NotAttempted)+report.Count(holdfast.Skipped) == 0)
		if !report.Converged() {
			require.Error(t, err)
		}

		now, _, err := f.r.read(context.Background(), newApplier(f.r, plan).needOf(all(len(plan.Changes))))
		require.NoError(t, err)
		live := newLive(now)
		for i, o := range report.Outcomes {
			standing, err := live.compare(plan.Changes[i])
			require.NoError(t, err)
			switch {
			case o.Reason == holdfast.ReasonUnknownResult:
			case o.Outcome == holdfast.Applied || o.Outcome == holdfast.Unchanged:
				require.Equal(t, isAfter, standing, "seed %d: %s", seed, o)
			default:
				require.Equal(t, isBefore, standing, "seed %d: %s", seed, o)
			}
		}
		f.apply(spec)
		require.True(t, f.plan(spec).Empty(), "seed %d", seed)
		f.Close()
	}
}
