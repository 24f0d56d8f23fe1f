package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Records says whether a topic holds records.
type Records string

// A topic is empty only when every partition's first and next offset are equal.
// Markers of transactions, and records that a compaction is yet to remove,
// count as records: nobody outside the broker can tell.
const (
	RecordsNone Records = "none"
	RecordsSome Records = "some"
	// RecordsUnknown is for a topic whose offsets could not be read; empty means
	// the same in a state.
	RecordsUnknown Records = "unknown"
)

// KindTopicRecords is the kind of an [Unread] whose topic was to be deleted if
// it holds no records, which could not be found out.
const KindTopicRecords = "topic-records"

// The timestamps that ask for the first and the next offset of a partition.
const (
	earliestOffset = -2
	latestOffset   = -1
)

// readRecords finds out which of the topics hold records. A topic is unread
// where a partition did not answer and no other holds any.
func (r *Reconciler) readRecords(ctx context.Context, topics []string, state *State) error {
	topics = slices.DeleteFunc(slices.Clone(topics), func(t string) bool { _, exists := state.Topics[t]; return !exists })
	if len(topics) == 0 {
		return nil
	}
	slices.Sort(topics)
	first, err := r.offsets(ctx, topics, earliestOffset, *state)
	if err != nil {
		return fmt.Errorf("read first offsets: %w", err)
	}
	next, err := r.offsets(ctx, topics, latestOffset, *state)
	if err != nil {
		return fmt.Errorf("read next offsets: %w", err)
	}
	for _, name := range topics {
		t := state.Topics[name]
		var unread error
		t.Records = RecordsNone
		for p := range t.Partitions {
			from, to := first[partition{name, p}], next[partition{name, p}]
			err := from.err
			if err == nil {
				err = to.err
			}
			switch {
			case err != nil && unread == nil:
				unread = fmt.Errorf("list offsets of partition %d: %w", p, err)
			case err == nil && to.offset > from.offset:
				t.Records = RecordsSome
			}
		}
		if unread != nil && t.Records == RecordsNone { // else one partition says enough
			t.Records = ""
			state.Unread = append(state.Unread, Unread{KindTopicRecords, name, unread})
		}
		state.Topics[name] = t
	}
	return nil
}

type partition struct {
	topic  string
	number int32
}

type offset struct {
	offset int64
	err    error
}

var errNoOffset = errors.New("the brokers left it out of their answers")

// offsets asks the leaders of all partitions. What was not answered has an error.
func (r *Reconciler) offsets(ctx context.Context, topics []string, timestamp int64, state State) (map[partition]offset, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	got := map[partition]offset{}
	for _, name := range topics {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = name
		for p := range state.Topics[name].Partitions {
			part := kmsg.NewListOffsetsRequestTopicPartition()
			part.Partition, part.Timestamp = p, timestamp
			t.Partitions = append(t.Partitions, part)
			got[partition{name, p}] = offset{err: errNoOffset}
		}
		req.Topics = append(req.Topics, t)
	}
	shards, err := r.shards(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, shard := range shards {
		if shard.Err != nil {
			for _, t := range shard.Req.(*kmsg.ListOffsetsRequest).Topics {
				for _, p := range t.Partitions {
					got[partition{t.Topic, p.Partition}] = offset{err: shard.Err}
				}
			}
			continue
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				got[partition{t.Topic, p.Partition}] = offset{p.Offset, brokerError(p.ErrorCode, nil, "Describe on the topic")}
			}
		}
	}
	return got, nil
}

// readDeletions reads what is not declared where topics are pruned, and then of
// every topic that the spec would delete whether it holds records.
func (r *Reconciler) readDeletions(ctx context.Context, spec Spec, state *State) error {
	if spec.Prune.Topics && len(spec.Scope.TopicPrefixes) > 0 {
		if err := r.readUndeclared(ctx, spec, state); err != nil {
			return err
		}
	}
	var deletes []string
	for _, t := range spec.Topics {
		if live, exists := state.Topics[t.Name]; t.State == Absent && exists && !live.Internal {
			deletes = append(deletes, t.Name)
		}
	}
	if spec.Prune.Topics {
		deletes = append(deletes, spec.undeclaredTopics(*state)...)
	}
	if len(deletes) == 0 {
		return nil
	}
	need := reading{records: deletes}
	if err := dial.Require(ctx, r.anyBroker(), need.needs()...); err != nil {
		return err
	}
	return r.readRecords(ctx, deletes, state)
}

// readUndeclared adds the topics that are in scope by a prefix. Brokers list
// only those that the client may describe.
func (r *Reconciler) readUndeclared(ctx context.Context, spec Spec, state *State) error {
	resp, _, err := r.metadata(ctx, nil)
	if err != nil {
		return fmt.Errorf("read topics in scope: %w", err)
	}
	asked := set(spec.reading().topics)
	owned := spec.Scope.index().topics
	resp.Topics = slices.DeleteFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool {
		return t.Topic == nil || asked[*t.Topic] || !owned.owns(*t.Topic)
	})
	r.readTopics(resp, state)
	return nil
}
