package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// refusal is what MirrorMaker says without one binding of its role.
type refusal struct {
	end     MirrorEnd
	without string
	says    string // a regular expression
	afresh  bool   // it needs the binding when it starts, and is restarted without it
}

// mirrorRefusals are for each binding of the two roles. A task or a worker that
// is refused when it writes ends, until a restart, so those come last; and what
// says the same is apart.
var mirrorRefusals = []refusal{
	{MirrorSource, "Describe cluster", `ClusterAuthorizationException occurred while trying to describe ACLs on east`, false},
	{MirrorTarget, "Alter cluster", `(?s)Could not sync ACL.*ClusterAuthorizationException`, false},
	{MirrorSource, "Describe group:g", `(?s)Error querying offsets for consumer group g on cluster east.*GroupAuthorizationException`, false},
	{MirrorTarget, "Read group:g", `(?s)Unable to sync offsets for consumer group g.*GroupAuthorizationException`, false},
	{MirrorSource, "DescribeConfigs topic:orders*", `TopicAuthorizationException occurred while trying to describe configs`, false},
	{MirrorTarget, "AlterConfigs topic:east.*", `(?s)Could not alter configuration of topic east.orders.*TopicAuthorizationException`, false},
	{MirrorSource, "Read topic:orders*", `Not authorized to access topics: \[orders`, false},
	{MirrorSource, "DescribeConfigs topic:heartbeats", `TopicAuthorizationException occurred while trying to describe configs`, false},
	{MirrorTarget, "Alter topic:east.*", `(?s)Could not create topic-partitions for east.orders.*TopicAuthorizationException`, false},
	{MirrorTarget, "Create topic:east.*", `(?s)Could not create topic east.orders-.*TopicAuthorizationException`, false},
	{MirrorTarget, "Read topic:east.*", `(?s)Unable to sync offsets for consumer group g.*TopicAuthorizationException`, false},
	{MirrorSource, "Read topic:heartbeats", `Not authorized to access topics: \[heartbeats\]`, false},
	{MirrorSource, "Read topic:mm2-offset-syncs.west.internal", `(?s)Error polling.*\[mm2-offset-syncs.west.internal\]`, false},
	{MirrorSource, "Write topic:mm2-offset-syncs.west.internal", `(?s)Failure sending offset sync.*\[mm2-offset-syncs.west.internal\]`, false},
	{MirrorSource, "Read topic:mm2-configs.west.internal", `(?s)Error polling.*\[mm2-configs.west.internal\]`, false},
	{MirrorTarget, "Read topic:mm2-configs.east.internal", `(?s)Error polling.*\[mm2-configs.east.internal\]`, false},
	{MirrorSource, "Read topic:mm2-offsets.west.internal", `(?s)Error polling.*\[mm2-offsets.west.internal\]`, false},
	{MirrorTarget, "Read topic:mm2-offsets.east.internal", `(?s)Error polling.*\[mm2-offsets.east.internal\]`, false},
	{MirrorSource, "Read topic:mm2-status.west.internal", `(?s)Error polling.*\[mm2-status.west.internal\]`, false},
	{MirrorTarget, "Read topic:mm2-status.east.internal", `(?s)Error polling.*\[mm2-status.east.internal\]`, false},
	{MirrorSource, "Write topic:mm2-configs.west.internal", `Not authorized to access topics: \[mm2-configs.west.internal\]`, false},
	{MirrorTarget, "Write topic:mm2-configs.east.internal", `Not authorized to access topics: \[mm2-configs.east.internal\]`, false},
	{MirrorTarget, "Write topic:mm2-status.east.internal", `Not authorized to access topics: \[mm2-status.east.internal\]`, false},
	{MirrorTarget, "Write topic:heartbeats", `Not authorized to access topics: \[heartbeats\]`, false},
	{MirrorSource, "Write topic:mm2-offsets.west.internal", `Not authorized to access topics: \[mm2-offsets.west.internal\]`, false},
	{MirrorTarget, "Write topic:mm2-offsets.east.internal", `Not authorized to access topics: \[mm2-offsets.east.internal\]`, false},
	{MirrorSource, "Write topic:heartbeats", `Not authorized to access topics: \[heartbeats\]`, false},
	{MirrorTarget, "Write topic:east.*", `Not authorized to access topics: \[east.orders\]`, false},
	{MirrorSource, "Write topic:mm2-status.west.internal", `Not authorized to access topics: \[mm2-status.west.internal\]`, true},
	{MirrorSource, "Read group:west-mm2", `Not authorized to access group: west-mm2`, true},
	{MirrorTarget, "Read group:east-mm2", `Not authorized to access group: east-mm2`, true},
}

