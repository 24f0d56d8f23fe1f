package kafkasec

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

// SpecKind and SpecVersion are what every spec begins with.
const (
	SpecKind    = "KafkaSecurity"
	SpecVersion = 1
)

// Spec is the desired state of a part of one Kafka cluster. The zero Spec owns
// nothing and wants nothing. Names are the same in Go and in YAML; read YAML
// with [ParseSpec].
type Spec struct {
	// Kind and Version are "KafkaSecurity" and 1. Both may be left out in Go.
	Kind    string `yaml:"kind"`
	Version int    `yaml:"version"`
	// Scope is what this spec owns. Declaring anything outside is an error, and
	// nothing outside is ever changed or listed.
	Scope Scope `yaml:"scope"`
	// Prune says what is deleted because it is in scope and not declared.
	Prune Prune `yaml:"prune"`

	// Topics and the other lists may be in any order. Each topic, binding,
	// credential and quota is declared at most once.
	Topics []Topic `yaml:"topics"`
	ACLs   []ACL   `yaml:"acls"`
	// Roles are more bindings, said by what a principal does. What they give may
	// stand in ACLs as well.
	Roles  []Role  `yaml:"roles"`
	Users  []User  `yaml:"users"`
	Quotas []Quota `yaml:"quotas"`
	// SecretSchemes are those that references to secrets may have beside env and
	// file, because the caller's Reconciler.Resolve knows them: "vault".
	SecretSchemes []string `yaml:"secret_schemes"`

	// source knows the lines of a spec that was read from YAML.
	source strictyaml.Positions
}

func (s Spec) fromYAML() bool { return s.source.At("") != strictyaml.Pos{} }

// DesiredState says whether a declared item should exist.
type DesiredState string

// An item whose state is empty is wanted present.
const (
	Present DesiredState = "present"
	Absent  DesiredState = "absent"
)

func (d DesiredState) orPresent() DesiredState { return cmp.Or(d, Present) }

// Topic is a topic as it should be. What is left out is left to the broker when
// the topic is created, and not looked at afterwards.
type Topic struct {
	// Name has 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-", and
	// does not begin with "_": those are for brokers and platform components.
	Name string `yaml:"name"`
	// Partitions is the number of partitions. Zero means the broker's default
	// at creation (Kafka 2.4 or newer). It can grow, never shrink.
	Partitions int32 `yaml:"partitions"`
	// ReplicationFactor is used at creation. Zero means the broker's default
	// (Kafka 2.4 or newer). A difference on an existing topic is planned and
	// reported, but not changed yet.
	ReplicationFactor int16 `yaml:"replication_factor"`
	// Configs are set on the topic itself, also where a value equals the
	// broker's default: a default can change, what is declared should not.
	// Keys that are not declared are left alone, unless Prune.Configs is set.
	Configs map[string]string `yaml:"configs,literal"`
	// State: Absent deletes the topic. One that holds records refuses the whole
	// plan, unless DeleteRecords is set.
	State DesiredState `yaml:"state"`
	// DeleteRecords lets State: Absent delete the records with the topic.
	DeleteRecords bool `yaml:"delete_records"`
}

// ACL is a group of bindings that differ only in their operation.
type ACL struct {
	// Principal is "Type:name", mostly "User:name"; "User:*" is everyone.
	Principal string `yaml:"principal"`
	// Operations are at least one, of those that the resource's type has, each
	// written as [ParseOperation] reads it. All is a binding of its own.
	Operations []Operation `yaml:"operations"`
	// Resource is written as [ParseResource] reads it.
	Resource string `yaml:"resource"`
	// Pattern is needed only where a literal name ends in "*".
	Pattern Pattern `yaml:"pattern"`
	// Host is an IP address as the broker sees it, "*" for all (the default),
	// or, from Kafka 4.4 on, a CIDR block.
	Host string `yaml:"host"`
	// Permission is Allow when empty.
	Permission Permission `yaml:"permission"`
	// State: Absent revokes exactly these bindings.
	State DesiredState `yaml:"state"`
}

// Bindings returns the bindings that the ACL stands for, in the order of its
// operations, or the first error in its fields.
func (a ACL) Bindings() ([]Binding, error) {
	res, err := ParseResource(a.Resource, a.Pattern)
	if err != nil {
		return nil, err
	}
	b := a.template(res)
	bs := make([]Binding, len(a.Operations))
	for i, op := range a.Operations {
		if b.Operation, err = ParseOperation(string(op)); err != nil {
			return nil, err
		}
		bs[i] = b
	}
	return bs, nil
}

// template is the ACL's binding without an operation, with the defaults filled in.
func (a ACL) template(res Resource) Binding {
	return Binding{
		Principal: a.Principal, Host: cmp.Or(a.Host, "*"), Permission: cmp.Or(a.Permission, Allow), Resource: res,
	}
}

// ParseSpec reads a spec from YAML and validates it. The name (of the file) is
// for messages. The error holds every problem as holdfast.Problems, each with
// its line and field path.
func ParseSpec(name string, data []byte) (Spec, error) {
	var s Spec
	at, err := strictyaml.Decode(name, data, &s)
	s.source = at
	var problems holdfast.Problems
	if err != nil && !errors.As(err, &problems) {
		return Spec{}, fmt.Errorf("read spec: %w", err)
	}
	if len(problems) == 0 || s.fromYAML() {
		problems = append(problems, s.problemsBeside(problems)...)
	}
	problems.Sort()
	if err := problems.Err(); err != nil {
		return Spec{}, fmt.Errorf("read spec: %w", err)
	}
	return s, nil
}

// problemsBeside validates a spec of which some fields could not be decoded,
// and leaves out what only follows from that: what is missing in the same
// place, and what is outside a scope of which not all could be read.
func (s Spec) problemsBeside(undecoded holdfast.Problems) holdfast.Problems {
	v := s.validator()
	v.scopeUnread = slices.ContainsFunc(undecoded, func(u holdfast.Problem) bool { return strings.HasPrefix(u.Path, "scope") })
	v.check(s)
	v.checkWritten(s)
	return slices.DeleteFunc(v.located(), func(p holdfast.Problem) bool {
		return slices.ContainsFunc(undecoded, func(u holdfast.Problem) bool {
			// A field that does not stand there has the place of its parent.
			return u.Path != "" && strings.HasPrefix(p.Path, u.Path) && s.source.At(p.Path) == s.source.At(u.Path)
		})
	})
}
