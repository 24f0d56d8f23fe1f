package kafkasec

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Role is what one principal does, in a spec: the bindings that a kind of client
// needs, all of them wanted present. Bindings that several roles or entries of
// acls give are one binding; one that an entry of acls demands absent is a
// contradiction.
//
// Names in lists of topics, groups and transactional IDs may end in "*", for
// every name with that prefix. Which fields a role has says [RoleName].
type Role struct {
	// Principal and Host are those of every binding, as in an [ACL].
	Principal string   `yaml:"principal"`
	Host      string   `yaml:"host"`
	Role      RoleName `yaml:"role"`
	// Expansion is ExpandLeastPrivilege when empty.
	Expansion ExpansionName `yaml:"expansion"`
	// Kafka is the oldest release, "2.8", that the bindings are for; the newest
	// when empty. With ExpandConsole it is the release of the scripts.
	Kafka string `yaml:"kafka,literal"`

	Topics           []string `yaml:"topics"`
	Groups           []string `yaml:"groups"`
	TransactionalIDs []string `yaml:"transactional_ids"`
	Idempotent       bool     `yaml:"idempotent"`

	ApplicationID string   `yaml:"application_id"`
	InputTopics   []string `yaml:"input_topics"`
	OutputTopics  []string `yaml:"output_topics"`
	ExactlyOnce   bool     `yaml:"exactly_once"`

	Group           string `yaml:"group"`
	ConfigTopic     string `yaml:"config_topic"`
	OffsetTopic     string `yaml:"offset_topic"`
	StatusTopic     string `yaml:"status_topic"`
	Connector       string `yaml:"connector"`
	DeadLetterTopic string `yaml:"dead_letter_topic"`

	// Cluster is which end of a mirror this cluster is: MirrorSource or MirrorTarget.
	Cluster     MirrorEnd `yaml:"cluster"`
	SourceAlias string    `yaml:"source_alias"`
	TargetAlias string    `yaml:"target_alias"`
	SyncACLs    bool      `yaml:"sync_acls"`
	Heartbeats  bool      `yaml:"heartbeats"`
	// OffsetSyncs is where offset syncs are kept: MirrorSource when empty.
	OffsetSyncs MirrorEnd `yaml:"offset_syncs"`

	SchemasTopic string `yaml:"schemas_topic"`
}

// RoleName is one of the roles.
type RoleName string

// The roles, what each expands to, and its fields; those in parentheses may be
// left out.
const (
	// RoleProducer is a [Producer]: topics, (transactional_ids, idempotent).
	RoleProducer RoleName = "producer"
	// RoleConsumer is a [Consumer]: topics, (groups).
	RoleConsumer RoleName = "consumer"
	// RoleStreams is a [Streams] application: application_id, (input_topics,
	// output_topics, exactly_once).
	RoleStreams RoleName = "streams"
	// RoleConnectWorker is a [ConnectWorker]: group, config_topic, offset_topic,
	// status_topic, (exactly_once).
	RoleConnectWorker RoleName = "connect-worker"
	// RoleConnector is a [Connector]: connector, (input_topics, output_topics,
	// dead_letter_topic, exactly_once with group and offset_topic).
	RoleConnector RoleName = "connector"
	// RoleMirrorMaker is a [MirrorMaker]: cluster and, for the source,
	// target_alias, topics, for the target source_alias, (groups, sync_acls,
	// heartbeats, offset_syncs).
	RoleMirrorMaker RoleName = "mirror-maker"
	// RoleSchemaRegistry is a [SchemaRegistry]: (schemas_topic, group).
	RoleSchemaRegistry RoleName = "schema-registry"
	// RoleReadOnlyAdmin is a [ReadOnlyAdmin], without fields.
	RoleReadOnlyAdmin RoleName = "read-only-admin"
)

// ExpansionName says which bindings a role stands for.
type ExpansionName string

const (
	// ExpandLeastPrivilege is only what the client needs.
	ExpandLeastPrivilege ExpansionName = "least-privilege"
	// ExpandConsole is what kafka-acls --producer and --consumer make. No other
	// role has it.
	ExpandConsole ExpansionName = "console"
)

// MirrorEnd is one of the two clusters of a mirror.
type MirrorEnd string

// The ends of a mirror.
const (
	MirrorSource MirrorEnd = "source"
	MirrorTarget MirrorEnd = "target"
)

// Bindings returns the bindings that the role stands for, each once and sorted,
// or the first error in its fields. It is a pure function.
func (r Role) Bindings() ([]Binding, error) {
	if problems := r.problems(); len(problems) > 0 {
		return nil, fmt.Errorf("role %s: %w", r.Role, problems[0])
	}
	return r.expand(), nil
}

