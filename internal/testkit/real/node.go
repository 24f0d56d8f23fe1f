package real

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// controllerListener is the name of the listener between controllers.
const controllerListener = "CONTROLLER"

// Node is one server process of a cluster: a broker and, in KRaft mode, a
// controller.
type Node struct {
	ID int // node.id or broker.id, from 1

	cluster        *Cluster
	dir            string
	properties     string // path of server.properties
	keystore       string
	logging        string // the JVM's option
	ports          map[Protocol]int
	controllerPort int
	log            *logFile
	process        *process
	wanted         bool // it was started and not ended on purpose
}

// listener is a name that a node listens under.
type listener struct {
	name     string
	protocol Protocol
	port     int
}

func (c *Cluster) newNode(id int, ports []int, logging string) (*Node, error) {
	n := &Node{ID: id, cluster: c, dir: c.path("node" + strconv.Itoa(id)), logging: logging,
		ports: make(map[Protocol]int), controllerPort: ports[len(protocols)]}
	for i, p := range protocols {
		n.ports[p] = ports[i]
	}
	n.properties = filepath.Join(n.dir, "server.properties")
	n.keystore = filepath.Join(n.dir, "keystore.pem")
	if err := c.writeKeystore(n.keystore, pki.Localhost("node"+strconv.Itoa(id))); err != nil {
		return nil, err
	}
	var err error
	n.log, err = newLog(filepath.Join(n.dir, "server.log"))
	return n, err
}

// listeners in the order of protocols, those for clients first.
func (n *Node) listeners() []listener {
	var all []listener
	for _, p := range protocols {
		all = append(all, listener{string(p), p, n.ports[p]})
	}
	if !n.cluster.opts.zookeeper() {
		all = append(all, listener{controllerListener, SASLPlaintext, n.controllerPort})
	}
	return all
}

// Address is the loopback HOST:PORT of the listener for p.
func (n *Node) Address(p Protocol) string { return loopback(n.ports[p]) }

// Log returns the end of what the node's servers printed so far.
func (n *Node) Log() string { return n.log.tail(0) }

// Running reports whether the process runs.
func (n *Node) Running() bool { return n.process.alive() }

// PID is the process id of the last start.
func (n *Node) PID() int { return n.process.cmd.Process.Pid }

// Kill ends the node with SIGKILL and returns when it is gone.
func (n *Node) Kill(t testing.TB) {
	t.Helper()
	if !n.Running() {
		t.Fatalf("kill node %d: it does not run", n.ID)
	}
	n.wanted = false
	n.process.kill()
}

// Stop ends the node with SIGTERM, by which it hands over what it leads, and
// returns when it is gone.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	n.wanted = false
	if err := n.process.stop(stopTimeout); err != nil {
		t.Fatalf("stop node %d: %v\n%s", n.ID, err, n.Log())
	}
}

// Start starts a node that was stopped or killed, with the ports and data that
// it had, and returns when it answers and sees every other running node.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	if n.Running() {
		t.Fatalf("start node %d: it runs already", n.ID)
	}
	if err := n.spawn(); err != nil {
		t.Fatalf("start node %d: %v", n.ID, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := n.cluster.awaitReady(ctx); err != nil {
		t.Fatalf("start node %d: %v", n.ID, err)
	}
}

// Restart is Stop and Start.
func (n *Node) Restart(t testing.TB) {
	t.Helper()
	n.Stop(t)
	n.Start(t)
}

func (n *Node) spawn() error {
	c := n.cluster
	args := []string{"-Xmx512M", n.logging}
	if c.opts.archiveTo != "" {
		args = append(args, "-XX:ArchiveClassesAtExit="+c.opts.archiveTo)
	}
	if c.opts.OAuth != nil {
		// The allow-list that answers CVE-2025-27817, since 3.9.1 and 4.0.0.
		args = append(args, "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls="+c.opts.OAuth.JWKSURL)
	}
	var err error
	n.wanted = true
	n.process, err = n.log.spawn(c.javaCommand(append(args, "kafka.Kafka", n.properties)...))
	return err
}

// javaCommand runs java small and quick to start: C1 only, the collector with
// the least memory and, where there is one, the archive of classes.
func (c *Cluster) javaCommand(args ...string) *exec.Cmd {
	flags := []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xlog:cds=off", "-cp", c.classPath}
	if archive := archiveOf(c.opts.Version); fileExists(archive) {
		flags = append(flags, "-XX:SharedArchiveFile="+archive)
	}
	cmd := exec.Command(c.java, append(flags, args...)...)
	cmd.Dir = c.dir
	return cmd
}

// zookeeper is the one server behind a cluster of 3.9.
type zookeeper struct {
	port       int
	properties string
	logging    string
	log        *logFile
	process    *process
}

func (c *Cluster) newZooKeeper(port int, logging string) (*zookeeper, error) {
	dir := c.path("zookeeper")
	z := &zookeeper{port: port, properties: filepath.Join(dir, "zk.properties"), logging: logging}
	text := fmt.Sprintf(`dataDir=%s
clientPort=%d
clientPortAddress=127.0.0.1
admin.enableServer=false
tickTime=500
`, filepath.Join(dir, "data"), port) // the admin server would listen on 8080
	if err := writePrivate(z.properties, []byte(text)); err != nil {
		return nil, err
	}
	var err error
	z.log, err = newLog(filepath.Join(dir, "zk.log"))
	return z, err
}

// start does not wait: brokers try until ZooKeeper answers.
func (z *zookeeper) start(c *Cluster) (err error) {
	z.process, err = z.log.spawn(c.javaCommand("-Xmx128M", z.logging,
		"org.apache.zookeeper.server.quorum.QuorumPeerMain", z.properties))
	return err
}
