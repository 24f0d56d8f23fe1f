package real

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestOptions_RefuseWhatTheHarnessCannotDo(t *testing.T) {
	for want, opts := range map[string]Options{
		`options: kafka version "2.8.0", want one of 4.4.0, 4.3.1, 3.9.2`: {Version: "2.8.0"},
		"options: 2 nodes, want 1 or 3":                                   {Nodes: 2},
		`options: user "admin" twice`:                                     {Users: []User{{Name: Admin}}},
	} {
		_, err := start(opts)
		require.EqualError(t, err, want)
	}
}

func TestStart_NamesWhatIsAbsent(t *testing.T) {
	t.Setenv("HF_REAL", t.TempDir())
	if _, _, err := find("4.4.0"); err != nil {
		var absent *absentError
		require.ErrorAs(t, err, &absent)
		require.Contains(t, []string{"java", "kafka-4.4.0"}, absent.what)
	} else {
		t.Fatal("found jars in an empty cache")
	}
}

func TestJAASQuote(t *testing.T) {
	require.Equal(t, `"a\\b\"c\nd\re';="`, jaasQuote("a\\b\"c\nd\re';="))
}

func TestFreePorts_AreDistinctAndBelowTheEphemeralOnes(t *testing.T) {
	ports, err := freePorts(50)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, p := range ports {
		require.False(t, seen[p])
		seen[p] = true
		require.True(t, lowestPort <= p && p <= highestPort, p)
	}
}

// A port that somebody takes before its server binds it makes start choose
// others; here the reason that it gives is shown for each kind of server.
func TestLaunch_RecognisesATakenPort(t *testing.T) {
	Enabled(t)
	for name, c := range map[string]struct {
		version string
		port    func(*Cluster) int
	}{
		"client listener":     {"4.4.0", func(c *Cluster) int { return c.nodes[0].ports[SSL] }},
		"controller listener": {"4.4.0", func(c *Cluster) int { return c.nodes[0].controllerPort }},
		"broker of 3.9":       {"3.9.2", func(c *Cluster) int { return c.nodes[0].ports[SASLSSL] }},
		"zookeeper":           {"3.9.2", func(c *Cluster) int { return c.zookeeper.port }},
	} {
		t.Run(name, func(t *testing.T) {
			opts, err := Options{Version: c.version}.withDefaults()
			require.NoError(t, err)
			cluster, err := newCluster(opts)
			refuse(t, err)
			defer cluster.close()
			require.NoError(t, cluster.prepare())
			l, err := net.Listen("tcp", loopback(c.port(cluster)))
			require.NoError(t, err)
			defer l.Close()
			require.ErrorIs(t, cluster.launch(), errPortTaken)
		})
	}
}

func TestStart_ShowsWhyAServerDidNotStart(t *testing.T) {
	Enabled(t)
	_, _, err := find("3.9.2")
	refuse(t, err)
	for _, version := range []string{"4.4.0", "3.9.2"} {
		_, err := start(Options{Version: version, Properties: map[string]string{"num.partitions": "many"}})
		require.ErrorContains(t, err, "Invalid value many for configuration num.partitions")
	}
}

// Passwords stay in files of mode 0600 that servers read: they are in no
// command line, environment or log, also while one goes wrong.
func TestCluster_KeepsPasswordsPrivate(t *testing.T) {
	for _, version := range []string{"4.4.0", "3.9.2"} {
		t.Run(version, func(t *testing.T) {
			const canary = "c4nary-of-carol"
			c := NewKafka(t, Options{Version: version, Users: []User{{Name: "carol", Password: holdfast.NewSecret(canary)}}})
			wrong := c.Client(t, Login{Protocol: SASLPlaintext, Mechanism: Plain, User: "carol", Password: holdfast.NewSecret(canary + "2")})
			require.Error(t, wrong.Ping(t.Context()))
			secrets := [][]byte{[]byte(canary), []byte(c.Password(Admin).Reveal())}

			for _, n := range c.nodes {
				for _, file := range []string{"cmdline", "environ"} {
					data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(n.PID()), file))
					require.NoError(t, err)
					require.NotEmpty(t, data)
					for _, s := range secrets {
						require.NotContains(t, string(data), string(s), file)
					}
				}
			}
			require.NoError(t, filepath.WalkDir(c.dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				for _, s := range secrets {
					if bytes.Contains(data, s) {
						require.Equal(t, "server.properties", filepath.Base(path), path)
						info, err := d.Info()
						require.NoError(t, err)
						require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
					}
				}
				return nil
			}))
		})
	}
}
