package poll

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Backoff says how long to wait between two asks. Its zero value waits 100 ms,
// then half as long again each time, and never more than 5 s.
type Backoff struct {
	// Initial is the first wait. Zero means 100 ms.
	Initial time.Duration
	// Max is the longest wait. Zero means 5 s; less than Initial means Initial.
	Max time.Duration
	// Factor multiplies the wait after each ask. Less than 1 means 1.5.
	Factor float64
}

func (b Backoff) withDefaults() Backoff {
	if b.Initial <= 0 {
		b.Initial = 100 * time.Millisecond
	}
	if b.Max <= 0 {
		b.Max = 5 * time.Second
	}
	b.Max = max(b.Max, b.Initial)
	if !(b.Factor >= 1) { // also NaN
		b.Factor = 1.5
	}
	return b
}

// next is the wait after wait.
func (b Backoff) next(wait time.Duration) time.Duration {
	// Compared as floats: a product beyond the range of a Duration would turn
	// negative.
	if grown := float64(wait) * b.Factor; grown < float64(b.Max) {
		return time.Duration(grown)
	}
	return b.Max
}

// NotYet is the answer "ask again", with the reason that people read when time
// runs out: "3 of 12 partitions are under-replicated".
type NotYet struct{ Reason error }

func (e NotYet) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e NotYet) Unwrap() error { return e.Reason }

// Until asks at once and then after each wait, until ask returns true or an
// error that is no [NotYet]. (false, nil) means ask again, without a reason.
//
// ctx ends the waiting, and is handed to ask, whose last word counts: a true
// answer is nil even when ctx has ended. What ends it is the caller's timeout;
// the error then wraps [context.Cause] of ctx and the last reason.
func Until(ctx context.Context, b Backoff, ask func(context.Context) (done bool, err error)) error {
	b = b.withDefaults()
	var reason error
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait, asked := b.Initial, 0; ; asked++ {
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // select chooses at random where both are ready
			return ended(ctx, asked, reason)
		}
		done, err := ask(ctx)
		var notYet NotYet
		switch {
		case errors.As(err, &notYet):
			reason = notYet.Reason
		case err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()):
			// The ask was cut off and learned nothing: the reason before it says
			// more.
			return ended(ctx, asked+1, reason)
		case err != nil:
			return err
		case done:
			return nil
		default:
			reason = nil
		}
		timer.Reset(wait)
		wait = b.next(wait)
	}
}

func ended(ctx context.Context, asked int, reason error) error {
	if reason == nil {
		return fmt.Errorf("not done after asking %d times: %w", asked, context.Cause(ctx))
	}
	return fmt.Errorf("not done after asking %d times: %w (%w)", asked, reason, context.Cause(ctx))
}
