package kafkasec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// SweptError says that broad filters (see [Reconciler.BroadRevokes]) caught
// bindings that are not in the plan, because somebody granted them in the moment
// between the last look and the request.
type SweptError struct {
	// Restored were put back at once; nobody had them for that long.
	Restored []Binding
	// Lost could not be put back, for the reason Err.
	Lost []Binding
	Err  error
}

// Error names every binding.
func (e *SweptError) Error() string {
	var parts []string
	list := func(bindings []Binding, what string) {
		for _, b := range bindings {
			parts = append(parts, b.String()+" "+what)
		}
	}
	list(e.Restored, "was put back")
	list(e.Lost, "is gone")
	text := "revoked what is not in the plan, granted just then: " + strings.Join(parts, "; ")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap is why bindings could not be put back.
func (e *SweptError) Unwrap() error { return e.Err }

// swept adds what one request caught.
func (a *applier) sweep(restored, lost []Binding, err error) {
	if len(restored)+len(lost) == 0 {
		return
	}
	if a.swept == nil {
		a.swept = &SweptError{}
	}
	a.swept.Restored = append(a.swept.Restored, restored...)
	a.swept.Lost = append(a.swept.Lost, lost...)
	a.swept.Err = errors.Join(a.swept.Err, err)
}

// sweptErr is a nil error where nothing was swept.
func (a *applier) sweptErr() error {
	if a.swept == nil {
		return nil
	}
	return a.swept
}

// maxFilterMatches bounds the work of one DeleteAcls request, which is the
// number of its filters times that of the cluster's bindings: for each filter
// AclControlManager.deleteAclsForFilter (4.4.0) walks all of them, on the
// controller's only thread. It was measured at 0.55 µs a step, so that a request
// holds the thread for about a second, and is answered long before the
// client gives up.
const maxFilterMatches = 2_000_000

// deleteFilters is how many exact filters one request may have.
func deleteFilters(live int) int {
	return min(maxDeleteFilters, max(1, maxFilterMatches/max(1, live)))
}

// bindingFilter matches the bindings that are equal in all that it names; what
// is empty matches anything. Its permission is always named, so that it revokes
// within one stage of a plan.
type bindingFilter Binding

// breadths widen a binding to what a filter can name of it, the widest first.
var breadths = [...]func(Binding) bindingFilter{
	func(b Binding) bindingFilter { return bindingFilter{Principal: b.Principal, Permission: b.Permission} },
	func(b Binding) bindingFilter { return bindingFilter{Resource: b.Resource, Permission: b.Permission} },
	func(b Binding) bindingFilter {
		return bindingFilter{Principal: b.Principal, Resource: b.Resource, Permission: b.Permission}
	},
}

// sweepable is a filter whose matches are all to go, and those of them that no
// filter before it matches.
type sweepable struct {
	filter   bindingFilter
	bindings []Binding
}

// broadFilters finds filters of which every match among the live bindings is to
// go, and each of which adds between two bindings and most. The widest come
// first; exact are those of going that none matches.
func broadFilters(live, going []Binding, most int) (broad []sweepable, exact []Binding) {
	goes := make(map[Binding]bool, len(going))
	for _, b := range going {
		goes[b] = true
	}
	exact = slices.Clone(going)
	for _, widen := range breadths {
		stays := map[bindingFilter]bool{}
		for _, b := range live {
			if !goes[b] {
				stays[widen(b)] = true
			}
		}
		matched := map[bindingFilter][]Binding{}
		for _, b := range exact {
			if f := widen(b); !stays[f] {
				matched[f] = append(matched[f], b)
			}
		}
		exact = slices.DeleteFunc(exact, func(b Binding) bool {
			n := len(matched[widen(b)])
			return n > 1 && n <= most
		})
		wider := len(broad)
		for f, bindings := range matched {
			if n := len(bindings); n > 1 && n <= most {
				broad = append(broad, sweepable{f, bindings})
			}
		}
		slices.SortFunc(broad[wider:], func(a, b sweepable) int { return a.bindings[0].Compare(b.bindings[0]) })
	}
	return broad, exact
}

// wire names what the filter names. The pattern is never MATCH, which would also
// find what covers the resource.
func (f bindingFilter) wire() kmsg.DeleteACLsRequestFilter {
	w := kmsg.NewDeleteACLsRequestFilter()
	w.ResourceType, w.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	w.Operation, w.PermissionType = kmsg.ACLOperationAny, f.Permission.wire()
	if f.Resource != (Resource{}) {
		w.ResourceType, w.ResourcePatternType = f.Resource.wire()
		w.ResourceName = &f.Resource.Name
	}
	if f.Principal != "" {
		w.Principal = &f.Principal
	}
	if f.Host != "" {
		w.Host = &f.Host
	}
	if f.Operation != "" {
		w.Operation = f.Operation.wire()
	}
	return w
}

// revoke runs a stage that deletes bindings: what broad filters can name, where
// they are wanted, and then the rest one by one.
func (a *applier) revoke(ctx context.Context, st stage, items []int) {
	w := a.writerFor(st)
	if !a.r.BroadRevokes || ctx.Err() != nil || a.gaveUp != nil {
		a.run(ctx, w, items)
		return
	}
	live, err := a.liveBindings(ctx)
	if err != nil { // nothing is known, so nothing broad is sent
		a.run(ctx, w, items)
		return
	}
	item := make(map[Binding]int, len(items))
	going := make([]Binding, len(items))
	for j, i := range items {
		going[j] = a.plan.Changes[i].binding()
		item[going[j]] = i
	}
	broad, exact := broadFilters(live, going, maxRecords)
	index := func(bindings []Binding) []int {
		found := make([]int, len(bindings))
		for j, b := range bindings {
			found[j] = item[b]
		}
		return found
	}
	for _, batch := range pack(all(len(broad)), maxRecords, func(i int) int { return len(broad[i].bindings) }) {
		var bindings []Binding
		for _, i := range batch {
			bindings = append(bindings, broad[i].bindings...)
		}
		sweeper := w
		sweeper.limit, sweeper.send = maxRecords, a.sweepACLs
		a.run(ctx, sweeper, index(bindings))
	}
	a.run(ctx, w, index(exact))
}

func (a *applier) liveBindings(ctx context.Context) ([]Binding, error) {
	ctx, cancel := context.WithTimeout(ctx, a.r.requestTimeout())
	defer cancel()
	var state State
	if err := a.r.readACLs(ctx, &state); err != nil {
		return nil, err
	}
	if _, unread := state.unreadIndex().find(KindACL, "*"); unread {
		return nil, errNotRead
	}
	return state.ACLs, nil
}

var errNotRead = errors.New("the bindings could not be read")

// sweepACLs looks once more, and deletes by broad filters what they match; what
// has become unfit for one, because somebody granted something meanwhile, waits
// for the next request, or is named in full where nothing else is left.
func (a *applier) sweepACLs(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	live, err := a.liveBindings(ctx)
	if err != nil {
		return answers{}, fmt.Errorf("%w: %w", errNothingSent, err)
	}
	going := make([]Binding, len(changes))
	planned := make(map[Binding]bool, len(changes))
	for i, c := range changes {
		going[i] = c.binding()
		planned[going[i]] = true
	}
	broad, exact := broadFilters(live, going, maxRecords)
	exact = exact[:min(len(exact), deleteFilters(len(live)))]
	req := kmsg.NewPtrDeleteACLsRequest()
	filterOf := make(map[Binding]int, len(changes))
	for _, b := range broad {
		for _, m := range b.bindings {
			filterOf[m] = len(req.Filters)
		}
		req.Filters = append(req.Filters, b.filter.wire())
	}
	for _, b := range exact {
		filterOf[b] = len(req.Filters)
		req.Filters = append(req.Filters, bindingFilter(b).wire())
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.DeleteACLsResponse)
	if len(resp.Results) != len(req.Filters) {
		return answers{}, fmt.Errorf("broker %d answered %d of %d filters", controller, len(resp.Results), len(req.Filters))
	}
	deleted := make(map[Binding]error, len(changes))
	var foreign []Binding
	for _, res := range resp.Results {
		for _, m := range res.MatchingACLs {
			b := bindingFromWire(m.ResourceType, m.ResourceName, m.ResourcePatternType, m.Principal, m.Host, m.Operation, m.PermissionType)
			err := brokerError(m.ErrorCode, m.ErrorMessage, "Alter on the cluster")
			if planned[b] {
				deleted[b] = err
			} else if err == nil {
				foreign = append(foreign, b)
			}
		}
	}
	a.putBack(ctx, controller, foreign)
	ans := answers{throttle: time.Duration(resp.ThrottleMillis) * time.Millisecond}
	for _, b := range going {
		f, sent := filterOf[b]
		if !sent {
			ans.items = append(ans.items, answer{unsent: true})
			continue
		}
		err, matched := deleted[b]
		err = cmp.Or(err, brokerError(resp.Results[f].ErrorCode, resp.Results[f].ErrorMessage, "Alter on the cluster"))
		ans.items = append(ans.items, answer{err: err, gone: !matched})
	}
	return ans, nil
}

// putBack creates what broad filters caught besides, also where the context has
// ended by now: it is ours to mend.
func (a *applier) putBack(ctx context.Context, controller int32, foreign []Binding) {
	if len(foreign) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	changes := make([]Change, len(foreign))
	for i, b := range foreign {
		changes[i] = Change{Action: holdfast.ActionCreate, Kind: KindACL, Name: b.String(), After: b}
	}
	ans, err := createACLs(ctx, a.r, controller, changes)
	for try := 0; err != nil && try < maxSplits; try++ { // it is idempotent
		a.findController(ctx)
		ans, err = createACLs(ctx, a.r, a.who.controller, changes)
	}
	if err != nil || len(ans.items) != len(foreign) {
		a.sweep(nil, foreign, cmp.Or(err, errNotAnswered))
		return
	}
	for i, b := range foreign {
		if err := ans.items[i].err; err != nil {
			a.sweep(nil, foreign[i:i+1], err)
		} else {
			a.sweep([]Binding{b}, nil, nil)
		}
	}
}

var errNotAnswered = errors.New("the broker left bindings out of its answer")
