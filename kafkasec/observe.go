package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// maxDescribedConfigs keeps one DescribeConfigs answer small: it is at most 5000
// topics of which one key is asked, or 1000 with all that they have.
const maxDescribedConfigs = 5000

// describedConfigs is what a topic weighs in it; no keys are all of them.
func describedConfigs(keys []string) int {
	if len(keys) == 0 {
		return 5
	}
	return min(len(keys), 5)
}

// Observe reads what the spec needs to know of the live cluster: the declared
// topics, those of their declared configs that are set, the bindings, the SCRAM
// credentials of the declared users, and the declared quotas. All of it is read
// from the brokers at call time. With [Reconciler.Logins] it also tries the declared
// passwords.
//
// What could not be read (a topic that may not be described, an authorizer that
// is not there) is in State.Unread, and is never treated as absent. The error
// is for when nothing could be read at all.
func (r *Reconciler) Observe(ctx context.Context, spec Spec) (State, error) {
	need := spec.reading()
	if err := dial.Require(ctx, r.anyBroker(), need.needs()...); err != nil {
		return State{}, fmt.Errorf("observe: %w", err)
	}
	state, who, err := r.read(ctx, need)
	if err != nil {
		return State{}, fmt.Errorf("observe: %w", err)
	}
	if len(spec.Users) > 0 || spec.Prune.Users || spec.Prune.ACLs {
		if state.Self, err = r.self(ctx); err != nil {
			return State{}, fmt.Errorf("observe: %w", err)
		}
	}
	if undeclared, _ := spec.undeclaredCredentials(state); spec.Prune.Users && !spec.Prune.BrokerCredentials && len(undeclared) > 0 {
		if err := r.readBrokerMechanisms(ctx, who.brokers, &state); err != nil {
			return State{}, fmt.Errorf("observe: %w", err)
		}
	}
	if err := r.readDeletions(ctx, spec, &state); err != nil {
		return State{}, fmt.Errorf("observe: %w", err)
	}
	missing := slices.ContainsFunc(spec.Topics, func(t Topic) bool {
		_, exists := state.Topics[t.Name]
		return !exists && t.State != Absent
	})
	if missing {
		if err := r.readOtherTopics(ctx, spec, &state); err != nil {
			return State{}, fmt.Errorf("observe: %w", err)
		}
	}
	if spec.blocks() {
		if state.MetadataVersion, err = r.metadataVersion(ctx); err != nil {
			return State{}, fmt.Errorf("observe: read metadata.version: %w", err)
		}
	}
	return state, nil
}

// reading is what a caller needs to know.
type reading struct {
	topics  []string
	configs map[string][]string // keys by topic
	records []string            // topics
	acls    bool
	users   []string // distinct
	// logins are credentials of users whose passwords are tried. Iterations are
	// those that are declared: where others are stored nothing is tried; 0 is any.
	logins []Credential
	quotas map[QuotaEntity]bool
	// quotasIn is a scope of which all quotas are wanted; nil for none.
	quotasIn *scopeIndex
}

// reading is what Observe asks for before it knows what exists.
func (s Spec) reading() reading {
	need := reading{configs: map[string][]string{}, acls: s.aboutBindings() || s.Prune.ACLs}
	for _, t := range s.Topics {
		need.topics = append(need.topics, t.Name)
		switch {
		case t.State == Absent || len(t.Configs) == 0:
		case s.Prune.Configs:
			need.configs[t.Name] = nil // all
		default:
			need.configs[t.Name] = slices.Sorted(maps.Keys(t.Configs))
		}
	}
	if s.Prune.Topics {
		// By name, a topic that may not be seen is refused, and not just left out.
		declared := s.topicNames()
		for _, name := range s.Scope.Topics {
			if !declared[name] {
				need.topics = append(need.topics, name)
			}
		}
	}
	for _, u := range s.Users {
		need.users = append(need.users, u.Name)
		for _, m := range u.Mechanisms {
			if u.Password != "" {
				need.logins = append(need.logins, Credential{User: u.Name, Mechanism: m, Iterations: u.Iterations, Password: u.Password})
			}
		}
	}
	if s.Prune.Users {
		need.users = append(need.users, s.Scope.scopeUsers()...)
	}
	need.users = distinct(need.users)
	if s.Prune.Quotas {
		owned := s.Scope.index()
		need.quotasIn = &owned
	}
	for _, q := range s.Quotas {
		need.addQuota(q.Entity())
	}
	return need
}

