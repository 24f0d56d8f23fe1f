package kafkasec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// ExportOptions says what to export: a scope, or, spelled out, everything.
type ExportOptions struct {
	// Scope is exported, and is the scope of the exported spec.
	Scope Scope
	// Everything exports all that the client can see. The exported spec then
	// owns the topics and principals that stand in it, by their exact names.
	// Scope must be empty.
	Everything bool
}

// LeftOut is one thing that is on the cluster and not in an exported spec.
type LeftOut struct {
	// Kind is KindTopic, KindTopicConfig, KindTopicReplication, KindACL,
	// KindScramUser or KindQuota.
	Kind string
	// Name is the topic, with the config's key after a space for KindTopicConfig,
	// or the binding, the credential or the quota as a line, the latter with the
	// limit after a space where it is one; "*" where nothing of the kind could be
	// read.
	Name string
	// Reason says why.
	Reason string
	// Err is set where it could not be read, so that the export is not whole. It
	// is nil where it was left out because a spec cannot or must not declare it.
	Err error
}

// String gives it as one line: "topic _schemas: left out: ...".
func (l LeftOut) String() string {
	if l.Err != nil {
		return fmt.Sprintf("%s %s: could not be read: %v", l.Kind, l.Name, l.Err)
	}
	return fmt.Sprintf("%s %s: left out: %s", l.Kind, l.Name, l.Reason)
}

// Export reads topics, bindings, SCRAM users and quotas of the live cluster into
// a spec, such that planning it on the same cluster gives nothing to change. A
// topic has its partitions, its replication factor and the configs that are set on
// the topic itself; bindings that differ only in their operation are one entry.
// A user has mechanisms and iterations, and no password, because no broker tells
// it: such an entry says that the credential is there. Roles are exported as the
// bindings that they stand for; which of them were once meant as a role, nobody
// can tell. The spec is in a stable order. Write it with [Spec.YAML].
//
// Everything that is there and not in the spec is listed: internal topics and
// those whose names begin with "_", what a spec cannot say, what it refuses to
// grant (a host that matches nobody), and what could not be read. Brokers do
// not list topics that the client may not describe, so those are in neither.
func (r *Reconciler) Export(ctx context.Context, opts ExportOptions) (Spec, []LeftOut, error) {
	if err := opts.validate(); err != nil {
		return Spec{}, nil, fmt.Errorf("export: %w", err)
	}
	e := &exporter{r: r, opts: opts, owned: opts.Scope.index()}
	if err := e.run(ctx); err != nil {
		return Spec{}, nil, fmt.Errorf("export: %w", err)
	}
	slices.SortFunc(e.leftOut, func(a, b LeftOut) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason))
	})
	return e.spec, e.leftOut, nil
}

func (o ExportOptions) validate() error {
	v := &validator{}
	v.checkScope(o.Scope)
	switch empty := o.Scope.empty(); {
	case o.Everything && !empty:
		v.add("scope", "stands beside everything: allowed is one of them")
	case !o.Everything && empty:
		v.add("scope", "empty: name what to export, or spell out everything")
	}
	return v.located().Err()
}

func (s Scope) empty() bool { return empty(reflect.ValueOf(s)) }

type exporter struct {
	r       *Reconciler
	opts    ExportOptions
	owned   scopeIndex
	spec    Spec
	leftOut []LeftOut
}

func (e *exporter) note(kind, name, reason string, args ...any) {
	e.leftOut = append(e.leftOut, LeftOut{Kind: kind, Name: name, Reason: fmt.Sprintf(reason, args...)})
}

func (e *exporter) unread(kind, name string, err error) {
	e.leftOut = append(e.leftOut, LeftOut{Kind: kind, Name: name, Err: err})
}

func (e *exporter) run(ctx context.Context) error {
	need := reading{configs: map[string][]string{"": nil}, acls: true}
	if err := dial.Require(ctx, e.r.anyBroker(), need.needs()...); err != nil {
		return err
	}
	e.spec = Spec{Kind: SpecKind, Version: SpecVersion, Scope: e.opts.Scope}
	if err := e.topics(ctx); err != nil {
		return err
	}
	if err := e.acls(ctx); err != nil {
		return err
	}
	if err := e.users(ctx); err != nil {
		return err
	}
	if err := e.quotas(ctx); err != nil {
		return err
	}
	if e.opts.Everything {
		e.spec.Scope = e.names()
	}
	return nil
}

