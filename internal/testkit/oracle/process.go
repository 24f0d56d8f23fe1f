package oracle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// process is the JVM of an oracle.
//
// It ends with the test binary, also after a panic or SIGKILL: the kernel then
// closes the pipe that is its standard input, and a thread in it that does
// nothing but read exits at the end of it (Oracle.java). A parent-death signal
// would add nothing, and the kernel sends it already when the thread that
// started the child ends.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *tail
	// broken is why it answers no more, nil as long as it does.
	broken error
}

func spawn(opts Options, classes, jars string) (*process, error) {
	// Small and quick to start; answers come from interpreted or lightly
	// compiled code anyway.
	args := append([]string{"-Xmx256M", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}, opts.JVM...)
	args = append(args, "-cp", classes+string(os.PathListSeparator)+jars, opts.Main)
	cmd := exec.Command("java", args...)
	p := &process{cmd: cmd, stderr: &tail{}}
	cmd.Stderr = p.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// exchange writes a line per case and reads as many. After an error the JVM is
// gone.
func (p *process) exchange(cases []json.RawMessage) ([][]byte, error) {
	if p.broken != nil {
		return nil, p.broken
	}
	written := make(chan error, 1)
	go func() {
		w := bufio.NewWriter(p.stdin)
		for _, c := range cases {
			_, _ = w.Write(c) // Flush returns the first error
			_ = w.WriteByte('\n')
		}
		written <- w.Flush()
	}()
	replies, err := p.read(len(cases))
	if err != nil {
		_ = p.stdin.Close() // ends the writer, too
	}
	if writeErr := <-written; err == nil {
		err = writeErr
	}
	if err != nil {
		ended := p.close()
		p.broken = fmt.Errorf("%d of %d answers, then %w; java ended with: %v\n%s", len(replies), len(cases), err, ended, p.stderr)
		return nil, p.broken
	}
	return replies, nil
}

func (p *process) read(n int) ([][]byte, error) {
	lines := make([][]byte, 0, n)
	for range n {
		line, err := p.stdout.ReadBytes('\n')
		if err != nil {
			return lines, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// close ends the JVM and waits for it, and for the last of its standard error.
func (p *process) close() error {
	_ = p.stdin.Close() // may be closed already
	return p.cmd.Wait()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