// Least privilege of both ends, with a real MirrorMaker between real clusters:
// with the role on both all that it does is done, and without any one binding
// it says what it was refused. Where the binding implies Describe, that is left,
// so that it is the operation itself which is needed.
func TestReal_MirrorMakerRoleIsWhatItNeeds(t *testing.T) {
	m := newMirror(t, `, sync_acls: true, heartbeats: true`, `, groups: [g], sync_acls: true, heartbeats: true`, map[string]string{"sync.group.offsets.enabled": "true"})
	var all, tried []string
	for end, spec := range m.specs {
		for _, b := range spec.Roles[0].expand() {
			all = append(all, string(end)+" "+bindingText(b))
		}
	}
	for _, r := range mirrorRefusals {
		tried = append(tried, string(r.end)+" "+r.without)
	}
	require.ElementsMatch(t, all, tried)

	m.start()
	m.works()
	for _, r := range mirrorRefusals {
		m.refused(r)
	}
	m.mm.Kill()
	m.mm.Start(t)
	m.works()
}

// Without groups on the target no offsets are committed there, and with the
// offset syncs there the source has none.
func TestReal_MirrorMakerRoleWithoutTheDefaults(t *testing.T) {
	m := newMirror(t, `, offset_syncs: target`, `, offset_syncs: target`, map[string]string{
		"sync.topic.acls.enabled": "false", "emit.heartbeats.enabled": "false", "offset-syncs.topic.location": "target",
	})
	m.start()
	m.works()
	for _, r := range []refusal{
		{MirrorTarget, "Read topic:mm2-offset-syncs.east.internal", `(?s)Error polling.*\[mm2-offset-syncs.east.internal\]`, false},
		{MirrorTarget, "Write topic:mm2-offset-syncs.east.internal", `(?s)Failure sending offset sync.*\[mm2-offset-syncs.east.internal\]`, false},
		{MirrorTarget, "Read topic:east.checkpoints.internal", `(?s)Not authorized to access checkpoints topic.*\[east.checkpoints.internal\]`, true},
	} {
		m.refused(r)
	}
	m.works()
}

type mirror struct {
	*testing.T
	sites    map[MirrorEnd]*site
	specs    map[MirrorEnd]Spec
	admins   map[MirrorEnd]*kadm.Client
	producer *kgo.Client // on the source
	opts     real.MirrorOptions
	mm       *real.MirrorMaker
	n        int // of changes, so that each is new
}

func newMirror(t *testing.T, source, target string, properties map[string]string) *mirror {
	m := &mirror{T: t, sites: map[MirrorEnd]*site{}, specs: map[MirrorEnd]Spec{}, admins: map[MirrorEnd]*kadm.Client{}}
	cluster := func(end MirrorEnd, spec string) real.MirrorEnd {
		c := real.NewKafka(t, real.Options{Users: []real.User{{Name: "mm"}},
			Properties: map[string]string{"group.min.session.timeout.ms": "3000"}})
		m.sites[end] = newSite(t, conform.Real(c))
		m.sites[end].awaitCoordinators()
		m.admins[end] = kadm.NewClient(m.sites[end].Admin(t))
		m.specs[end] = m.sites[end].spec(spec + "}]\n")
		m.sites[end].apply(m.specs[end])
		return real.MirrorEnd{Cluster: c, Login: real.Login{Protocol: real.SASLPlaintext, User: "mm"}}
	}
	m.opts = real.MirrorOptions{Source: cluster(MirrorSource, mirrorSource+source), Target: cluster(MirrorTarget, mirrorTarget+target), Properties: map[string]string{
		"topics": "orders.*", "groups": "g", "tasks.max": "1", "replication.factor": "1",
		"checkpoints.topic.replication.factor": "1",
		// What it does from time to time it does each second, so that a right
		// which is taken away shows. Groups are looked for once: one that may
		// not be described is not seen to be there, and then nobody asks.
		"refresh.topics.interval.seconds": "1", "refresh.groups.interval.seconds": "3600",
		"sync.topic.configs.interval.seconds": "1", "sync.topic.acls.interval.seconds": "1",
		"emit.heartbeats.interval.seconds": "1", "emit.checkpoints.interval.seconds": "1", "sync.group.offsets.interval.seconds": "1",
		"offset.lag.max": "0",
	}}
	for _, alias := range []string{"east.", "west."} {
		m.opts.Properties[alias+"offset.flush.interval.ms"] = "1000"
		m.opts.Properties[alias+"inter.worker.key.ttl.ms"] = "1000" // a new key is written to the topic of configs
		// How long the member that was killed is missed by its successor.
		m.opts.Properties[alias+"session.timeout.ms"], m.opts.Properties[alias+"heartbeat.interval.ms"] = "3000", "500"
	}
	maps.Copy(m.opts.Properties, properties)
	m.producer = m.sites[MirrorSource].Admin(t)
	m.opts.Source.Alias, m.opts.Target.Alias = "east", "west"
	return m
}