// expand needs fields without problems.
func (r Role) expand() []Binding {
	var bindings []Binding
	for _, g := range r.grants() {
		for _, op := range g.Operations {
			bindings = append(bindings, Binding{r.Principal, cmp.Or(r.Host, "*"), op, Allow, g.Resource})
		}
	}
	slices.SortFunc(bindings, Binding.Compare)
	return slices.Compact(bindings)
}

func (r Role) grants() []Grant {
	e := Expansion{LeastPrivilege: r.Expansion != ExpandConsole}
	e.Kafka, _ = parseRelease(r.Kafka)
	topics, groups := resources(ResourceTopic, r.Topics), resources(ResourceGroup, r.Groups)
	input, output := resources(ResourceTopic, r.InputTopics), resources(ResourceTopic, r.OutputTopics)
	switch r.Role {
	case RoleProducer:
		return Producer{topics, resources(ResourceTransactionalID, r.TransactionalIDs), r.Idempotent}.Grants(e)
	case RoleConsumer:
		return Consumer{topics, groups}.Grants(e)
	case RoleStreams:
		return Streams{r.ApplicationID, input, output, r.ExactlyOnce}.Grants(e)
	case RoleConnectWorker:
		return ConnectWorker{r.Group, r.ConfigTopic, r.OffsetTopic, r.StatusTopic, r.ExactlyOnce}.Grants(e)
	case RoleConnector:
		return Connector{r.Connector, input, output, r.DeadLetterTopic, r.ExactlyOnce, r.Group, r.OffsetTopic}.Grants(e)
	case RoleMirrorMaker:
		return MirrorMaker{r.Cluster == MirrorTarget, r.SourceAlias, r.TargetAlias, topics, groups, r.SyncACLs, r.Heartbeats, r.OffsetSyncs == MirrorTarget}.Grants(e)
	case RoleSchemaRegistry:
		return SchemaRegistry{r.SchemasTopic, r.Group}.Grants(e)
	case RoleReadOnlyAdmin:
		return ReadOnlyAdmin{}.Grants(e)
	}
	return nil
}

func resources(typ ResourceType, names []string) []Resource {
	var list []Resource
	for _, n := range names {
		r, _ := ParseResource(string(typ)+":"+n, "")
		list = append(list, r)
	}
	return list
}

// parseRelease reads "2.8". The empty text is the newest release.
func parseRelease(text string) (Release, error) {
	if text == "" {
		return Release{}, nil
	}
	major, minor, ok := strings.Cut(text, ".")
	var r Release
	var err1, err2 error
	r.Major, err1 = strconv.Atoi(major)
	r.Minor, err2 = strconv.Atoi(minor)
	if !ok || err1 != nil || err2 != nil || r.Major < 0 || r.Minor < 0 || r == (Release{}) {
		return Release{}, fmt.Errorf("%q: a release is two numbers, like 2.8 or 4.4", text)
	}
	return r, nil
}

// declaration is a binding that a spec says something about.
type declaration struct {
	binding Binding
	state   DesiredState
}

// declared returns what a valid spec says about bindings, each once: acls first,
// in their order, and then roles.
func (s Spec) declared() []declaration {
	n := 0
	for _, a := range s.ACLs {
		n += len(a.Operations)
	}
	list := make([]declaration, 0, n) // growing tens of thousands costs more than planning them
	for _, a := range s.ACLs {
		bindings, _ := a.Bindings()
		for _, b := range bindings {
			list = append(list, declaration{b, a.State.orPresent()})
		}
	}
	if len(s.Roles) == 0 {
		return list // a big list of acls needs no second copy
	}
	seen := make(map[Binding]bool, len(list))
	for _, d := range list {
		seen[d.binding] = true
	}
	for _, r := range s.Roles {
		for _, b := range r.expand() {
			if !seen[b] {
				seen[b] = true
				list = append(list, declaration{b, Present})
			}
		}
	}
	return list
}

// aboutBindings reports whether the spec says anything about bindings, and
// blocks whether it grants one to a block of addresses.
func (s Spec) aboutBindings() bool { return len(s.ACLs) > 0 || len(s.Roles) > 0 }

func (s Spec) blocks() bool {
	return slices.ContainsFunc(s.ACLs, func(a ACL) bool { return strings.Contains(a.Host, "/") }) ||
		slices.ContainsFunc(s.Roles, func(r Role) bool { return strings.Contains(r.Host, "/") })
}
