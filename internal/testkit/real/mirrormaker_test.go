package real_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// One cluster is both ends, under two names.
func TestMirrorMaker_MirrorsUntilItIsKilled(t *testing.T) {
	c := real.NewKafka(t, real.Options{})
	ctx, adm := t.Context(), kadm.NewClient(c.AdminClient(t))
	_, err := adm.CreateTopic(ctx, 1, 1, nil, "orders")
	require.NoError(t, err)
	end := func(alias string) real.MirrorEnd {
		return real.MirrorEnd{Alias: alias, Cluster: c, Login: real.Login{Protocol: real.SASLSSL, User: real.Admin}}
	}
	m := real.NewMirrorMaker(t, real.MirrorOptions{Source: end("east"), Target: end("west"), Properties: map[string]string{
		"topics": "orders", "emit.heartbeats.enabled": "false", "replication.factor": "1",
		"checkpoints.topic.replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "heartbeats.topic.replication.factor": "1",
		"offset.storage.replication.factor": "1", "status.storage.replication.factor": "1", "config.storage.replication.factor": "1",
	}})
	password := c.Password(real.Admin).Reveal()
	for _, file := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(m.PID()), file))
		require.NoError(t, err)
		require.NotContains(t, string(data), password, file)
	}
	require.EventuallyWithT(t, func(t *assertT) {
		topics, err := adm.ListTopics(ctx, "east.orders")
		require.NoError(t, err)
		assert.NoError(t, topics.Error())
	}, 90*time.Second, 200*time.Millisecond)
	require.NotContains(t, m.Since(0), password)
	m.Kill()
	require.False(t, m.Running())
}
