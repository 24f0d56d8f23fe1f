package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func (n *reading) addQuota(e QuotaEntity) {
	if n.quotas == nil {
		n.quotas = map[QuotaEntity]bool{}
	}
	n.quotas[e] = true
}

func (n *reading) readsQuotas() bool { return len(n.quotas) > 0 || n.quotasIn != nil }

func (n *reading) wantsQuota(e QuotaEntity) bool {
	return n.quotas[e] || n.quotasIn != nil && n.quotasIn.ownsQuota(e)
}

// readQuotas asks for all quotas in one request, because the protocol has no
// way to name several, and keeps the wanted ones. It names those that are for
// what a QuotaEntity cannot hold.
func (r *Reconciler) readQuotas(ctx context.Context, wanted func(QuotaEntity) bool, state *State) (unknown []string, err error) {
	resp, err := kmsg.NewPtrDescribeClientQuotasRequest().RequestWith(ctx, r.anyBroker())
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	return state.setQuotas(resp, wanted), nil
}

func (s *State) setQuotas(resp *kmsg.DescribeClientQuotasResponse, wanted func(QuotaEntity) bool) (unknown []string) {
	if err := brokerError(resp.ErrorCode, resp.ErrorMessage, "DescribeConfigs on the cluster"); err != nil {
		s.Unread = append(s.Unread, Unread{KindQuota, "*", fmt.Errorf("describe quotas: %w", err)})
		return nil
	}
	for _, entry := range resp.Entries {
		q := QuotaState{Limits: map[string]float64{}}
		known := true
		for _, part := range entry.Entity {
			known = q.add(part.Type, part.Name) && known
		}
		if !known {
			unknown = append(unknown, wireEntity(entry.Entity))
			continue
		}
		if !wanted(q.QuotaEntity) || len(entry.Values) == 0 {
			continue
		}
		for _, v := range entry.Values {
			q.Limits[v.Key] = v.Value
		}
		s.Quotas = append(s.Quotas, q)
	}
	slices.SortFunc(s.Quotas, compareQuotas)
	return unknown
}

// wireEntity names an entity that a QuotaEntity cannot hold, in Kafka's words.
func wireEntity(parts []kmsg.DescribeClientQuotasResponseEntryEntity) string {
	var text []string
	for _, p := range parts {
		if p.Name == nil {
			text = append(text, word(p.Type)+" <default>")
		} else {
			text = append(text, word(p.Type)+" "+word(*p.Name))
		}
	}
	return strings.Join(text, ", ")
}

func compareQuotas(a, b QuotaState) int { return strings.Compare(a.String(), b.String()) }

// visibleQuota asks one broker for the quota of the change alone.
func (r *Reconciler) visibleQuota(ctx context.Context, broker int32, c Change, state *State) error {
	e := c.quota().QuotaEntity
	req := kmsg.NewPtrDescribeClientQuotasRequest()
	req.Strict = true
	for _, part := range e.wire() {
		comp := kmsg.NewDescribeClientQuotasRequestComponent()
		comp.EntityType, comp.MatchType, comp.Match = part.Type, kmsg.QuotasMatchTypeExact, part.Name
		if part.Name == nil {
			comp.MatchType = kmsg.QuotasMatchTypeDefault
		}
		req.Components = append(req.Components, comp)
	}
	kresp, err := r.ask(ctx, broker, req)
	if err != nil {
		return err
	}
	state.setQuotas(kresp.(*kmsg.DescribeClientQuotasResponse), func(o QuotaEntity) bool { return o == e })
	return nil
}

func changedLimits(c Change) int { return len(c.quota().Limits) }

// alterQuotas sets the limits of the change and removes those that it lifts, or
// that a deletion found; others of the same are not touched.
func alterQuotas(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrAlterClientQuotasRequest()
	for _, c := range changes {
		entry := kmsg.NewAlterClientQuotasRequestEntry()
		entry.Entity = c.quota().wire()
		for _, k := range sortedKeys(c.quota().Limits) {
			op := kmsg.NewAlterClientQuotasRequestEntryOp()
			want := c.quota().Limits[k]
			op.Key, op.Remove = k, c.After == nil || want == nil
			if !op.Remove {
				op.Value = *want
			}
			entry.Ops = append(entry.Ops, op)
		}
		req.Entries = append(req.Entries, entry)
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.AlterClientQuotasResponse)
	got := make(map[QuotaEntity]answer, len(resp.Entries))
	for _, entry := range resp.Entries {
		var e QuotaEntity
		for _, part := range entry.Entity {
			e.add(part.Type, part.Name)
		}
		got[e] = answer{err: brokerError(entry.ErrorCode, entry.ErrorMessage, "AlterConfigs on the cluster")}
	}
	ans := answers{throttle: time.Duration(resp.ThrottleMillis) * time.Millisecond}
	for _, c := range changes {
		a, ok := got[c.quota().QuotaEntity]
		if !ok {
			return answers{}, errors.New("the broker left the quota of " + c.Name + " out of its answer")
		}
		ans.items = append(ans.items, a)
	}
	return ans, nil
}
