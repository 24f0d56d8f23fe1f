package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// users exports credentials as far as a broker tells of them: that they are
// there, and their iterations.
func (e *exporter) users(ctx context.Context) error {
	var names []string // all
	if !e.opts.Everything {
		if names = e.opts.Scope.scopeUsers(); len(names) == 0 {
			return nil
		}
	}
	if ok, err := e.has(ctx, KindScramUser, reading{users: []string{""}}); !ok {
		return err
	}
	var state State
	if err := e.r.readUsers(ctx, names, &state); err != nil {
		return err
	}
	for _, u := range state.Unread {
		e.unread(u.Kind, u.Name, u.Err)
	}
	for _, name := range sortedKeys(state.Users) {
		if err := userName(name); err != nil {
			e.note(KindScramUser, word(name), "user %v", err)
			continue
		}
		e.spec.Users = append(e.spec.Users, e.userEntries(name, state.Users[name])...)
	}
	return nil
}

// userEntries makes one entry of mechanisms with the same iterations.
func (e *exporter) userEntries(name string, live map[ScramMechanism]int32) (entries []User) {
	for _, m := range slices.Sorted(maps.Keys(live)) {
		cred := Credential{User: name, Mechanism: m}
		if err := m.check(); err != nil {
			e.note(KindScramUser, cred.String(), "mechanism %v", err)
			continue
		}
		iterations := live[m]
		if iterations < minIterations || iterations > maxIterations { // tools that write to ZooKeeper have no upper limit
			e.note(KindScramUser, cred.String(), "its iterations are left out: "+badIterations, iterations, minIterations, maxIterations)
			iterations = 0
		}
		i := slices.IndexFunc(entries, func(u User) bool { return u.Iterations == iterations })
		if i < 0 {
			i = len(entries)
			entries = append(entries, User{Name: name, Iterations: iterations})
		}
		entries[i].Mechanisms = append(entries[i].Mechanisms, m)
	}
	return entries
}

func (e *exporter) quotas(ctx context.Context) error {
	s := e.opts.Scope
	if !e.opts.Everything && len(s.Principals)+len(s.ClientIDs)+len(s.IPs)+len(s.QuotaDefaults) == 0 {
		return nil
	}
	if ok, err := e.has(ctx, KindQuota, reading{quotasIn: &e.owned}); !ok {
		return err
	}
	var state State
	unknown, err := e.r.readQuotas(ctx, func(q QuotaEntity) bool { return e.opts.Everything || e.owned.ownsQuota(q) }, &state)
	if err != nil {
		return err
	}
	for _, u := range state.Unread {
		e.unread(u.Kind, u.Name, u.Err)
	}
	for _, name := range unknown {
		if e.opts.Everything { // else nobody knows whether it is in scope
			e.note(KindQuota, name, "a spec cannot say whom it is for")
		}
	}
	for _, live := range state.Quotas {
		if err := live.check(); err != nil {
			e.note(KindQuota, live.String(), "%v", err)
			continue
		}
		q := Quota{User: live.User, UserDefault: live.UserDefault, ClientID: live.ClientID, ClientIDDefault: live.ClientIDDefault, IP: live.IP, IPDefault: live.IPDefault}
		for _, k := range sortedKeys(live.Limits) {
			if err := q.setLimit(k, live.Limits[k]); err != nil {
				e.note(KindQuota, live.String()+" "+word(k), "set to %s: %v", number(live.Limits[k]), err)
			}
		}
		if len(q.limits()) > 0 {
			e.spec.Quotas = append(e.spec.Quotas, q)
		}
	}
	return nil
}

// setLimit sets one limit by Kafka's name, or says why a spec cannot.
func (q *Quota) setLimit(key string, v float64) error {
	if !slices.Contains(quotaKeys, key) {
		return errors.New("a spec has no such limit")
	}
	if err := checkLimit(q.Entity(), key, v); err != nil {
		return err
	}
	whole := func(most float64) error {
		if v != math.Trunc(v) || v > most {
			return fmt.Errorf("allowed are whole numbers up to %s", number(most))
		}
		return nil
	}
	var err error
	switch key {
	case "producer_byte_rate":
		if err = whole(maxByteRate); err == nil {
			q.ProducerByteRate = int64(v)
		}
	case "consumer_byte_rate":
		if err = whole(maxByteRate); err == nil {
			q.ConsumerByteRate = int64(v)
		}
	case "request_percentage":
		q.RequestPercentage = v
	case "controller_mutation_rate":
		q.ControllerMutationRate = v
	case connectionRate:
		if err = whole(math.MaxInt32); err == nil {
			q.ConnectionCreationRate = int32(v)
		}
	}
	return err
}

// has reports whether the brokers have what the reading takes. What they are too
// old for is unread, so that the rest is exported nevertheless.
func (e *exporter) has(ctx context.Context, kind string, need reading) (bool, error) {
	err := dial.Require(ctx, e.r.anyBroker(), need.needs()...)
	var old *dial.TooOldError
	if errors.As(err, &old) {
		e.unread(kind, "*", err)
		return false, nil
	}
	return err == nil, err
}
