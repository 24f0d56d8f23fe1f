package kafkasec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxDeletedTopics bounds one DeleteTopics request.
const maxDeletedTopics = 1_000

// defaultPartitions is as many partitions as a topic is taken to get where their
// number is left to the broker. Nobody says num.partitions without rights on
// the cluster; with [maxSplits], eight times as many still fit.
const defaultPartitions = 16

// createTopicRecords is what KRaft writes for a new topic: the topic, its
// partitions and its configs.
func createTopicRecords(c Change) int {
	after, _ := c.After.(TopicData)
	return 1 + int(cmp.Or(after.Partitions, defaultPartitions)) + len(after.Configs)
}

func addedPartitions(c Change) int {
	before, _ := c.Before.(TopicData)
	after, _ := c.After.(TopicData)
	return int(after.Partitions - before.Partitions)
}

func changedConfigs(c Change) int {
	after, _ := c.After.(TopicData)
	return len(after.Configs)
}

// byTopic puts answers, which may come in any order, into the order of the
// changes. A topic that was not answered makes the whole answer unclear.
func byTopic(changes []Change, got map[string]answer, throttleMillis int32) (answers, error) {
	ans := answers{throttle: time.Duration(throttleMillis) * time.Millisecond}
	for _, c := range changes {
		a, ok := got[c.Name]
		if !ok {
			return answers{}, errors.New("the broker left topic " + c.Name + " out of its answer")
		}
		ans.items = append(ans.items, a)
	}
	return ans, nil
}

func createTopics(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	for _, c := range changes {
		after, _ := c.After.(TopicData)
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = c.Name, -1, -1
		if after.Partitions > 0 {
			t.NumPartitions = after.Partitions
		}
		if after.ReplicationFactor > 0 {
			t.ReplicationFactor = after.ReplicationFactor
		}
		for _, k := range slices.Sorted(maps.Keys(after.Configs)) {
			cfg := kmsg.NewCreateTopicsRequestTopicConfig()
			cfg.Name, cfg.Value = k, after.Configs[k]
			t.Configs = append(t.Configs, cfg)
		}
		req.Topics = append(req.Topics, t)
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.CreateTopicsResponse)
	got := make(map[string]answer, len(resp.Topics))
	for _, t := range resp.Topics {
		got[t.Topic] = answer{err: brokerError(t.ErrorCode, t.ErrorMessage, "Create on the topic or the cluster")}
	}
	return byTopic(changes, got, resp.ThrottleMillis)
}

func createPartitions(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrCreatePartitionsRequest()
	for _, c := range changes {
		after, _ := c.After.(TopicData)
		t := kmsg.NewCreatePartitionsRequestTopic()
		t.Topic, t.Count = c.Name, after.Partitions
		req.Topics = append(req.Topics, t)
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.CreatePartitionsResponse)
	got := make(map[string]answer, len(resp.Topics))
	for _, t := range resp.Topics {
		got[t.Topic] = answer{err: brokerError(t.ErrorCode, t.ErrorMessage, "Alter on the topic")}
	}
	return byTopic(changes, got, resp.ThrottleMillis)
}

// alterConfigs sets keys one by one (KIP-339, Kafka 2.3): what is not declared
// stays as it is. The older AlterConfigs replaces a topic's whole set and is
// never used.
func alterConfigs(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, c := range changes {
		after, _ := c.After.(TopicData)
		res := kmsg.NewIncrementalAlterConfigsRequestResource()
		res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, c.Name
		for _, k := range slices.Sorted(maps.Keys(after.Configs)) {
			cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			cfg.Name, cfg.Op, cfg.Value = k, kmsg.IncrementalAlterConfigOpSet, after.Configs[k]
			if cfg.Value == nil {
				cfg.Op = kmsg.IncrementalAlterConfigOpDelete
			}
			res.Configs = append(res.Configs, cfg)
		}
		req.Resources = append(req.Resources, res)
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.IncrementalAlterConfigsResponse)
	got := make(map[string]answer, len(resp.Resources))
	for _, res := range resp.Resources {
		got[res.ResourceName] = answer{err: brokerError(res.ErrorCode, res.ErrorMessage, "AlterConfigs on the topic")}
	}
	return byTopic(changes, got, resp.ThrottleMillis)
}

// deleteTopics looks once more, right before, whether those that are deleted as
// empty ones still are: Kafka deletes on no condition, so that what is written
// after that look is lost.
func deleteTopics(ctx context.Context, r *Reconciler, controller int32, changes []Change) (answers, error) {
	kept, err := r.nonEmpty(ctx, changes)
	if err != nil {
		return answers{}, fmt.Errorf("%w: %w", errNothingSent, err)
	}
	if len(kept) == len(changes) {
		return byTopic(changes, kept, 0)
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	for _, c := range changes {
		if _, ok := kept[c.Name]; ok {
			continue
		}
		req.TopicNames = append(req.TopicNames, c.Name) // v0-v5
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = &c.Name
		req.Topics = append(req.Topics, t) // v6+
	}
	kresp, err := r.ask(ctx, controller, req)
	if err != nil {
		return answers{}, err
	}
	resp := kresp.(*kmsg.DeleteTopicsResponse)
	got := kept
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		a := answer{err: brokerError(t.ErrorCode, t.ErrorMessage, "Delete on the topic")}
		if errors.Is(a.err, kerr.UnknownTopicOrPartition) {
			a = answer{gone: true}
		}
		got[*t.Topic] = a
	}
	return byTopic(changes, got, resp.ThrottleMillis)
}

var errFilled = errors.New("it was empty when the plan was checked, and holds records now")

// nonEmpty answers for those that are to be deleted only if they are empty, and
// are not, or nobody can tell.
func (r *Reconciler) nonEmpty(ctx context.Context, changes []Change) (map[string]answer, error) {
	kept := make(map[string]answer, len(changes))
	var names []string
	for _, c := range changes {
		if before, _ := c.Before.(TopicData); before.Records == RecordsNone {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return kept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.requestTimeout())
	defer cancel()
	state, _, err := r.read(ctx, reading{topics: names, records: names})
	if err != nil {
		return nil, err
	}
	unread := state.unreadIndex()
	for _, name := range names {
		if u, ok := unread.find(KindTopic, name); ok {
			kept[name] = answer{err: u.Err}
		} else if u, ok := unread.find(KindTopicRecords, name); ok {
			kept[name] = answer{err: u.Err}
		} else if t, exists := state.Topics[name]; exists && t.Records != RecordsNone {
			kept[name] = answer{err: errFilled}
		}
	}
	return kept, nil
}
