package kafkasec

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

func TestReal_Export(t *testing.T) {
	c := real.Kafka(t)
	t.Run("random", func(t *testing.T) { exports(newSite(t, conform.Real(c)), 20) })
	t.Run("console", func(t *testing.T) { exportsConsole(newSite(t, conform.Real(c)), c) })
}

func TestReal_ExportZooKeeper(t *testing.T) {
	c := real.NewKafka(t, real.Options{Version: "3.9.2"})
	t.Run("random", func(t *testing.T) { exports(newSite(t, conform.Real(c)), 10) })
	t.Run("console", func(t *testing.T) { exportsConsole(newSite(t, conform.Real(c)), c) })
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
