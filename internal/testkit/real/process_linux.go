package real

import "syscall"

// dieWithParent is how a child is started: in its own process group, so that
// Ctrl-C reaches the test process first, and killed by the kernel when the
// starting thread ends. This also covers a panic, os.Exit and SIGKILL of the
// test process, where no code of ours runs any more.
func dieWithParent() (*syscall.SysProcAttr, error) {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}, nil
}
