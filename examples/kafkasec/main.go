package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
)

func main() { os.Exit(cli.Main("kafkasec", run)) }

// run is the program. Its error says what to print and how to exit.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, cli.ErrPending) && !errors.Is(err, cli.ErrNo) && a.format == cli.JSON && !a.written {
		return errors.Join(err, cli.WriteJSON(stdout, cli.Problems(err)))
	}
	return err
}