// read is the one way in which Observe, the check before Apply and the look
// after an unclear answer see the cluster.
func (r *Reconciler) read(ctx context.Context, need reading) (State, members, error) {
	if need.topics == nil {
		need.topics = []string{} // none, not all
	}
	resp, who, err := r.metadata(ctx, need.topics)
	if err != nil {
		return State{}, who, fmt.Errorf("read metadata: %w", err)
	}
	state := State{Cluster: who.cluster, Brokers: len(who.brokers), Topics: map[string]TopicState{}}
	r.readTopics(resp, &state)
	if _, err := r.readConfigs(ctx, need.configs, &state); err != nil {
		return State{}, who, err
	}
	if err := r.readRecords(ctx, need.records, &state); err != nil {
		return State{}, who, err
	}
	if need.acls {
		if err := r.readACLs(ctx, &state); err != nil {
			return State{}, who, err
		}
	}
	if len(need.users) > 0 {
		if err := r.readUsers(ctx, need.users, &state); err != nil {
			return State{}, who, err
		}
	}
	if err := r.readLogins(ctx, need.logins, &state); err != nil {
		return State{}, who, err
	}
	if need.readsQuotas() {
		if _, err := r.readQuotas(ctx, need.wantsQuota, &state); err != nil {
			return State{}, who, err
		}
	}
	return state, who, nil
}

func (r *Reconciler) readTopics(resp *kmsg.MetadataResponse, state *State) {
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		err := kerr.ErrorForCode(t.ErrorCode)
		switch {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			continue
		case err != nil && (len(t.Partitions) == 0 || !errors.Is(err, kerr.LeaderNotAvailable)):
			state.Unread = append(state.Unread, Unread{KindTopic, *t.Topic, fmt.Errorf("describe topic: %w", brokerError(t.ErrorCode, nil, "Describe on the topic"))})
			continue
		}
		live := TopicState{Partitions: int32(len(t.Partitions)), Internal: t.IsInternal}
		for i, p := range t.Partitions {
			if n := int16(len(p.Replicas)); i == 0 || n < live.ReplicationFactor {
				live.ReplicationFactor = n
			}
		}
		state.Topics[*t.Topic] = live
	}
}

// hiddenConfig is a key that is set on a topic, and whose value is not shown: to
// a broker, the value of a key that its release does not know may be a secret.
type hiddenConfig struct{ topic, key string }

// readConfigs asks for the given keys of existing topics only, so that a cluster
// of thousands of topics does not send every default of each; no keys are all.
func (r *Reconciler) readConfigs(ctx context.Context, keys map[string][]string, state *State) ([]hiddenConfig, error) {
	var hidden []hiddenConfig
	var topics []string
	for t := range keys {
		if _, exists := state.Topics[t]; exists {
			topics = append(topics, t)
		}
	}
	slices.Sort(topics)
	for _, chunk := range pack(topics, maxDescribedConfigs, func(t string) int { return describedConfigs(keys[t]) }) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		for _, t := range chunk {
			res := kmsg.NewDescribeConfigsRequestResource()
			res.ResourceType, res.ResourceName, res.ConfigNames = kmsg.ConfigResourceTypeTopic, t, keys[t]
			req.Resources = append(req.Resources, res)
		}
		resp, err := req.RequestWith(ctx, r.anyBroker())
		if err != nil {
			return nil, fmt.Errorf("read topic configs: %w", err)
		}
		answered := map[string]bool{}
		for _, res := range resp.Resources {
			answered[res.ResourceName] = true
			if err := brokerError(res.ErrorCode, res.ErrorMessage, "DescribeConfigs on the topic"); err != nil {
				if errors.Is(err, kerr.UnknownTopicOrPartition) {
					// Deleted since the metadata answer.
					delete(state.Topics, res.ResourceName)
					continue
				}
				state.Unread = append(state.Unread, Unread{KindTopicConfig, res.ResourceName, fmt.Errorf("describe configs: %w", err)})
				continue
			}
			hidden = append(hidden, state.setConfigs(res)...)
		}
		for _, t := range chunk {
			if !answered[t] {
				state.Unread = append(state.Unread, Unread{KindTopicConfig, t, errors.New("describe configs: the broker left the topic out of its answer")})
			}
		}
	}
	return hidden, nil
}

