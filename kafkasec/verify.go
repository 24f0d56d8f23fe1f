package kafkasec

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// ControlACLVerified is the finding of [Authorizer.Verify]: whether the brokers
// give a client what the bindings say.
const ControlACLVerified = "kafka.acl-verified"

// Verify compares what brokers told a client about itself with what they should
// have told by the bindings, a finding for each answer: Pass where they agree on
// every operation, Fail where one differs, with the binding or rule that decides,
// Unknown where all that was told is that Describe is refused, as it should be,
// NotApplicable for what brokers tell nobody, and Error where there is no answer.
//
// The host is the client's address as the brokers see it, which the client itself
// may not know; where another would explain a difference, the message says so.
func (a *Authorizer) Verify(principal string, host netip.Addr, answers []AuthorizedOperations) []holdfast.Finding {
	findings := make([]holdfast.Finding, len(answers))
	for i, answer := range answers {
		findings[i] = a.verify(principal, host, answer)
	}
	return findings
}

func (a *Authorizer) verify(principal string, host netip.Addr, answer AuthorizedOperations) holdfast.Finding {
	f := holdfast.Finding{Control: ControlACLVerified, Subject: answer.Resource.String(), Status: holdfast.Pass, Severity: holdfast.Info}
	switch why := answer.Resource.untold(); {
	case why != "":
		f.Status, f.Message = holdfast.NotApplicable, why
		return f
	case answer.Err != nil:
		f.Status, f.Message = holdfast.Error, answer.Err.Error()
		return f
	}
	var expected, actual []Operation
	var differ []string
	for _, op := range a.toldOperations(answer) {
		d := a.Decide(Question{Principal: principal, Host: host, Operation: op, Resource: answer.Resource})
		allowed := slices.Contains(answer.Allowed, op)
		if d.Allowed {
			expected = append(expected, op)
		}
		if allowed {
			actual = append(actual, op)
		}
		if d.Allowed == allowed {
			continue
		}
		f.Status = holdfast.Fail
		text := string(op) + " is refused, and should be allowed: "
		if f.Severity.Rank() < holdfast.Medium.Rank() {
			f.Severity = holdfast.Medium
		}
		if allowed {
			text = string(op) + " is allowed, and should be refused: "
			f.Severity = holdfast.High // somebody has what nobody wrote
		}
		text += d.why()
		if a.fromElsewhere(d) {
			text += " (from another address it would be as the broker says)"
		}
		differ = append(differ, text)
	}
	f.Expected, f.Actual = operationList(expected), operationList(actual)
	switch {
	case len(differ) > 0:
		f.Message = strings.Join(differ, "; ")
	case answer.Hidden:
		f.Status, f.Message = holdfast.Unknown, "Describe is refused, as it should be, and brokers tell nothing else then"
	default:
		f.Message = "as it should be: " + f.Actual
	}
	return f
}

func operationList(ops []Operation) string {
	if len(ops) == 0 {
		return "nothing"
	}
	texts := make([]string, len(ops))
	for i, op := range ops {
		texts[i] = string(op)
	}
	return strings.Join(texts, ", ")
}

// toldOperations are those about which the answer says something: what brokers
// support for the resource's type (AclEntry.supportedOperations).
func (a *Authorizer) toldOperations(answer AuthorizedOperations) []Operation {
	if answer.Hidden {
		return []Operation{Describe}
	}
	switch answer.Resource.Type {
	case ResourceTopic:
		return []Operation{Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read, Write}
	case ResourceCluster:
		return []Operation{Alter, AlterConfigs, ClusterAction, Create, Describe, DescribeConfigs, IdempotentWrite}
	}
	ops := []Operation{Delete, Describe, Read}
	for _, op := range []Operation{AlterConfigs, DescribeConfigs} {
		// Brokers of Kafka 3 leave these out of what they tell of a group (AclEntry
		// 3.9), even where they would allow them.
		if a.engine == Standard || a.engine == Standard40 || slices.Contains(answer.Allowed, op) {
			ops = append(ops, op)
		}
	}
	slices.Sort(ops)
	return ops
}

// fromElsewhere reports whether the answer is the other one for a client at some
// other address.
func (a *Authorizer) fromElsewhere(d Decision) bool {
	reached := false // from everywhere
	for _, c := range a.Who(d.Question.Operation, d.Question.Resource) {
		if c.Principal != d.Question.Principal && (c.Principal != everyone || slices.Contains(c.ExceptPrincipals, d.Question.Principal)) {
			continue
		}
		if !d.Allowed {
			return true
		}
		reached = reached || c.Host == everyHost && len(c.ExceptHosts) == 0
	}
	return d.Allowed && !reached
}

// Resources are those that bindings are about, each once and sorted, in the form
// that brokers can be asked about: of a prefix the resource whose name is the
// prefix itself.
func Resources(bindings []Binding) []Resource {
	resources := make([]Resource, 0, len(bindings))
	for _, b := range bindings {
		r := b.Resource
		if r.Pattern == Prefixed {
			r.Pattern = Literal
		}
		resources = append(resources, r)
	}
	return distinctResources(resources)
}

func distinctResources(resources []Resource) []Resource {
	slices.SortFunc(resources, func(r, o Resource) int { return strings.Compare(r.String(), o.String()) })
	return slices.Compact(resources)
}

// Resources are those of the spec's bindings, its topics, and the names and
// prefixes of its scope, as [Resources] gives them. The error is that of
// [Spec.Validate].
func (s Spec) Resources() ([]Resource, error) {
	bindings, err := s.Bindings()
	if err != nil {
		return nil, err
	}
	resources := Resources(bindings)
	add := func(typ ResourceType, lists ...[]string) {
		for _, name := range slices.Concat(lists...) {
			resources = append(resources, Resource{typ, name, Literal})
		}
	}
	add(ResourceTopic, s.Scope.Topics, s.Scope.TopicPrefixes)
	for _, t := range s.Topics {
		add(ResourceTopic, []string{t.Name})
	}
	add(ResourceGroup, s.Scope.Groups, s.Scope.GroupPrefixes)
	add(ResourceTransactionalID, s.Scope.TransactionalIDs, s.Scope.TransactionalIDPrefixes)
	add(ResourceToken, s.Scope.Tokens)
	add(ResourceUser, s.Scope.Users)
	if s.Scope.Cluster {
		add(ResourceCluster, []string{clusterName})
	}
	return distinctResources(resources), nil
}
