package real

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a server that was started and is watched until it ends.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and err is set
	err  error
}

// starter runs functions on one operating system thread that lives as long as
// the test process. The kernel sends a child's parent-death signal when the
// thread that forked it ends (prctl(2), PR_SET_PDEATHSIG), not the process; on
// an ordinary goroutine the Go scheduler could end that thread at any moment
// and take a healthy server with it.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// spawn starts cmd so that it cannot outlive this process, however this process
// ends, in a process group of its own, and under the reaper's watch. Whom it runs
// as, and whether it leads that group, is cmd's to say.
func spawn(cmd *exec.Cmd) (*process, error) {
	attr, err := dieWithParent()
	if err != nil {
		return nil, err
	}
	watch, err := reaper()
	if err != nil {
		return nil, fmt.Errorf("start the reaper of temporary directories: %w", err)
	}
	if own := cmd.SysProcAttr; own != nil {
		attr.Credential, attr.Setpgid = own.Credential, own.Setpgid
	}
	cmd.SysProcAttr = attr
	cmd.ExtraFiles = []*os.File{watch}

	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// alive reports whether the process still runs; a nil process does not.
func (p *process) alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process with SIGKILL and waits until it is gone.
func (p *process) kill() {
	if p.alive() {
		_ = p.cmd.Process.Kill() // an error means that it ended meanwhile
		<-p.done
	}
}

// stop asks the process to end with SIGTERM. One that has not ended after grace
// is killed and reported.
func (p *process) stop(grace time.Duration) error {
	if !p.alive() {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // as in kill
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		p.kill()
		return fmt.Errorf("process %d still ran %v after SIGTERM and was killed", p.cmd.Process.Pid, grace)
	}
}
