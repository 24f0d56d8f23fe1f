package real

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// Cluster is a running Kafka. Its methods may be called concurrently, but none
// while a node is being started or ended; clients may work then.
type Cluster struct {
	opts      Options
	dir       string
	java      string
	classPath string
	ca        *pki.CA
	nodes     []*Node
	zookeeper *zookeeper // nil in KRaft mode
	prefixes  prefixes

	mu    sync.Mutex
	users map[string]User
}

// Kafka returns the one-node Kafka 4.4.0 that all tests of this binary share,
// with users Admin, alice and bob. It starts with the first call and lives
// until the binary ends; where the start failed, every caller fails with the
// same words. A test uses only names that begin with its own [Cluster.Prefix],
// and stops or reconfigures nothing.
func Kafka(t testing.TB) *Cluster {
	t.Helper()
	Enabled(t)
	c, err := shared()
	refuse(t, err)
	c.tailOnFailure(t)
	return c
}

var shared = sync.OnceValues(func() (*Cluster, error) { return start(Options{}) })

// NewKafka starts a cluster for this test alone and removes it with the test.
func NewKafka(t testing.TB, opts Options) *Cluster {
	t.Helper()
	Enabled(t)
	c, err := start(opts)
	refuse(t, err)
	t.Cleanup(c.close)
	c.tailOnFailure(t) // runs before close
	return c
}

// refuse ends the test if err is not nil: absent components by the gate,
// everything else as a failure.
func refuse(t testing.TB, err error) {
	t.Helper()
	var absent *absentError
	if errors.As(err, &absent) {
		Need(t, absent.what, absent.err)
	}
	if err != nil {
		t.Fatalf("start kafka: %v", err)
	}
}

// absentError says that something is not installed.
type absentError struct {
	what string
	err  error
}

func (e *absentError) Error() string { return e.what + " is absent: " + e.err.Error() }

// startAttempts bounds how often a start is repeated with other ports.
const startAttempts = 4

func start(opts Options) (*Cluster, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		c, err := startOnce(opts)
		if err == nil {
			return c, nil
		}
		if attempt == startAttempts || !errors.Is(err, errPortTaken) {
			return nil, err
		}
	}
}