func bindingText(b Binding) string { return string(b.Operation) + " " + b.Resource.String() }

// start starts MirrorMaker where a group has read, since it looks for groups once.
func (m *mirror) start() {
	m.Helper()
	m.reads()
	m.mm = real.NewMirrorMaker(m.T, m.opts)
}

// until asks for something until it is so.
func (m *mirror) until(ask func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(m.Context(), time.Minute)
	defer cancel()
	return poll.Until(ctx, poll.Backoff{Initial: 100 * time.Millisecond, Factor: 1}, func(ctx context.Context) (bool, error) {
		if err := ask(ctx); err != nil {
			return false, poll.NotYet{Reason: err}
		}
		return true, nil
	})
}

// reads writes a record into the source, which the group g has then read.
func (m *mirror) reads() {
	r, err := m.producer.ProduceSync(m.Context(), &kgo.Record{Topic: "orders", Value: []byte("x")}).First()
	require.NoError(m, err)
	var read kadm.Offsets
	read.AddOffset("orders", r.Partition, r.Offset+1, -1)
	require.NoError(m, m.admins[MirrorSource].CommitAllOffsets(m.Context(), "g", read))
}

func (m *mirror) addsPartition() {
	r, err := m.admins[MirrorSource].CreatePartitions(m.Context(), 1, "orders")
	require.NoError(m, err)
	require.NoError(m, r.Error())
}

func (m *mirror) addsTopic() {
	m.n++
	_, err := m.admins[MirrorSource].CreateTopic(m.Context(), 1, 1, nil, "orders-"+strconv.Itoa(m.n))
	require.NoError(m, err)
}

// works changes everything on the source that is mirrored, and waits for it on
// the target.
func (m *mirror) works() {
	m.Helper()
	source, ctx := m.admins[MirrorSource], m.Context()
	m.addsPartition()
	m.addsTopic()
	retention := strconv.Itoa(3600000 + m.n)
	_, err := source.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &retention}}, "orders")
	require.NoError(m, err)
	_, err = source.CreateACLs(ctx, m.reader("orders"))
	require.NoError(m, err)
	before, err := m.written(ctx)
	require.NoError(m, err)
	require.NoError(m, m.until(func(ctx context.Context) error {
		m.reads()
		now, err := m.written(ctx)
		if err != nil {
			return err
		}
		missing := []error{m.partitions(ctx), m.configAndACL(ctx, retention)}
		for what, n := range now {
			if n <= before[what] {
				missing = append(missing, fmt.Errorf("nothing new in %s", what))
			}
		}
		return errors.Join(missing...)
	}))
}

// reader is somebody who may read the topic, another for each n.
func (m *mirror) reader(topic string) *kadm.ACLBuilder {
	return kadm.NewACLs().Allow("User:reader-" + strconv.Itoa(m.n)).AllowHosts("*").
		Topics(topic).Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)
}

// partitions says what the target lacks of the topics of the source.
func (m *mirror) partitions(ctx context.Context) error {
	want, err := m.admins[MirrorSource].ListTopics(ctx)
	if err != nil {
		return err
	}
	got, err := m.admins[MirrorTarget].ListTopics(ctx)
	if err != nil {
		return err
	}
	var missing []error
	for name, topic := range want {
		if n := len(got["east."+name].Partitions); strings.HasPrefix(name, "orders") && n != len(topic.Partitions) {
			missing = append(missing, fmt.Errorf("east.%s has %d partitions of %d", name, n, len(topic.Partitions)))
		}
	}
	return errors.Join(missing...)
}

