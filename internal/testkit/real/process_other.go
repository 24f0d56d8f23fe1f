//go:build !linux

package real

import (
	"fmt"
	"runtime"
	"syscall"
)

// dieWithParent refuses: only Linux has parent-death signals, and a harness
// that leaves JVMs behind is worse than none.
func dieWithParent() (*syscall.SysProcAttr, error) {
	return nil, &absentError{what: "Linux", err: fmt.Errorf("real components do not run on %s", runtime.GOOS)}
}
