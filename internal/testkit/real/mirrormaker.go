package real

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holdfast-sec/holdfast/internal/properties"
)

// MirrorEnd is one of the clusters that a [MirrorMaker] connects.
type MirrorEnd struct {
	Alias   string
	Cluster *Cluster
	Login   Login
}

// MirrorOptions describe a MirrorMaker 2 in its dedicated mode.
type MirrorOptions struct {
	// Source is mirrored to Target.
	Source, Target MirrorEnd
	// Properties are added to the file of the harness, and win. By its own the
	// file says where the clusters are, enables the flow and nothing else.
	Properties map[string]string
}

// MirrorMaker is a MirrorMaker 2.
type MirrorMaker struct {
	java    string
	args    []string
	log     *logFile
	process *process
}

// mirrorComponent is of the newest release that has MirrorMaker's jars.
const mirrorComponent = "kafka-connect-4.3.1"

// NewMirrorMaker starts a MirrorMaker, which ends with the test. It does not
// wait, since a start that is refused may be what the test is about.
func NewMirrorMaker(t testing.TB, opts MirrorOptions) *MirrorMaker {
	t.Helper()
	Enabled(t)
	classPath := ClassPath(t, mirrorComponent)
	java, err := exec.LookPath("java")
	Need(t, "java", err)
	dir, err := tempDir("holdfast-mirrormaker-")
	if err != nil {
		t.Fatalf("start mirrormaker: %v", err)
	}
	config, logging := filepath.Join(dir, "mm2.properties"), filepath.Join(dir, "log4j.properties")
	m := &MirrorMaker{java: java}
	m.args = []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256M", "-cp", classPath,
		"-Dlog4j2.configurationFile=" + logging, "org.apache.kafka.connect.mirror.MirrorMaker", config}
	_, text := Options{}.log4jProperties()
	for path, data := range map[string][]byte{config: opts.properties(t), logging: []byte(text)} {
		if err := writePrivate(path, data); err != nil {
			t.Fatalf("start mirrormaker: %v", err)
		}
	}
	if m.log, err = newLog(filepath.Join(dir, "mm2.log")); err != nil {
		t.Fatalf("start mirrormaker: %v", err)
	}
	t.Cleanup(func() {
		m.process.kill()
		if t.Failed() {
			t.Logf("mirrormaker, log:\n%s", m.log.tail(0))
		}
	})
	m.Start(t)
	return m
}

func (o MirrorOptions) properties(t testing.TB) []byte {
	t.Helper()
	var entries []properties.Entry
	set := func(key, value string) { entries = append(entries, properties.Entry{Key: key, Value: value}) }
	set("clusters", o.Source.Alias+","+o.Target.Alias)
	for _, end := range []MirrorEnd{o.Source, o.Target} {
		for _, e := range end.Cluster.clientProperties(t, end.Login) {
			set(end.Alias+"."+e.Key, e.Value)
		}
		set(end.Alias+".plugin.discovery", "service_load") // looking into every jar takes seconds
	}
	set(o.Source.Alias+"->"+o.Target.Alias+".enabled", "true")
	set("plugin.discovery", "service_load")
	for _, key := range slices.Sorted(maps.Keys(o.Properties)) {
		set(key, o.Properties[key])
	}
	return properties.Format(entries)
}

// Start starts it again after Kill, or after it has ended by itself.
func (m *MirrorMaker) Start(t testing.TB) {
	t.Helper()
	var err error
	if m.process, err = m.log.spawn(exec.Command(m.java, m.args...)); err != nil {
		t.Fatalf("start mirrormaker: %v", err)
	}
}

// Kill ends it with SIGKILL.
func (m *MirrorMaker) Kill() { m.process.kill() }

// Running reports whether the process runs.
func (m *MirrorMaker) Running() bool { return m.process.alive() }

// Mark is where the log ends now, for [MirrorMaker.Since].
func (m *MirrorMaker) Mark() int64 { return m.log.size() }

// Since returns what it has logged since a mark: warnings and errors, with
// their exceptions.
func (m *MirrorMaker) Since(mark int64) string { return m.log.since(mark) }

// PID is the process id of the last start.
func (m *MirrorMaker) PID() int { return m.process.cmd.Process.Pid }
