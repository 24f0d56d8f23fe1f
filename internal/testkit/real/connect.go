package real

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/properties"
	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

// ConnectOptions describe a worker of Kafka Connect.
type ConnectOptions struct {
	// Cluster is the Kafka that the worker works for.
	Cluster *Cluster
	// Login is that of the worker itself and, where Properties or a connector do
	// not say otherwise, of the clients that it makes for connectors.
	Login Login
	// Name is the group.id and begins the names of the worker's topics: the
	// others end in "-configs", "-offsets" and "-status". The worker makes them
	// with one partition each if it may; see [Connect.Topics].
	Name string
	// Properties are added to the worker's and win over the harness's own. The
	// REST listener must stay at plain HTTP, by which the harness asks.
	Properties map[string]string
}

// Connect is one distributed worker of Kafka Connect 4.4.0, with the file
// connectors. Its methods may be called concurrently, but none while it is being
// started or ended.
type Connect struct {
	opts       ConnectOptions
	login      []properties.Entry // of the worker's own clients
	dir        string
	java       string
	classPath  string
	port       int
	properties string // path of worker.properties
	logging    string
	log        *logFile
	process    *process
}

// NewConnect starts a worker for this test alone, waits until it is a member of
// its group and serves requests, and removes it with the test. Its topics stay
// in the cluster.
func NewConnect(t testing.TB, opts ConnectOptions) *Connect {
	t.Helper()
	Enabled(t)
	c, err := startConnect(opts, opts.Cluster.clientProperties(t, opts.Login))
	refuse(t, err)
	t.Cleanup(c.close)
	t.Cleanup(func() { // runs before close
		if t.Failed() {
			t.Logf("kafka connect, log of this test:\n%s", c.log.tail(0))
		}
	})
	return c
}

func startConnect(opts ConnectOptions, login []properties.Entry) (*Connect, error) {
	for attempt := 1; ; attempt++ {
		c, err := newConnect(opts, login)
		if err != nil {
			return nil, err
		}
		if err = c.start(); err == nil {
			return c, nil
		}
		c.close()
		if attempt == startAttempts || !errors.Is(err, errPortTaken) {
			return nil, err
		}
	}
}