// names is the scope that owns exactly what the spec holds: a topic by its
// name, and all that is of a principal, a client id or an address, because all of
// it was exported.
func (e *exporter) names() Scope {
	var s Scope
	for _, t := range e.spec.Topics {
		s.Topics = append(s.Topics, t.Name)
	}
	principals := map[string]bool{}
	for _, a := range e.spec.ACLs {
		principals[a.Principal] = true
	}
	for _, u := range e.spec.Users {
		principals[userPrincipal(u.Name)] = true
	}
	clientIDs, ips, defaults := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, q := range e.spec.Quotas {
		switch {
		case q.User != "":
			principals[userPrincipal(q.User)] = true
		case q.UserDefault:
			defaults["user"] = true
		case q.ClientID != "":
			clientIDs[q.ClientID] = true
		case q.ClientIDDefault:
			defaults["client_id"] = true
		case q.IP != "":
			ips[q.IP] = true
		default:
			defaults["ip"] = true
		}
	}
	s.Principals = slices.Sorted(maps.Keys(principals))
	s.ClientIDs, s.IPs, s.QuotaDefaults = sortedKeys(clientIDs), sortedKeys(ips), sortedKeys(defaults)
	return s
}

func (e *exporter) topics(ctx context.Context) error {
	if !e.opts.Everything && len(e.opts.Scope.Topics)+len(e.opts.Scope.TopicPrefixes) == 0 {
		return nil
	}
	var names []string // all
	if !e.opts.Everything && len(e.opts.Scope.TopicPrefixes) == 0 {
		names = e.opts.Scope.Topics
	}
	resp, who, err := e.r.metadata(ctx, names)
	if err != nil {
		return fmt.Errorf("read topics: %w", err)
	}
	state := State{Cluster: who.cluster, Brokers: len(who.brokers), Topics: map[string]TopicState{}}
	resp.Topics = slices.DeleteFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool {
		return t.Topic == nil || !e.opts.Everything && !e.owned.topics.owns(*t.Topic)
	})
	e.r.readTopics(resp, &state)
	for name, t := range state.Topics {
		if why := notExported(name, t); why != "" {
			e.note(KindTopic, name, "%s", why)
			delete(state.Topics, name)
		}
	}
	for _, name := range mixedReplication(resp) {
		if t, ok := state.Topics[name]; ok {
			e.note(KindTopicReplication, name, "its partitions have different replication factors, which a spec cannot say")
			t.ReplicationFactor = 0
			state.Topics[name] = t
		}
	}
	e.dropCollisions(&state)
	if err := e.configs(ctx, &state); err != nil {
		return err
	}
	for _, u := range state.Unread {
		e.unread(u.Kind, u.Name, u.Err)
	}
	for _, name := range slices.Sorted(maps.Keys(state.Topics)) {
		live := state.Topics[name]
		e.spec.Topics = append(e.spec.Topics, Topic{Name: name, Partitions: live.Partitions, ReplicationFactor: live.ReplicationFactor, Configs: live.Configs})
	}
	return nil
}

// notExported says why a spec cannot declare the topic, or "".
func notExported(name string, t TopicState) string {
	switch why := protectedTopic(name); {
	case t.Internal:
		return "it is one of the brokers' internal topics: those are protected"
	case why != "":
		return why
	}
	if err := kafkarules.TopicName(name); err != nil {
		return err.Error()
	}
	return ""
}

func mixedReplication(resp *kmsg.MetadataResponse) []string {
	var names []string
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if len(p.Replicas) != len(t.Partitions[0].Replicas) {
				names = append(names, *t.Topic)
				break
			}
		}
	}
	return names
}

// dropCollisions leaves out all but the first of topics whose names differ only
// in "." and "_": very old brokers let them be made, a spec refuses them.
func (e *exporter) dropCollisions(state *State) {
	first := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(state.Topics)) {
		unified := kafkarules.CollisionKey(name)
		if other, dup := first[unified]; dup {
			e.note(KindTopic, name, "it collides with %q: a spec refuses names that differ only in . and _", other)
			delete(state.Topics, name)
			continue
		}
		first[unified] = name
	}
}

