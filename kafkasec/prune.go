package kafkasec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// Prune says which undeclared items inside the scope are to go. The zero Prune
// leaves them all alone. The brokers' internal topics, and those whose names
// begin with "_", are never pruned.
type Prune struct {
	// Topics deletes topics that are in scope and not declared.
	Topics bool `yaml:"topics"`
	// DeleteRecords lets Topics delete topics that hold records, with them.
	// Without it such a topic refuses the whole plan.
	DeleteRecords bool `yaml:"delete_records"`
	// ACLs revokes bindings that are in scope and not declared.
	ACLs bool `yaml:"acls"`
	// Configs unsets the keys that are set on a topic which declares configs,
	// and that it does not declare. Keys that a spec cannot declare stay, and so
	// do the throttles (*.replication.throttled.replicas) that a reassignment
	// sets while it runs.
	Configs bool `yaml:"configs"`
	// Users deletes the SCRAM credentials of users in scope that are not
	// declared: all of a user who is not declared, those of other mechanisms of
	// one who is. A plan that would delete those of the user that this client logs
	// in as is refused; so is one that would delete bindings of its principal.
	Users bool `yaml:"users"`
	// BrokerCredentials lets Users delete credentials of a mechanism with which
	// brokers log in to each other. Brokers do not say as whom they do, and a
	// cluster whose own user is gone falls apart as connections end. Without it
	// such a credential refuses the whole plan.
	BrokerCredentials bool `yaml:"broker_credentials"`
	// Quotas lifts the limits in scope that are not declared: all of a quota that
	// is not declared, the others of one that is. Limits that a spec cannot
	// declare stay.
	Quotas bool `yaml:"quotas"`
	// MaxCount is the most items of one kind (topics, bindings, config keys,
	// credentials, quotas)
	// that a plan may prune; more refuse the whole plan. Zero means 10.
	MaxCount int `yaml:"max_count"`
	// MaxPercent is the same in percent of what exists in the scope. Zero means
	// 50; 100 is no limit.
	MaxPercent int `yaml:"max_percent"`
}

const (
	defaultMaxCount   = 10
	defaultMaxPercent = 50
)

// reasonNotDeclared is the reason of a change that prunes.
const reasonNotDeclared = "not declared"

func (v *validator) checkPrune(p Prune) {
	if p.MaxCount < 0 {
		v.add("prune.max_count", "%d: allowed is 1 or more; left out it is %d", p.MaxCount, defaultMaxCount)
	}
	if p.MaxPercent < 0 || p.MaxPercent > 100 {
		v.add("prune.max_percent", "%d: allowed is 1 to 100; left out it is %d", p.MaxPercent, defaultMaxPercent)
	}
	if p.DeleteRecords && !p.Topics {
		v.add("prune.delete_records", "has no effect without prune.topics: true")
	}
	if p.BrokerCredentials && !p.Users {
		v.add("prune.broker_credentials", "has no effect without prune.users: true")
	}
}

