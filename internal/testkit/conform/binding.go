package conform

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// binding is an ACL as it goes over the wire. The numbers are Kafka's codes,
// also those that kmsg has no names for.
type binding struct {
	resource  int8
	name      string
	pattern   kmsg.ACLResourcePatternType
	principal string
	host      string
	operation int8
	deny      bool
}

const (
	resourceTopic = int8(kmsg.ACLResourceTypeTopic)
	resourceUser  = int8(7) // org.apache.kafka.common.resource.ResourceType.USER

	opTwoPhaseCommit = int8(15) // KIP-939
)

func (b binding) permission() kmsg.ACLPermissionType {
	if b.deny {
		return kmsg.ACLPermissionTypeDeny
	}
	return kmsg.ACLPermissionTypeAllow
}

func (b binding) String() string {
	verb := "allow"
	if b.deny {
		verb = "deny"
	}
	return fmt.Sprintf("%s/%s/%d/%d:%s:%d/%s", verb, b.principal, b.operation, b.resource, b.name, b.pattern, b.host)
}

// allow is the most ordinary binding.
func allow(principal string, op kmsg.ACLOperation, topic string) binding {
	return binding{resourceTopic, topic, kmsg.ACLResourcePatternTypeLiteral, principal, "*", int8(op), false}
}

// onCluster is a binding on the cluster itself.
func onCluster(principal string, op kmsg.ACLOperation) binding {
	return binding{int8(kmsg.ACLResourceTypeCluster), "kafka-cluster", kmsg.ACLResourcePatternTypeLiteral, principal, "*", int8(op), false}
}

// grant creates bindings and answers for each. They are deleted with the case,
// because those on the cluster or on the wildcard concern other cases too.
func (s *session) grant(cl *kgo.Client, bindings ...binding) string {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, b := range bindings {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceType(b.resource), b.name, b.pattern
		c.Principal, c.Host, c.Operation, c.PermissionType = b.principal, b.host, kmsg.ACLOperation(b.operation), b.permission()
		req.Creations = append(req.Creations, c)
	}
	resp, err := req.RequestWith(s.ctx, cl)
	if err != nil {
		return failure(err)
	}
	var got []string
	for i, r := range resp.Results {
		got = append(got, code(r.ErrorCode))
		if r.ErrorCode == 0 && i < len(bindings) {
			s.Cleanup(func() { s.revoke(context.WithoutCancel(s.ctx), s.admin, exactly(bindings[i])) })
		}
	}
	return strings.Join(got, " ")
}

// granted creates what the case needs and waits until every broker knows it.
func (s *session) granted(bindings ...binding) {
	s.Helper()
	if got := s.grant(s.admin, bindings...); strings.Trim(strings.ReplaceAll(got, ok, ""), " ") != "" {
		s.Fatalf("create acls: %s", got)
	}
	s.settle()
}

// filter is a DescribeACLs or DeleteACLs filter. Nil is any.
type filter struct {
	resource  int8
	name      *string
	pattern   kmsg.ACLResourcePatternType
	principal *string
	host      *string
	operation int8
	perm      kmsg.ACLPermissionType
}

func exactly(b binding) filter {
	return filter{b.resource, &b.name, b.pattern, &b.principal, &b.host, b.operation, b.permission()}
}

// ofPrincipal is every binding of a principal.
func ofPrincipal(p string) filter {
	return filter{int8(kmsg.ACLResourceTypeAny), nil, kmsg.ACLResourcePatternTypeAny, &p, nil,
		int8(kmsg.ACLOperationAny), kmsg.ACLPermissionTypeAny}
}

// revoke answers with what each filter deleted.
func (s *session) revoke(ctx context.Context, cl *kgo.Client, filters ...filter) string {
	req := kmsg.NewPtrDeleteACLsRequest()
	for _, f := range filters {
		df := kmsg.NewDeleteACLsRequestFilter()
		df.ResourceType, df.ResourceName, df.ResourcePatternType = kmsg.ACLResourceType(f.resource), f.name, f.pattern
		df.Principal, df.Host, df.Operation, df.PermissionType = f.principal, f.host, kmsg.ACLOperation(f.operation), f.perm
		req.Filters = append(req.Filters, df)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return failure(err)
	}
	var got []string
	for _, r := range resp.Results {
		if r.ErrorCode != 0 {
			got = append(got, code(r.ErrorCode))
			continue
		}
		deleted := map[string]bool{}
		for _, m := range r.MatchingACLs {
			if m.ErrorCode != 0 {
				deleted[code(m.ErrorCode)] = true
				continue
			}
			deleted[binding{int8(m.ResourceType), m.ResourceName, m.ResourcePatternType, m.Principal, m.Host,
				int8(m.Operation), m.PermissionType == kmsg.ACLPermissionTypeDeny}.String()] = true
		}
		got = append(got, "["+sorted(deleted)+"]")
	}
	return s.short(strings.Join(got, " "))
}

// bindings answers with what a filter finds.
func (s *session) bindings(cl requester, f filter) string {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourceName, req.ResourcePatternType = kmsg.ACLResourceType(f.resource), f.name, f.pattern
	req.Principal, req.Host, req.Operation, req.PermissionType = f.principal, f.host, kmsg.ACLOperation(f.operation), f.perm
	kresp, err := cl.Request(s.ctx, req)
	if err != nil {
		return failure(err)
	}
	resp := kresp.(*kmsg.DescribeACLsResponse)
	if resp.ErrorCode != 0 {
		return code(resp.ErrorCode)
	}
	found := map[string]bool{}
	for _, r := range resp.Resources {
		for _, a := range r.ACLs {
			found[binding{int8(r.ResourceType), r.ResourceName, r.ResourcePatternType, a.Principal, a.Host,
				int8(a.Operation), a.PermissionType == kmsg.ACLPermissionTypeDeny}.String()] = true
		}
	}
	return s.short("[" + sorted(found) + "]")
}

// short makes answers independent of the case's prefix.
func (s *session) short(text string) string { return strings.ReplaceAll(text, s.prefix, "~") }

// settled is in the names that settle uses.
const settled = "settle"

// settle returns when every broker knows what was written before, so that what
// does not hold then will not hold later. It writes a topic and a binding,
// behind everything else, and waits for both.
func (s *session) settle() {
	s.Helper()
	s.marks++
	mark := fmt.Sprintf("%s%s%d", s.prefix, settled, s.marks)
	if got := s.create(s.admin, createTopics(topic{name: mark, partitions: 1})); got != ok {
		s.Fatalf("create topic %s: %s", mark, got)
	}
	b := allow("User:"+mark, kmsg.ACLOperationRead, mark)
	if got := s.grant(s.admin, b); got != ok {
		s.Fatalf("create acl %s: %s", b, got)
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	resp, err := req.RequestWith(s.ctx, s.admin)
	if err != nil {
		s.Fatal(err)
	}
	for _, broker := range resp.Brokers {
		one := s.admin.Broker(int(broker.NodeID))
		s.need("topic "+mark, func() bool { return strings.HasPrefix(s.metadata(one, mark), "1 partitions") })
		s.need("acl "+b.String(), func() bool { return s.bindings(one, exactly(b)) == s.short("["+b.String()+"]") })
	}
}

func (s *session) need(what string, holds func() bool) {
	s.Helper()
	if got := s.until("true", func() string { return fmt.Sprint(holds()) }); got != "true" {
		s.Fatalf("%s is not visible after %v", what, patience)
	}
}