// setConfigs keeps what is set on the topic itself.
func (s *State) setConfigs(res kmsg.DescribeConfigsResponseResource) (hidden []hiddenConfig) {
	live := s.Topics[res.ResourceName]
	for _, c := range res.Configs {
		if c.Source != kmsg.ConfigSourceDynamicTopicConfig {
			continue
		}
		if c.Value == nil {
			hidden = append(hidden, hiddenConfig{res.ResourceName, c.Name})
			continue
		}
		if live.Configs == nil {
			live.Configs = map[string]string{}
		}
		live.Configs[c.Name] = *c.Value
	}
	s.Topics[res.ResourceName] = live
	return hidden
}

func (r *Reconciler) readACLs(ctx context.Context, state *State) error {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType = kmsg.ACLResourceTypeAny
	req.ResourcePatternType = kmsg.ACLResourcePatternTypeAny
	req.Operation = kmsg.ACLOperationAny
	req.PermissionType = kmsg.ACLPermissionTypeAny
	resp, err := req.RequestWith(ctx, r.anyBroker())
	if err != nil {
		return fmt.Errorf("read acls: %w", err)
	}
	if err := brokerError(resp.ErrorCode, resp.ErrorMessage, "Describe on the cluster"); err != nil {
		state.Unread = append(state.Unread, Unread{KindACL, "*", fmt.Errorf("describe acls: %w", err)})
		return nil
	}
	state.ACLs = bindingsOf(resp)
	return nil
}

func bindingsOf(resp *kmsg.DescribeACLsResponse) []Binding {
	n := 0
	for _, res := range resp.Resources {
		n += len(res.ACLs)
	}
	bindings := make([]Binding, 0, n)
	for _, res := range resp.Resources {
		for _, a := range res.ACLs {
			bindings = append(bindings, bindingFromWire(res.ResourceType, res.ResourceName, res.ResourcePatternType,
				a.Principal, a.Host, a.Operation, a.PermissionType))
		}
	}
	slices.SortFunc(bindings, Binding.Compare)
	return slices.Compact(bindings)
}

func (r *Reconciler) readOtherTopics(ctx context.Context, spec Spec, state *State) error {
	resp, _, err := r.metadata(ctx, nil)
	if err != nil {
		return fmt.Errorf("read topic names: %w", err)
	}
	declared := make(map[string]bool, len(spec.Topics))
	for _, t := range spec.Topics {
		declared[t.Name] = true
	}
	for _, t := range resp.Topics {
		if t.Topic != nil && !declared[*t.Topic] && t.ErrorCode == 0 {
			state.OtherTopics = append(state.OtherTopics, *t.Topic)
		}
	}
	slices.Sort(state.OtherTopics)
	return nil
}

// cidrMetadataVersion is the level of metadata.version 4.4-IV1, from which on
// the authorizer understands CIDR hosts (KAFKA-20088).
const cidrMetadataVersion = 32

func (r *Reconciler) metadataVersion(ctx context.Context) (int16, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	resp, err := req.RequestWith(ctx, r.anyBroker())
	if err != nil {
		return 0, err
	}
	return metadataVersionOf(resp), brokerError(resp.ErrorCode, nil, "")
}

// metadataVersionOf returns the finalized level of metadata.version, 0 in
// ZooKeeper mode.
func metadataVersionOf(resp *kmsg.ApiVersionsResponse) int16 {
	for _, f := range resp.FinalizedFeatures {
		if f.Name == "metadata.version" {
			return f.MaxVersionLevel
		}
	}
	return 0
}
