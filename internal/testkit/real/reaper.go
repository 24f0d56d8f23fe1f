package real

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// reaper starts the process that removes temporary directories after the test
// process is gone and returns the pipe that takes their names, each ended by a
// zero byte.
//
// The shared cluster lives until its test binary ends, where the testing
// package offers no hook, and after a panic or SIGKILL no code of ours runs at
// all. So the remover is a process outside: xargs, which runs rm when its
// standard input ends. That is when the last writer of the pipe closes it, and
// writers are the test process and, by inheritance, each of its servers. The
// kernel closes files of the dying test process before it signals its
// children, hence without the servers' copies rm could run while a dying broker
// still creates files. xargs gets its own session, so that neither Ctrl-C nor a
// signal to the test's process group ends it first.
//
// Every running server holds a copy, so the pipe is never read to its end early.
var reaper = sync.OnceValues(func() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("xargs", "-0", "-r", "rm", "-rf", "--")
	cmd.Stdin = r
	cmd.Dir = os.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, cmd.Process.Release() // it ends after us: nobody waits for it
})

// tempDir makes a directory that only this user can read and that is gone some
// time after the test process, whatever ends that. Callers remove it earlier
// where they can.
func tempDir(pattern string) (string, error) {
	w, err := reaper()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", pattern) // mode 0700
	if err != nil {
		return "", err
	}
	if _, err := w.WriteString(dir + "\x00"); err != nil {
		_ = os.Remove(dir)
		return "", err
	}
	return dir, nil
}
