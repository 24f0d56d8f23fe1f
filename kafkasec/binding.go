package kafkasec

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ResourceType is what an ACL binding protects, in the spelling of specs.
type ResourceType string

// The resource types of Kafka 4.4 (org.apache.kafka.common.resource.ResourceType).
const (
	ResourceTopic           ResourceType = "topic"
	ResourceGroup           ResourceType = "group"
	ResourceCluster         ResourceType = "cluster"
	ResourceTransactionalID ResourceType = "transactional-id"
	ResourceToken           ResourceType = "token" // DELEGATION_TOKEN
	ResourceUser            ResourceType = "user"
)

// Pattern says how the name of a [Resource] is meant.
type Pattern string

// The pattern types of KIP-290. The wildcard is the literal name "*".
const (
	Literal  Pattern = "literal"
	Prefixed Pattern = "prefixed"
)

// Permission says whether a binding grants or refuses.
type Permission string

// A matching Deny beats every Allow.
const (
	Allow Permission = "allow"
	Deny  Permission = "deny"
)

// Operation is what a principal does with a resource, in the spelling of the
// console scripts: "Read", "DescribeConfigs".
type Operation string

// The operations of Kafka 4.4 (org.apache.kafka.common.acl.AclOperation).
const (
	All             Operation = "All"
	Read            Operation = "Read"
	Write           Operation = "Write"
	Create          Operation = "Create"
	Delete          Operation = "Delete"
	Alter           Operation = "Alter"
	Describe        Operation = "Describe"
	ClusterAction   Operation = "ClusterAction"
	DescribeConfigs Operation = "DescribeConfigs"
	AlterConfigs    Operation = "AlterConfigs"
	IdempotentWrite Operation = "IdempotentWrite"
	CreateTokens    Operation = "CreateTokens"
	DescribeTokens  Operation = "DescribeTokens"
	TwoPhaseCommit  Operation = "TwoPhaseCommit" // KIP-939
)

// wireOperations are Kafka's codes; the index is the code. kmsg stops at 14.
var wireOperations = [...]Operation{
	2: All, 3: Read, 4: Write, 5: Create, 6: Delete, 7: Alter, 8: Describe, 9: ClusterAction, 10: DescribeConfigs,
	11: AlterConfigs, 12: IdempotentWrite, 13: CreateTokens, 14: DescribeTokens, 15: TwoPhaseCommit,
}

var wireResources = [...]ResourceType{
	2: ResourceTopic, 3: ResourceGroup, 4: ResourceCluster, 5: ResourceTransactionalID, 6: ResourceToken, 7: ResourceUser,
}

// clusterName is the only name that the cluster resource has.
const clusterName = "kafka-cluster"

// Resource is what a binding is about: a type, a name and how the name is meant.
// It is comparable.
type Resource struct {
	Type ResourceType
	// Name is the name itself, "*" for all where Pattern is Literal, or the prefix
	// without a star. That of the cluster is "kafka-cluster"; that of a user is a
	// whole principal, "User:alice" (KIP-373).
	Name string
	// Pattern is Literal or Prefixed; only [ParseResource] fills in a default.
	Pattern Pattern
}

// ParseResource reads the spelling of specs: "topic:NAME" is a literal name,
// "topic:PREFIX*" every name with that prefix, "topic:*" the wildcard, and
// "cluster" the cluster. Where a literal name itself ends in "*", pattern must
// be [Literal]; otherwise it may be empty.
func ParseResource(text string, pattern Pattern) (Resource, error) {
	switch pattern {
	case "", Literal, Prefixed:
	default:
		return Resource{}, fmt.Errorf("pattern %q: allowed are literal and prefixed", string(pattern))
	}
	if text == string(ResourceCluster) {
		if pattern == Prefixed {
			return Resource{}, fmt.Errorf("resource %q has no prefixed form", text)
		}
		return Resource{ResourceCluster, clusterName, Literal}, nil
	}
	typ, name, found := strings.Cut(text, ":")
	if !found || !slices.Contains(wireResources[:], ResourceType(typ)) || typ == "" || ResourceType(typ) == ResourceCluster {
		return Resource{}, fmt.Errorf("resource %q: allowed are topic:NAME, group:NAME, transactional-id:NAME, token:ID, user:TYPE:NAME "+
			"(each with a trailing * for a prefix) and cluster", text)
	}
	r := Resource{ResourceType(typ), name, Literal}
	prefix, starred := strings.CutSuffix(name, "*")
	switch {
	case name == "":
		return Resource{}, fmt.Errorf("resource %q has no name", text)
	case pattern == Prefixed && !starred:
		return Resource{}, fmt.Errorf("resource %q: a prefixed resource is written with a trailing *", text)
	case pattern == Prefixed && prefix == "":
		return Resource{}, fmt.Errorf("resource %q: an empty prefix is not allowed; without pattern this is the wildcard", text)
	case pattern == Literal || !starred || prefix == "":
		return r, nil
	}
	r.Name, r.Pattern = prefix, Prefixed
	return r, nil
}

