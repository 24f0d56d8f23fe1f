package real_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// A worker serves requests, has the file connectors, keeps its files private and
// comes back after it was killed.
func TestConnect_RunsAWorker(t *testing.T) {
	c := real.Kafka(t)
	w := real.NewConnect(t, real.ConnectOptions{
		Cluster:    c,
		Login:      real.Login{Protocol: real.SASLSSL, Mechanism: real.SCRAM512, User: real.Admin},
		Name:       c.Prefix(t) + "connect",
		Properties: map[string]string{"client.id": "told"},
	})
	plugins := func() string {
		resp, err := http.Get(w.URL() + "/connector-plugins")
		require.NoError(t, err)
		defer resp.Body.Close()
		var text strings.Builder
		require.NoError(t, resp.Write(&text))
		return text.String()
	}
	require.Contains(t, plugins(), "FileStreamSourceConnector")
	entries, err := os.ReadDir(w.Dir())
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, e.Name())
	}
	require.NotContains(t, w.Log(), c.Password(real.Admin).Reveal())

	w.Kill()
	require.False(t, w.Running())
	w.Start(t)
	require.True(t, w.Running())
	require.Contains(t, plugins(), "FileStreamSinkConnector")
}