func startOnce(opts Options) (*Cluster, error) {
	c, err := newCluster(opts)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		c.close()
		return nil, err
	}
	if err := c.launch(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// newCluster finds the programs and makes the directory.
func newCluster(opts Options) (*Cluster, error) {
	c := &Cluster{opts: opts, users: make(map[string]User)}
	for _, u := range opts.Users {
		c.users[u.Name] = u
	}
	var err error
	if c.java, c.classPath, err = find(opts.Version); err != nil {
		return nil, err
	}
	if opts.ClassPath != "" {
		// Behind, because the class archive is bound to what stands in front.
		c.classPath += string(os.PathListSeparator) + opts.ClassPath
	}
	c.dir, err = tempDir("holdfast-kafka-")
	return c, err
}

// prepare chooses ports, mints certificates and writes every file that the
// servers read.
func (c *Cluster) prepare() error {
	var err error
	if c.ca, err = pki.NewCA("holdfast test"); err != nil {
		return err
	}
	if err := writePrivate(c.truststore(), c.ca.PEM()); err != nil {
		return err
	}
	flag, text := c.opts.log4jProperties()
	if err := writePrivate(c.path("log4j.properties"), []byte(text)); err != nil {
		return err
	}
	logging := flag + c.path("log4j.properties")

	perNode := len(protocols) + 1
	ports, err := freePorts(c.opts.Nodes*perNode + 1)
	if err != nil {
		return err
	}
	if c.opts.zookeeper() {
		if c.zookeeper, err = c.newZooKeeper(ports[len(ports)-1], logging); err != nil {
			return err
		}
	}
	for i := range c.opts.Nodes {
		n, err := c.newNode(i+1, ports[i*perNode:(i+1)*perNode], logging)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes { // all ports must be known
		if err := writePrivate(n.properties, c.serverProperties(n)); err != nil {
			return err
		}
	}
	return nil
}

// launch starts everything and returns when it is ready.
func (c *Cluster) launch() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if c.zookeeper != nil {
		if err := c.zookeeper.start(c); err != nil {
			return err
		}
	} else if err := c.format(ctx); err != nil {
		return err
	}
	for _, n := range c.nodes {
		if err := n.spawn(); err != nil {
			return err
		}
	}
	if err := c.awaitReady(ctx); err != nil {
		return err
	}
	return c.createUsers(ctx, c.opts.Users...)
}

// format writes the cluster's identity into each node's data directory, as
// kafka-storage does. No password is needed: SCRAM users come later, through
// the admin API.
func (c *Cluster) format(ctx context.Context) error {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // Kafka refuses ids that begin with "-"
	clusterID := base64.RawURLEncoding.EncodeToString(id[:])

	running := make([]*process, len(c.nodes))
	logs := make([]*logFile, len(c.nodes))
	for i, n := range c.nodes { // side by side: each is a JVM of a second
		log, err := newLog(filepath.Join(n.dir, "format.log"))
		if err != nil {
			return err
		}
		logs[i] = log
		cmd := c.javaCommand("-Xmx128M", n.logging, "kafka.tools.StorageTool",
			"format", "-t", clusterID, "-c", n.properties)
		if running[i], err = log.spawn(cmd); err != nil {
			return err
		}
	}
	for i, p := range running {
		select {
		case <-p.done:
		case <-ctx.Done():
			return fmt.Errorf("format node %d: %w", c.nodes[i].ID, ctx.Err())
		}
		if p.err != nil {
			return fmt.Errorf("format node %d: %w\n%s", c.nodes[i].ID, p.err, logs[i].tail(0))
		}
	}
	return nil
}

// close ends every server without grace, since their data goes with them, and
// removes the directory.
func (c *Cluster) close() {
	for _, n := range c.nodes {
		n.process.kill()
	}
	if c.zookeeper != nil {
		c.zookeeper.process.kill()
	}
	_ = os.RemoveAll(c.dir) // the reaper tries once more
}

// Dir is the cluster's directory, for this user alone, gone with the cluster.
func (c *Cluster) Dir() string { return c.dir }

// CA signed the brokers' certificates and is trusted by the SSL listener.
func (c *Cluster) CA() *pki.CA { return c.ca }

// Node returns the node with an id from 1.
func (c *Cluster) Node(id int) *Node { return c.nodes[id-1] }

// Nodes returns all nodes, running or not.
func (c *Cluster) Nodes() []*Node { return slices.Clone(c.nodes) }

// Version is Kafka's.
func (c *Cluster) Version() string { return c.opts.Version }

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }
func (c *Cluster) truststore() string      { return c.path("ca.pem") }

// Prefix is the name prefix that belongs to this test: the same for each call
// with the same t, never the prefix of another's, legal in names of topics,
// groups, users and all else.
func (c *Cluster) Prefix(t testing.TB) string { return c.prefixes.of(t) }

// prefixes hands out prefixes. The number comes first, so that none is a prefix
// of another; no "." or "_", which Kafka's metrics confuse (KAFKA-1481).
type prefixes struct {
	mu   sync.Mutex
	n    int
	byTB map[testing.TB]string
}

func (p *prefixes) of(t testing.TB) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if prefix, ok := p.byTB[t]; ok {
		return prefix
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		default:
			return '-'
		}
	}, t.Name())
	if p.byTB == nil {
		p.byTB = make(map[testing.TB]string)
	}
	p.n++
	prefix := fmt.Sprintf("t%d-%.60s-", p.n, name)
	p.byTB[t] = prefix
	return prefix
}

// tailOnFailure shows what the servers logged during the test, if it fails.
func (c *Cluster) tailOnFailure(t testing.TB) {
	from := make([]int64, len(c.nodes))
	for i, n := range c.nodes {
		from[i] = n.log.size()
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for i, n := range c.nodes {
			t.Logf("kafka %s, node %d, log of this test:\n%s", c.opts.Version, n.ID, n.log.tail(from[i]))
		}
	})
}

// Timeouts are bounds for a very busy machine, not expectations.
const (
	readyTimeout = 90 * time.Second
	stopTimeout  = 60 * time.Second
)
