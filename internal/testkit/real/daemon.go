package real

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

// DaemonSpec is a server of the distribution's, started for one test.
type DaemonSpec struct {
	// Program is looked for in PATH, then where Debian keeps servers.
	Program string
	// User runs it where the tests run as root; it owns the daemon's directory.
	// Empty means the tests' own. A daemon that starts as root and steps down
	// itself has Root set instead.
	User string
	Root bool
	// Ports is how many loopback ports it listens on.
	Ports int
	// Setup says how to run it once its directory, ports and certificate are
	// there.
	Setup func(d *Daemon) Launch
}

// Launch is how a daemon is run. Every path is in its directory.
type Launch struct {
	// Files by name, with their text. Their directories are made.
	Files map[string]string
	// Before are commands that run to their end first.
	Before [][]string
	// Beside are helpers that run as long as the daemon.
	Beside [][]string
	Args   []string
	Env    []string
	// Logs are the files that it logs to beside its output.
	Logs []string
	// OwnSession is for one that begins a session, which the leader of a process
	// group cannot (setsid(2)).
	OwnSession bool
	// Ready is what it logs when it serves. Empty means that listening is enough.
	Ready string
}

// Daemon is a server that runs.
type Daemon struct {
	// Dir is its directory, which is gone with the test.
	Dir string
	// Cert, Key and CA are PEM files of a certificate for localhost and
	// 127.0.0.1.
	Cert, Key, CA string

	spec   DaemonSpec
	issuer *pki.CA
	launch Launch
	ports  []int
	log    *logFile
	all    []*process
}

// StartDaemon starts a server and returns when it listens on all of its ports.
// It ends with the test. Where its program or its user is absent it ends the
// test as [Need] does.
func StartDaemon(t testing.TB, spec DaemonSpec) *Daemon {
	t.Helper()
	Enabled(t)
	d, err := startDaemon(spec)
	var absent *absentError
	if errors.As(err, &absent) {
		Need(t, absent.what, absent.err)
	}
	if err != nil {
		t.Fatalf("start %s: %v", spec.Program, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", spec.Program, tailOf(d.Log()))
		}
		d.close()
	})
	return d
}

func startDaemon(spec DaemonSpec) (*Daemon, error) {
	program, err := programPath(spec.Program)
	if err != nil {
		return nil, err
	}
	owner, err := credential(spec)
	if err != nil {
		return nil, err
	}
	// Somebody may take a port between our choice and the daemon's bind.
	for tries := 0; ; tries++ {
		d, err := launchDaemon(spec, program, owner)
		if !errors.Is(err, errPortTaken) || tries == 2 {
			return d, err
		}
	}
}

func launchDaemon(spec DaemonSpec, program string, owner *syscall.Credential) (*Daemon, error) {
	dir, err := tempDir("holdfast-" + filepath.Base(program) + "-")
	if err != nil {
		return nil, err
	}
	d := &Daemon{Dir: dir, spec: spec}
	if err := d.start(program, owner); err != nil {
		log := tailOf(d.Log())
		d.close()
		if strings.Contains(strings.ToLower(log), "address already in use") {
			err = errPortTaken
		}
		return nil, fmt.Errorf("%w\n%s", err, log)
	}
	return d, nil
}

func (d *Daemon) start(program string, owner *syscall.Credential) error {
	if err := d.prepare(owner); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for _, argv := range d.launch.Before {
		first, err := d.spawn(owner, argv)
		if err != nil {
			return err
		}
		select {
		case <-first.done:
		case <-ctx.Done():
			return fmt.Errorf("%s did not end: %w", argv[0], ctx.Err())
		}
		if first.err != nil {
			return fmt.Errorf("%s: %w", strings.Join(argv, " "), first.err)
		}
	}
	d.all = nil
	for _, argv := range append(d.launch.Beside, append([]string{program}, d.launch.Args...)) {
		if _, err := d.spawn(owner, argv); err != nil {
			return err
		}
	}
	return poll.Until(ctx, poll.Backoff{Initial: 20 * time.Millisecond, Factor: 1}, d.ready)
}

