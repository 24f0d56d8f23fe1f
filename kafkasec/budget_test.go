package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
)

// aclStore answers the ACL requests in place of kfake, whose own store is
// linear in its entries per addition (20,000 take seconds). It keeps what it is
// sent, checks that each request is one that KRaft would take, and answers
// filters by it.
type aclStore struct {
	t    *testing.T
	mu   sync.Mutex
	acls map[Binding]bool
}

func (f *fake) storeACLs() *aclStore {
	s := &aclStore{t: f.t, acls: map[Binding]bool{}}
	f.always(kmsg.CreateACLs, s.create)
	f.always(kmsg.DescribeACLs, s.describe)
	return s
}

func (s *aclStore) create(kreq kmsg.Request) (kmsg.Response, error, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req := kreq.(*kmsg.CreateACLsRequest)
	resp := req.ResponseKind().(*kmsg.CreateACLsResponse)
	if len(req.Creations) > maxRecords {
		s.t.Errorf("%d creations in one request", len(req.Creations))
	}
	for _, c := range req.Creations {
		b := bindingFromWire(c.ResourceType, c.ResourceName, c.ResourcePatternType, c.Principal, c.Host, c.Operation, c.PermissionType)
		if s.acls[b] {
			s.t.Errorf("sent twice: %s", b)
		}
		s.acls[b] = true
		resp.Results = append(resp.Results, kmsg.NewCreateACLsResponseResult())
	}
	return resp, nil, true
}

func (s *aclStore) describe(kreq kmsg.Request) (kmsg.Response, error, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req := kreq.(*kmsg.DescribeACLsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
	byResource := map[Resource]*kmsg.DescribeACLsResponseResource{}
	for b := range s.acls {
		if req.ResourceName != nil && (*req.ResourceName != b.Resource.Name || *req.Principal != b.Principal) {
			continue
		}
		res := byResource[b.Resource]
		if res == nil {
			r := kmsg.NewDescribeACLsResponseResource()
			r.ResourceType, r.ResourcePatternType = b.Resource.wire()
			r.ResourceName = b.Resource.Name
			res = &r
			byResource[b.Resource] = res
		}
		a := kmsg.NewDescribeACLsResponseResourceACL()
		a.Principal, a.Host, a.Operation, a.PermissionType = b.Principal, b.Host, b.Operation.wire(), b.Permission.wire()
		res.ACLs = append(res.ACLs, a)
	}
	for _, r := range byResource {
		resp.Resources = append(resp.Resources, *r)
	}
	return resp, nil, true
}

func largeSpec(topics, acls int) Spec {
	s := Spec{Scope: Scope{TopicPrefixes: []string{"t"}}}
	for i := range topics {
		s.Topics = append(s.Topics, Topic{Name: fmt.Sprintf("t%05d", i), Partitions: 3, ReplicationFactor: 3, Configs: map[string]string{"retention.ms": "1000"}})
	}
	for i := range acls / 2 {
		s.ACLs = append(s.ACLs, ACL{Principal: fmt.Sprintf("User:u%05d", i), Operations: []Operation{Read, Write}, Resource: fmt.Sprintf("topic:t%05d", i%topics)})
	}
	return s
}

// Planning and applying 5,000 topics and 20,000 bindings takes at most 20
// requests in all, none of more than 10,000 records, and looking again writes
// nothing.
func TestBudget_Requests(t *testing.T) {
	f := newFake(t)
	store := f.storeACLs()
	f.always(kmsg.CreateTopics, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		records := 0
		for _, topic := range kreq.(*kmsg.CreateTopicsRequest).Topics {
			records += 1 + int(topic.NumPartitions) + len(topic.Configs)
		}
		if records > maxRecords {
			t.Errorf("a request of %d records", records)
		}
		return nil, nil, false
	})
	spec := largeSpec(5_000, 20_000)

	report := f.apply(spec)
	require.Equal(t, 25_000, report.Count(holdfast.Applied))
	first := f.requests.Swap(0)
	require.LessOrEqual(t, first, int64(20))

	want := map[Binding]bool{}
	for _, a := range spec.ACLs {
		bindings, err := a.Bindings()
		require.NoError(t, err)
		for _, b := range bindings {
			want[b] = true
		}
	}
	require.Equal(t, want, store.acls)

	f.always(kmsg.CreateTopics, noWrite(t))
	f.always(kmsg.CreateACLs, noWrite(t))
	f.always(kmsg.IncrementalAlterConfigs, noWrite(t))
	plan := f.plan(spec)
	require.True(t, plan.Empty(), plan.Summary())
	_, err := f.r.Apply(context.Background(), plan)
	require.NoError(t, err)
	second := f.requests.Load()
	require.LessOrEqual(t, second, int64(15))
	t.Logf("%d requests to plan and apply, %d to look again", first, second)
}

func noWrite(t *testing.T) func(kmsg.Request) (kmsg.Response, error, bool) {
	return func(req kmsg.Request) (kmsg.Response, error, bool) {
		t.Errorf("wrote %s", kmsg.Key(req.Key()).Name())
		return nil, nil, false
	}
}

// Whatever the weights, batches keep every item once and in order, and only a
// single item may be above the limit.
func TestPack(t *testing.T) {
	for _, weights := range [][]int{{}, {5}, {11}, {1, 9, 1}, {10, 10, 10}, {3, 3, 3, 3}, {12, 1, 12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}} {
		batches := pack(all(len(weights)), 10, func(i int) int { return weights[i] })
		require.Equal(t, all(len(weights)), append([]int{}, slices.Concat(batches...)...))
		for i, b := range batches {
			require.NotEmpty(t, b)
			sum := 0
			for _, it := range b {
				sum += weights[it]
			}
			require.True(t, sum <= 10 || len(b) == 1, "%v: %v", weights, b)
			if i > 0 { // and no batch that the one before had room for
				prev := 0
				for _, it := range batches[i-1] {
					prev += weights[it]
				}
				require.Greater(t, prev+weights[b[0]], 10)
			}
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	spec := largeSpec(10_000, 50_000)
	state := State{Topics: map[string]TopicState{}}
	for _, t := range spec.Topics {
		state.Topics[t.Name] = TopicState{Partitions: 3, ReplicationFactor: 3, Configs: map[string]string{"retention.ms": "1000"}}
	}
	for _, a := range spec.ACLs {
		bindings, _ := a.Bindings()
		state.ACLs = append(state.ACLs, bindings...)
	}
	nothing := State{Topics: map[string]TopicState{}}
	unread := nothing
	for _, t := range spec.Topics {
		unread.Unread = append(unread.Unread, Unread{KindTopic, t.Name, errors.New("may not be described")})
	}
	unread.Unread = append(unread.Unread, Unread{KindACL, "*", errors.New("may not be described")})
	for have, s := range map[string]State{"all": state, "nothing": nothing, "unread": unread} {
		b.Run(have, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := spec.Plan(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
