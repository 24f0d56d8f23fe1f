package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Reasons of this package's own.
const (
	// ReasonHeld goes with NotAttempted: an earlier step for the same principal
	// failed, and going on would have left it with less access than both before
	// and after, or with more.
	ReasonHeld holdfast.Reason = "held"
	// ReasonStale goes with NotAttempted: the plan was refused as a whole.
	ReasonStale holdfast.Reason = "stale"
)

// Apply makes the changes of the plan, in its order, and waits until every live
// broker knows them. The report has one outcome per change, in plan order, also
// when the context ends in the middle; the error joins the failures.
//
// First it looks at everything that the plan is about. A change whose result is
// already there is unchanged, so a plan that was interrupted can simply be
// applied again. Where neither the planned starting point nor the result holds,
// the whole plan is refused with a [*StaleError] and nothing is written; so is
// a plan for another cluster, with [ErrOtherCluster].
//
// A failed item does not stop the others, except that a revocation is held back
// where a grant to the same principal failed, and lifting a deny is held back
// where a revocation failed.
func (r *Reconciler) Apply(ctx context.Context, plan Plan) (holdfast.Report, error) {
	a := &applier{r: r, plan: plan, results: make([]holdfast.Result, len(plan.Changes))}
	for i, c := range plan.Changes {
		a.results[i] = holdfast.Result{Action: c.Action, Kind: c.Kind, Name: c.Name, Outcome: holdfast.NotAttempted}
	}
	if err := plan.check(""); err != nil {
		return a.report(), fmt.Errorf("apply: %w", err)
	}
	if len(plan.Changes) == 0 {
		return a.report(), wrapApply(a.report().Err())
	}
	if err := a.check(ctx); err != nil {
		return a.report(), fmt.Errorf("apply: %w", err)
	}
	a.write(ctx)
	visible := a.waitVisible(ctx)
	report := a.report()
	errs := []error{report.Err(), visible}
	if report.Count(holdfast.NotAttempted) > 0 {
		// Said once, not for each of the changes that it kept from being made.
		errs = append(errs, a.gaveUp, context.Cause(ctx))
	}
	return report, wrapApply(errors.Join(errs...))
}

func wrapApply(err error) error {
	if err != nil {
		err = fmt.Errorf("apply: %w", err)
	}
	return err
}

// applier is one run of Apply.
type applier struct {
	r       *Reconciler
	plan    Plan
	results []holdfast.Result // by change
	settled []bool            // by change: has its outcome
	who     members
	done    int // settled changes
	told    int // what the last event said of done
	// gaveUp is why no more requests are sent; nil while there is hope.
	gaveUp error
}

// report adds an outcome for each thing that could not be read when planning.
func (a *applier) report() holdfast.Report {
	rep := holdfast.Report{Report: "kafkasec", Outcomes: a.results}
	for _, u := range a.plan.Unread {
		rep.Outcomes = append(rep.Outcomes, holdfast.Result{Action: holdfast.ActionUpdate, Kind: u.Kind, Name: u.Name,
			Outcome: holdfast.NotAttempted, Reason: holdfast.ReasonUnread, Err: u.Err})
	}
	return rep
}

func (a *applier) settle(i int, o holdfast.Outcome, reason holdfast.Reason, err error) {
	a.results[i].Outcome, a.results[i].Reason, a.results[i].Err = o, reason, err
	if !a.settled[i] {
		a.settled[i] = true
		a.done++
	}
}

