package kafkasec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// standing is where the live cluster stands with regard to one change.
type standing int

const (
	isBefore standing = iota // as planned from: the change can be made
	isAfter                  // the wanted result is there
	isOther                  // neither
)

// live answers for many changes against one reading.
type live struct {
	state  State
	acls   map[Binding]bool
	unread unreadIndex
	// quotas holds the limits, by whom they are for.
	quotas map[QuotaEntity]map[string]float64
}

func newLive(s State) live {
	l := live{s, make(map[Binding]bool, len(s.ACLs)), s.unreadIndex(), s.quotas()}
	for _, b := range s.ACLs {
		l.acls[b] = true
	}
	return l
}

// compare returns the standing of a change, or why it could not be read.
func (l live) compare(c Change) (standing, error) {
	if c.Kind == KindACL {
		if u, ok := l.unread.find(KindACL, "*"); ok {
			return isOther, u.Err
		}
		if l.acls[c.binding()] == (c.After != nil) {
			return isAfter, nil
		}
		return isBefore, nil
	}
	if c.Kind == KindScramUser {
		return l.compareCredential(c)
	}
	if c.Kind == KindQuota {
		return l.compareQuota(c)
	}
	if u, ok := l.unread.find(KindTopic, c.Name); ok {
		return isOther, u.Err
	}
	if _, hasConfigs := c.After.(TopicData); hasConfigs && c.Kind != KindTopicPartitions && c.Kind != KindTopicReplication {
		if u, ok := l.unread.find(KindTopicConfig, c.Name); ok {
			return isOther, u.Err
		}
	}
	if before, _ := c.Before.(TopicData); before.Records == RecordsNone {
		if u, ok := l.unread.find(KindTopicRecords, c.Name); ok {
			return isOther, u.Err
		}
	}
	switch {
	case l.holds(c.Name, c.After):
		return isAfter, nil
	case l.holds(c.Name, c.Before):
		return isBefore, nil
	}
	return isOther, nil
}

// gone reports whether the topic that a change is about is not there, although
// the change does not delete it.
func (l live) gone(c Change) bool {
	_, exists := l.state.Topics[c.Name]
	return !exists && c.After != nil && c.aboutTopic()
}

// holds reports whether the topic is as the object says; nil means that there
// is no such topic.
func (l live) holds(name string, o Object) bool {
	t, exists := l.state.Topics[name]
	want, ok := o.(TopicData)
	if !ok || !exists {
		return ok == exists
	}
	if want.Partitions != 0 && want.Partitions != t.Partitions {
		return false
	}
	if want.ReplicationFactor != 0 && want.ReplicationFactor != t.ReplicationFactor {
		return false
	}
	if want.Records == RecordsNone && t.Records != RecordsNone {
		return false // it was to be deleted as an empty one
	}
	for k, v := range want.Configs {
		have, isSet := t.Configs[k]
		if isSet != (v != nil) || (isSet && !kafkarules.SameTopicConfig(k, have, *v)) {
			return false
		}
	}
	return true
}

// describe says what holds now, in the fields that the change is about.
func (l live) describe(c Change) string {
	if c.Kind == KindACL {
		if l.acls[c.binding()] {
			return "the binding"
		}
		return "no such binding"
	}
	if c.Kind == KindScramUser {
		return l.describeCredential(c)
	}
	if c.Kind == KindQuota {
		return l.describeQuota(c)
	}
	t, exists := l.state.Topics[c.Name]
	if !exists {
		return "no such topic"
	}
	parts := []string{fmt.Sprintf("partitions %d", t.Partitions), fmt.Sprintf("replication factor %d", t.ReplicationFactor)}
	if t.Records == RecordsSome {
		parts = append(parts, "records")
	}
	if after, ok := c.After.(TopicData); ok {
		for _, k := range slices.Sorted(maps.Keys(after.Configs)) {
			var v *string
			if have, isSet := t.Configs[k]; isSet {
				v = &have
			}
			parts = append(parts, k+"="+show(v))
		}
	}
	return strings.Join(parts, ", ")
}
