package poll

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errBehind = errors.New("3 of 12 partitions are under-replicated")

func TestUntil_AsksAtOnceAndThenAtGrowingIntervals(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		backoff Backoff
		want    []time.Duration
	}{
		"zero value":      {Backoff{}, []time.Duration{0, 100 * ms, 150 * ms, 225 * ms}},
		"bounded":         {Backoff{Initial: time.Second, Max: 3 * time.Second, Factor: 2}, []time.Duration{0, 1000 * ms, 2000 * ms, 3000 * ms, 3000 * ms}},
		"constant":        {Backoff{Initial: time.Second, Factor: 1}, []time.Duration{0, 1000 * ms, 1000 * ms}},
		"max below first": {Backoff{Initial: time.Minute, Max: time.Second}, []time.Duration{0, 60_000 * ms, 60_000 * ms}},
		"no number":       {Backoff{Initial: time.Second, Factor: math.NaN()}, []time.Duration{0, 1000 * ms, 1500 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var waits []time.Duration
				last := time.Now()
				require.NoError(t, Until(t.Context(), c.backoff, func(context.Context) (bool, error) {
					waits = append(waits, time.Since(last))
					last = time.Now()
					return len(waits) == len(c.want), nil
				}))
				require.Equal(t, c.want, waits)
			})
		})
	}
}

func TestBackoff_StaysInTheRangeOfADuration(t *testing.T) {
	b := Backoff{Max: math.MaxInt64, Factor: 1e18}.withDefaults()
	wait := b.Initial
	for range 5 {
		next := b.next(wait)
		require.GreaterOrEqual(t, next, wait)
		wait = next
	}
	require.Equal(t, time.Duration(math.MaxInt64), wait)
}

func TestUntil_EndsWithItsContextAndTheLastReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start, asked := time.Now(), 0
		err := Until(ctx, Backoff{Initial: 40 * time.Second, Max: 40 * time.Second}, func(context.Context) (bool, error) {
			asked++
			return false, NotYet{fmt.Errorf("ask %d: %w", asked, errBehind)}
		})
		require.EqualError(t, err, "not done after asking 2 times: ask 2: 3 of 12 partitions are under-replicated (context deadline exceeded)")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, errBehind)
		require.Equal(t, time.Minute, time.Since(start), "the wait ends with the context")
	})
}

func TestUntil_KeepsNoReasonThatNoLongerHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		asked := 0
		err := Until(ctx, Backoff{Initial: 600 * time.Millisecond}, func(context.Context) (bool, error) {
			if asked++; asked == 1 {
				return false, NotYet{errBehind}
			}
			return false, nil
		})
		require.EqualError(t, err, "not done after asking 2 times: context deadline exceeded")
	})
}

func TestUntil_GivesTheCauseOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("operator pressed ^C")
		ctx, cancel := context.WithCancelCause(t.Context())
		err := Until(ctx, Backoff{}, func(context.Context) (bool, error) {
			cancel(cause)
			return false, nil
		})
		require.EqualError(t, err, "not done after asking 1 times: operator pressed ^C")
		require.ErrorIs(t, err, cause)

		err = Until(ctx, Backoff{}, func(context.Context) (bool, error) {
			t.Error("asked after the end")
			return true, nil
		})
		require.ErrorIs(t, err, cause)
	})
}

func TestUntil_AnAskThatIsCutOffKeepsTheReasonBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		asked := 0
		err := Until(ctx, Backoff{}, func(ctx context.Context) (bool, error) {
			if asked++; asked == 1 {
				return false, NotYet{errBehind}
			}
			<-ctx.Done()
			return false, fmt.Errorf("describe topics: %w", ctx.Err())
		})
		require.ErrorIs(t, err, errBehind)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestUntil_AnErrorEndsItUnchanged(t *testing.T) {
	refused := errors.New("not authorized")
	err := Until(t.Context(), Backoff{}, func(context.Context) (bool, error) { return false, refused })
	require.Equal(t, refused, err)
}

func TestUntil_AYesCountsAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, Until(ctx, Backoff{}, func(context.Context) (bool, error) {
		cancel()
		return true, nil
	}))
}
