package kafkasec

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/poll"
)

// verify looks whether everything that was written is there, and waits until
// every broker shows it. What is not there is either not there yet or has been
// overwritten, and one look cannot tell: a broker that lags shows what was
// before, and so it is after somebody has put that back. What tells them apart is
// that brokers follow the log in order: a broker that shows a later write of this
// Apply has had the earlier one.
//
// That is taken for proof only when it lasts, because the later write may have
// been made by the rival as well, and before ours. What is neither as before nor
// as written is somebody's work, once the brokers show what else was written.
// Where no later write is left to tell, the time limit decides, and the report
// says only that it is not there. A topic that is gone proves nothing unless a
// later one is there: a broker with ZooKeeper that has just started knows bindings
// before it knows topics.
func (a *applier) verify(ctx context.Context) error {
	open := a.written()
	switch {
	case len(open) == 0:
		return nil
	case ctx.Err() != nil:
		return ErrNotVisible
	}
	a.r.event(holdfast.Event{What: "wait until every broker knows", Step: a.done, Of: len(a.plan.Changes)})
	a.findController(ctx)
	limit, cancel := context.WithTimeout(ctx, a.r.visibleFor())
	defer cancel()
	w := watch{a: a, open: open, caught: map[int]time.Time{}}
	w.wait(limit, open)
	err := poll.Until(limit, poll.Backoff{Initial: firstBackoff, Max: 4 * firstBackoff}, func(limit context.Context) (bool, error) {
		if err := w.look(limit); err != nil {
			return false, poll.NotYet{Reason: err}
		}
		if w.behind == nil && len(w.open) == 0 && slices.Equal(w.shown, a.lastOf(w.seen)) {
			return true, nil
		}
		w.wait(limit, w.seen)
		return false, nil
	})
	switch {
	case ctx.Err() != nil && err != nil:
		return ErrNotVisible
	case err != nil:
		err = w.giveUp(ctx)
	}
	return cmp.Or(err, a.waitLogin(ctx, limit, w.lastLogin()))
}

// written lists what the report calls applied.
func (a *applier) written() (items []int) {
	for i := range a.results {
		if a.results[i].Outcome == holdfast.Applied {
			items = append(items, i)
		}
	}
	return items
}

// watch is what verify has found so far.
type watch struct {
	a *applier
	// open were not seen yet, seen were; both in plan order.
	open, seen []int
	// shown are those that every broker was to show the last time, and behind
	// says which does not.
	shown  []int
	behind error
	// caught is since when an open one is missing although every broker shows what
	// was seen.
	caught map[int]time.Time
	// found is the latest look at the open ones.
	found live
}

// wait gives every broker a moment to show the last of the items: no longer than
// it takes to be sure of what is overwritten, because these may be. For the same
// reason they are looked at again where a broker does not show them.
func (w *watch) wait(ctx context.Context, items []int) {
	ctx, cancel := context.WithTimeout(ctx, w.a.r.settleFor())
	defer cancel()
	w.shown = w.a.lastOf(items)
	if w.behind = w.a.waitVisible(ctx, w.shown); w.behind == nil {
		return
	}
	again := func(i int) bool { return slices.Contains(w.shown, i) }
	for _, i := range w.seen {
		if again(i) {
			w.open = append(w.open, i)
		}
	}
	w.seen = slices.DeleteFunc(w.seen, again)
	slices.Sort(w.open)
}

// look reads the open ones again, and settles those that are overwritten for
// sure, which takes brokers that show all that was seen.
func (w *watch) look(ctx context.Context) error {
	if len(w.open) == 0 {
		return nil
	}
	need := w.a.needOf(w.open)
	need.logins = nil // of the last one only, when brokers describe it
	now, _, err := w.a.r.read(ctx, need)
	if err != nil {
		return err
	}
	w.found = newLive(now)
	var missing []int
	other, unread, gone := map[int]bool{}, map[int]bool{}, map[int]bool{}
	for _, i := range w.open {
		standing, err := w.found.compare(w.change(i))
		switch {
		case err != nil:
			unread[i] = true
		case standing == isAfter:
			w.seen = append(w.seen, i)
			continue
		case w.found.gone(w.change(i)):
			gone[i] = true
		case standing == isOther:
			other[i] = true
		}
		missing = append(missing, i)
	}
	slices.Sort(w.seen)
	w.open = slices.DeleteFunc(missing, func(i int) bool {
		since, known := w.caught[i]
		switch {
		case unread[i]:
			return false
		case w.behind != nil:
			delete(w.caught, i)
			return false
		case !known:
			since = time.Now()
			w.caught[i] = since
		}
		later := slices.ContainsFunc(w.seen, func(s int) bool { return s > i && (!gone[i] || w.change(s).aboutTopic()) })
		if !other[i] && (!later || time.Since(since) < w.a.r.settleFor()) {
			return false
		}
		w.missed(i, ReasonOverwritten, ErrOverwritten)
		return true
	})
	return nil
}

// giveUp looks once more, and settles what is still missing. What cannot be read
// stays applied, and is the error, as is a broker that does not show the rest.
func (w *watch) giveUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.a.r.requestTimeout())
	defer cancel()
	if err := w.look(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrNotVisible, err)
	}
	var unread error
	for _, i := range w.open {
		switch standing, err := w.found.compare(w.change(i)); {
		case err == nil && standing == isOther:
			w.missed(i, ReasonOverwritten, ErrOverwritten)
		case err == nil:
			w.missed(i, ReasonNotVisible, ErrNotVisible)
		case unread == nil:
			unread = fmt.Errorf("%w: %w", ErrNotVisible, err)
		}
	}
	applied := func(i int) bool { return w.a.results[i].Outcome == holdfast.Applied }
	if unread == nil && slices.ContainsFunc(w.shown, applied) {
		return w.behind // the missing ones have errors of their own
	}
	return unread
}

// change is what the item asks for, without what only a login tells.
func (w *watch) change(i int) Change { return w.a.plan.Changes[i].withoutLogin() }

// lastLogin is the last credential that is there.
func (w *watch) lastLogin() (last []Change) {
	for _, i := range w.a.lastOf(w.seen) {
		if c := w.a.plan.Changes[i]; c.Kind == KindScramUser {
			last = append(last, c)
		}
	}
	return last
}

func (w *watch) missed(i int, reason holdfast.Reason, err error) {
	w.a.settle(i, holdfast.Failed, reason, fmt.Errorf("%w; found %s", err, w.found.describe(w.change(i))))
}
