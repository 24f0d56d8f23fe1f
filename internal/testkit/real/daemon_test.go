package real

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStartDaemon_NamesWhatIsAbsent(t *testing.T) {
	var absent *absentError
	_, err := startDaemon(DaemonSpec{Program: "holdfast-no-such-server"})
	require.ErrorAs(t, err, &absent)
	require.Equal(t, "holdfast-no-such-server", absent.what)
	if os.Geteuid() == 0 {
		_, err = startDaemon(DaemonSpec{Program: "sh", User: "holdfast-nobody"})
		require.ErrorAs(t, err, &absent)
		require.Equal(t, "user holdfast-nobody", absent.what)
	}
}

// sh is a daemon that runs a script.
func sh(script string, before ...string) DaemonSpec {
	return DaemonSpec{Program: "sh", Ports: 1, Setup: func(*Daemon) Launch {
		l := Launch{Args: []string{"-c", script}}
		for _, b := range before {
			l.Before = append(l.Before, []string{"sh", "-c", b})
		}
		return l
	}}
}

func TestStartDaemon_ShowsWhyItDidNotStart(t *testing.T) {
	Enabled(t)
	_, err := startDaemon(sh("echo no configuration; exit 3"))
	require.ErrorContains(t, err, "sh ended while starting: exit status 3\nno configuration")
	_, err = startDaemon(sh("", "echo no room; exit 4"))
	require.ErrorContains(t, err, "sh -c echo no room; exit 4: exit status 4\nno room")
	_, err = startDaemon(sh("echo bind: Address already in use; exit 1"))
	require.ErrorIs(t, err, errPortTaken)
}

func TestStartDaemon_LeavesNothing(t *testing.T) {
	Enabled(t)
	var dir string
	var left *process
	t.Run("server", func(t *testing.T) {
		d := StartDaemon(t, DaemonSpec{Program: "redis-server", User: "nobody", Ports: 1, Setup: func(d *Daemon) Launch {
			return Launch{Args: []string{"--bind", "127.0.0.1", "--port", strings.TrimPrefix(d.Address(0), "127.0.0.1:"), "--save", "", "--dir", d.Dir}}
		}})
		dir, left = d.Dir, d.all[0]
		require.DirExists(t, dir)
		on, err := listens(d.Port(0))
		require.NoError(t, err)
		require.True(t, on)
	})
	require.NoDirExists(t, dir)
	require.False(t, left.alive())
}