// configs reads what is set on the topics, and keeps what a spec can declare.
func (e *exporter) configs(ctx context.Context, state *State) error {
	all := map[string][]string{} // every key
	for name := range state.Topics {
		all[name] = nil
	}
	hidden, err := e.r.readConfigs(ctx, all, state)
	if err != nil {
		return err
	}
	for _, h := range hidden {
		e.note(KindTopicConfig, h.topic+" "+h.key, "the broker does not show its value")
	}
	for name, t := range state.Topics {
		for {
			errs := kafkarules.TopicConfigs(t.Configs)
			if len(errs) == 0 {
				break
			}
			for _, err := range errs {
				var ce *kafkarules.ConfigError
				if !errors.As(err, &ce) {
					return fmt.Errorf("topic %q: configs: %w", name, err)
				}
				if _, ok := t.Configs[ce.Key]; ok {
					e.note(KindTopicConfig, name+" "+ce.Key, "set to %s: %v", show(ptr(t.Configs[ce.Key])), err)
					delete(t.Configs, ce.Key)
				}
			}
		}
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

func (e *exporter) acls(ctx context.Context) error {
	var state State
	if err := e.r.readACLs(ctx, &state); err != nil {
		return err
	}
	if u, ok := state.unreadIndex().find(KindACL, "*"); ok {
		if errors.Is(u.Err, kerr.SecurityDisabled) {
			e.note(KindACL, "*", "the cluster has no authorizer, so that it has no ACLs either")
			return nil
		}
		e.unread(KindACL, "*", u.Err)
		return nil
	}
	bindings := state.ACLs
	if !e.opts.Everything {
		bindings = slices.DeleteFunc(bindings, func(b Binding) bool { return !e.owned.ownsBinding(b) })
	}
	if slices.ContainsFunc(bindings, func(b Binding) bool { return strings.Contains(b.Host, "/") }) {
		var err error
		if state.MetadataVersion, err = e.r.metadataVersion(ctx); err != nil {
			return fmt.Errorf("read metadata.version: %w", err)
		}
	}
	bindings = slices.DeleteFunc(bindings, func(b Binding) bool {
		err := b.declarable()
		if err == nil && strings.Contains(b.Host, "/") && state.MetadataVersion < cidrMetadataVersion {
			err = errors.New("CIDR hosts need Kafka 4.4 (metadata.version 4.4-IV1 or newer); on this cluster the binding matches nobody")
		}
		if err != nil {
			e.note(KindACL, b.String(), "%v", err)
		}
		return err != nil
	})
	e.spec.ACLs = groupACLs(bindings)
	return nil
}

// declarable says why a spec cannot say the binding, or would refuse to grant it.
func (b Binding) declarable() error {
	text, pattern := b.Resource.Text()
	if res, err := ParseResource(text, pattern); err != nil {
		return err
	} else if res != b.Resource {
		return fmt.Errorf("a spec has no way to write this resource: %q as %s", b.Resource.Name, b.Resource.Pattern)
	}
	return Change{Action: holdfast.ActionCreate, Kind: KindACL, Name: b.String(), After: b}.check()
}

// groupACLs makes one entry of bindings that differ only in their operation.
// Sorted bindings give sorted entries with sorted operations.
func groupACLs(bindings []Binding) []ACL {
	var acls []ACL
	at := make(map[Binding]int, len(bindings))
	for _, b := range bindings {
		key := b
		key.Operation = ""
		i, ok := at[key]
		if !ok {
			i = len(acls)
			at[key] = i
			text, pattern := b.Resource.Text()
			a := ACL{Principal: b.Principal, Resource: text, Pattern: pattern}
			if b.Host != "*" {
				a.Host = b.Host
			}
			if b.Permission != Allow {
				a.Permission = b.Permission
			}
			acls = append(acls, a)
		}
		acls[i].Operations = append(acls[i].Operations, b.Operation)
	}
	return acls
}