// configAndACL says what else the target lacks.
func (m *mirror) configAndACL(ctx context.Context, retention string) error {
	configs, err := m.admins[MirrorTarget].DescribeTopicConfigs(ctx, "east.orders")
	if err != nil {
		return err
	}
	var missing []error
	if !slices.ContainsFunc(configs[0].Configs, func(c kadm.Config) bool { return c.Key == "retention.ms" && c.MaybeValue() == retention }) {
		missing = append(missing, fmt.Errorf("east.orders has no retention.ms=%s", retention))
	}
	if m.specs[MirrorTarget].Roles[0].SyncACLs {
		acls, err := m.admins[MirrorTarget].DescribeACLs(ctx, m.reader("east.orders"))
		if err != nil {
			return err
		}
		if len(acls[0].Described) == 0 {
			missing = append(missing, fmt.Errorf("no ACL of reader-%d on east.orders", m.n))
		}
	}
	return errors.Join(missing...)
}

// written is how much there is on the target of what grows all the time.
func (m *mirror) written(ctx context.Context) (map[string]int64, error) {
	role := m.specs[MirrorTarget].Roles[0]
	written := map[string]int64{"east.orders": 0, "east.checkpoints.internal": 0}
	if role.Heartbeats {
		written["heartbeats"], written["east.heartbeats"] = 0, 0
	}
	ends, err := m.admins[MirrorTarget].ListEndOffsets(ctx)
	if err != nil {
		return nil, err
	}
	for name := range written {
		for _, o := range ends[name] {
			written[name] += o.Offset
		}
	}
	if len(role.Groups) > 0 {
		offsets, err := m.admins[MirrorTarget].FetchOffsets(ctx, "g")
		if err != nil {
			return nil, err
		}
		written["the offsets of g"] = 0
		for _, o := range offsets["east.orders"] {
			written["the offsets of g"] += o.At
		}
	}
	return written, nil
}

// refused takes one binding away, waits for what MirrorMaker says, and gives it back.
func (m *mirror) refused(r refusal) {
	m.Helper()
	s, spec := m.sites[r.end], m.specs[r.end]
	bindings := spec.Roles[0].expand()
	i := slices.IndexFunc(bindings, func(b Binding) bool { return bindingText(b) == r.without })
	require.GreaterOrEqual(m, i, 0, r.without)
	binding := aclOf(bindings[i])
	give := func(state, describe DesiredState) {
		left := binding
		left.Operations, left.State = []Operation{Describe}, describe
		given := binding
		given.State = state
		acls := []ACL{given, left}
		if bindings[i].Operation == Describe {
			acls = acls[:1]
		}
		s.apply(Spec{Scope: spec.Scope, ACLs: acls})
	}

	if r.afresh {
		m.mm.Kill()
	}
	mark := m.mm.Mark()
	give(Absent, Present)
	if r.afresh {
		m.mm.Start(m.T)
	} else {
		m.addsPartition()
		m.addsTopic()
	}
	says := regexp.MustCompile(r.says)
	err := m.until(func(ctx context.Context) error {
		m.reads()
		if !says.MatchString(m.mm.Since(mark)) {
			return fmt.Errorf("without %s, it does not say %s", r.without, r.says)
		}
		return nil
	})
	require.NoError(m, err, "%s\n%s", r.without, m.mm.Since(mark))
	give(Present, Absent)
}

const mirrorSource = `
scope: {cluster: true, topics: [orders, heartbeats], topic_prefixes: [mm2-], principals: ["User:mm"]}
topics:
  - {name: orders}
  - {name: heartbeats, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-offset-syncs.west.internal, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-configs.west.internal, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-offsets.west.internal, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-status.west.internal, partitions: 1, configs: {cleanup.policy: compact}}
roles: [{principal: "User:mm", role: mirror-maker, cluster: source, target_alias: west, topics: ["orders*"], groups: [g]`

const mirrorTarget = `
scope: {cluster: true, topics: [heartbeats], topic_prefixes: [mm2-], principals: ["User:mm"]}
topics:
  - {name: heartbeats, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-offset-syncs.east.internal, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-configs.east.internal, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-offsets.east.internal, partitions: 1, configs: {cleanup.policy: compact}}
  - {name: mm2-status.east.internal, partitions: 1, configs: {cleanup.policy: compact}}
roles: [{principal: "User:mm", role: mirror-maker, cluster: target, source_alias: east`
