package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec/playbook"
)

// app is what the verbs share: the streams and the values of the flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	format    cli.Format
	spec      string           // -f
	translate playbook.Options // of a variable file there
	brokers   []string
	config    string // --command-config
	timeout   time.Duration
	passwords bool // --check-passwords

	// written: standard output has its JSON document.
	written bool
}

const verbs = "plan, apply, validate, export, can, who, lint, verify and schema"

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "kafkasec",
		Short: "Keep the topics and ACLs of a Kafka cluster as declared, and say who may do what",
		Long: `Keep the topics and ACLs of a Kafka cluster as a file declares them: a spec, or
the variable file of an Ansible playbook with a list topics_acl_users.

Exit code: 0 nothing to do, done or yes, 2 changes are pending, no or findings, 1
error. The examples of the verbs use spec.yaml, variables.yml and
client.properties, which stand beside the source of this program.`,
		Version:       cli.Version(),
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown verb %q: allowed are %s", args[0], verbs)
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("no verb given: allowed are %s; kafkasec --help says more", verbs)
		},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.PersistentFlags().VarP(&a.format, "output", "o", "format of standard output")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(a.planCommand(), a.applyCommand(), a.validateCommand(), a.exportCommand(), a.canCommand(), a.whoCommand(), a.lintCommand(), a.verifyCommand(), a.schemaCommand())
	return root
}

// noArgs says what to do instead, because a file name without -f is the likely
// mistake.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		hint := "takes flags only"
		if cmd.Flags().Lookup("filename") != nil {
			hint += ", and the spec as -f FILE"
		}
		return fmt.Errorf("unexpected argument %q: %s %s", args[0], cmd.CommandPath(), hint)
	}
	return nil
}

func (a *app) clusterFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&a.brokers, "brokers", nil, "bootstrap brokers as `HOST:PORT,...`; beats bootstrap.servers in the --command-config file")
	cmd.Flags().Var(&fileValue{name: &a.config}, "command-config", "Java client properties (security.protocol, sasl.*, ssl.*) from `FILE`")
	cmd.Flags().DurationVar(&a.timeout, "timeout", 0, "how long to wait for a broker to connect (default 10s), to answer (30s), to come back (1m), to show a change (30s)")
}

// passwordFlag is for the verbs that plan or apply.
func (a *app) passwordFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.passwords, "check-passwords", false,
		"try to log in with the password of each declared user that exists, where --command-config connects, which needs SASL there; one that is refused is a change")
}

// requireFlag words a missing flag as the other errors are worded.
func requireFlag(cmd *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return nil
		}
		text := "--" + name
		if f := cmd.Flags().Lookup(name); f.Shorthand != "" {
			text = "-" + f.Shorthand
		}
		missing = append(missing, text+" FILE")
	}
	return fmt.Errorf("%s: no input given: %s is needed", cmd.Name(), strings.Join(missing, " or "))
}

// fileValue is a flag that names one file. An empty name is what a shell makes
// of a variable that is not set, and of two files the first would be forgotten
// without a word.
type fileValue struct {
	name *string
	set  bool
}

func (v *fileValue) String() string {
	if v.name == nil { // pflag asks a zero value for the default
		return ""
	}
	return *v.name
}

func (v *fileValue) Set(name string) error {
	switch {
	case name == "":
		return errors.New("allowed is the name of a file")
	case v.set:
		return fmt.Errorf("%q is given already: allowed is one file", *v.name)
	}
	*v.name, v.set = name, true
	return nil
}

func (*fileValue) Type() string { return "FILE" }