// prepare mints the certificate and writes the files, all of them the owner's.
func (d *Daemon) prepare(owner *syscall.Credential) error {
	var err error
	if d.ports, err = freePorts(d.spec.Ports); err != nil {
		return err
	}
	if d.issuer, err = pki.NewCA("holdfast test root"); err != nil {
		return err
	}
	cert, err := d.issuer.Issue(pki.Localhost("localhost"))
	if err != nil {
		return err
	}
	files, err := cert.WriteFiles(d.Dir)
	if err != nil {
		return err
	}
	d.Cert, d.Key, d.CA = files.Chain, files.Key, files.CA
	if d.log, err = newLog(d.Path("output.log")); err != nil {
		return err
	}
	d.launch = d.spec.Setup(d)
	for name, text := range d.launch.Files {
		if err := writePrivate(d.Path(name), []byte(text)); err != nil {
			return err
		}
	}
	return filepath.Walk(d.Dir, func(path string, info os.FileInfo, err error) error {
		switch {
		case err != nil:
			return err
		case owner != nil:
			return os.Lchown(path, int(owner.Uid), int(owner.Gid))
		case d.spec.Root && info.IsDir():
			// What it steps down to has to get at its own directories.
			return os.Chmod(path, 0o755)
		}
		return nil
	})
}

func (d *Daemon) spawn(owner *syscall.Credential, argv []string) (*process, error) {
	program, err := programPath(argv[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, argv[1:]...)
	cmd.Dir = d.Dir
	cmd.Env = append([]string{"HOME=" + d.Dir, "TMPDIR=" + d.Dir, "LC_ALL=C", "PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin"}, d.launch.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Setpgid: !d.launch.OwnSession}
	p, err := d.log.spawn(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	d.all = append(d.all, p)
	return p, nil
}

// ready is whether it listens and says so, without a connection: a server logs
// one that says nothing.
func (d *Daemon) ready(context.Context) (bool, error) {
	for _, p := range d.all {
		if !p.alive() {
			return false, fmt.Errorf("%s ended while starting: %v", p.cmd.Args[0], p.err)
		}
	}
	for _, port := range d.ports {
		if on, err := listens(port); err != nil || !on {
			return on, err
		}
	}
	return d.launch.Ready == "" || strings.Contains(d.Log(), d.launch.Ready), nil
}

// listens reads the table of sockets (proc(5), /proc/net/tcp), where 0A is the
// state of a listening one and the address of the loopback is in the order of
// the machine's bytes.
func listens(port int) (bool, error) {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue // a kernel without IPv6
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) > 3 && fields[3] == "0A" && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				f.Close()
				return true, nil
			}
		}
		f.Close()
		if err := lines.Err(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// Path is that of a file in its directory.
func (d *Daemon) Path(name string) string { return filepath.Join(d.Dir, name) }

// Port is its i-th port, and Address the loopback address with it.
func (d *Daemon) Port(i int) int       { return d.ports[i] }
func (d *Daemon) Address(i int) string { return loopback(d.ports[i]) }

// Issuer is the CA of its certificate.
func (d *Daemon) Issuer() *pki.CA { return d.issuer }

// Log is all that it printed and logged so far.
func (d *Daemon) Log() string {
	var all bytes.Buffer
	for _, name := range append([]string{"output.log"}, d.launch.Logs...) {
		text, _ := os.ReadFile(d.Path(name)) // a daemon makes its log when it logs
		all.Write(text)
	}
	return all.String()
}

// Stop ends it as an administrator does, so that its log is complete.
func (d *Daemon) Stop(t testing.TB) {
	t.Helper()
	for i := len(d.all) - 1; i >= 0; i-- { // the daemon itself is the last
		if err := d.all[i].stop(stopTimeout); err != nil {
			t.Fatalf("stop %s: %v", d.spec.Program, err)
		}
	}
}

func (d *Daemon) close() {
	for i := len(d.all) - 1; i >= 0; i-- {
		_ = d.all[i].stop(stopTimeout) // a daemon with workers ends them itself
	}
	_ = os.RemoveAll(d.Dir) // what is left, the reaper removes
}

func tailOf(log string) string {
	const most = 8 << 10
	return log[max(0, len(log)-most):]
}

func programPath(name string) (string, error) {
	path, err := install.Program(name)
	if err != nil {
		return "", &absentError{what: filepath.Base(name), err: err}
	}
	return path, nil
}

// credential is whom the daemon runs as, nil for the tests' own user.
func credential(spec DaemonSpec) (*syscall.Credential, error) {
	root := os.Geteuid() == 0
	switch {
	case spec.Root && !root:
		return nil, &absentError{what: "root", err: fmt.Errorf("%s starts as root alone", spec.Program)}
	case !root || spec.User == "":
		return nil, nil
	}
	u, err := user.Lookup(spec.User)
	if err != nil {
		return nil, &absentError{what: "user " + spec.User, err: err}
	}
	uid, _ := strconv.Atoi(u.Uid) // digits on Linux
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
