package parallel

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// numbers returns 0 to n-1.
func numbers(n int) []int {
	in := make([]int, n)
	for i := range in {
		in[i] = i
	}
	return in
}

func TestMap_KeepsOrderAndEveryError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		odd := errors.New("odd")
		results, errs := Map(t.Context(), 3, numbers(10), func(_ context.Context, i int) (string, error) {
			time.Sleep(time.Duration(10-i) * time.Second) // the last begun ends first
			if i%2 == 1 {
				return "", fmt.Errorf("%d: %w", i, odd)
			}
			return fmt.Sprint(i), nil
		})
		require.Equal(t, []string{"0", "", "2", "", "4", "", "6", "", "8", ""}, results)
		for i, err := range errs {
			require.Equal(t, i%2 == 1, errors.Is(err, odd), "item %d: %v", i, err)
		}
	})
}

// In a bubble time passes only when all sleep: twelve calls of a second, four
// at a time, take exactly three.
func TestMap_RunsAsManyAsTheLimit(t *testing.T) {
	for _, c := range []struct {
		limit, items int
		want         time.Duration
	}{
		{1, 12, 12 * time.Second},
		{4, 12, 3 * time.Second},
		{100, 12, time.Second},
		{0, 2 * DefaultLimit, 2 * time.Second},
		{-1, 2 * DefaultLimit, 2 * time.Second},
		{4, 0, 0},
	} {
		t.Run(fmt.Sprintf("%d at a time of %d", c.limit, c.items), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, errs := Map(t.Context(), c.limit, numbers(c.items), func(context.Context, int) (int, error) {
					time.Sleep(time.Second)
					return 0, nil
				})
				require.NoError(t, errors.Join(errs...))
				require.Equal(t, c.want, time.Since(start))
			})
		})
	}
}

// A goroutine that outlived Map would make synctest.Test fail.
func TestMap_CancelBeginsNoMoreAndWaitsForTheBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("operator pressed ^C")
		ctx, cancel := context.WithCancelCause(t.Context())
		begun, ended := 0, 0
		results, errs := Map(ctx, 1, numbers(5), func(ctx context.Context, i int) (int, error) {
			begun++
			if i == 1 {
				cancel(reason)
				<-ctx.Done()
				time.Sleep(time.Second) // slow to notice
			}
			ended++
			return i + 100, nil
		})
		require.Equal(t, 2, begun)
		require.Equal(t, 2, ended)
		require.Equal(t, []int{100, 101, 0, 0, 0}, results)
		require.Equal(t, []error{nil, nil, reason, reason, reason}, errs)
	})
}

// The one worker is free again when the context has ended: only the order of the
// questions keeps it from taking another item.
func TestMap_CancelByAnItemThatReturnsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun := 0
	_, errs := Map(ctx, 1, numbers(200), func(context.Context, int) (int, error) {
		begun++
		cancel()
		return 0, nil
	})
	require.Equal(t, 1, begun)
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[199], context.Canceled)
}

func TestMap_EndedContextBeginsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errs := Map(ctx, 2, numbers(50), func(context.Context, int) (int, error) {
		t.Error("called")
		return 0, nil
	})
	for _, err := range errs {
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestMap_PanicReachesTheCallerAfterTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make([]bool, 4)
		require.PanicsWithError(t, "boom", func() {
			defer func() {
				// The stack behind the value is for people; only the value is compared.
				if v := recover(); v != nil {
					require.Contains(t, v.(error).Error(), "boom\n\ngoroutine")
					panic(errors.New("boom"))
				}
			}()
			Map(t.Context(), 4, numbers(4), func(_ context.Context, i int) (int, error) {
				if i == 0 {
					panic("boom")
				}
				time.Sleep(time.Second)
				ended[i] = true
				return 0, nil
			})
		})
		require.Equal(t, []bool{false, true, true, true}, ended)
	})
}