// Text returns the spelling of specs and the pattern that must stand beside it,
// which is empty where the text alone is clear.
func (r Resource) Text() (string, Pattern) {
	switch {
	case r.Type == ResourceCluster:
		return string(r.Type), ""
	case r.Pattern == Prefixed:
		return string(r.Type) + ":" + r.Name + "*", ""
	case r.Name != "*" && strings.HasSuffix(r.Name, "*"):
		return string(r.Type) + ":" + r.Name, Literal
	}
	return string(r.Type) + ":" + r.Name, ""
}

// String returns the spelling of specs, with the pattern where it is needed. It
// is quoted where it holds spaces, quotes or what does not print, so that no
// two resources read alike and none takes more than its line.
func (r Resource) String() string {
	text, pattern := r.Text()
	text = word(text)
	if pattern != "" {
		text += " (" + string(pattern) + ")"
	}
	return text
}

// Binding is one ACL as Kafka stores it: one principal, host, operation and
// permission on one resource. It is comparable, so it can be a map key.
//
// What a broker answered may hold what no spec can: a host that matches nobody,
// or a type, pattern, operation or permission of a newer release, as "Unknown(N)"
// with Kafka's code.
type Binding struct {
	// Principal is "Type:name"; "User:*" is everyone.
	Principal string
	// Host is "*" for every client, an address in the spelling of Java's
	// InetAddress.getHostAddress, with which authorizers compare (IPv6 in eight
	// groups), or from Kafka 4.4 on a range such as "10.0.0.0/8".
	Host       string
	Operation  Operation
	Permission Permission
	Resource   Resource
}

// String gives the binding as one line: "allow User:a Read on topic:t from *".
// Its parts are quoted as those of [Resource.String].
func (b Binding) String() string {
	return string(b.Permission) + " " + word(b.Principal) + " " + string(b.Operation) + " on " + b.Resource.String() + " from " + word(b.Host)
}

// word returns text that prints as one word: as it is where it does, otherwise quoted.
func word(text string) string {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r == ' ' || r == '"' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// Compare orders bindings by resource, then principal, permission, operation, host.
func (b Binding) Compare(o Binding) int {
	return cmp.Or(
		cmp.Compare(b.Resource.Type, o.Resource.Type),
		cmp.Compare(b.Resource.Name, o.Resource.Name),
		cmp.Compare(b.Resource.Pattern, o.Resource.Pattern),
		cmp.Compare(b.Principal, o.Principal),
		cmp.Compare(b.Permission, o.Permission),
		cmp.Compare(b.Operation, o.Operation),
		cmp.Compare(b.Host, o.Host),
	)
}

// ParseOperation reads an operation in the console scripts' spelling, in any
// case, or in Kafka's constant spelling (DESCRIBE_CONFIGS).
func ParseOperation(text string) (Operation, error) {
	folded := strings.ReplaceAll(text, "_", "")
	for _, op := range wireOperations {
		if op != "" && strings.EqualFold(folded, string(op)) {
			return op, nil
		}
	}
	var names []string
	for _, op := range wireOperations[2:] {
		names = append(names, string(op))
	}
	return "", fmt.Errorf("operation %q: allowed are %s", text, strings.Join(names, ", "))
}

func (o Operation) wire() kmsg.ACLOperation {
	return kmsg.ACLOperation(max(0, slices.Index(wireOperations[:], o)))
}

func (r Resource) wire() (kmsg.ACLResourceType, kmsg.ACLResourcePatternType) {
	pattern := kmsg.ACLResourcePatternTypeLiteral
	if r.Pattern == Prefixed {
		pattern = kmsg.ACLResourcePatternTypePrefixed
	}
	return kmsg.ACLResourceType(max(0, slices.Index(wireResources[:], r.Type))), pattern
}

func (p Permission) wire() kmsg.ACLPermissionType {
	if p == Deny {
		return kmsg.ACLPermissionTypeDeny
	}
	return kmsg.ACLPermissionTypeAllow
}

// bindingFromWire translates what a broker answered. A code that this version
// does not know, from a newer broker, becomes "Unknown(N)", so the binding is
// still counted and compared, and never mistaken for a known one.
func bindingFromWire(typ kmsg.ACLResourceType, name string, pattern kmsg.ACLResourcePatternType,
	principal, host string, op kmsg.ACLOperation, perm kmsg.ACLPermissionType,
) Binding {
	b := Binding{Principal: principal, Host: host, Permission: Allow, Resource: Resource{Name: name, Pattern: Literal}}
	if int(typ) < len(wireResources) && typ >= 2 {
		b.Resource.Type = wireResources[typ]
	} else {
		b.Resource.Type = ResourceType("Unknown(" + strconv.Itoa(int(typ)) + ")")
	}
	switch pattern {
	case kmsg.ACLResourcePatternTypeLiteral:
	case kmsg.ACLResourcePatternTypePrefixed:
		b.Resource.Pattern = Prefixed
	default:
		b.Resource.Pattern = Pattern("Unknown(" + strconv.Itoa(int(pattern)) + ")")
	}
	if int(op) < len(wireOperations) && op >= 2 {
		b.Operation = wireOperations[op]
	} else {
		b.Operation = Operation("Unknown(" + strconv.Itoa(int(op)) + ")")
	}
	switch perm {
	case kmsg.ACLPermissionTypeAllow:
	case kmsg.ACLPermissionTypeDeny:
		b.Permission = Deny
	default:
		b.Permission = Permission("Unknown(" + strconv.Itoa(int(perm)) + ")")
	}
	return b
}
