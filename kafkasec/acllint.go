package kafkasec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// The checks of [Authorizer.Lint], as ids of findings.
const (
	// ControlACLRedundant: a binding gives or denies what others do already. Where
	// it spells out what one beside it implies, as kafka-acls --producer and
	// --consumer do with Describe, that misleads nobody: it passes, as information.
	ControlACLRedundant = "kafka.acl-redundant"
	// ControlACLShadowed: an Allow, all of which a Deny always beats.
	ControlACLShadowed = "kafka.acl-shadowed"
	// ControlACLContradictory: the same binding is both an Allow and a Deny.
	ControlACLContradictory = "kafka.acl-contradictory"
	// ControlACLWithoutEffect: a binding for a host that no client has or for a
	// super user, or a Deny of what nothing allows.
	ControlACLWithoutEffect = "kafka.acl-without-effect"
	// ControlACLLockout: the bindings on a resource take from everyone else what
	// allow.everyone.if.no.acl.found gives where there is none.
	ControlACLLockout = "kafka.acl-lockout"
	// ControlACLHangs: the name of a resource makes a StandardAuthorizer walk in
	// circles for some names that begin alike.
	ControlACLHangs = "kafka.acl-hangs-authorizer"
)

// Lint reports bindings that mislead, as findings that fail, and those that are
// merely spelled out, as findings that pass; the worst first. The bindings that ControlACLRedundant, ControlACLShadowed and
// ControlACLWithoutEffect report can all be revoked together and no answer of
// [Authorizer.Decide] changes, while each that stays changes some. It does not
// look at the names on which RuleFails.
func (a *Authorizer) Lint() []holdfast.Finding {
	findings := a.lintContradictory()
	findings = append(findings, a.lintHanging()...)
	if a.allowEveryone {
		findings = append(findings, a.lintLockouts()...)
	}
	for _, f := range a.ineffective() {
		findings = append(findings, a.ineffectiveFinding(f))
	}
	slices.SortStableFunc(findings, func(f, g holdfast.Finding) int {
		return cmp.Or(cmp.Compare(g.Severity.Rank(), f.Severity.Rank()), cmp.Compare(f.Control, g.Control), cmp.Compare(f.Subject, g.Subject))
	})
	return findings
}

func failed(control, subject string, severity holdfast.Severity, message, fix string) holdfast.Finding {
	return holdfast.Finding{Control: control, Subject: subject, Status: holdfast.Fail, Severity: severity, Message: message, Fix: fix}
}

const revokeIt = "revoke it: no answer changes"

func (a *Authorizer) ineffectiveFinding(f ineffective) holdfast.Finding {
	b := a.all[f.binding]
	subject := b.String()
	switch f.why {
	case covered:
		if a.spelledOut(b, f.because) {
			return holdfast.Finding{Control: ControlACLRedundant, Subject: subject, Status: holdfast.Pass, Severity: holdfast.Info,
				Message: "it spells out what is implied by " + a.list(f.because), Fix: revokeIt}
		}
		return failed(ControlACLRedundant, subject, holdfast.Low, "it adds nothing to "+a.list(f.because), revokeIt)
	case openAnyway:
		return failed(ControlACLRedundant, subject, holdfast.Low,
			"it gives everyone what allow.everyone.if.no.acl.found gives without it", revokeIt)
	case beaten:
		return failed(ControlACLShadowed, subject, holdfast.Medium, "it never allows anything: all of it is denied by "+a.list(f.because),
			"revoke it, or narrow what denies")
	case pointless:
		return failed(ControlACLWithoutEffect, subject, holdfast.Info, "it denies what nothing allows",
			"revoke it, unless it guards against a grant to come")
	case superUser:
		severity := holdfast.Low
		if b.Permission == Deny {
			severity = holdfast.High // somebody relies on it
		}
		return failed(ControlACLWithoutEffect, subject, severity, word(b.Principal)+" is a super user, to whom no binding applies",
			"revoke it, or take the principal out of super.users")
	}
	severity, message := holdfast.Medium, "its host matches no client"
	if err := kafkarules.Host(b.Host); err != nil {
		message = err.Error()
	} else if strings.Contains(b.Host, "/") && a.engine != Standard {
		message = "its host is a range, which matches no client before Kafka 4.4"
	}
	if b.Permission == Deny {
		severity = holdfast.High // somebody relies on it
	}
	return failed(ControlACLWithoutEffect, subject, severity, message, "write the host as the broker sees it, or revoke the binding")
}

