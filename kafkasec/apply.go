package kafkasec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Reasons of this package's own.
const (
	// ReasonHeld goes with NotAttempted: an earlier step for the same principal
	// did not succeed, and going on would have left it with less access than both
	// before and after, or with more.
	ReasonHeld holdfast.Reason = "held"
	// ReasonStale goes with NotAttempted: the plan was refused as a whole.
	ReasonStale holdfast.Reason = "stale"
	// ReasonOverwritten goes with Failed: it was written, and then changed by
	// somebody else; see [ErrOverwritten].
	ReasonOverwritten holdfast.Reason = "overwritten"
	// ReasonNotVisible goes with Failed: it was written, and was not there when
	// Apply stopped looking; see [ErrNotVisible].
	ReasonNotVisible holdfast.Reason = "not-visible"
)

// Apply makes the changes of the plan, in its order, then looks at what it wrote,
// and waits until every live broker knows it. The report has one outcome per
// change, in plan order, also when the context ends in the middle; the error joins
// the failures.
//
// Two appliers may run at once. What is called applied was there after it had been
// written, unless the error says [ErrNotVisible]; where somebody else was later and
// quicker than that look, the change has failed, with [ErrOverwritten].
//
// First it looks at everything that the plan is about. A change whose result is
// already there is unchanged, so a plan that was interrupted can simply be
// applied again. Where neither the planned starting point nor the result holds,
// the whole plan is refused with a [*StaleError] and nothing is written; so is
// a plan for another cluster, with [ErrOtherCluster].
//
// A failed item does not stop the others, except that for the same principal a
// grant or a login is held back where a new deny failed, a revocation where a
// grant failed, and lifting a deny where a revocation, the deletion of a login or
// a new deny failed.
//
// References to passwords are resolved after that look and before the first
// write.
func (r *Reconciler) Apply(ctx context.Context, plan Plan) (holdfast.Report, error) {
	a := newApplier(r, plan)
	if err := plan.check(""); err != nil {
		return a.report(), fmt.Errorf("apply: %w", err)
	}
	if len(plan.Changes) == 0 {
		return a.report(), wrapApply(a.report().Err())
	}
	if err := a.check(ctx); err != nil {
		return a.report(), fmt.Errorf("apply: %w", err)
	}
	a.resolvePasswords(ctx)
	a.write(ctx)
	visible := a.verify(ctx)
	report := a.report()
	// Why it stopped is said once, not for each of the changes that were not made.
	errs := []error{report.Err(), a.sweptErr(), visible, a.gaveUp}
	if visible != nil || report.Count(holdfast.NotAttempted) > 0 {
		errs = append(errs, context.Cause(ctx))
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
	gaveUp    error
	passwords passwords
	bindings  int         // of the cluster, when it was looked at
	swept     *SweptError // by broad filters; nil where nothing was
	// spent: a batch used up all its patience, and nothing has succeeded since.
	spent bool
}

func newApplier(r *Reconciler, plan Plan) *applier {
	a := &applier{r: r, plan: plan, results: make([]holdfast.Result, len(plan.Changes)), settled: make([]bool, len(plan.Changes))}
	for i, c := range plan.Changes {
		a.results[i] = holdfast.Result{Action: c.Action, Kind: c.Kind, Name: c.Name, Outcome: holdfast.NotAttempted}
	}
	return a
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
	a.r.event(holdfast.Event{What: "compare the plan with the cluster", Of: len(a.plan.Changes)})
	state, who, err := a.r.read(ctx, a.needOf(all(len(a.plan.Changes))))
	if err != nil {
		reason := holdfast.ReasonUnread
		if ctx.Err() != nil {
			reason = endReason(ctx)
		}
		a.refuse(reason)
		return err
	}
	if who.cluster != a.plan.Cluster {
		a.refuse(ReasonStale)
		return fmt.Errorf("%w: it names %q, this one is %q", ErrOtherCluster, a.plan.Cluster, who.cluster)
	}
	a.who, a.bindings = who, len(state.ACLs)
	me, err := a.r.self(ctx)
	if err != nil {
		a.refuse(holdfast.ReasonUnread)
		return err
	}
	live := newLive(state)
	stale := &StaleError{}
	for i, c := range a.plan.Changes {
		if why := protectedTopic(c.Name); c.aboutTopic() && (why != "" || state.Topics[c.Name].Internal) {
			a.settle(i, holdfast.Skipped, holdfast.ReasonProtected, nil)
			continue
		}
		if me.keeps(c) {
			a.settle(i, holdfast.Skipped, holdfast.ReasonProtected, errors.New("it is what this client logs in with or has its rights from"))
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
		if err := dial.Require(ctx, a.r.anyBroker(), needs...); err != nil {
			for i, settled := range a.settled {
				if !settled && ctx.Err() != nil {
					a.settle(i, holdfast.NotAttempted, endReason(ctx), nil)
				}
			}
			return err
		}
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
		if c.Kind == KindScramUser {
			need.users = append(need.users, c.credential().User)
			if after, ok := c.After.(Credential); ok && after.Login != "" {
				after.Iterations = 0
				need.logins = append(need.logins, after)
			}
			continue
		}
		if c.Kind == KindQuota {
			need.addQuota(c.quota().QuotaEntity)
			continue
		}
		if !named[c.Name] {
			named[c.Name] = true
			need.topics = append(need.topics, c.Name)
		}
		if before, _ := c.Before.(TopicData); before.Records == RecordsNone {
			need.records = append(need.records, c.Name)
		}
		if after, ok := c.After.(TopicData); ok {
			for k := range after.Configs {
				need.configs[c.Name] = append(need.configs[c.Name], k)
			}
		}
	}
	need.users = distinct(need.users)
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
		if ctx.Err() == nil && a.gaveUp == nil {
			items = a.hold(st, items)
		}
		switch {
		case len(items) == 0:
		case st == stageRevoke || st == stageUndeny:
			a.revoke(ctx, st, items)
		default:
			a.run(ctx, a.writerFor(st), items)
		}
	}
}

// heldBy lists the stages that must have succeeded for a principal before this
// one may run for it. Without the first, it would have what it has neither
// before nor after; without the second, it would lack what it has both before
// and after; the third is as the first.
func (st stage) heldBy() []stage {
	switch st {
	case stageGrant, stageScram256, stageScram512:
		return []stage{stageDeny}
	case stageRevoke:
		return []stage{stageGrant}
	case stageUndeny:
		return []stage{stageDeny, stageRevoke, stageDropScram256, stageDropScram512}
	}
	return nil
}

// hold settles those items that must wait because an earlier step for the same
// principal did not succeed, and returns the rest.
func (a *applier) hold(st stage, items []int) []int {
	causes := map[string]string{} // first unsuccessful step, by principal
	anyOf := map[string]string{}  // and by type of principal
	for i, c := range a.plan.Changes {
		if o := a.results[i].Outcome; o == holdfast.Applied || o == holdfast.Unchanged || !slices.Contains(st.heldBy(), c.stage()) {
			continue
		}
		cause := string(c.Action) + " " + c.Name
		typ, _, _ := strings.Cut(c.principal(), ":")
		causes[c.principal()] = cmp.Or(causes[c.principal()], cause)
		anyOf[typ] = cmp.Or(anyOf[typ], cause)
	}
	var free []int
	for _, i := range items {
		principal := a.plan.Changes[i].principal()
		typ, name, _ := strings.Cut(principal, ":")
		// A wildcard stands for every principal of its type, either way.
		cause := cmp.Or(causes[principal], causes[typ+":*"])
		if name == "*" {
			cause = cmp.Or(cause, anyOf[typ])
		}
		if cause == "" {
			free = append(free, i)
			continue
		}
		a.settle(i, holdfast.NotAttempted, ReasonHeld, fmt.Errorf("held back, because this did not succeed: %s", cause))
	}
	return free
}
