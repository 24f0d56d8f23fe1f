package kafkasec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// AuthorizedOperations is what the brokers say that a client may do with one
// resource (KIP-430).
type AuthorizedOperations struct {
	// Resource is a literal topic or group, or the cluster.
	Resource Resource
	// Allowed holds the operations, sorted.
	Allowed []Operation
	// Hidden: Describe is refused, and then brokers tell nothing else.
	Hidden bool
	// Err says why there is no answer.
	Err error
}

// untold says why brokers tell nobody what may be done with a resource; ""
// for one of which they do.
func (r Resource) untold() string {
	switch {
	case r.Type != ResourceTopic && r.Type != ResourceGroup && r.Type != ResourceCluster:
		return "brokers tell what may be done with topics, groups and the cluster only"
	case r.Pattern != Literal && r.Pattern != "" || r.Name == anyName:
		return "brokers tell what may be done with one resource, not with many"
	}
	return ""
}

// AuthorizedOperations asks the brokers what the client of the Reconciler may do
// with each of the resources. It writes nothing and creates no topic; a topic or
// group need not exist. Only of topics, groups and the cluster do brokers tell;
// any other resource has Err. The results are in the order of the resources.
//
// Kafka 2.3 or newer; asking about a group takes a coordinator, for which the
// brokers make their own __consumer_offsets where it is missing.
func (r *Reconciler) AuthorizedOperations(ctx context.Context, resources []Resource) ([]AuthorizedOperations, error) {
	asked := rightsQuestion{told: map[Resource]AuthorizedOperations{}}
	for _, res := range resources {
		asked.add(res)
	}
	if err := dial.Require(ctx, r.anyBroker(), asked.needs()...); err != nil {
		return nil, fmt.Errorf("ask for authorized operations: %w", err)
	}
	for _, ask := range []func(context.Context, *Reconciler) error{asked.askTopics, asked.askCluster, asked.askGroups} {
		if err := ask(ctx, r); err != nil {
			return nil, fmt.Errorf("ask for authorized operations: %w", err)
		}
	}
	answers := make([]AuthorizedOperations, len(resources))
	for i, res := range resources {
		answer, ok := asked.told[asLiteral(res)]
		if !ok {
			answer.Err = errors.New("the broker left it out of its answer")
		}
		answer.Resource = res
		answers[i] = answer
	}
	return answers, nil
}

func asLiteral(r Resource) Resource {
	r.Pattern = cmp.Or(r.Pattern, Literal)
	return r
}

// rightsQuestion collects what to ask for and what was told.
type rightsQuestion struct {
	topics, groups []string // distinct
	cluster        bool
	told           map[Resource]AuthorizedOperations
}

func (q *rightsQuestion) add(r Resource) {
	r = asLiteral(r)
	if _, seen := q.told[r]; seen {
		return
	}
	if why := r.untold(); why != "" {
		q.told[r] = AuthorizedOperations{Err: errors.New(why)}
		return
	}
	switch r.Type {
	case ResourceTopic:
		q.topics = distinct(append(q.topics, r.Name))
	case ResourceGroup:
		q.groups = distinct(append(q.groups, r.Name))
	default:
		q.cluster = true
	}
}

func (q *rightsQuestion) needs() []dial.Need {
	needs := []dial.Need{{Key: kmsg.Metadata, Version: 8}} // 2.3 (KIP-430)
	if len(q.groups) > 0 {
		needs = append(needs, dial.Need{Key: kmsg.DescribeGroups, Version: 3})
	}
	return needs
}

// toldBy reads the answer's bits. Not asked for, or not told, is the least int.
func toldBy(bits int32) (ops []Operation, told bool) {
	if bits == math.MinInt32 {
		return nil, false
	}
	for code, op := range wireOperations {
		if op != "" && bits&(1<<code) != 0 {
			ops = append(ops, op)
		}
	}
	slices.Sort(ops)
	return ops, true
}

// answerOf is the answer about one topic or group. Where Describe is refused, a
// broker says so and no more.
func answerOf(code int16, refused error, bits int32) AuthorizedOperations {
	if errors.Is(kerr.ErrorForCode(code), refused) {
		return AuthorizedOperations{Hidden: true}
	}
	ops, told := toldBy(bits)
	switch {
	case told:
		return AuthorizedOperations{Allowed: ops}
	case code != 0:
		return AuthorizedOperations{Err: brokerError(code, nil, "")}
	}
	return AuthorizedOperations{Err: errors.New("the broker told no operations")}
}

