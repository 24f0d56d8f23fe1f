package conform

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	literal  = kmsg.ACLResourcePatternTypeLiteral
	prefixed = kmsg.ACLResourcePatternTypePrefixed
)

var aclCases = []Case{
	{"create acls", func(s *session) {
		p := "User:" + s.prefix + "p"
		bindings := []binding{
			allow(p, kmsg.ACLOperationRead, s.prefix+"a"),
			{resourceTopic, s.prefix + "a", prefixed, p, "*", int8(kmsg.ACLOperationRead), false},
			{resourceTopic, "*", literal, p, "10.0.0.1", int8(kmsg.ACLOperationAll), true},
			{int8(kmsg.ACLResourceTypeGroup), s.prefix + "a", literal, p, "*", int8(kmsg.ACLOperationDelete), false},
			{int8(kmsg.ACLResourceTypeTransactionalId), s.prefix + "a", prefixed, p, "::1", int8(kmsg.ACLOperationWrite), false},
			onCluster(p, kmsg.ACLOperationIdempotentWrite),
		}
		s.is("of every pattern and most resources", "ok ok ok ok ok ok", s.grant(s.admin, bindings...))
		all := map[string]bool{}
		for _, b := range bindings {
			all[b.String()] = true
		}
		s.becomes("are as they were made", ok, func() string {
			if got := s.bindings(s.admin, ofPrincipal(p)); got != s.short("["+sorted(all)+"]") {
				return got
			}
			return ok
		})
		s.is("that are there", "ok ok", s.grant(s.admin, bindings[:2]...))
		s.is("twice in a request", "ok ok", s.grant(s.admin, allow(p, kmsg.ACLOperationWrite, s.prefix+"b"), allow(p, kmsg.ACLOperationWrite, s.prefix+"b")))
		s.settle()
		s.becomes("are there once", fmt.Sprint(len(bindings)+1), func() string { return count(s.bindings(s.admin, ofPrincipal(p))) })
	}},
	{"create newer acls", func(s *session) {
		p := "User:" + s.prefix + "p"
		s.is("tokens", ok, s.grant(s.admin, binding{int8(kmsg.ACLResourceTypeDelegationToken), s.prefix + "a", literal, p, "*", int8(kmsg.ACLOperationDescribe), false}))
		s.is("users", ok, s.grant(s.admin, binding{resourceUser, "User:" + s.prefix + "a", literal, p, "*", int8(kmsg.ACLOperationCreateTokens), false}))
		s.is("two-phase commit", ok, s.grant(s.admin, binding{int8(kmsg.ACLResourceTypeTransactionalId), s.prefix + "a", literal, p, "*", opTwoPhaseCommit, false}))
	}},
	{"create bad acls", func(s *session) {
		p, a := "User:"+s.prefix+"p", s.prefix+"a"
		good := allow(p, kmsg.ACLOperationRead, a)
		bad := func(change func(*binding)) string {
			b := good
			change(&b)
			return s.grant(s.admin, b, good)
		}
		s.is("principal without a type", "INVALID_REQUEST ok", bad(func(b *binding) { b.principal = s.prefix + "p" }))
		s.is("empty principal", "INVALID_REQUEST ok", bad(func(b *binding) { b.principal = "" }))
		s.is("empty resource name", "INVALID_REQUEST ok", bad(func(b *binding) { b.name = "" }))
		s.is("a host that is none", "ok ok", bad(func(b *binding) { b.host = "not a host" }))
		s.is("another name of the cluster", "INVALID_REQUEST ok", bad(func(b *binding) { b.resource, b.name = int8(kmsg.ACLResourceTypeCluster), a }))
		s.is("an operation that the resource lacks", "ok ok", bad(func(b *binding) { b.operation = int8(kmsg.ACLOperationClusterAction) }))
		s.is("an illegal topic name", "ok ok", bad(func(b *binding) { b.name = a + " b" }))
		// This fails the whole request.
		s.is("any operation", "UNKNOWN_SERVER_ERROR UNKNOWN_SERVER_ERROR", bad(func(b *binding) { b.operation = int8(kmsg.ACLOperationAny) }))
		s.is("an operation of the future", "INVALID_REQUEST ok", bad(func(b *binding) { b.operation = 99 }))
	}},
	{"delete acls", func(s *session) {
		p, a := "User:"+s.prefix+"p", s.prefix+"a"
		one := allow(p, kmsg.ACLOperationRead, a)
		near := func(change func(*binding)) binding {
			b := one
			change(&b)
			return b
		}
		s.granted(one,
			near(func(b *binding) { b.deny = true }),
			near(func(b *binding) { b.host = "10.0.0.1" }),
			near(func(b *binding) { b.pattern = prefixed }),
			near(func(b *binding) { b.name = "*" }),
			near(func(b *binding) { b.name += "a" }),
			near(func(b *binding) { b.operation = int8(kmsg.ACLOperationAll) }),
			near(func(b *binding) { b.resource = int8(kmsg.ACLResourceTypeGroup) }),
			near(func(b *binding) { b.principal = "User:*" }),
		)
		s.is("an exact filter deletes what it names and no neighbour", s.short("["+one.String()+"]"), s.revoke(s.ctx, s.admin, exactly(one)))
		s.is("an exact filter that matches nothing", "[]", s.revoke(s.ctx, s.admin, exactly(one)))
		s.settle()
		s.becomes("leaves the others", "7", func() string { return count(s.bindings(s.admin, ofPrincipal(p))) })
		wildcard := near(func(b *binding) { b.name = "*" })
		s.is("the wildcard resource is a name", s.short("["+wildcard.String()+"]"), s.revoke(s.ctx, s.admin, exactly(wildcard)))
		everyone := near(func(b *binding) { b.principal = "User:*" })
		s.is("the wildcard principal is a name", s.short("["+everyone.String()+"]"), s.revoke(s.ctx, s.admin, exactly(everyone)))

		denied := near(func(b *binding) { b.deny = true })
		s.is("one filter twice", s.short("["+denied.String()+"] ["+denied.String()+"]"), s.revoke(s.ctx, s.admin, exactly(denied), exactly(denied)))
	}},
	{"describe acls", func(s *session) {
		p, a := "User:"+s.prefix+"p", s.prefix+"a"
		lit, other := allow(p, kmsg.ACLOperationRead, a), allow(p, kmsg.ACLOperationRead, a+"b")
		pre := binding{resourceTopic, s.prefix, prefixed, p, "*", int8(kmsg.ACLOperationRead), false}
		wild := binding{resourceTopic, "*", literal, p, "*", int8(kmsg.ACLOperationRead), false}
		s.granted(lit, other, pre, wild)
		find := func(pattern kmsg.ACLResourcePatternType) func() string {
			f := ofPrincipal(p)
			f.resource, f.name, f.pattern = resourceTopic, &a, pattern
			return func() string { return s.bindings(s.admin, f) }
		}
		set := func(bs ...binding) string {
			all := map[string]bool{}
			for _, b := range bs {
				all[b.String()] = true
			}
			return s.short("[" + sorted(all) + "]")
		}
		s.becomes("of a literal name", set(lit), find(literal))
		s.becomes("of a prefix by another name", "[]", find(prefixed))
		s.becomes("of any pattern", set(lit), find(kmsg.ACLResourcePatternTypeAny))
		s.becomes("that match a name", set(lit, pre, wild), find(kmsg.ACLResourcePatternTypeMatch))
	}},
	{"no authorizer", func(s *session) {
		open := s.open()
		if open == nil {
			return
		}
		p := "User:" + s.prefix + "p"
		s.is("describe acls", "SECURITY_DISABLED", s.bindings(open, ofPrincipal(p)))
		s.is("create acls", "SECURITY_DISABLED", s.grant(open, allow(p, kmsg.ACLOperationRead, s.prefix+"a")))
		s.is("delete acls", "SECURITY_DISABLED", s.revoke(s.ctx, open, ofPrincipal(p)))
	}},
}

// count is how many bindings an answer lists.
func count(answer string) string {
	return fmt.Sprint(len(strings.Fields(strings.Trim(answer, "[]"))))
}
