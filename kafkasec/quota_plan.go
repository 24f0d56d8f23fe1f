package kafkasec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// QuotaData is the part of a quota that a change is about: whose it is, and
// limits by Kafka's names. A nil limit means "not set".
type QuotaData struct {
	QuotaEntity
	Limits map[string]*float64 `json:"limits"`
}

func (QuotaData) object() {}

// QuotaState is a live quota.
type QuotaState struct {
	QuotaEntity
	// Limits by Kafka's names, also such as this package does not know.
	Limits map[string]float64 `json:"limits"`
}

func (s State) quotas() map[QuotaEntity]map[string]float64 {
	m := make(map[QuotaEntity]map[string]float64, len(s.Quotas))
	for _, q := range s.Quotas {
		m[q.QuotaEntity] = q.Limits
	}
	return m
}

func (p *Plan) planQuotas(quotas []Quota, state State, unread unreadIndex) {
	if len(quotas) == 0 {
		return
	}
	if u, ok := unread.find(KindQuota, "*"); ok {
		p.Unread = append(p.Unread, Unread{KindQuota, "*", u.Err})
		return
	}
	live := state.quotas()
	for _, q := range quotas {
		e := q.Entity()
		have := live[e]
		before, after := QuotaData{e, map[string]*float64{}}, QuotaData{e, map[string]*float64{}}
		if q.State == Absent {
			for k, v := range have {
				before.Limits[k] = &v
			}
			if len(have) > 0 {
				p.Changes = append(p.Changes, Change{holdfast.ActionDelete, KindQuota, e.String(), "declared absent", before, nil})
			}
			continue
		}
		for k, want := range q.limits() {
			now, isSet := have[k]
			if isSet && now == want {
				continue
			}
			after.Limits[k], before.Limits[k] = &want, nil
			if isSet {
				before.Limits[k] = &now
			}
		}
		for _, k := range q.AbsentLimits {
			if now, isSet := have[k]; isSet {
				after.Limits[k], before.Limits[k] = nil, &now
			}
		}
		switch {
		case len(have) == 0 && len(after.Limits) > 0:
			p.Changes = append(p.Changes, Change{holdfast.ActionCreate, KindQuota, e.String(), "does not exist", nil, after})
		case len(after.Limits) > 0:
			p.Changes = append(p.Changes, Change{holdfast.ActionUpdate, KindQuota, e.String(), "declared limits differ", before, after})
		}
	}
}

func (c Change) quota() QuotaData { return subject[QuotaData](c) }

// quotaStage: what only lifts limits comes last. What also sets some is one
// request, so that no client is without any limit in between.
func (c Change) quotaStage() stage {
	after, _ := c.After.(QuotaData)
	for _, v := range after.Limits {
		if v != nil {
			return stageQuotas
		}
	}
	return stageLiftQuotas
}

// checkQuota refuses a quota change that Spec.Plan would never write.
func (c Change) checkQuota() error {
	before, after, err := objectsOf[QuotaData](c)
	if err != nil {
		return err
	}
	hasBefore, hasAfter := c.Before != nil, c.After != nil
	q := c.quota()
	if err := q.check(); err != nil {
		return err
	}
	if c.Name != q.String() {
		return fmt.Errorf("name %q does not say what the change does: %s", c.Name, q.QuotaEntity)
	}
	if len(q.Limits) == 0 {
		return errors.New("names no limit")
	}
	for _, k := range sortedKeys(q.Limits) {
		switch {
		case q.Limits[k] == nil && (!hasBefore || before.Limits[k] == nil):
			return fmt.Errorf("limit %s has no value", k)
		case !hasAfter: // what is there may be what this package does not know
		case !slices.Contains(quotaKeys, k):
			return fmt.Errorf("limit %q: allowed are %s", k, strings.Join(quotaKeys, ", "))
		case q.Limits[k] == nil:
			if err := limitOf(q.QuotaEntity, k); err != nil {
				return fmt.Errorf("%s %w", k, err)
			}
		default:
			if err := checkLimit(q.QuotaEntity, k, *q.Limits[k]); err != nil {
				return fmt.Errorf("%s %w", k, err)
			}
		}
	}
	if hasBefore && hasAfter && (before.QuotaEntity != after.QuotaEntity || !slices.Equal(sortedKeys(before.Limits), sortedKeys(after.Limits))) {
		return errors.New("before and after must be the same limits of the same")
	}
	return nil
}

func (c Change) quotaDetail() (parts []string) {
	before, _ := c.Before.(QuotaData)
	for _, k := range sortedKeys(c.quota().Limits) {
		v := limit(c.quota().Limits[k])
		switch c.Action {
		case holdfast.ActionUpdate:
			v = ": " + limit(before.Limits[k]) + " -> " + v
		default:
			v = "=" + v
		}
		parts = append(parts, word(k)+v)
	}
	return parts
}

func limit(v *float64) string {
	if v == nil {
		return "(not set)"
	}
	return number(*v)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// compareQuota is compare for a quota change.
func (l live) compareQuota(c Change) (standing, error) {
	if u, ok := l.unread.find(KindQuota, "*"); ok {
		return isOther, u.Err
	}
	have := l.quotas[c.quota().QuotaEntity]
	holds := func(o Object) bool {
		want, ok := o.(QuotaData)
		if !ok {
			return len(have) == 0
		}
		for k, v := range want.Limits {
			now, isSet := have[k]
			if isSet != (v != nil) || isSet && now != *v {
				return false
			}
		}
		// A limit that somebody has set since would be lifted unseen.
		return c.After != nil || len(have) == len(want.Limits)
	}
	switch {
	case holds(c.After):
		return isAfter, nil
	case holds(c.Before):
		return isBefore, nil
	}
	return isOther, nil
}

func (l live) describeQuota(c Change) string {
	have := l.quotas[c.quota().QuotaEntity]
	var parts []string
	for _, k := range sortedKeys(have) {
		parts = append(parts, word(k)+"="+number(have[k]))
	}
	if len(parts) == 0 {
		return "no such quota"
	}
	return strings.Join(parts, ", ")
}
