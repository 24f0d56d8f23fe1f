package kafkasec

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

const observed = `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a], principals: ["User:app"]}
topics:
  - {name: a1, partitions: 1, configs: {retention.ms: 1000}}
  - {name: a2, partitions: 2}
acls:
  - {principal: "User:app", operations: [Read], resource: "topic:a1"}
`

// A plan right after an apply sees it: nothing is answered from a cache.
func TestObserve_ReadsItsOwnWrites(t *testing.T) {
	f := newFake(t)
	spec := parse(t, observed)
	for range 20 {
		f.apply(spec)
		require.True(t, f.plan(spec).Empty())
		for i := range spec.Topics {
			spec.Topics[i] = Topic{Name: spec.Topics[i].Name, State: Absent}
		}
		f.apply(spec)
		require.True(t, f.plan(spec).Empty())
		spec = parse(t, observed)
	}
}

func TestObserve_KeepsOnlyWhatIsSetOnTheTopic(t *testing.T) {
	f := newFake(t)
	spec := parse(t, observed)
	f.apply(spec)
	spec.Topics[0].Configs["segment.ms"] = "604800000" // Kafka's default, but not set
	state, err := f.r.Observe(context.Background(), spec)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"retention.ms": "1000"}, state.Topics["a1"].Configs)
	require.Equal(t, []string{"~ topic-config a1: segment.ms: (not set) -> 604800000"}, lines(f.plan(spec)))
}

// Every other source is a default to the topic, also where the brokers' own
// configuration sets it: declared on the topic, it has to be set there.
func TestSetConfigs_FromTheTopicAlone(t *testing.T) {
	res := kmsg.NewDescribeConfigsResponseResource()
	res.ResourceName = "t"
	for source := kmsg.ConfigSource(0); source <= 9; source++ {
		c := kmsg.NewDescribeConfigsResponseResourceConfig()
		c.Name, c.Value, c.Source = fmt.Sprint(source), kmsg.StringPtr("v"), source
		res.Configs = append(res.Configs, c)
	}
	state := State{Topics: map[string]TopicState{"t": {Partitions: 1}}}
	require.Empty(t, state.setConfigs(res))
	require.Equal(t, map[string]string{fmt.Sprint(kmsg.ConfigSourceDynamicTopicConfig): "v"}, state.Topics["t"].Configs)
}

func lines(p Plan) []string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, c.String())
	}
	return out
}

// What is denied is neither absent nor fine: it stands in the state, in the
// plan and in the report as what it is.
func TestObserve_SaysWhatItCouldNotRead(t *testing.T) {
	f := newFake(t, kfake.User("PLAIN", "auditor", "pw"))
	spec := parse(t, observed)
	f.apply(spec)
	f.apply(parse(t, `
kind: KafkaSecurity
version: 1
scope: {principals: ["User:auditor"]}
acls:
  - {principal: "User:auditor", operations: [Describe], resource: "topic:a1"}
`))
	r := &Reconciler{Client: f.client("auditor", "pw")}
	state, err := r.Observe(context.Background(), spec)
	require.NoError(t, err)
	got := map[string]error{}
	for _, u := range state.Unread {
		got[u.Kind+" "+u.Name] = u.Err
	}
	require.Len(t, got, 3)
	require.ErrorIs(t, got["topic a2"], kerr.TopicAuthorizationFailed)
	require.ErrorIs(t, got["topic-config a1"], kerr.TopicAuthorizationFailed)
	require.ErrorIs(t, got["acl *"], kerr.ClusterAuthorizationFailed)

	plan, err := spec.Plan(state)
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
	require.False(t, plan.Empty())
	data, err := json.Marshal(plan)
	require.NoError(t, err)
	plan, err = ParsePlan("plan.json", data)
	require.NoError(t, err)
	report, err := r.Apply(context.Background(), plan)
	require.ErrorContains(t, err, "describe acls: CLUSTER_AUTHORIZATION_FAILED")
	require.Equal(t, []string{
		"not-attempted/unread update acl *", "not-attempted/unread update topic a2", "not-attempted/unread update topic-config a1",
	}, outcomes(report))
}

