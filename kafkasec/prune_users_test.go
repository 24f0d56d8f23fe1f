package kafkasec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

func TestFake_OwnLogin(t *testing.T)     { ownLogin(newSite(t, conform.NewFake(t))) }
func TestFake_DeniedPrune(t *testing.T)  { deniedPrune(newSite(t, conform.NewFake(t))) }
func TestFake_BrokerLogins(t *testing.T) { brokerLogins(newSite(t, kfakeWithScram(t))) }

// ownLogin has somebody prune the credential that they are logged in with, and
// the bindings that they may do it by; and apply a plan that does so, of somebody
// who did not know.
func ownLogin(s *site) {
	s.apply(s.spec(`
scope: {principals: ["User:~me"]}
acls:
  - {principal: "User:~me", operations: [Describe, Alter, DescribeConfigs, AlterConfigs], resource: "cluster"}
`))
	client := s.User(s.T, s.prefix+"me")
	me := &Reconciler{Client: client}
	s.apply(s.spec(`
scope: {principals: ["User:~me", "User:~gone"]}
users:
  - {name: "~gone", mechanisms: [SCRAM-SHA-256], password: "env:G"}
`))
	spec := s.spec(`
scope: {principals: ["User:~me", "User:~gone"]}
prune: {users: true, acls: true, max_percent: 100}
acls:
  - {principal: "User:~me", operations: [Describe, DescribeConfigs], resource: "cluster"}
`)
	state, err := me.Observe(s.Context(), spec)
	require.NoError(s, err)
	require.Equal(s, Self{userPrincipal(s.prefix + "me"), s.prefix + "me", ScramSHA512}, state.Self)
	_, err = spec.Plan(state)
	require.ErrorContains(s, err, "prune.users: ")
	require.ErrorContains(s, err, s.prefix+"me SCRAM-SHA-512")
	require.ErrorContains(s, err, "prune.acls: 2 acls are not declared, of the principal that this client is")

	plan := s.plan(s.r, spec)
	report, err := me.Apply(s.Context(), plan)
	require.ErrorContains(s, err, "it is what this client logs in with or has its rights from")
	for i, line := range s.outcomes(report) {
		want := "skipped/protected"
		if plan.Changes[i].Kind == KindScramUser && strings.HasSuffix(line, "~gone SCRAM-SHA-256") {
			want = "applied"
		}
		require.Equal(s, want, strings.Split(line, " ")[0], line)
	}
	require.Greater(s, report.Count(holdfast.Skipped), 2)
	left, _ := s.identities(spec.Scope)
	require.Contains(s, left, Credential{User: s.prefix + "me", Mechanism: ScramSHA512})
	require.NotContains(s, left, Credential{User: s.prefix + "gone", Mechanism: ScramSHA256})

	// Spelled out, one may take rights from oneself, but not the login.
	gone := s.spec(`
scope: {principals: ["User:~me"]}
users:
  - {name: "~me", mechanisms: [SCRAM-SHA-512], state: absent}
`)
	state, err = me.Observe(s.Context(), gone)
	require.NoError(s, err)
	_, err = gone.Plan(state)
	require.ErrorContains(s, err, "is what this client logs in with: log in as somebody else to delete it")
	report, err = me.Apply(s.Context(), s.plan(s.r, gone))
	require.Error(s, err)
	require.Equal(s, []string{"skipped/protected delete scram-user ~me SCRAM-SHA-512"}, s.outcomes(report))
	require.NoError(s, client.Ping(s.Context()))
	s.apply(gone) // as somebody else
}

// deniedPrune has an applier who may not see how brokers log in.
func deniedPrune(s *site) {
	s.apply(s.spec(`
scope: {principals: ["User:~a", "User:~reader"]}
acls:
  - {principal: "User:~reader", operations: [Describe], resource: "cluster"}
users:
  - {name: "~a", mechanisms: [SCRAM-SHA-512], password: "env:A"}
quotas:
  - {user: "~a", producer_byte_rate: 1}
`))
	spec := s.spec(`
scope: {principals: ["User:~a"]}
prune: {users: true, quotas: true, max_percent: 100}
`)
	plan := s.plan(&Reconciler{Client: s.User(s.T, s.prefix+"reader")}, spec)
	require.Empty(s, plan.Changes)
	require.Equal(s, KindBrokerConfig, plan.Unread[0].Kind)
	require.ErrorIs(s, plan.Unread[0].Err, kerr.ClusterAuthorizationFailed)
	require.ErrorContains(s, plan.Unread[0].Err, "needs DescribeConfigs on the cluster")
	require.Equal(s, KindQuota, plan.Unread[len(plan.Unread)-1].Kind)
	require.Len(s, s.apply(spec).Outcomes, 2)
}

