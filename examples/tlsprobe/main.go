package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
)

func main() { os.Exit(cli.Main("tlsprobe", run)) }

// run is the program. Its error says what to print and how to exit.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// app is what the verbs share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	format cli.Format
	probe  probeFlags
}

const verbs = "probe, scan and files"

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "tlsprobe",
		Short: "Show what is the matter with the TLS of endpoints and with certificates in files",
		Long: `Show what is the matter with the TLS of endpoints: certificates, versions, and
the client certificates that servers want; and with certificates in files.

Exit code: 0 all is well, 2 an endpoint or a certificate does not hold the policy,
or cannot be reached or read, 1 error.`,
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown verb %q: allowed are %s", args[0], verbs)
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("no verb given: allowed are %s; tlsprobe --help says more", verbs)
		},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(a.probeCommand(), a.scanCommand(), a.filesCommand())
	return root
}
