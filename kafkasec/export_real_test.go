package kafkasec

import (
	"errors"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

func TestReal_Export(t *testing.T) {
	c := real.Kafka(t)
	t.Run("random", func(t *testing.T) { exports(newSite(t, conform.Real(c)), 12) })
	t.Run("console", func(t *testing.T) { exportsConsole(newSite(t, conform.Real(c)), c) })
	t.Run("console identities", func(t *testing.T) { exportsConsoleIdentities(newSite(t, conform.Real(c)), c) })
}

func TestReal_ExportZooKeeper(t *testing.T) {
	c := real.NewKafka(t, real.Options{Version: "3.9.2"})
	t.Run("random", func(t *testing.T) { exports(newSite(t, conform.Real(c)), 6) })
	t.Run("console", func(t *testing.T) { exportsConsole(newSite(t, conform.Real(c)), c) })
	t.Run("console identities", func(t *testing.T) { exportsConsoleIdentities(newSite(t, conform.Real(c)), c) })
}

// exportsConsoleIdentities exports the users and quotas that kafka-configs made.
func exportsConsoleIdentities(s *site, c *real.Cluster) {
	const c4n4ry = "c4n4ry-of-the-console"
	p := s.prefix
	alter := func(args ...string) {
		console(s.T, c, "kafka.admin.ConfigCommand", append([]string{"--alter"}, args...)...)
	}
	alter("--entity-type", "users", "--entity-name", p+"a", "--add-config", "SCRAM-SHA-256=[iterations=8192,password="+c4n4ry+"]")
	alter("--entity-type", "users", "--entity-name", p+"a", "--add-config", "producer_byte_rate=1048576,request_percentage=12.5")
	alter("--entity-type", "users", "--entity-name", p+"a", "--add-config", "SCRAM-SHA-512=[password="+c4n4ry+"]")
	alter("--entity-type", "users", "--entity-name", p+"ü, b=c", "--entity-type", "clients", "--entity-default", "--add-config", "consumer_byte_rate=7")
	alter("--entity-type", "users", "--entity-default", "--entity-type", "clients", "--entity-name", p+"c", "--add-config", "consumer_byte_rate=8,controller_mutation_rate=0.5")
	alter("--entity-type", "ips", "--entity-name", "203.0.113.77", "--add-config", "connection_creation_rate=9")

	scope := Scope{Principals: []string{"User:" + p + "a", "User:" + p + "ü, b=c", "User:" + p + "nobody"}, IPs: []string{"203.0.113.77"}, QuotaDefaults: []string{"user"}}
	defer func() {
		s.apply(Spec{Scope: scope, Prune: Prune{Users: true, Quotas: true, MaxPercent: 100}})
	}()
	spec, left := s.export(ExportOptions{Scope: scope})
	require.Empty(s, left)
	require.Equal(s, []User{
		{Name: p + "a", Mechanisms: []ScramMechanism{ScramSHA256}, Iterations: 8192},
		{Name: p + "a", Mechanisms: []ScramMechanism{ScramSHA512}, Iterations: 4096},
	}, spec.Users)
	require.ElementsMatch(s, []Quota{
		{User: p + "a", ProducerByteRate: 1048576, RequestPercentage: 12.5},
		{User: p + "ü, b=c", ClientIDDefault: true, ConsumerByteRate: 7},
		{UserDefault: true, ClientID: p + "c", ConsumerByteRate: 8, ControllerMutationRate: 0.5},
		{IP: "203.0.113.77", ConnectionCreationRate: 9},
	}, spec.Quotas)

	spec, left = s.export(ExportOptions{Everything: true})
	s.requireIdentities(ExportOptions{Everything: true}, spec)
	data, err := spec.YAML()
	require.NoError(s, err)
	require.NotContains(s, string(data)+leftLines(left), c4n4ry)

	// Who may look at nothing is told so.
	_, left, err = (&Reconciler{Client: s.User(s.T, p+"nobody")}).Export(s.Context(), ExportOptions{Everything: true})
	require.NoError(s, err)
	for _, kind := range []string{KindACL, KindQuota, KindScramUser} {
		require.True(s, slices.ContainsFunc(left, func(l LeftOut) bool {
			return l.Kind == kind && l.Name == "*" && errors.Is(l.Err, kerr.ClusterAuthorizationFailed)
		}), leftLines(left))
	}
}

// console runs a console script's class.
func console(t *testing.T, c *real.Cluster, class string, args ...string) {
	t.Helper()
	classPath := real.ClassPath(t, "kafka-4.3.1")
	login := real.Login{Protocol: real.SASLPlaintext, Mechanism: real.Plain, User: real.Admin}
	args = append([]string{"-XX:TieredStopAtLevel=1", "-cp", classPath, class, "--bootstrap-server", c.Bootstrap(login.Protocol)[0],
		"--command-config", c.ClientPropertiesFile(t, login)}, args...)
	out, err := exec.CommandContext(t.Context(), "java", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// exportsConsole exports what the console scripts made.
func exportsConsole(s *site, c *real.Cluster) {
	const topics, acls = "org.apache.kafka.tools.TopicCommand", "org.apache.kafka.tools.AclCommand"
	p := s.prefix
	console(s.T, c, topics, "--create", "--topic", p+"plain", "--partitions", "3", "--replication-factor", "1")
	console(s.T, c, topics, "--create", "--topic", p+"tuned", "--config", "retention.ms=604800000", "--config", "cleanup.policy=compact,delete",
		"--config", "min.cleanable.dirty.ratio=0.5", "--config", "follower.replication.throttled.replicas=*")
	console(s.T, c, acls, "--add", "--allow-principal", "User:"+p+"p", "--producer", "--idempotent", "--transactional-id", p+"tx", "--topic", p+"plain", "--topic", p+"tuned")
	console(s.T, c, acls, "--add", "--allow-principal", "User:"+p+"c", "--allow-principal", "User:*", "--consumer", "--group", "*", "--topic", p, "--resource-pattern-type", "prefixed")
	console(s.T, c, acls, "--add", "--deny-principal", "User:"+p+"p", "--deny-host", "10.0.0.1", "--operation", "All", "--topic", "*")
	console(s.T, c, acls, "--add", "--allow-principal", "User:CN="+p+"x, O='q: \"r\" # s'", "--operation", "CreateTokens", "--user-principal", "User:"+p+"p")

	spec, left := s.export(ExportOptions{Scope: Scope{TopicPrefixes: []string{p}, TransactionalIDs: []string{p + "tx"},
		Principals: []string{"User:" + p + "p", "User:" + p + "c", "User:*", "User:CN=" + p + `x, O='q: "r" # s'`}}})
	require.Empty(s, left)
	require.Len(s, spec.Topics, 2)
	require.Equal(s, Topic{Name: p + "plain", Partitions: 3, ReplicationFactor: 1}, spec.Topics[0])
	require.Equal(s, map[string]string{"retention.ms": "604800000", "cleanup.policy": "compact,delete", "min.cleanable.dirty.ratio": "0.5",
		"follower.replication.throttled.replicas": "*"}, spec.Topics[1].Configs)
	require.Greater(s, len(declared(s.T, spec)), 12)

	// A mistake that brokers store: nobody has a name for an address.
	req := kmsg.NewPtrCreateACLsRequest()
	cr := kmsg.NewCreateACLsRequestCreation()
	cr.ResourceType, cr.ResourceName, cr.ResourcePatternType = kmsg.ACLResourceTypeTopic, p+"plain", kmsg.ACLResourcePatternTypeLiteral
	cr.Principal, cr.Host, cr.Operation, cr.PermissionType = "User:"+p+"p", "broker.example.org", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow
	req.Creations = append(req.Creations, cr)
	resp, err := req.RequestWith(s.Context(), s.r.Client)
	require.NoError(s, err)
	require.NoError(s, kerr.ErrorForCode(resp.Results[0].ErrorCode))

	_, left = s.export(ExportOptions{Everything: true})
	require.True(s, leftOut(left, KindACL, "allow User:"+p+"p Read on topic:"+p+"plain from broker.example.org"), leftLines(left))
}
