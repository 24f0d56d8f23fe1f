package conform

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Answers are compared as text, so that a difference can be written down in a
// table: "ok" or the name of the error code, or what was read.

const ok = "ok"

func code(c int16) string {
	if c == 0 {
		return ok
	}
	return failure(kerr.ErrorForCode(c))
}

// failure is the code's name, or what the client says.
func failure(err error) string {
	var k *kerr.Error
	if errors.As(err, &k) {
		return k.Message
	}
	return err.Error()
}

// codes are the answers for several items, in the order of the names.
func codes(names []string, got map[string]string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = got[n]
		if list[i] == "" {
			list[i] = "no answer"
		}
	}
	return strings.Join(list, " ")
}

// topic of a CreateTopics request. Zero partitions and replicas are sent as -1;
// to send zero, use the request itself.
type topic struct {
	name       string
	partitions int32
	replicas   int16
	configs    map[string]string
}

func createTopics(topics ...topic) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 30_000
	for _, tp := range topics {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = tp.name, tp.partitions, tp.replicas
		if tp.partitions == 0 {
			t.NumPartitions = -1
		}
		if tp.replicas == 0 {
			t.ReplicationFactor = -1
		}
		for k, v := range tp.configs {
			cfg := kmsg.NewCreateTopicsRequestTopicConfig()
			cfg.Name, cfg.Value = k, &v
			t.Configs = append(t.Configs, cfg)
		}
		req.Topics = append(req.Topics, t)
	}
	return req
}

// create sends the request and answers per topic, in the order of the request.
func (s *session) create(cl *kgo.Client, req *kmsg.CreateTopicsRequest) string {
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	return createAnswer(req, resp)
}

func createAnswer(req *kmsg.CreateTopicsRequest, resp *kmsg.CreateTopicsResponse) string {
	var names []string
	for _, t := range req.Topics {
		names = append(names, t.Topic)
	}
	got := map[string]string{}
	for _, t := range resp.Topics {
		got[t.Topic] = code(t.ErrorCode)
	}
	return codes(names, got)
}

// made creates a topic that the case needs and waits until every broker has it.
func (s *session) made(name string, configs map[string]string) {
	s.Helper()
	if got := s.create(s.admin, createTopics(topic{name: name, partitions: 1, configs: configs})); got != ok {
		s.Fatalf("create topic %s: %s", name, got)
	}
	s.settle()
}

func (s *session) deleteTopics(cl *kgo.Client, names ...string) string {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = 30_000
	for _, n := range names {
		req.TopicNames = append(req.TopicNames, n)
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = &n
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	got := map[string]string{}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			got[*t.Topic] = code(t.ErrorCode)
		}
	}
	return codes(names, got)
}

func (s *session) addPartitions(cl *kgo.Client, name string, count int32) string {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 30_000
	t := kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = name, count
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	return code(resp.Topics[0].ErrorCode)
}

// metadata of one topic: its error code, or its size. A nil broker is any.
func (s *session) metadata(cl requester, name string) string {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &name
	req.Topics = append(req.Topics, t)
	kresp, err := cl.Request(s.ctx, req)
	if err != nil {
		return failure(err)
	}
	resp := kresp.(*kmsg.MetadataResponse)
	got := resp.Topics[0]
	if got.ErrorCode != 0 {
		return code(got.ErrorCode)
	}
	if len(got.Partitions) == 0 {
		return "no partitions"
	}
	return fmt.Sprintf("%d partitions, %d replicas", len(got.Partitions), len(got.Partitions[0].Replicas))
}

// listed are the topics of this case that a client is shown when it asks for all.
func (s *session) listed(cl *kgo.Client) string {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	names := map[string]bool{}
	for _, t := range resp.Topics {
		if t.Topic != nil && strings.HasPrefix(*t.Topic, s.prefix) && !strings.Contains(*t.Topic, settled) {
			names[strings.TrimPrefix(*t.Topic, s.prefix)] = true
		}
	}
	return sorted(names)
}

// requester is a client or one of its brokers.
type requester interface {
	Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error)
}

// alter changes configs of a topic.
func (s *session) alter(cl *kgo.Client, name string, op kmsg.IncrementalAlterConfigOp, configs map[string]string) string {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, name
	for k, v := range configs {
		cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		cfg.Name, cfg.Op, cfg.Value = k, op, &v
		if op == kmsg.IncrementalAlterConfigOpDelete {
			cfg.Value = nil
		}
		res.Configs = append(res.Configs, cfg)
	}
	req.Resources = append(req.Resources, res)
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	return code(resp.Resources[0].ErrorCode)
}

// configs describes some keys of a topic, each with its source.
func (s *session) configs(cl *kgo.Client, name string, keys ...string) string {
	req := kmsg.NewPtrDescribeConfigsRequest()
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType, res.ResourceName, res.ConfigNames = kmsg.ConfigResourceTypeTopic, name, keys
	req.Resources = append(req.Resources, res)
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	if c := resp.Resources[0].ErrorCode; c != 0 {
		return code(c)
	}
	found := map[string]bool{}
	for _, c := range resp.Resources[0].Configs {
		value := "(null)"
		if c.Value != nil {
			value = *c.Value
		}
		found[fmt.Sprintf("%s=%s:%s", c.Name, value, c.Source)] = true
	}
	return sorted(found)
}