// spelledOut reports whether one allow alone covers the binding and differs in
// its operation only, which implies the binding's. All is no such: it is a list of
// operations, beside which another one looks as if it were needed.
func (a *Authorizer) spelledOut(b Binding, because []int32) bool {
	if len(because) != 1 {
		return false
	}
	op := a.all[because[0]].Operation
	twin := b
	twin.Operation = op
	return twin == a.all[because[0]] && slices.Contains(gives(op), b.Operation)
}

// listed is how many bindings or principals a message names.
const listed = 3

func (a *Authorizer) list(bindings []int32) string {
	var texts []string
	for _, i := range bindings {
		texts = append(texts, a.all[i].String())
	}
	return enumerate(texts)
}

func enumerate(texts []string) string {
	if more := len(texts) - listed; more > 0 {
		texts = append(slices.Clone(texts[:listed]), strconv.Itoa(more)+" more")
	}
	return strings.Join(texts, " and ")
}

func (a *Authorizer) lintContradictory() []holdfast.Finding {
	denied := map[Binding]bool{}
	for _, b := range a.all {
		if b.Permission == Deny {
			b.Permission = Allow
			denied[b] = true
		}
	}
	var findings []holdfast.Finding
	for _, b := range a.all {
		if denied[b] {
			twin := b
			twin.Permission = Deny
			findings = append(findings, failed(ControlACLContradictory, b.String(), holdfast.High,
				"it is denied as well: "+twin.String()+"; the deny wins", "revoke one of the two"))
		}
	}
	return findings
}

// lintLockouts looks for resources that would be open to all if it were not for
// the bindings on them.
func (a *Authorizer) lintLockouts() []holdfast.Finding {
	var findings []holdfast.Finding
	for _, t := range a.types {
		for r, res := range t.patterns {
			names, _ := areaOf(res)
			if _, covering := a.containing(names); len(covering) > 1 {
				continue // closed by a wider one, of which the same is said
			}
			span, open := t.spans[r], false
			keeps := map[string]bool{}
			for i := span[0]; i < span[1]; i++ {
				b := a.all[i]
				if b.Permission == Allow && !a.hosts[i].empty() {
					keeps[b.Principal] = true
					open = open || b.Principal == everyone && b.Operation == All && b.Host == everyHost
				}
			}
			if open {
				continue
			}
			who := "they give nobody any access"
			if len(keeps) > 0 {
				who = "they give access only to " + enumerate(slices.Sorted(maps.Keys(keeps)))
			}
			findings = append(findings, failed(ControlACLLockout, res.String(), holdfast.High,
				fmt.Sprintf("bindings on it (%d) end what allow.everyone.if.no.acl.found gives everyone: %s", span[1]-span[0], who),
				"set allow.everyone.if.no.acl.found to false and grant what is needed, or revoke all bindings on it"))
		}
	}
	return findings
}

// lintHanging: the walk behind "*" comes to the last low name in Kafka's order
// first, and goes astray for names that share its first character and no more.
func (a *Authorizer) lintHanging() []holdfast.Finding {
	var findings []holdfast.Finding
	for typ, t := range a.types {
		if len(t.low) == 0 || !a.fails(typ, t.low[0][:1]+"\x00") {
			continue
		}
		findings = append(findings, failed(ControlACLHangs, Resource{typ, t.low[0], Literal}.String(), holdfast.Critical,
			fmt.Sprintf("StandardAuthorizer never answers for other names that begin with %q: any client that sends one occupies a request thread for good",
				t.low[0][:1]),
			`give the resource a name that begins with a letter, a digit or one of "-./:_"`))
	}
	return findings
}