func (q *rightsQuestion) askTopics(ctx context.Context, r *Reconciler) error {
	if len(q.topics) == 0 {
		return nil
	}
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation, req.IncludeTopicAuthorizedOperations = false, true
	for i := range q.topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &q.topics[i]
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, r.anyBroker())
	if err != nil {
		return fmt.Errorf("read metadata: %w", err)
	}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			q.told[Resource{ResourceTopic, *t.Topic, Literal}] = answerOf(t.ErrorCode, kerr.TopicAuthorizationFailed, t.AuthorizedOperations)
		}
	}
	return nil
}

// metadataV10 is the last version of Metadata that tells of the cluster, and its
// cap: brokers before 2.8 have no DescribeCluster (KIP-700).
type metadataV10 struct{ *kmsg.MetadataRequest }

// MaxVersion implements kmsg.Request.
func (metadataV10) MaxVersion() int16 { return 10 }

func (q *rightsQuestion) askCluster(ctx context.Context, r *Reconciler) error {
	if !q.cluster {
		return nil
	}
	bits, err := clusterOperations(ctx, r)
	if err != nil {
		return fmt.Errorf("describe cluster: %w", err)
	}
	res := Resource{ResourceCluster, clusterName, Literal}
	if bits == 0 { // what a broker tells who may not Describe the cluster
		q.told[res] = AuthorizedOperations{Hidden: true}
		return nil
	}
	q.told[res] = answerOf(0, kerr.ClusterAuthorizationFailed, bits)
	return nil
}

func clusterOperations(ctx context.Context, r *Reconciler) (int32, error) {
	if dial.Require(ctx, r.anyBroker(), dial.Need{Key: kmsg.DescribeCluster}) != nil {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics, req.AllowAutoTopicCreation, req.IncludeClusterAuthorizedOperations = []kmsg.MetadataRequestTopic{}, false, true
		kresp, err := r.anyBroker().Request(ctx, metadataV10{req})
		if err != nil {
			return 0, err
		}
		return kresp.(*kmsg.MetadataResponse).AuthorizedOperations, nil
	}
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations = true
	resp, err := req.RequestWith(ctx, r.anyBroker())
	if err != nil {
		return 0, err
	}
	return resp.ClusterAuthorizedOperations, brokerError(resp.ErrorCode, resp.ErrorMessage, "")
}

// describeGroupsV5 stays below version 6 (4.0, KIP-1043), in which a broker tells
// nothing of a group that it does not know, or knows as one of another protocol.
type describeGroupsV5 struct{ *kmsg.DescribeGroupsRequest }

// MaxVersion implements kmsg.Request.
func (describeGroupsV5) MaxVersion() int16 { return 5 }

func (q *rightsQuestion) askGroups(ctx context.Context, r *Reconciler) error {
	if len(q.groups) == 0 {
		return nil
	}
	coordinators, err := q.coordinators(ctx, r)
	if err != nil {
		return fmt.Errorf("find coordinators: %w", err)
	}
	for broker, groups := range coordinators {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Groups, req.IncludeAuthorizedOperations = groups, true
		kresp, err := r.ask(ctx, broker, describeGroupsV5{req})
		if err != nil {
			return fmt.Errorf("describe groups: %w", err)
		}
		for _, g := range kresp.(*kmsg.DescribeGroupsResponse).Groups {
			q.told[Resource{ResourceGroup, g.Group, Literal}] = answerOf(g.ErrorCode, kerr.GroupAuthorizationFailed, g.AuthorizedOperations)
		}
	}
	return nil
}

// coordinators sorts the groups by who has them, and keeps the answer for those
// of which nobody can be asked.
func (q *rightsQuestion) coordinators(ctx context.Context, r *Reconciler) (map[int32][]string, error) {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType, req.CoordinatorKeys = 0, q.groups
	shards, err := r.shards(ctx, req)
	if err != nil {
		return nil, err
	}
	by := map[int32][]string{}
	for _, shard := range shards {
		if shard.Err != nil {
			return nil, shard.Err
		}
		resp := shard.Resp.(*kmsg.FindCoordinatorResponse)
		coordinators := resp.Coordinators
		if len(coordinators) == 0 { // before version 4: one, and the request has its name
			c := kmsg.NewFindCoordinatorResponseCoordinator()
			c.Key, c.NodeID, c.ErrorCode = shard.Req.(*kmsg.FindCoordinatorRequest).CoordinatorKey, resp.NodeID, resp.ErrorCode
			coordinators = append(coordinators, c)
		}
		for _, c := range coordinators {
			if c.ErrorCode != 0 {
				q.told[Resource{ResourceGroup, c.Key, Literal}] = answerOf(c.ErrorCode, kerr.GroupAuthorizationFailed, math.MinInt32)
				continue
			}
			by[c.NodeID] = append(by[c.NodeID], c.Key)
		}
	}
	return by, nil
}