// newConnect finds the program and writes every file that the worker reads.
func newConnect(opts ConnectOptions, login []properties.Entry) (*Connect, error) {
	c := &Connect{opts: opts, login: login}
	var err error
	if c.java, err = exec.LookPath("java"); err != nil {
		return nil, &absentError{what: "java", err: err}
	}
	if c.classPath, err = connectClassPath(); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	c.port = ports[0]
	if c.dir, err = tempDir("holdfast-connect-"); err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// connectClassPath is that of Connect 4.4.0 and, behind it, of the file
// connectors. These are not published for 4.4.0, and those of 4.3.1 need a class
// of the clients of 4.3.1 that is no longer there, AppInfoParser.
func connectClassPath() (string, error) {
	worker, err := jars("kafka-connect-4.4.0")
	if err != nil {
		return "", err
	}
	connectors, err := jars("kafka-connect-4.3.1")
	if err != nil {
		return "", err
	}
	lib := filepath.Dir(connectors)
	return strings.Join([]string{worker, filepath.Join(lib, "connect-file-4.3.1.jar"), filepath.Join(lib, "kafka-clients-4.3.1.jar")},
		string(os.PathListSeparator)), nil
}

// jars is the class path of a component.
func jars(name string) (string, error) {
	c, err := install.Lookup(name)
	if err != nil {
		return "", err
	}
	classPath, err := c.ClassPath(CacheDir())
	if err != nil {
		return "", &absentError{what: name, err: err}
	}
	return classPath, nil
}

func (c *Connect) prepare() error {
	flag, text := Options{}.log4jProperties()
	logging := filepath.Join(c.dir, "log4j.properties")
	c.logging = flag + logging
	if err := writePrivate(logging, []byte(text)); err != nil {
		return err
	}
	c.properties = filepath.Join(c.dir, "worker.properties")
	if err := writePrivate(c.properties, c.workerProperties()); err != nil {
		return err
	}
	var err error
	c.log, err = newLog(filepath.Join(c.dir, "worker.log"))
	return err
}

// workerProperties is the worker's complete configuration. It holds passwords.
func (c *Connect) workerProperties() []byte {
	entries := slices.Clone(c.login)
	set := func(key string, value any) {
		entries = append(entries, properties.Entry{Key: key, Value: fmt.Sprint(value)})
	}
	// Clients of connectors have nothing but the addresses from the worker's own
	// settings, except admin clients (KAFKA-4090; Worker of Connect).
	for _, prefix := range []string{"producer.", "consumer."} {
		for _, e := range c.login {
			set(prefix+e.Key, e.Value)
		}
	}
	set("group.id", c.opts.Name)
	replicas := len(c.opts.Cluster.nodes)
	config, offset, status := c.Topics()
	set("config.storage.topic", config)
	set("offset.storage.topic", offset)
	set("status.storage.topic", status)
	set("config.storage.replication.factor", replicas)
	set("offset.storage.replication.factor", replicas)
	set("status.storage.replication.factor", replicas)
	set("offset.storage.partitions", 1)
	set("status.storage.partitions", 1)
	set("key.converter", "org.apache.kafka.connect.storage.StringConverter")
	set("value.converter", "org.apache.kafka.connect.storage.StringConverter")
	set("listeners", "http://"+loopback(c.port))
	// Else the whole class path is searched for plugins, for seconds (KIP-898).
	set("plugin.discovery", "service_load")

	// What a test wants: a worker that was killed is missed as soon as a broker
	// allows it (group.min.session.timeout.ms), and nobody waits for its return.
	set("session.timeout.ms", 6000)
	set("heartbeat.interval.ms", 500)
	set("rebalance.timeout.ms", 6000)
	set("scheduled.rebalance.max.delay.ms", 0)
	set("offset.flush.interval.ms", 500)

	for _, key := range slices.Sorted(maps.Keys(c.opts.Properties)) {
		set(key, c.opts.Properties[key])
	}
	return properties.Format(entries)
}

// Topics are the worker's own: config.storage.topic, offset.storage.topic and
// status.storage.topic.
func (c *Connect) Topics() (config, offset, status string) {
	return c.opts.Name + "-configs", c.opts.Name + "-offsets", c.opts.Name + "-status"
}

// start returns when the worker has joined its group and read its topics, which
// is when /health says so (KIP-1017).
func (c *Connect) start() error {
	cmd := exec.Command(c.java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256M", "-cp", c.classPath,
		c.logging, "org.apache.kafka.connect.cli.ConnectDistributed", c.properties)
	cmd.Dir = c.dir
	var err error
	if c.process, err = c.log.spawn(cmd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	pace := poll.Backoff{Initial: 50 * time.Millisecond, Factor: 1}
	err = poll.Until(ctx, pace, func(ctx context.Context) (bool, error) {
		switch {
		case c.process.alive():
		case c.log.contains("Address already in use"):
			return false, errPortTaken
		default:
			return false, fmt.Errorf("ended while starting: %v", c.process.err)
		}
		if err := c.healthy(ctx); err != nil {
			return false, poll.NotYet{Reason: err}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("kafka connect: %w\n%s", err, c.log.tail(c.log.from))
	}
	return nil
}

func (c *Connect) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/health", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return nil
}

// URL is that of the REST interface, without a path.
func (c *Connect) URL() string { return "http://" + loopback(c.port) }

// Dir is a directory for this user alone, which is the worker's working
// directory and is gone with it.
func (c *Connect) Dir() string { return c.dir }

// Log returns all that the worker printed, over all its starts: warnings and
// worse.
func (c *Connect) Log() string {
	text, err := os.ReadFile(c.log.path)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Running reports whether the process runs.
func (c *Connect) Running() bool { return c.process.alive() }

// Kill ends the worker with SIGKILL, if it has not ended by itself, and returns
// when it is gone.
func (c *Connect) Kill() { c.process.kill() }

// Start starts a worker that has ended, with the port that it had, and returns
// when it is ready. One that was killed is missed first, for 6 s.
func (c *Connect) Start(t testing.TB) {
	t.Helper()
	if c.Running() {
		t.Fatal("start kafka connect: it runs already")
	}
	if err := c.start(); err != nil {
		t.Fatalf("start %v", err)
	}
}

// close ends the worker without grace.
func (c *Connect) close() {
	c.process.kill()
	_ = os.RemoveAll(c.dir) // the reaper tries once more
}
