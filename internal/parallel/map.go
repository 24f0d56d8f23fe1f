package parallel

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// DefaultLimit is what a limit of zero means: enough to hide the latency of a
// few slow hosts or brokers, too few to be a load on them.
const DefaultLimit = 8

// Map calls f for each item of in, at most limit at a time; a limit of zero or
// less means [DefaultLimit]. results[i] and errs[i] are what f returned for
// in[i]. errs is as long as in, so errors.Join(errs...) is nil exactly when
// nothing failed.
//
// Items are begun in order. When ctx ends, no further one is begun, and those
// that were not have [context.Cause] of ctx as their error; f is handed ctx and
// is trusted to return soon. Map returns when every call that was begun has.
//
// A panic in f is raised again by Map, in the caller's goroutine, after the
// other calls have returned.
func Map[T, R any](ctx context.Context, limit int, in []T, f func(context.Context, T) (R, error)) (results []R, errs []error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	results, errs = make([]R, len(in)), make([]error, len(in))
	var (
		workers  sync.WaitGroup
		next     = make(chan int)
		once     sync.Once
		panicked error
	)
	call := func(i int) {
		defer func() {
			if v := recover(); v != nil {
				once.Do(func() { panicked = fmt.Errorf("%v\n\n%s", v, debug.Stack()) })
			}
		}()
		results[i], errs[i] = f(ctx, in[i])
	}
	for range min(limit, len(in)) {
		workers.Go(func() {
			for i := range next {
				call(i)
			}
		})
	}
	for i := range in {
		// Asked first: select chooses at random between a worker that is free
		// and a context that has ended.
		if ctx.Err() == nil {
			select {
			case next <- i:
				continue
			case <-ctx.Done():
			}
		}
		errs[i] = context.Cause(ctx)
	}
	close(next)
	workers.Wait()
	if panicked != nil {
		panic(panicked)
	}
	return results, errs
}
