package real

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

// componentOf is what to run for a version of Kafka.
func componentOf(version string) (install.Component, error) {
	var known []string
	for _, c := range install.Components() {
		if c.Kind != install.Broker {
			continue
		}
		if c.Version() == version {
			return c, nil
		}
		known = append(known, c.Version())
	}
	return install.Component{}, fmt.Errorf("options: kafka version %q, want one of %s", version, strings.Join(known, ", "))
}

// find returns the java program and the class path of a version.
func find(version string) (java, classPath string, err error) {
	c, err := componentOf(version)
	if err != nil {
		return "", "", err
	}
	if java, err = exec.LookPath("java"); err != nil {
		return "", "", &absentError{what: "java", err: err}
	}
	if classPath, err = c.ClassPath(CacheDir()); err != nil {
		return "", "", &absentError{what: c.Name, err: err}
	}
	return java, classPath, nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writePrivate writes a file that only this user can read, and its directory.
func writePrivate(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// writeKeystore mints a certificate and writes it with its key as PEM.
func (c *Cluster) writeKeystore(path string, leaf pki.Leaf) error {
	cert, err := c.ca.Issue(leaf)
	if err != nil {
		return err
	}
	pem, err := cert.KeystorePEM()
	if err != nil {
		return err
	}
	return writePrivate(path, pem)
}

// logFile takes what a server prints, over all its starts.
type logFile struct {
	path string
	from int64 // where the output of the last start begins
}

func newLog(path string) (*logFile, error) {
	return &logFile{path: path}, writePrivate(path, nil)
}

// spawn starts cmd with its output going to the log.
func (l *logFile) spawn(cmd *exec.Cmd) (*process, error) {
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the child has its own copy
	l.from = l.size()
	cmd.Stdout, cmd.Stderr = f, f
	return spawn(cmd)
}

func (l *logFile) size() int64 {
	info, err := os.Stat(l.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// contains reports whether the output of the last start has one of the words.
func (l *logFile) contains(words ...string) bool {
	data, err := os.ReadFile(l.path)
	if err != nil || int64(len(data)) < l.from {
		return false
	}
	for _, w := range words {
		if bytes.Contains(data[l.from:], []byte(w)) {
			return true
		}
	}
	return false
}

// since returns what was printed after an offset.
func (l *logFile) since(from int64) string {
	data, err := os.ReadFile(l.path)
	if err != nil || int64(len(data)) < from {
		return ""
	}
	return string(data[from:])
}

// tail returns the last lines after an offset.
func (l *logFile) tail(from int64) string {
	const limit = 8 << 10
	f, err := os.Open(l.path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if start := l.size() - limit; start > from {
		from = start
	}
	data, err := io.ReadAll(io.NewSectionReader(f, from, limit))
	if err != nil {
		return err.Error()
	}
	if len(data) == 0 {
		return "(nothing)"
	}
	return string(bytes.TrimSpace(data))
}