// undeclaredTopics are the topics of the state that prune.topics would delete,
// sorted.
func (s Spec) undeclaredTopics(state State) []string {
	declared := s.topicNames()
	owned := s.Scope.index().topics
	var names []string
	for name, t := range state.Topics {
		if !declared[name] && owned.owns(name) && !t.Internal && protectedTopic(name) == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (s Spec) topicNames() map[string]bool {
	names := make(map[string]bool, len(s.Topics))
	for _, t := range s.Topics {
		names[t.Name] = true
	}
	return names
}

// planPruned adds what is to go because it is not declared, and reports where
// that is more than the limits, or holds records.
func (p *Plan) planPruned(s Spec, state State, v *validator, unread unreadIndex) {
	if s.Prune.Topics {
		p.pruneTopics(s, state, v, unread)
	}
	if s.Prune.ACLs {
		p.pruneACLs(s, state, v, unread)
	}
	if s.Prune.Configs {
		p.pruneConfigs(s, state, v, unread)
	}
	if s.Prune.Users {
		p.pruneUsers(s, state, v, unread)
	}
	if s.Prune.Quotas {
		p.pruneQuotas(s, state, v, unread)
	}
}

func (p *Plan) pruneTopics(s Spec, state State, v *validator, unread unreadIndex) {
	declared := s.topicNames()
	owned := s.Scope.index().topics
	for _, u := range state.Unread {
		if u.Kind == KindTopic && (u.Name == "*" || !declared[u.Name] && owned.owns(u.Name) && protectedTopic(u.Name) == "") {
			p.Unread = append(p.Unread, u)
		}
	}
	total := 0
	for name, t := range state.Topics {
		if owned.owns(name) && !t.Internal && protectedTopic(name) == "" {
			total++
		}
	}
	undeclared := s.undeclaredTopics(state)
	v.checkLimits(s.Prune, KindTopic, undeclared, total)
	var holding []string
	for _, name := range undeclared {
		t := state.Topics[name]
		u, notRead := unread.find(KindTopicRecords, name)
		switch {
		case s.Prune.DeleteRecords || t.Records == RecordsNone:
			p.Changes = append(p.Changes, deleteTopic(name, reasonNotDeclared, t))
		case notRead:
			p.Unread = append(p.Unread, Unread{KindTopicRecords, name, u.Err})
		default:
			holding = append(holding, name)
		}
	}
	if len(holding) > 0 {
		v.add("prune.topics", "%s not declared, and not known to be empty: declare them, or set prune.delete_records: true to delete them with their records: %s",
			count(len(holding), "topic is", "topics are"), firstOf(holding))
	}
}

// deleteTopic is the change that deletes a live topic.
func deleteTopic(name, reason string, live TopicState) Change {
	return Change{holdfast.ActionDelete, KindTopic, name, reason, TopicData{Partitions: live.Partitions,
		ReplicationFactor: live.ReplicationFactor, Records: cmp.Or(live.Records, RecordsUnknown)}, nil}
}

func (p *Plan) pruneACLs(s Spec, state State, v *validator, unread unreadIndex) {
	if u, ok := unread.find(KindACL, "*"); ok {
		p.Unread = append(p.Unread, Unread{KindACL, "*", u.Err}) // Plan says it once
		return
	}
	declared := map[Binding]bool{}
	for _, d := range s.declared() {
		declared[d.binding] = true
	}
	owned := s.Scope.index()
	total := 0
	var undeclared, mine []string
	for _, b := range state.ACLs {
		if !owned.ownsBinding(b) {
			continue
		}
		total++
		if declared[b] {
			continue
		}
		c := Change{holdfast.ActionDelete, KindACL, b.String(), reasonNotDeclared, b, nil}
		if err := c.check(); err != nil {
			// Of a newer Kafka. A filter for it cannot be written, and one that
			// says less could match others.
			p.Unread = append(p.Unread, Unread{KindACL, b.String(), fmt.Errorf("not declared, and cannot be revoked: %w", err)})
			continue
		}
		undeclared = append(undeclared, b.String())
		if state.Self.keeps(c) {
			mine = append(mine, b.String())
			continue
		}
		p.Changes = append(p.Changes, c)
	}
	if len(mine) > 0 {
		v.add("prune.acls", "%s not declared, of the principal that this client is: declare them, or take them out of the scope: %s",
			count(len(mine), "acl is", "acls are"), firstOf(mine))
	}
	v.checkLimits(s.Prune, KindACL, undeclared, total)
}

// pruneConfigs adds the keys to unset to the topic's own change of configs.
func (p *Plan) pruneConfigs(s Spec, state State, v *validator, unread unreadIndex) {
	changes := map[string]int{}
	for i, c := range p.Changes {
		if c.Kind == KindTopicConfig {
			changes[c.Name] = i
		}
	}
	prunable := prunableKeys()
	total := 0
	var undeclared []string
	for _, t := range s.Topics {
		if _, notRead := unread.find(KindTopicConfig, t.Name); notRead || t.State == Absent || len(t.Configs) == 0 {
			continue
		}
		live := state.Topics[t.Name]
		for _, k := range slices.Sorted(maps.Keys(live.Configs)) {
			if !prunable[k] {
				continue
			}
			total++
			if _, ok := t.Configs[k]; ok {
				continue
			}
			undeclared = append(undeclared, t.Name+" "+k)
			i, ok := changes[t.Name]
			if !ok {
				i = len(p.Changes)
				changes[t.Name] = i
				p.Changes = append(p.Changes, Change{holdfast.ActionUpdate, KindTopicConfig, t.Name, "configs are set that are not declared", TopicData{}, TopicData{}})
			}
			c := &p.Changes[i]
			before, _ := c.Before.(TopicData)
			after, _ := c.After.(TopicData)
			have := live.Configs[k]
			before.set(k, &have)
			after.set(k, nil)
			c.Before, c.After = before, after
			if c.Reason == reasonConfigs {
				c.Reason = reasonConfigs + ", and others are set that are not declared"
			}
		}
	}
	v.checkLimits(s.Prune, KindTopicConfig, undeclared, total)
}

// prunableKeys are those that a spec can declare. Vendors have keys of their
// own, and a running reassignment keeps its throttle in two.
func prunableKeys() map[string]bool {
	keys := set(kafkarules.TopicConfigKeys())
	maps.DeleteFunc(keys, func(k string, _ bool) bool { return strings.HasSuffix(k, ".replication.throttled.replicas") })
	return keys
}

// checkLimits refuses to prune more than the limits allow.
func (v *validator) checkLimits(p Prune, kind string, names []string, total int) {
	n := len(names)
	what := map[string][2]string{
		KindTopic: {"topic is", "topics are"}, KindACL: {"acl is", "acls are"}, KindTopicConfig: {"topic config is", "topic configs are"},
		KindScramUser: {"credential is", "credentials are"}, KindQuota: {"quota is", "quotas are"},
	}[kind]
	if limit := cmp.Or(p.MaxCount, defaultMaxCount); n > limit {
		v.add("prune.max_count", "%s not declared, and at most %d may be pruned: declare them or raise the limit: %s", count(n, what[0], what[1]), limit, firstOf(names))
	}
	if limit := cmp.Or(p.MaxPercent, defaultMaxPercent); n*100 > limit*total {
		v.add("prune.max_percent", "%s not declared, of %d in scope, and at most %d percent may be pruned: declare them or raise the limit: %s",
			count(n, what[0], what[1]), total, limit, firstOf(names))
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// firstOf names the first few.
func firstOf(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, "; ")
	}
	return strings.Join(names[:few], "; ") + fmt.Sprintf(" and %d more", len(names)-few)
}
