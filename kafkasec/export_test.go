package kafkasec

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/holdfast-sec/holdfast/internal/testkit/aclstore"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
)

func TestFake_Export(t *testing.T) { exports(newSite(t, conform.NewFake(t)), 300) }

// export exports, writes the spec, reads it back and plans it: there must be
// nothing to change.
func (s *site) export(opts ExportOptions) (Spec, []LeftOut) {
	s.Helper()
	spec, left, err := s.r.Export(s.Context(), opts)
	require.NoError(s, err)
	data, err := spec.YAML()
	require.NoError(s, err)
	spec, err = ParseSpec("exported.yaml", data)
	require.NoError(s, err)
	plan := s.plan(s.r, spec)
	require.True(s, plan.Empty(), "%s\n%s", plan, data)
	return spec, left
}

// declared are the bindings of a spec, each of which must stand there once.
func declared(t *testing.T, s Spec) map[Binding]bool {
	t.Helper()
	all := map[Binding]bool{}
	for _, a := range s.ACLs {
		bindings, err := a.Bindings()
		require.NoError(t, err)
		for _, b := range bindings {
			require.False(t, all[b], b)
			all[b] = true
		}
	}
	return all
}

// exports goes through random clusters. What is exported is what is there, and
// the spec owns that and nothing else.
func exports(s *site, n int) {
	seed := rand.Uint64()
	s.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		prefix := fmt.Sprintf("%se%d-", s.prefix, i)
		made := withIdentities(rng, randomSpec(rng, prefix), prefix)
		s.apply(made)
		topics := map[string]Topic{}
		for _, t := range made.Topics {
			if t.State != Absent {
				topics[t.Name] = t
			}
		}
		all, _, err := s.r.read(s.Context(), reading{acls: true})
		require.NoError(s, err)

		for _, opts := range []ExportOptions{
			{Scope: randomScope(prefix)},
			{Scope: Scope{Principals: []string{"User:" + prefix + "a", userPrincipal(prefix + "ua"), "User:*"}, Topics: []string{prefix + ".t1", prefix}}},
			{Scope: quotaScope(prefix)},
			{Everything: true},
		} {
			spec, left := s.export(opts)
			s.requireIdentities(opts, spec)
			here := declared(s.T, spec)
			for _, b := range all.ACLs {
				require.Equal(s, here[b], spec.Scope.OwnsBinding(b) && !leftOut(left, KindACL, b.String()), "seed %d: %s", seed, b)
				if opts.Everything {
					require.True(s, here[b] || leftOut(left, KindACL, b.String()), b)
				}
				delete(here, b)
			}
			require.Empty(s, here)
			for _, t := range spec.Topics {
				require.True(s, spec.Scope.OwnsTopic(t.Name))
				if want, ok := topics[t.Name]; ok {
					require.Equal(s, want.Partitions, t.Partitions)
					require.Equal(s, len(want.Configs), len(t.Configs))
					require.True(s, maps.Equal(want.Configs, t.Configs), "%v %v", want.Configs, t.Configs)
					require.Positive(s, t.ReplicationFactor)
				}
			}
			for name := range topics {
				require.Equal(s, spec.Scope.OwnsTopic(name), slices.ContainsFunc(spec.Topics, func(t Topic) bool { return t.Name == name }))
			}
		}
		s.apply(Spec{Scope: quotaScope(prefix), Prune: Prune{Users: true, Quotas: true, MaxCount: 1000, MaxPercent: 100}})
		if i%10 == 9 {
			s.wipe()
		}
	}
}

// requireIdentities holds the users and quotas of an export against the cluster.
func (s *site) requireIdentities(opts ExportOptions, spec Spec) {
	s.Helper()
	var state State
	require.NoError(s, s.r.readUsers(s.Context(), nil, &state))
	_, err := s.r.readQuotas(s.Context(), func(QuotaEntity) bool { return true }, &state)
	require.NoError(s, err)
	want := map[Credential]int32{}
	for name, have := range state.Users {
		for m, iterations := range have {
			if opts.Everything || opts.Scope.OwnsUser(name) {
				want[Credential{User: name, Mechanism: m}] = iterations
			}
		}
	}
	got := map[Credential]int32{}
	for _, u := range spec.Users {
		require.Empty(s, u.Password)
		for _, m := range u.Mechanisms {
			require.NotContains(s, got, Credential{User: u.Name, Mechanism: m})
			got[Credential{User: u.Name, Mechanism: m}] = u.Iterations
		}
	}
	require.Equal(s, want, got)
	quotas := state.quotas()
	maps.DeleteFunc(quotas, func(e QuotaEntity, _ map[string]float64) bool { return !opts.Everything && !opts.Scope.OwnsQuota(e) })
	exported := map[QuotaEntity]map[string]float64{}
	for _, q := range spec.Quotas {
		require.NotContains(s, exported, q.Entity())
		exported[q.Entity()] = q.limits()
	}
	require.Equal(s, quotas, exported)
}

