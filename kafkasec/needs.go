package kafkasec

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Needs are asked for by API, not by a guess of the broker's release, before
// anything is read or written: a broker that lacks one is then an error that
// names the release that has it, and not half an apply.

// needs lists the requests that a reading sends.
func (n reading) needs() []dial.Need {
	needs := []dial.Need{{Key: kmsg.Metadata, Version: 4}} // 1.0: without creating topics by asking
	if len(n.configs) > 0 {
		needs = append(needs, dial.Need{Key: kmsg.DescribeConfigs, Version: 1}) // 1.1: where a value was set
	}
	if n.records != nil {
		needs = append(needs, dial.Need{Key: kmsg.ListOffsets, Version: 1}) // 0.10.1: one offset per question
	}
	if n.acls {
		needs = append(needs, dial.Need{Key: kmsg.DescribeACLs, Version: 1}) // 2.0: patterns
	}
	if len(n.users) > 0 {
		needs = append(needs, dial.Need{Key: kmsg.DescribeUserSCRAMCredentials}) // 2.7 (KIP-554)
	}
	if n.readsQuotas() {
		needs = append(needs, dial.Need{Key: kmsg.DescribeClientQuotas}) // 2.6 (KIP-546)
	}
	return needs
}

// needs lists the requests that the plan's unsettled changes send.
func (a *applier) needs() []dial.Need {
	versions := map[kmsg.Key]int16{}
	for i, c := range a.plan.Changes {
		if a.settled[i] {
			continue
		}
		key, version := c.need()
		versions[key] = max(versions[key], version)
	}
	var needs []dial.Need
	for _, key := range []kmsg.Key{
		kmsg.CreateTopics, kmsg.CreatePartitions, kmsg.IncrementalAlterConfigs, kmsg.CreateACLs, kmsg.DeleteACLs, kmsg.DeleteTopics,
		kmsg.AlterUserSCRAMCredentials, kmsg.AlterClientQuotas,
	} {
		if version, ok := versions[key]; ok {
			needs = append(needs, dial.Need{Key: key, Version: version})
		}
	}
	return needs
}

func (c Change) need() (kmsg.Key, int16) {
	switch c.stage() {
	case stageCreateTopics:
		if after, _ := c.After.(TopicData); after.Partitions == 0 || after.ReplicationFactor == 0 {
			return kmsg.CreateTopics, 4 // 2.4: the broker's defaults (KIP-464)
		}
		return kmsg.CreateTopics, 1
	case stagePartitions:
		return kmsg.CreatePartitions, 0
	case stageConfigs:
		return kmsg.IncrementalAlterConfigs, 0 // 2.3 (KIP-339)
	case stageDeny, stageGrant:
		return kmsg.CreateACLs, 1
	case stageRevoke, stageUndeny:
		return kmsg.DeleteACLs, 1
	case stageQuotas, stageLiftQuotas:
		return kmsg.AlterClientQuotas, 0 // 2.6 (KIP-546)
	case stageScram256, stageScram512, stageDropScram256, stageDropScram512:
		return kmsg.AlterUserSCRAMCredentials, 0 // 2.7 (KIP-554)
	case stageDeleteTopics:
		return kmsg.DeleteTopics, 0
	}
	return kmsg.Metadata, 0
}
