package kafkasec

import (
	"fmt"
	"slices"

	"github.com/holdfast-sec/holdfast"
)

// pruneQuotas lifts what is not declared. Of a declared quota it adds to the
// change that there is already, so that the quota stays one change.
func (p *Plan) pruneQuotas(s Spec, state State, v *validator, unread unreadIndex) {
	if u, ok := unread.find(KindQuota, "*"); ok {
		p.Unread = append(p.Unread, Unread{KindQuota, "*", u.Err}) // Plan says it once
		return
	}
	declared := map[QuotaEntity]Quota{}
	for _, q := range s.Quotas {
		declared[q.Entity()] = q
	}
	changes := map[string]int{}
	for i, c := range p.Changes {
		if c.Kind == KindQuota {
			changes[c.Name] = i
		}
	}
	owned := s.Scope.index()
	total := 0
	var undeclared []string
	for _, live := range state.Quotas {
		if !owned.ownsQuota(live.QuotaEntity) {
			continue
		}
		total++
		q, isDeclared := declared[live.QuotaEntity]
		if q.State == Absent {
			continue
		}
		lift := liftable(live, q)
		if len(lift) == 0 {
			continue
		}
		name := live.String()
		var c Change
		i, changed := changes[name]
		if changed {
			c = p.Changes[i]
		} else {
			c = Change{holdfast.ActionUpdate, KindQuota, name, reasonLimits,
				QuotaData{live.QuotaEntity, map[string]*float64{}}, QuotaData{live.QuotaEntity, map[string]*float64{}}}
		}
		if changed && c.Reason != reasonLimits {
			c.Reason += ", and limits are set that are not declared"
		}
		before, after := c.Before.(QuotaData), c.After.(QuotaData)
		for _, k := range lift {
			have := live.Limits[k]
			before.Limits[k], after.Limits[k] = &have, nil
		}
		if !isDeclared && len(lift) == len(live.Limits) {
			c.Action, c.Reason, c.After = holdfast.ActionDelete, reasonNotDeclared, nil
		}
		if err := c.check(); err != nil {
			p.Unread = append(p.Unread, Unread{KindQuota, name, fmt.Errorf("not declared, and cannot be lifted: %w", err)})
			continue
		}
		undeclared = append(undeclared, name)
		if changed {
			p.Changes[i] = c
		} else {
			p.Changes = append(p.Changes, c)
		}
	}
	v.checkLimits(s.Prune, KindQuota, undeclared, total)
}

const reasonLimits = "limits are set that are not declared"

// liftable are the live limits that q does not speak of. One that this package
// does not know, or that the entity cannot have, cannot be declared, and stays.
func liftable(live QuotaState, q Quota) (keys []string) {
	limits := q.limits()
	for _, k := range sortedKeys(live.Limits) {
		if _, set := limits[k]; !set && slices.Contains(quotaKeys, k) && limitOf(live.QuotaEntity, k) == nil && !slices.Contains(q.AbsentLimits, k) {
			keys = append(keys, k)
		}
	}
	return keys
}
