package kafkasec

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"strings"
)

// Rule says what decides a question.
type Rule string

const (
	// RuleSuperUser allows everything, before any binding is looked at.
	RuleSuperUser Rule = "super-user"
	// RuleDeny: a binding denies it, which no other can undo.
	RuleDeny Rule = "deny"
	// RuleAllow: a binding for the operation, or for All, allows it.
	RuleAllow Rule = "allow"
	// RuleImplied: a binding for another operation allows it. Read, Write, Delete
	// and Alter imply Describe; AlterConfigs implies DescribeConfigs.
	RuleImplied Rule = "implied-allow"
	// RuleNoACLAllow and RuleNoACLDeny: no binding at all covers the resource, so
	// allow.everyone.if.no.acl.found decides.
	RuleNoACLAllow Rule = "no-acl-allow"
	RuleNoACLDeny  Rule = "no-acl-deny"
	// RuleDefaultDeny: bindings cover the resource, and none is for this question.
	RuleDefaultDeny Rule = "default-deny"
	// RuleFails: the authorizer throws or never answers, so the request fails:
	// StandardAuthorizer does for some names that begin with a space or one of
	// !"#$%&'(), and since 4.0 for a client whose principal is "User:*". A question
	// about anything but a literal resource fails as well.
	RuleFails Rule = "fails"
)

// Decision is the answer to a [Question]. It is comparable.
type Decision struct {
	Question Question `json:"question"`
	Allowed  bool     `json:"allowed"`
	Rule     Rule     `json:"rule"`
	// Binding is the one that decides, with RuleDeny, RuleAllow and RuleImplied.
	Binding Binding `json:"binding,omitzero"`
}

// String gives the answer and its reason as one line: "User:a may Read topic:t
// from 10.0.0.1: allow User:a Read on topic:t from *".
func (d Decision) String() string {
	q := d.Question
	host := "a host that no binding names"
	if q.Host.IsValid() {
		host = q.Host.String()
	}
	may := " may not "
	if d.Allowed {
		may = " may "
	}
	return word(q.Principal) + may + string(q.Operation) + " " + q.Resource.String() + " from " + host + ": " + d.why()
}

func (d Decision) why() string {
	covers := "no binding covers " + d.Question.Resource.String()
	switch d.Rule {
	case RuleSuperUser:
		return "it is a super user"
	case RuleDeny, RuleAllow:
		return d.Binding.String()
	case RuleImplied:
		return "implied by " + d.Binding.String()
	case RuleNoACLAllow:
		return covers + ", and allow.everyone.if.no.acl.found is true"
	case RuleNoACLDeny:
		return covers
	case RuleDefaultDeny:
		return strings.Replace(covers, "no binding covers", "bindings cover", 1) + ", and none of them allows it"
	}
	return "the authorizer has no answer, so the request fails"
}

type questionJSON struct {
	Principal string     `json:"principal"`
	Host      netip.Addr `json:"host"`
	Operation Operation  `json:"operation"`
	Resource  string     `json:"resource"`
	Pattern   Pattern    `json:"pattern,omitempty"`
}

// MarshalJSON writes the question as bindings are written.
func (q Question) MarshalJSON() ([]byte, error) {
	text, _ := q.Resource.Text()
	return json.Marshal(questionJSON{q.Principal, q.Host, q.Operation, text, q.Resource.Pattern})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (q *Question) UnmarshalJSON(data []byte) error {
	var j questionJSON
	if err := strictJSON(data, &j); err != nil {
		return err
	}
	res, err := ParseResource(j.Resource, cmp.Or(j.Pattern, Literal))
	if err != nil {
		return err
	}
	res.Pattern = j.Pattern
	op, err := ParseOperation(string(j.Operation))
	if err != nil {
		return err
	}
	*q = Question{j.Principal, j.Host, op, res}
	return nil
}
