package aclstore

import (
	"fmt"
	"maps"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxRecords is how many records a KRaft controller takes in one request
// (org.apache.kafka.controller.QuorumController.MAX_RECORDS_PER_USER_OP, 4.4).
const maxRecords = 10_000

// ACL is one binding as it is on the wire.
type ACL struct {
	ResourceType        kmsg.ACLResourceType
	ResourceName        string
	ResourcePatternType kmsg.ACLResourcePatternType
	Principal, Host     string
	Operation           kmsg.ACLOperation
	PermissionType      kmsg.ACLPermissionType
}

// Store keeps what it is sent, and checks that each request is one that KRaft
// would take and that nothing is sent twice.
type Store struct {
	errorf func(format string, args ...any)
	mu     sync.Mutex
	acls   map[ACL]bool
}

// New makes a store of these bindings, which tells errorf of requests that are
// not right.
func New(errorf func(format string, args ...any), acls ...ACL) *Store {
	s := &Store{errorf: errorf, acls: map[ACL]bool{}}
	for _, a := range acls {
		s.acls[a] = true
	}
	return s
}

// Install makes the store the cluster's. It also counts the records of CreateTopics.
func (s *Store) Install(c *kfake.Cluster) {
	for key, fn := range map[kmsg.Key]func(kmsg.Request) (kmsg.Response, error, bool){
		kmsg.CreateACLs: s.create, kmsg.DescribeACLs: s.Describe, kmsg.CreateTopics: s.createTopics,
	} {
		c.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return fn(req)
		})
	}
}

// ACLs is what is stored.
func (s *Store) ACLs() map[ACL]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.acls)
}

func (s *Store) create(kreq kmsg.Request) (kmsg.Response, error, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req := kreq.(*kmsg.CreateACLsRequest)
	resp := req.ResponseKind().(*kmsg.CreateACLsResponse)
	if len(req.Creations) > maxRecords {
		s.errorf("%d creations in one request", len(req.Creations))
	}
	for _, c := range req.Creations {
		b := ACL{c.ResourceType, c.ResourceName, c.ResourcePatternType, c.Principal, c.Host, c.Operation, c.PermissionType}
		if s.acls[b] {
			s.errorf("sent twice: %v", b)
		}
		s.acls[b] = true
		resp.Results = append(resp.Results, kmsg.NewCreateACLsResponseResult())
	}
	return resp, nil, true
}

// Describe answers DescribeACLs. It knows two kinds of
// filter: for everything, and for one binding.
func (s *Store) Describe(kreq kmsg.Request) (kmsg.Response, error, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req := kreq.(*kmsg.DescribeACLsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
	type resource struct {
		typ     kmsg.ACLResourceType
		name    string
		pattern kmsg.ACLResourcePatternType
	}
	at := map[resource]int{}
	for b := range s.acls {
		if req.ResourceName != nil && (*req.ResourceName != b.ResourceName || *req.Principal != b.Principal) {
			continue
		}
		k := resource{b.ResourceType, b.ResourceName, b.ResourcePatternType}
		i, ok := at[k]
		if !ok {
			i = len(resp.Resources)
			at[k] = i
			r := kmsg.NewDescribeACLsResponseResource()
			r.ResourceType, r.ResourceName, r.ResourcePatternType = k.typ, k.name, k.pattern
			resp.Resources = append(resp.Resources, r)
		}
		a := kmsg.NewDescribeACLsResponseResourceACL()
		a.Principal, a.Host, a.Operation, a.PermissionType = b.Principal, b.Host, b.Operation, b.PermissionType
		resp.Resources[i].ACLs = append(resp.Resources[i].ACLs, a)
	}
	return resp, nil, true
}

// createTopics only counts: one record for a topic, each partition and each config.
func (s *Store) createTopics(kreq kmsg.Request) (kmsg.Response, error, bool) {
	records := 0
	for _, t := range kreq.(*kmsg.CreateTopicsRequest).Topics {
		records += 1 + int(t.NumPartitions) + len(t.Configs)
	}
	if records > maxRecords {
		s.errorf("a request of %d records", records)
	}
	return nil, nil, false
}

// String is for failures.
func (a ACL) String() string {
	return fmt.Sprintf("%s %s %s on %s:%s (%s) from %s", a.PermissionType, a.Principal, a.Operation, a.ResourceType, a.ResourceName, a.ResourcePatternType, a.Host)
}