// brokerLogins is on a cluster whose nodes log in to each other with
// SCRAM-SHA-512.
func brokerLogins(s *site) {
	s.apply(s.spec(`
scope: {principals: ["User:~broker", "User:~a"]}
users:
  - {name: "~broker", mechanisms: [SCRAM-SHA-512], password: "env:B"}
  - {name: "~a", mechanisms: [SCRAM-SHA-256, SCRAM-SHA-512], password: "env:A"}
`))
	spec := s.spec(`
scope: {principals: ["User:~broker", "User:~a"]}
prune: {users: true, max_percent: 100}
users:
  - {name: "~broker", mechanisms: [SCRAM-SHA-512]}
`)
	state, err := s.r.Observe(s.Context(), spec)
	require.NoError(s, err)
	require.Equal(s, []ScramMechanism{ScramSHA512}, state.BrokerMechanisms)
	_, err = spec.Plan(state)
	require.ErrorContains(s, err, "prune.users: 1 credential is not declared, of a mechanism with which brokers log in to each other")
	require.ErrorContains(s, err, s.prefix+"a SCRAM-SHA-512")
	spec.Prune.BrokerCredentials = true
	require.Equal(s, []string{"applied delete scram-user ~a SCRAM-SHA-256", "applied delete scram-user ~a SCRAM-SHA-512"}, s.outcomes(s.apply(spec)))
}

// kfakeWithScram says what it does not do: its brokers do not log in to each other.
func kfakeWithScram(t *testing.T) *conform.FakeCluster {
	f := conform.NewFake(t)
	f.ControlKey(kmsg.DescribeConfigs.Int16(), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		f.KeepControl()
		req := kreq.(*kmsg.DescribeConfigsRequest)
		if req.Resources[0].ResourceType != kmsg.ConfigResourceTypeBroker {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, res := range req.Resources {
			got := kmsg.NewDescribeConfigsResponseResource()
			got.ResourceType, got.ResourceName = res.ResourceType, res.ResourceName
			for k, v := range map[string]string{"sasl.mechanism.inter.broker.protocol": "PLAIN", "sasl.mechanism.controller.protocol": "SCRAM-SHA-512"} {
				c := kmsg.NewDescribeConfigsResponseResourceConfig()
				c.Name, c.Value = k, &v
				got.Configs = append(got.Configs, c)
			}
			resp.Resources = append(resp.Resources, got)
		}
		return resp, nil, true
	})
	return f
}

// A client that logs in with a certificate or a token does not know as whom.
func TestSelf_Named(t *testing.T) {
	client, err := kgo.NewClient()
	require.NoError(t, err)
	defer client.Close()
	me, err := (&Reconciler{Client: client, Principal: "User:CN=ops"}).self(t.Context())
	require.NoError(t, err)
	require.Equal(t, Self{Principal: "User:CN=ops"}, me)

	spec := Spec{Scope: Scope{Principals: []string{"User:CN=ops"}}, Prune: Prune{ACLs: true, MaxPercent: 100}}
	state := State{Self: me, ACLs: []Binding{{"User:CN=ops", "*", Alter, Allow, Resource{ResourceCluster, "kafka-cluster", Literal}}}}
	_, err = spec.Plan(state)
	require.ErrorContains(t, err, "of the principal that this client is")
	state.Self = Self{}
	plan, err := spec.Plan(state)
	require.NoError(t, err)
	require.Len(t, plan.Changes, 1)
	require.True(t, me.keeps(plan.Changes[0]))
	plan.Changes[0].Reason = "declared absent"
	require.False(t, me.keeps(plan.Changes[0]))
}

func TestReal_PruneUsers(t *testing.T) {
	c := real.Kafka(t)
	t.Run("own login", func(t *testing.T) { ownLogin(newSite(t, conform.Real(c))) })
	t.Run("denied", func(t *testing.T) { deniedPrune(newSite(t, conform.Real(c))) })
}

// A single node logs in to itself only where it has to; how it would is what
// counts.
func TestReal_PruneUsersOfScramBrokers(t *testing.T) {
	c := real.NewKafka(t, real.Options{Properties: map[string]string{"sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512"}})
	brokerLogins(newSite(t, conform.Real(c)))
}
