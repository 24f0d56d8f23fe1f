package kafkasec

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestSmoke(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.EnableACLs(), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "adminpw"))
	require.NoError(t, err)
	defer c.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.SASL(plainAuth("admin", "adminpw")))
	require.NoError(t, err)
	defer cl.Close()
	spec, err := ParseSpec("spec.yaml", []byte(`
kind: KafkaSecurity
version: 1
scope: {topics: ["metricbeat", "packetbeat"], topic_prefixes: ["logs."], principals: ["User:user1"]}
topics:
  - {name: metricbeat, partitions: 3, replication_factor: 2, configs: {retention.ms: 604800000}}
acls:
  - {principal: "User:user1", operations: [Read, Describe], resource: "topic:metricbeat", host: "*", permission: allow}
  - {principal: "User:old", operations: [Write], resource: "topic:logs.*", state: absent}
`))
	require.NoError(t, err)
	ctx := context.Background()
	r := &Reconciler{Client: cl}
	for range 2 {
		state, err := r.Observe(ctx, spec)
		require.NoError(t, err)
		plan, err := spec.Plan(state)
		require.NoError(t, err)
		t.Log(plan)
		rep, err := r.Apply(ctx, plan)
		require.NoError(t, err)
		t.Log(rep)
	}
	_, err = ParseSpec("spec.yaml", []byte(`
kind: KafkaSecurty
version: 1
scope: {topics: ["metricbeat", "packetbeat"], topic_prefixes: ["logs.", ""], principals: ["User:user1"]}
topics:
  - {name: metricbeat, partitions: 0, replication_factor: 2, configs: {retention.ms: abc, foo.bar: 1}}
  - {name: metric beat}
  - {name: logs.a}
  - {name: logs_a}
  - {name: _schemas}
acls:
  - {principal: "user1", operations: [Read, Descrbe, ClusterAction], resource: "topic:metricbeat", host: "myhost", permission: allow}
  - {principal: "User:old", operations: [Write, Write], resource: "topic:logs.*", state: absent}
  - {principal: "User:old", operations: [Write], resource: "topic:logs.*"}
  - {principal: "User:old", operations: [], resource: "topics:logs.*"}
  - {principal: "User:old", operations: [All], resource: "cluster"}
`))
	t.Log(err)
}