// Rights that go away between plan and apply: nothing is written blindly.
func TestApply_DoesNotWriteWhatItCannotRead(t *testing.T) {
	f := newFake(t)
	spec := parse(t, observed)
	plan := f.plan(spec)
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeACLs}, Err: kerr.ClusterAuthorizationFailed})
	report, err := f.r.Apply(context.Background(), plan)
	require.ErrorIs(t, err, kerr.ClusterAuthorizationFailed)
	require.Equal(t, []string{
		"applied create topic a1", "applied create topic a2", "not-attempted/unread create acl allow User:app Read on topic:a1 from *",
	}, outcomes(report))
}

func TestObserve_WithoutAuthorizer(t *testing.T) {
	f := newFake(t)
	// kfake without ACLs answers with none; a broker without an authorizer says so.
	f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeACLs}, TopLevel: true, Err: kerr.SecurityDisabled})
	state, err := f.r.Observe(context.Background(), parse(t, observed))
	require.NoError(t, err)
	require.Len(t, state.Unread, 1)
	require.ErrorIs(t, state.Unread[0].Err, kerr.SecurityDisabled)
}

func TestObserve_NamesEveryNeedOfAnOldBroker(t *testing.T) {
	f := newFake(t, kfake.MaxVersions(kversion.V2_2_0()))
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
topics:
  - {name: a1, partitions: 1, replication_factor: 1}
`)
	f.apply(spec)
	spec.Topics[0].Configs = map[string]string{"retention.ms": "1000"}
	spec.Topics = append(spec.Topics, Topic{Name: "a2"})
	report, err := f.r.Apply(context.Background(), f.plan(spec))
	var old *dial.TooOldError
	require.ErrorAs(t, err, &old)
	require.ErrorContains(t, err, "IncrementalAlterConfigs, Kafka 2.3 or newer")
	require.ErrorContains(t, err, "CreateTopics version 4, Kafka 2.4 or newer")
	require.Equal(t, 2, report.Count(holdfast.NotAttempted))
}

func TestObserve_NobodyAnswers(t *testing.T) {
	f := newFake(t)
	f.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := f.r.Observe(ctx, parse(t, observed))
	require.Error(t, err)
}

// A topic is what all of its partitions are; what a broker says of it is kept
// apart from what it does not say.
func TestReadTopics(t *testing.T) {
	topic := func(name string, code int16, replicas ...int) kmsg.MetadataResponseTopic {
		rt := kmsg.NewMetadataResponseTopic()
		rt.Topic, rt.ErrorCode = &name, code
		for _, n := range replicas {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Replicas = make([]int32, n)
			rt.Partitions = append(rt.Partitions, p)
		}
		return rt
	}
	resp := &kmsg.MetadataResponse{Topics: []kmsg.MetadataResponseTopic{
		topic("mixed", 0, 3, 2, 3),
		topic("no-leader-yet", kerr.LeaderNotAvailable.Code, 1),
		topic("not-yet", kerr.LeaderNotAvailable.Code),
		topic("denied", kerr.TopicAuthorizationFailed.Code),
		topic("absent", kerr.UnknownTopicOrPartition.Code),
		{TopicID: [16]byte{1}},
	}}
	state := State{Topics: map[string]TopicState{}}
	(&Reconciler{}).readTopics(resp, &state)
	require.Equal(t, map[string]TopicState{
		"mixed": {Partitions: 3, ReplicationFactor: 2}, "no-leader-yet": {Partitions: 1, ReplicationFactor: 1},
	}, state.Topics)
	require.Len(t, state.Unread, 2)
	require.Equal(t, []string{"not-yet", "denied"}, []string{state.Unread[0].Name, state.Unread[1].Name})
}

// A topic that goes away between the two requests is absent; one that the
// broker leaves out is not known.
func TestObserve_TopicsThatGoMissingBetweenRequests(t *testing.T) {
	f := newFake(t)
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [a]}
topics:
  - {name: a1, configs: {retention.ms: 1000}}
  - {name: a2, configs: {retention.ms: 1000}}
  - {name: a3, configs: {retention.ms: 1000}}
`)
	f.apply(spec)
	f.once(kmsg.DescribeConfigs, func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		resp := kreq.(*kmsg.DescribeConfigsRequest).ResponseKind().(*kmsg.DescribeConfigsResponse)
		for name, code := range map[string]int16{"a1": kerr.UnknownTopicOrPartition.Code, "a2": 0} {
			res := kmsg.NewDescribeConfigsResponseResource()
			res.ResourceType, res.ResourceName, res.ErrorCode = kmsg.ConfigResourceTypeTopic, name, code
			c := kmsg.NewDescribeConfigsResponseResourceConfig()
			c.Name, c.Value, c.Source = "retention.ms", kmsg.StringPtr("1000"), kmsg.ConfigSourceDynamicTopicConfig
			res.Configs = append(res.Configs, c)
			resp.Resources = append(resp.Resources, res)
		}
		return resp, nil, true
	})
	plan := f.plan(spec)
	require.Equal(t, []string{"+ topic a1: default partitions, default replication factor, retention.ms=1000"}, lines(plan))
	require.Len(t, plan.Unread, 1)
	require.Equal(t, "a3", plan.Unread[0].Name)
	require.ErrorContains(t, plan.Unread[0].Err, "left the topic out")
}

