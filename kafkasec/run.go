package kafkasec

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/holdfast-sec/holdfast"
)

// maxSplits bounds how often a batch that was refused whole is halved.
const maxSplits = 3

// run sends the items in batches and settles every one of them.
func (a *applier) run(ctx context.Context, w writer, items []int) {
	for _, batch := range pack(items, w.limit, func(i int) int { return w.weight(a.plan.Changes[i]) }) {
		state := map[int]*pending{}
		for _, i := range batch {
			state[i] = &pending{}
		}
		a.runBatch(ctx, w, batch, state, 0)
	}
}

// pending is what is known of an item that is not settled yet.
type pending struct {
	// unclear: a write was sent whose answer never came, so it may have happened.
	unclear bool
	// contested: the broker says that somebody was here first. That can be this
	// very change, sent before its answer was lost.
	contested bool
	err       error // the latest
}

// runBatch sends one batch until each of its items is settled: answered for
// good, found done after an unclear answer, or given up. What may have happened
// is looked at before it is sent again.
func (a *applier) runBatch(ctx context.Context, w writer, todo []int, state map[int]*pending, splits int) {
	retry := newRetry(a.r.retryFor())
	look := false
	for len(todo) > 0 {
		if ctx.Err() != nil || a.gaveUp != nil {
			a.abandon(ctx, todo, state)
			return
		}
		var ans answers
		var err error
		if look {
			todo, err = a.look(ctx, todo, state)
			a.progress(w)
		} else if ans, err = a.send(ctx, w, todo); err != nil {
			for _, i := range todo {
				state[i].unclear = state[i].unclear || !neverSent(err)
				state[i].err = err
			}
		}
		if err != nil {
			look = true
			if (permanent(err) || !retry.wait(ctx)) && ctx.Err() == nil {
				a.gaveUp = err
			}
			continue
		}
		if look {
			look = false
			continue
		}
		if splits < maxSplits && len(todo) > 1 && ans.refusedWhole() {
			half := len(todo) / 2
			a.runBatch(ctx, w, todo[:half], state, splits+1)
			a.runBatch(ctx, w, todo[half:], state, splits+1)
			return
		}
		var again []int
		var throttled bool
		again, throttled, look = a.take(w, todo, ans, state)
		progress := len(again) < len(todo)
		todo = again
		a.progress(w)
		if progress {
			a.spent = false
			retry = newRetry(a.r.retryFor())
		}
		if len(todo) == 0 {
			return
		}
		if throttled && ans.throttle > 0 {
			// The broker said how long; its wait is no failure of ours.
			if sleep(ctx, ans.throttle) {
				retry = newRetry(a.r.retryFor())
			}
			continue
		}
		// Once a batch has used up all patience, the next ones have one attempt each
		// until something succeeds, else a cluster whose controller refuses everything
		// would take that time for every one of them.
		if a.spent || !retry.wait(ctx) {
			if look && ctx.Err() == nil {
				if open, err := a.look(ctx, todo, state); err == nil {
					todo = open
					a.progress(w)
				}
			}
			a.spent = true
			a.abandon(ctx, todo, state)
			return
		}
		if !look {
			a.findController(ctx)
		}
	}
}

func (a *applier) send(ctx context.Context, w writer, todo []int) (answers, error) {
	changes := make([]Change, len(todo))
	for j, i := range todo {
		changes[j] = a.plan.Changes[i]
	}
	if a.who.controller < 0 {
		return answers{}, errNoController
	}
	ans, err := w.send(ctx, a.r, a.who.controller, changes)
	if err == nil && len(ans.items) != len(todo) {
		err = fmt.Errorf("broker %d answered %d of %d items", a.who.controller, len(ans.items), len(todo))
	}
	return ans, err
}

// take settles what was answered for good and returns what is to be tried again.
func (a *applier) take(w writer, todo []int, ans answers, state map[int]*pending) (again []int, throttled, look bool) {
	for j, i := range todo {
		item, p := ans.items[j], state[i]
		if item.unsent {
			again = append(again, i)
			continue
		}
		p.err = item.err
		switch {
		case item.err == nil && item.gone && !p.unclear:
			a.settle(i, holdfast.Unchanged, holdfast.ReasonAlreadyGone, nil)
			continue
		case item.err == nil:
			a.settle(i, holdfast.Applied, "", nil)
			continue
		case errors.Is(item.err, kerr.ThrottlingQuotaExceeded):
			throttled = true
		case errors.Is(item.err, kerr.RequestTimedOut):
			p.unclear, look = true, true
		case w.contested != nil && errors.Is(item.err, w.contested):
			p.contested, look = true, true
		case retriable(item.err):
		default:
			a.settle(i, holdfast.Failed, "", item.err)
			continue
		}
		again = append(again, i)
	}
	return again, throttled, look
}

// look reads what became of items whose answer was unclear or contested,
// settles those that are decided and returns the others.
func (a *applier) look(ctx context.Context, todo []int, state map[int]*pending) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, a.r.requestTimeout())
	defer cancel()
	now, who, err := a.r.read(ctx, a.needOf(todo))
	if err != nil {
		return todo, err
	}
	a.who = who
	live := newLive(now)
	var open []int
	for _, i := range todo {
		c, p := a.plan.Changes[i], state[i]
		standing, err := live.compare(c)
		switch {
		case err == nil && standing == isAfter && p.unclear:
			a.settle(i, holdfast.Applied, "", nil)
		case err == nil && standing == isAfter && c.After == nil:
			a.settle(i, holdfast.Unchanged, holdfast.ReasonAlreadyGone, nil)
		case err == nil && standing == isAfter:
			a.settle(i, holdfast.Unchanged, holdfast.ReasonAlreadyDone, nil)
		case err == nil && standing == isOther && p.contested:
			a.settle(i, holdfast.Failed, "", fmt.Errorf("%w; found %s", p.err, live.describe(c)))
		default:
			open = append(open, i)
		}
	}
	return open, nil
}

// findController asks again who the controller is; a broker that is away or
// still catching up costs one more round.
func (a *applier) findController(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, a.r.requestTimeout())
	defer cancel()
	if _, who, err := a.r.metadata(ctx, []string{}); err == nil {
		a.who = who
	}
}

// abandon settles items that will not be tried again. Those that were never
// sent have no error of their own: Apply returns the one that stopped it.
func (a *applier) abandon(ctx context.Context, todo []int, state map[int]*pending) {
	for _, i := range todo {
		p := state[i]
		err := p.err
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		switch {
		case p.unclear:
			a.settle(i, holdfast.Failed, holdfast.ReasonUnknownResult, err)
		case ctx.Err() != nil:
			a.settle(i, holdfast.NotAttempted, endReason(ctx), nil)
		case p.err == nil && permanent(a.gaveUp):
			a.settle(i, holdfast.NotAttempted, "", nil)
		case p.err == nil:
			a.settle(i, holdfast.NotAttempted, holdfast.ReasonExpired, nil)
		default:
			a.settle(i, holdfast.Failed, "", p.err)
		}
	}
}

// endReason says how the context ended.
func endReason(ctx context.Context) holdfast.Reason {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return holdfast.ReasonExpired
	}
	return holdfast.ReasonCanceled
}

func (a *applier) progress(w writer) {
	if a.done > a.told {
		a.told = a.done
		a.r.event(holdfast.Event{What: w.what, Step: a.done, Of: len(a.plan.Changes)})
	}
}
