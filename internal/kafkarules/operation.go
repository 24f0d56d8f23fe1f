package kafkarules

import (
	"fmt"
	"slices"
	"strings"
)

// OperationAll grants or denies every operation of a resource.
const OperationAll = "All"

// operation is one that a resource type has, and since which release.
type operation struct {
	name string
	span span
}

// operations are those of AclEntry.supportedOperations, in the order of
// AclOperation, spelled as in the console scripts (SecurityUtils.operationName).
// Every type has All besides.
var operations = map[string][]operation{
	"topic": {{name: "Read"}, {name: "Write"}, {name: "Create"}, {name: "Delete"}, {name: "Alter"}, {name: "Describe"},
		{name: "DescribeConfigs"}, {name: "AlterConfigs"}},
	"group": {{name: "Read"}, {name: "Delete"}, {name: "Describe"},
		{name: "DescribeConfigs", span: since(4, 0)}, {name: "AlterConfigs", span: since(4, 0)}},
	"cluster": {{name: "Create"}, {name: "Alter"}, {name: "Describe"}, {name: "ClusterAction"},
		{name: "DescribeConfigs"}, {name: "AlterConfigs"}, {name: "IdempotentWrite"}},
	"transactional-id": {{name: "Write"}, {name: "Describe"}, {name: "TwoPhaseCommit", span: since(4, 1)}},
	"token":            {{name: "Describe"}},
	"user":             {{name: "CreateTokens", span: since(3, 3)}, {name: "DescribeTokens", span: since(3, 3)}},
}

// ResourceTypes lists the resource types that a binding can name, as the specs
// spell them.
func ResourceTypes() []string {
	return []string{"topic", "group", "cluster", "transactional-id", "token", "user"}
}

// Operations lists what can be allowed or denied on a resource type, All first.
// It is empty for what is not one of [ResourceTypes].
func Operations(resourceType string) []string {
	ops, ok := operations[resourceType]
	if !ok {
		return nil
	}
	names := []string{OperationAll}
	for _, op := range ops {
		names = append(names, op.name)
	}
	return names
}

// Operation judges an operation on a resource type. The error says what the
// type has.
func Operation(resourceType, name string) error {
	return OperationIn(Version{}, resourceType, name)
}

// OperationIn is [Operation] for one release.
func OperationIn(v Version, resourceType, name string) error {
	ops, ok := operations[resourceType]
	if !ok {
		return fmt.Errorf("resource type %q is unknown: allowed are %s", resourceType, strings.Join(ResourceTypes(), ", "))
	}
	if name == OperationAll {
		return nil
	}
	i := slices.IndexFunc(ops, func(op operation) bool { return op.name == name })
	if i < 0 {
		return fmt.Errorf("operation %q does not exist for resource type %s: allowed are %s",
			name, resourceType, strings.Join(Operations(resourceType), ", "))
	}
	if !ops[i].span.has(v) {
		return fmt.Errorf("operation %s on resource type %s exists %s, this is %s", name, resourceType, ops[i].span, v)
	}
	return nil
}