// The names of other topics are read, without those declared, only where one
// of them could collide with a new one.
func TestObserve_OtherTopics(t *testing.T) {
	f := newFake(t)
	spec := Spec{Scope: Scope{Topics: []string{"a.b", "c"}}, Topics: []Topic{{Name: "c"}}}
	f.create("a_b", "c")
	state, err := f.r.Observe(context.Background(), spec)
	require.NoError(t, err)
	require.Empty(t, state.OtherTopics)

	spec.Topics = append(spec.Topics, Topic{Name: "a.b", State: Absent})
	state, err = f.r.Observe(context.Background(), spec)
	require.NoError(t, err)
	require.Empty(t, state.OtherTopics)

	spec.Topics[1].State = Present
	state, err = f.r.Observe(context.Background(), spec)
	require.NoError(t, err)
	require.Equal(t, []string{"a_b"}, state.OtherTopics)
	_, err = spec.Plan(state)
	require.ErrorContains(t, err, `topics[1].name: "a.b" collides with the existing topic "a_b"`)
}

func TestMetadataVersionOf(t *testing.T) {
	resp := kmsg.NewPtrApiVersionsResponse()
	require.Zero(t, metadataVersionOf(resp))
	resp.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "kraft.version", MaxVersionLevel: 1}, {Name: "metadata.version", MaxVersionLevel: 32}}
	require.Equal(t, int16(32), metadataVersionOf(resp))
}

// A broker that accepts connections and is silent does not keep a call from
// ending with its context, however long the client itself would wait.
func TestObserve_EndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(l.Addr().String()), kgo.RequestTimeoutOverhead(10*time.Minute))
	require.NoError(t, err)
	defer cl.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 1)) // the request is there, and will not be answered
		cancel()
		_, _ = io.Copy(io.Discard, c)
	}()
	_, err = (&Reconciler{Client: cl}).Observe(ctx, parse(t, observed))
	require.ErrorIs(t, err, context.Canceled)

	_, err = (&Reconciler{}).Observe(context.Background(), parse(t, observed))
	require.ErrorContains(t, err, "the Client of the Reconciler is not set")
}

// Asking for a topic never makes it, also where brokers create topics on demand.
func TestObserve_CreatesNothing(t *testing.T) {
	f := newFake(t, kfake.AllowAutoTopicCreation())
	spec := parse(t, observed)
	require.Len(t, f.plan(spec).Changes, 3)
	require.Len(t, f.plan(spec).Changes, 3)
}

func TestBindings_AllOrAnError(t *testing.T) {
	f := newFake(t)
	got, err := f.r.Bindings(context.Background())
	require.NoError(t, err)
	require.Empty(t, got)
	report := f.apply(parse(t, observed))
	require.True(t, report.Converged())
	state, err := f.r.Observe(context.Background(), parse(t, observed))
	require.NoError(t, err)
	require.NotEmpty(t, state.ACLs)
	got, err = f.r.Bindings(context.Background())
	require.NoError(t, err)
	require.Equal(t, state.ACLs, got)

	for _, code := range []*kerr.Error{kerr.SecurityDisabled, kerr.ClusterAuthorizationFailed} {
		f.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeACLs}, TopLevel: true, Err: code})
		got, err = f.r.Bindings(context.Background())
		require.ErrorIs(t, err, code)
		require.Nil(t, got)
	}
}