// check compares the plan with the live cluster, settles what needs no write,
// and refuses the plan where it no longer fits.
func (a *applier) check(ctx context.Context) error {
	a.settled = make([]bool, len(a.plan.Changes))
	a.r.event(holdfast.Event{What: "compare the plan with the cluster", Of: len(a.plan.Changes)})
	state, who, err := a.r.read(ctx, a.needOf(all(len(a.plan.Changes))))
	if err != nil {
		a.refuse(holdfast.ReasonUnread)
		if ctx.Err() != nil {
			a.refuse(holdfast.ReasonCanceled)
		}
		return err
	}
	if who.cluster != a.plan.Cluster {
		a.refuse(ReasonStale)
		return fmt.Errorf("%w: it names %q, this one is %q", ErrOtherCluster, a.plan.Cluster, who.cluster)
	}
	a.who = who
	live := newLive(state)
	stale := &StaleError{}
	for i, c := range a.plan.Changes {
		if why := protectedTopic(c.Name); c.Kind != KindACL && (why != "" || state.Topics[c.Name].Internal) {
			a.settle(i, holdfast.Skipped, holdfast.ReasonProtected, nil)
			continue
		}
		now, err := live.compare(c)
		switch {
		case err != nil:
			a.settle(i, holdfast.NotAttempted, holdfast.ReasonUnread, err)
		case now == isAfter && c.After == nil:
			a.settle(i, holdfast.Unchanged, holdfast.ReasonAlreadyGone, nil)
		case now == isAfter:
			a.settle(i, holdfast.Unchanged, holdfast.ReasonAlreadyDone, nil)
		case now == isOther:
			stale.Changes = append(stale.Changes, StaleChange{c, live.describe(c)})
		case c.Kind == KindTopicReplication:
			a.settle(i, holdfast.Skipped, holdfast.ReasonUnsupported, nil)
		}
	}
	if len(stale.Changes) > 0 {
		a.refuse(ReasonStale)
		return stale
	}
	if needs := a.needs(); len(needs) > 0 {
		return dial.Require(ctx, a.r.Client, needs...)
	}
	return nil
}

// refuse marks everything as not attempted.
func (a *applier) refuse(reason holdfast.Reason) {
	for i := range a.results {
		a.settle(i, holdfast.NotAttempted, reason, nil)
	}
}

// needOf is what must be read to judge the changes.
func (a *applier) needOf(items []int) reading {
	need := reading{configs: map[string][]string{}}
	named := map[string]bool{}
	for _, i := range items {
		c := a.plan.Changes[i]
		if c.Kind == KindACL {
			need.acls = true
			continue
		}
		if !named[c.Name] {
			named[c.Name] = true
			need.topics = append(need.topics, c.Name)
		}
		if after, ok := c.After.(TopicData); ok {
			for k := range after.Configs {
				need.configs[c.Name] = append(need.configs[c.Name], k)
			}
		}
	}
	return need
}

func all(n int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	return items
}

// write runs the stages in plan order.
func (a *applier) write(ctx context.Context) {
	for st := stageCreateTopics; st < stageUnknown; st++ {
		var items []int
		for i, c := range a.plan.Changes {
			if c.stage() == st && !a.settled[i] {
				items = append(items, i)
			}
		}
		if (st == stageRevoke || st == stageUndeny) && ctx.Err() == nil && a.gaveUp == nil {
			items = a.hold(st, items)
		}
		if len(items) > 0 {
			a.run(ctx, writerFor(st), items)
		}
	}
}

// hold settles those revocations (or lifted denies) that must wait because an
// earlier ACL step for the same principal did not succeed, and returns the rest.
func (a *applier) hold(st stage, items []int) []int {
	failed := map[string]string{} // first unsuccessful binding, by principal
	for i, c := range a.plan.Changes {
		if c.Kind == KindACL && c.stage() < st && a.results[i].Outcome != holdfast.Applied && a.results[i].Outcome != holdfast.Unchanged {
			b := c.binding()
			if _, ok := failed[b.Principal]; !ok {
				failed[b.Principal] = string(c.Action) + " " + b.String()
			}
		}
	}
	if len(failed) == 0 {
		return items
	}
	var free []int
	for _, i := range items {
		principal := a.plan.Changes[i].binding().Principal
		cause, ok := failed[principal]
		for other, why := range failed {
			// A wildcard stands for every principal of its type, either way.
			if !ok && strings.HasSuffix(other, ":*") || !ok && strings.HasSuffix(principal, ":*") {
				cause, ok = why, true
			}
		}
		if !ok {
			free = append(free, i)
			continue
		}
		a.settle(i, holdfast.NotAttempted, ReasonHeld, fmt.Errorf("held back, because this did not succeed: %s", cause))
	}
	return free
}
