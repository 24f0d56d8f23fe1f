package kafkasec

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestLive_Compare(t *testing.T) {
	on := func(s string) *string { return &s }
	topic := func(kind string, before, after Object) Change {
		return Change{Action: holdfast.ActionUpdate, Kind: kind, Name: "t", Before: before, After: after}
	}
	configs := func(v *string) TopicData { return TopicData{Configs: map[string]*string{"retention.ms": v}} }
	created := topic(KindTopic, nil, TopicData{Partitions: 2, ReplicationFactor: 3, Configs: map[string]*string{"retention.ms": on("1000")}})
	denied := errors.New("denied")
	unread := func(kind string) []Unread { return []Unread{{kind, "t", denied}} }
	there := map[string]TopicState{"t": {Partitions: 2, ReplicationFactor: 3, Configs: map[string]string{"retention.ms": "1000"}}}
	b := Binding{"User:a", "*", Read, Allow, Resource{ResourceTopic, "t", Literal}}
	for name, c := range map[string]struct {
		state  State
		change Change
		want   standing
		unread bool
	}{
		"create: absent":               {State{}, created, isBefore, false},
		"create: there":                {State{Topics: there}, created, isAfter, false},
		"create: default size":         {State{Topics: there}, topic(KindTopic, nil, TopicData{}), isAfter, false},
		"create: other partitions":     {State{Topics: there}, topic(KindTopic, nil, TopicData{Partitions: 1}), isOther, false},
		"create: other replication":    {State{Topics: there}, topic(KindTopic, nil, TopicData{ReplicationFactor: 1}), isOther, false},
		"create: other config":         {State{Topics: there}, topic(KindTopic, nil, configs(on("1"))), isOther, false},
		"create: configs unread":       {State{Topics: there, Unread: unread(KindTopicConfig)}, created, isOther, true},
		"create: unread":               {State{Unread: unread(KindTopic)}, created, isOther, true},
		"delete: there":                {State{Topics: there}, topic(KindTopic, TopicData{Partitions: 2}, nil), isBefore, false},
		"delete: gone":                 {State{}, topic(KindTopic, TopicData{Partitions: 2}, nil), isAfter, false},
		"delete: grown":                {State{Topics: there}, topic(KindTopic, TopicData{Partitions: 1}, nil), isOther, false},
		"delete: configs unread":       {State{Topics: there, Unread: unread(KindTopicConfig)}, topic(KindTopic, TopicData{Partitions: 2}, nil), isBefore, false},
		"partitions: configs unread":   {State{Topics: there, Unread: unread(KindTopicConfig)}, topic(KindTopicPartitions, TopicData{Partitions: 2}, TopicData{Partitions: 3}), isBefore, false},
		"replication: configs unread":  {State{Topics: there, Unread: unread(KindTopicConfig)}, topic(KindTopicReplication, TopicData{ReplicationFactor: 3}, TopicData{ReplicationFactor: 1}), isBefore, false},
		"config: before":               {State{Topics: there}, topic(KindTopicConfig, configs(on("1000")), configs(on("7"))), isBefore, false},
		"config: after, other writing": {State{Topics: there}, topic(KindTopicConfig, configs(on("7")), configs(on(" 1000 "))), isAfter, false},
		"config: third value":          {State{Topics: there}, topic(KindTopicConfig, configs(on("5")), configs(on("7"))), isOther, false},
		"config: was not set, is":      {State{Topics: there}, topic(KindTopicConfig, configs(nil), configs(on("7"))), isOther, false},
		"config: was not set, is not":  {State{Topics: map[string]TopicState{"t": {}}}, topic(KindTopicConfig, configs(nil), configs(on("7"))), isBefore, false},
		"config: no topic":             {State{}, topic(KindTopicConfig, configs(nil), configs(on("7"))), isOther, false},
		"config: unread":               {State{Topics: there, Unread: unread(KindTopicConfig)}, topic(KindTopicConfig, configs(nil), configs(on("7"))), isOther, true},
		"grant: absent":                {State{}, Change{Kind: KindACL, After: b}, isBefore, false},
		"grant: there":                 {State{ACLs: []Binding{b}}, Change{Kind: KindACL, After: b}, isAfter, false},
		"grant: unread":                {State{Unread: []Unread{{KindACL, "*", denied}}}, Change{Kind: KindACL, After: b}, isOther, true},
		"revoke: absent":               {State{}, Change{Kind: KindACL, Before: b}, isAfter, false},
		"revoke: there":                {State{ACLs: []Binding{b}}, Change{Kind: KindACL, Before: b}, isBefore, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newLive(c.state).compare(c.change)
			require.Equal(t, c.want, got)
			require.Equal(t, c.unread, errors.Is(err, denied))
		})
	}
}