// wipe deletes the topics and bindings of the random scopes.
func (s *site) wipe() {
	spec, _ := s.export(ExportOptions{Scope: Scope{TopicPrefixes: []string{s.prefix}, GroupPrefixes: []string{s.prefix}, TransactionalIDPrefixes: []string{s.prefix}}})
	for i, t := range spec.Topics {
		spec.Topics[i] = Topic{Name: t.Name, State: Absent}
	}
	for i := range spec.ACLs {
		spec.ACLs[i].State = Absent
	}
	s.apply(spec)
}

func leftOut(left []LeftOut, kind, name string) bool {
	return slices.ContainsFunc(left, func(l LeftOut) bool { return l.Kind == kind && l.Name == name })
}

func leftLines(left []LeftOut) string {
	var b strings.Builder
	for _, l := range left {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

func TestExport_SaysWhatItLeavesOut(t *testing.T) {
	f := newFake(t)
	create := kmsg.NewPtrCreateTopicsRequest()
	for _, name := range []string{"a.b", "_schemas", "mixed", "odd"} {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 2, 2
		if name == "odd" { // the embedded Kafka takes any key
			for k, v := range map[string]string{"no.such.config": "1", "retention.ms": "7"} {
				c := kmsg.NewCreateTopicsRequestTopicConfig()
				c.Name, c.Value = k, &v
				topic.Configs = append(topic.Configs, c)
			}
		}
		create.Topics = append(create.Topics, topic)
	}
	_, err := create.RequestWith(context.Background(), f.r.Client)
	require.NoError(t, err)
	store := aclstore.New(t.Errorf, wireACLs([]Binding{
		{"User:a", "*", Read, Allow, Resource{ResourceTopic, "a.b", Literal}},
		{"User:a", "*", Describe, Allow, Resource{ResourceTopic, "a.b", Literal}},
		{"User:a", "10.0.0.1", Describe, Allow, Resource{ResourceTopic, "a.b", Literal}},
		{"User:a", "broker1.example.org", Read, Allow, Resource{ResourceTopic, "a.b", Literal}},
		{"User:a", "10.0.0.0/8", Read, Allow, Resource{ResourceTopic, "a.b", Literal}},
		{"user:b", "*", Read, Allow, Resource{ResourceTopic, "a.b", Literal}},
		{"User:c", "*", Read, Allow, Resource{ResourceGroup, "g*", Literal}},
	}...)...)
	f.always(kmsg.DescribeACLs, func(req kmsg.Request) (kmsg.Response, error, bool) { // and what comes with a later Kafka
		kresp, err, ok := store.Describe(req)
		res := kmsg.NewDescribeACLsResponseResource()
		res.ResourceType, res.ResourceName, res.ResourcePatternType = 99, "x", kmsg.ACLResourcePatternTypeLiteral
		acl := kmsg.NewDescribeACLsResponseResourceACL()
		acl.Principal, acl.Host, acl.Operation, acl.PermissionType = "User:d", "*", 98, kmsg.ACLPermissionTypeAllow
		res.ACLs = append(res.ACLs, acl)
		kresp.(*kmsg.DescribeACLsResponse).Resources = append(kresp.(*kmsg.DescribeACLsResponse).Resources, res)
		return kresp, err, ok
	})
	seen, _, err := f.r.metadata(context.Background(), nil)
	require.NoError(t, err)
	for i, topic := range seen.Topics {
		switch *topic.Topic {
		case "mixed":
			seen.Topics[i].Partitions[1].Replicas = []int32{0}
		case "a.b":
			topic.Topic = ptr("a_b")
			inside := topic
			inside.Topic, inside.IsInternal = ptr("inside"), true
			seen.Topics = append(seen.Topics, topic, inside)
		}
	}
	f.once(kmsg.Metadata, func(req kmsg.Request) (kmsg.Response, error, bool) {
		seen.SetVersion(req.GetVersion())
		return seen, nil, true
	})

	spec, left, err := f.r.Export(context.Background(), ExportOptions{Everything: true})
	require.NoError(t, err)
	require.Equal(t, `acl allow User:a Read on topic:a.b from broker1.example.org: left out: host "broker1.example.org" is not an IP address and matches no client, because a broker compares it with the address, never with a name: allowed are "*", an IP address, or a range such as 10.0.0.0/8 (since 4.4)
acl allow User:d Unknown(98) on Unknown(99):x from *: left out: resource "Unknown(99):x": allowed are topic:NAME, group:NAME, transactional-id:NAME, token:ID, user:TYPE:NAME (each with a trailing * for a prefix) and cluster
acl allow user:b Read on topic:a.b from *: left out: principal "user:b" matches no client, because types are case-sensitive: write "User:b"
topic _schemas: left out: names that start with _ are protected: brokers and platform components manage those topics themselves
topic a_b: left out: it collides with "a.b": a spec refuses names that differ only in . and _
topic inside: left out: it is one of the brokers' internal topics: those are protected
topic-config odd no.such.config: left out: set to 1: config "no.such.config" is unknown: allowed are the topic configs of Kafka, such as retention.ms
topic-replication mixed: left out: its partitions have different replication factors, which a spec cannot say
`, leftLines(left))
	data, err := spec.YAML()
	require.NoError(t, err)
	require.Equal(t, `kind: KafkaSecurity
version: 1
scope:
  topics:
    - a.b
    - mixed
    - odd
  principals:
    - "User:a"
    - "User:c"
topics:
  - name: a.b
    partitions: 2
    replication_factor: 2
  - name: mixed
    partitions: 2
  - name: odd
    partitions: 2
    replication_factor: 2
    configs:
      retention.ms: 7
acls:
  - principal: "User:c"
    operations: [Read]
    resource: "group:g*"
    pattern: literal
  - principal: "User:a"
    operations: [Describe, Read]
    resource: "topic:a.b"
  - principal: "User:a"
    operations: [Describe]
    resource: "topic:a.b"
    host: "10.0.0.1"
  - principal: "User:a"
    operations: [Read]
    resource: "topic:a.b"
    host: "10.0.0.0/8"
`, string(data))
}

// What may not be read is said to be unread, which is not the same as absent.
func TestExport_DeniedReads(t *testing.T) {
	f := newFake(t, kfake.User("PLAIN", "reader", "pw"))
	f.apply(parse(t, `
kind: KafkaSecurity
version: 1
scope: {topic_prefixes: [t], principals: ["User:reader"]}
topics:
  - {name: ta, partitions: 1, configs: {retention.ms: 5}}
  - {name: tb, partitions: 1, configs: {retention.ms: 5}}
  - {name: tc, partitions: 1}
acls:
  - {principal: "User:reader", operations: [DescribeConfigs, Describe], resource: "topic:ta"}
  - {principal: "User:reader", operations: [Describe], resource: "topic:tb"}
`))
	r := &Reconciler{Client: f.client("reader", "pw")}
	spec, left, err := r.Export(context.Background(), ExportOptions{Scope: Scope{Topics: []string{"ta", "tb", "tc", "td"}, Principals: []string{"User:a"}}})
	require.NoError(t, err)
	require.Equal(t, []Topic{
		{Name: "ta", Partitions: 1, ReplicationFactor: 3, Configs: map[string]string{"retention.ms": "5"}},
		{Name: "tb", Partitions: 1, ReplicationFactor: 3},
	}, spec.Topics)
	require.Empty(t, spec.ACLs)
	require.Equal(t, `acl *: could not be read: describe acls: CLUSTER_AUTHORIZATION_FAILED: needs Describe on the cluster
quota *: could not be read: describe quotas: CLUSTER_AUTHORIZATION_FAILED: needs DescribeConfigs on the cluster
scram-user *: could not be read: describe scram credentials: CLUSTER_AUTHORIZATION_FAILED: needs Describe on the cluster
topic tc: could not be read: describe topic: TOPIC_AUTHORIZATION_FAILED: needs Describe on the topic
topic td: could not be read: describe topic: TOPIC_AUTHORIZATION_FAILED: needs Describe on the topic
topic-config tb: could not be read: describe configs: TOPIC_AUTHORIZATION_FAILED: needs DescribeConfigs on the topic
`, leftLines(left))
}

// What a broker is too old to tell is missing, which is said; the rest is there.
func TestExport_OldBroker(t *testing.T) {
	f := newFake(t, kfake.MaxVersions(kversion.V2_5_0()))
	f.apply(Spec{Scope: Scope{Topics: []string{"t"}}, Topics: []Topic{{Name: "t", Partitions: 1}}})
	spec, left, err := f.r.Export(t.Context(), ExportOptions{Everything: true})
	require.NoError(t, err)
	require.Len(t, spec.Topics, 1)
	lines := strings.Split(leftLines(left), "\n")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "quota *: could not be read: needs DescribeClientQuotas, Kafka 2.6 or newer")
	require.Contains(t, lines[1], "scram-user *: could not be read: needs DescribeUserSCRAMCredentials, Kafka 2.7 or newer")
}

// What a spec cannot say of users and quotas is named, limit by limit.
func TestExport_SaysWhichIdentitiesItLeavesOut(t *testing.T) {
	f := newFake(t)
	f.always(kmsg.DescribeUserSCRAMCredentials, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeUserSCRAMCredentialsResponse)
		require.NotNil(t, req.(*kmsg.DescribeUserSCRAMCredentialsRequest).Users) // see usersRequest
		for name, infos := range map[string]map[int8]int32{"a": {1: 4096, 2: 4096}, "b": {1: 20000, 2: 8192, 3: 1}, "*": {1: 4096}, "c\n": {1: 4096}} {
			res := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
			res.User = name
			for m, iterations := range infos {
				info := kmsg.NewDescribeUserSCRAMCredentialsResponseResultCredentialInfo()
				info.Mechanism, info.Iterations = m, iterations
				res.CredentialInfos = append(res.CredentialInfos, info)
			}
			resp.Results = append(resp.Results, res)
		}
		return resp, nil, true
	})
	f.always(kmsg.DescribeClientQuotas, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeClientQuotasResponse)
		entry := func(limits map[string]float64, parts ...string) {
			e := kmsg.NewDescribeClientQuotasResponseEntry()
			for i := 0; i < len(parts); i += 2 {
				p := kmsg.NewDescribeClientQuotasResponseEntryEntity()
				p.Type, p.Name = parts[i], &parts[i+1]
				if parts[i+1] == "DEFAULT" {
					p.Name = nil
				}
				e.Entity = append(e.Entity, p)
			}
			for k, v := range limits {
				val := kmsg.NewDescribeClientQuotasResponseEntryValue()
				val.Key, val.Value = k, v
				e.Values = append(e.Values, val)
			}
			resp.Entries = append(resp.Entries, e)
		}
		one := map[string]float64{"producer_byte_rate": 1}
		entry(map[string]float64{"producer_byte_rate": 1.5, "consumer_byte_rate": 1 << 54, "request_percentage": 0.25, "of_the_future": 7}, "user", "a")
		entry(map[string]float64{"producer_byte_rate": 0, "controller_mutation_rate": -1, "connection_creation_rate": 1}, "client-id", "c")
		entry(one, "user", "")                      // nobody, but not the default
		entry(one, "user", "a", "client-id", "")    // not all of the user's
		entry(one, "group", "g", "user", "DEFAULT") // of a later Kafka
		entry(one, "user", "DEFAULT", "group", "DEFAULT")
		entry(one, "client-id", "<default>")
		entry(map[string]float64{"connection_creation_rate": 3e9}, "ip", "10.0.0.1")
		entry(map[string]float64{"connection_creation_rate": 3}, "ip", "host.example.org")
		entry(map[string]float64{"connection_creation_rate": 3}, "ip", "DEFAULT")
		return resp, nil, true
	})
	spec, left := (&site{T: t, r: f.r}).export(ExportOptions{Everything: true})
	require.Equal(t, `quota client_id <default>: left out: client_id "<default>" is how brokers in ZooKeeper mode store what holds for every client id: write client_id_default
quota client_id c connection_creation_rate: left out: set to 1: is a limit of addresses: allowed with ip and ip_default only
quota client_id c controller_mutation_rate: left out: set to -1: -1: allowed is more than 0; leave it out to leave it alone
quota client_id c producer_byte_rate: left out: set to 0: 0: allowed is more than 0; leave it out to leave it alone
quota group g, user <default>: left out: a spec cannot say whom it is for
quota ip 10.0.0.1 connection_creation_rate: left out: set to 3000000000: allowed are whole numbers up to 2147483647
quota ip host.example.org: left out: ip "host.example.org": allowed is an IP address, without a zone
quota user "": left out: a spec cannot say whom it is for
quota user <default>, group <default>: left out: a spec cannot say whom it is for
quota user a consumer_byte_rate: left out: set to 18014398509481984: allowed are whole numbers up to 9007199254740992
quota user a of_the_future: left out: set to 7: a spec has no such limit
quota user a producer_byte_rate: left out: set to 1.5: allowed are whole numbers up to 9007199254740992
quota user a, client-id "": left out: a spec cannot say whom it is for
scram-user "c\n": left out: user "c\n": allowed is UTF-8 without control characters
scram-user *: left out: user "*" would log in as the principal User:*, to which everyone's grants are written: choose another name
scram-user b SCRAM-SHA-256: left out: its iterations are left out: 20000: allowed are 4096 to 16384, as brokers do
scram-user b mechanism 3: left out: mechanism "mechanism 3": allowed are SCRAM-SHA-512 and SCRAM-SHA-256
`, leftLines(left))
	data, err := spec.YAML()
	require.NoError(t, err)
	require.Equal(t, `kind: KafkaSecurity
version: 1
scope:
  principals:
    - "User:a"
    - "User:b"
  quota_defaults:
    - ip
users:
  - name: a
    mechanisms:
      - SCRAM-SHA-256
      - SCRAM-SHA-512
    iterations: 4096
  - name: b
    mechanisms:
      - SCRAM-SHA-256
  - name: b
    mechanisms:
      - SCRAM-SHA-512
    iterations: 8192
quotas:
  - ip_default: true
    connection_creation_rate: 3
  - user: a
    request_percentage: 0.25
`, string(data))
}

