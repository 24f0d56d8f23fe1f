package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// terminal CODE ANSWER COMMAND...: runs a command in a shell with all its
// streams on a terminal, types the answer, and writes what the terminal showed
// to the file screen. (testscript's ttyin gives the command a terminal for
// standard input only, and may lose the end of what it shows.)
func terminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: terminal CODE ANSWER COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := exec.Command("sh", "-c", strings.Join(args[2:], " "))
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "NO_COLOR", "TERM", "KAFKA_PASSWORD"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	screen, err := onTerminal(cmd, args[1]+"\n")
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(screen), 0o600))
	ts.Logf("[screen]\n%s", screen)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if strings.Contains(screen, canary) {
		ts.Fatalf("the password is on the screen")
	}
}

// onTerminal runs a command on a pseudo terminal of 100 columns.
func onTerminal(cmd *exec.Cmd, typed string) (screen string, err error) {
	// The descriptor stays out of the poller, so reads are plain blocking ones.
	fd, err := syscall.Open("/dev/ptmx", syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
	if err != nil {
		return "", err
	}
	control := os.NewFile(uintptr(fd), "/dev/ptmx")
	defer control.Close()
	var number, locked uint32
	size := [4]uint16{40, 100} // rows, columns
	for request, value := range map[uintptr]unsafe.Pointer{
		syscall.TIOCSPTLCK: unsafe.Pointer(&locked), syscall.TIOCGPTN: unsafe.Pointer(&number), syscall.TIOCSWINSZ: unsafe.Pointer(&size),
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(value)); errno != 0 {
			return "", errno
		}
	}
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return "", err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	_ = tty.Close()
	if err != nil {
		return "", err
	}
	if _, err := control.WriteString(typed); err != nil {
		return "", err
	}
	// Reading ends with EIO when nothing has the terminal open any more, after
	// all that was written has been read.
	all, _ := io.ReadAll(control)
	return strings.ReplaceAll(string(all), "\r\n", "\n"), cmd.Wait()
}

func TestTerminal_ShowsEverything(t *testing.T) {
	screen, err := onTerminal(exec.Command("sh", "-c", "tty; stty size; echo to stderr >&2; read x; echo got $x; exit 3"), "typed\n")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 3, exit.ExitCode())
	for _, want := range []string{"/dev/pts/", "40 100", "to stderr", "got typed"} {
		require.Contains(t, screen, want)
	}
}
