package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	program := func(run Run) func() { return func() { os.Exit(Main("program", run)) } }
	testscript.Main(m, map[string]func(){
		"done": program(func(context.Context, []string, io.Reader, io.Writer, io.Writer) error { return nil }),
		"pending": program(func(context.Context, []string, io.Reader, io.Writer, io.Writer) error {
			return fmt.Errorf("x: %w", ErrPending)
		}),
		"no":     program(func(context.Context, []string, io.Reader, io.Writer, io.Writer) error { return ErrNo }),
		"failed": program(func(context.Context, []string, io.Reader, io.Writer, io.Writer) error { return io.ErrUnexpectedEOF }),
		"stubborn": program(func(ctx context.Context, _ []string, stdin io.Reader, stdout, _ io.Writer) error {
			fmt.Fprintln(stdout, "started")
			<-ctx.Done()
			fmt.Fprintln(stdout, context.Cause(ctx))
			_, err := io.Copy(io.Discard, stdin) // does not come to an end
			return err
		}),
	})
}

func TestMain_ExitCodes(t *testing.T) {
	for name, want := range map[string]struct {
		code int
		text string
	}{
		"done":    {0, ""},
		"pending": {2, ""},
		"no":      {2, ""},
		"failed":  {1, "program: unexpected EOF\n"},
	} {
		cmd := exec.Command(name)
		out, _ := cmd.CombinedOutput()
		require.Equal(t, want.code, cmd.ProcessState.ExitCode(), name)
		require.Equal(t, want.text, string(out), name)
	}
}

func TestMain_SecondSignalEndsTheProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a watchdog: SIGKILL
	defer cancel()
	cmd := exec.CommandContext(ctx, "stubborn")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.True(t, lines.Scan())
	require.Equal(t, "interrupt signal received", lines.Text())

	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the state says more
		close(ended)
	}()
	// The program may be on its way to stop listening when the second one comes;
	// then, as people do, press again.
	for {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			require.True(t, status.Signaled(), cmd.ProcessState)
			require.Equal(t, syscall.SIGINT, status.Signal())
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