func TestExport_Options(t *testing.T) {
	r := &Reconciler{}
	for _, c := range []struct {
		opts ExportOptions
		want string
	}{
		{ExportOptions{}, "export: scope: empty: name what to export, or spell out everything"},
		{ExportOptions{Everything: true, Scope: Scope{Cluster: true}}, "export: scope: stands beside everything"},
		{ExportOptions{Scope: Scope{TopicPrefixes: []string{""}}}, "export: scope.topic_prefixes[0]: an empty prefix would own everything"},
	} {
		_, _, err := r.Export(context.Background(), c.opts)
		require.ErrorContains(t, err, c.want)
	}
}

func TestExport_NoAuthorizer(t *testing.T) {
	f := newFake(t)
	f.always(kmsg.DescribeACLs, func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
		resp.ErrorCode = kerr.SecurityDisabled.Code
		return resp, nil, true
	})
	_, left, err := f.r.Export(context.Background(), ExportOptions{Everything: true})
	require.NoError(t, err)
	require.Equal(t, "acl *: left out: the cluster has no authorizer, so that it has no ACLs either\n", leftLines(left))
}

// 10,000 topics and 50,000 bindings take at most 15 requests.
func TestBudget_Export(t *testing.T) {
	f := newFake(t)
	spec := largeSpec(10_000, 50_000)
	acls := declared(t, spec)
	aclstore.New(t.Errorf, wireACLs(slices.Collect(maps.Keys(acls))...)...).Install(f.Cluster)
	for chunk := range slices.Chunk(spec.Topics, 2500) {
		f.apply(Spec{Scope: spec.Scope, Topics: chunk})
	}
	f.requests.Store(0)
	got, left, err := f.r.Export(context.Background(), ExportOptions{Everything: true})
	require.NoError(t, err)
	require.Empty(t, left)
	require.LessOrEqual(t, f.requests.Load(), int64(15))
	t.Logf("%d requests", f.requests.Load())
	require.Equal(t, spec.Topics, got.Topics)
	require.Equal(t, acls, declared(t, got))
	require.True(t, f.plan(got).Empty())
}
