package kafkasec

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 2 * time.Second
)

// retriable reports whether the same item can simply be sent again: the answer
// says that nothing was done, and that it may be different in a moment.
func retriable(err error) bool {
	var k *kerr.Error
	return errors.As(err, &k) && k.Retriable
}

// retry waits longer and longer between attempts, for a limited time in all.
type retry struct {
	until   time.Time
	backoff time.Duration
}

func newRetry(limit time.Duration) *retry {
	return &retry{until: time.Now().Add(limit), backoff: firstBackoff}
}

// wait returns false when the time is used up or the context has ended.
func (r *retry) wait(ctx context.Context) bool {
	if !time.Now().Before(r.until) {
		return false
	}
	d := r.backoff
	r.backoff = min(2*d, maxBackoff)
	return sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
