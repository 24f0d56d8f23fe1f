package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

func (a *app) validateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                   "validate -f FILE",
		DisableFlagsInUseLine: true,
		Short:                 "Check a spec without a cluster",
		Long: `Check a spec without a cluster, and report everything that is wrong with it, with
line and field. What only a cluster can tell, such as a replication factor above
the number of its brokers, is reported by plan.

With -o json standard output is the list of problems, empty for a good spec.`,
		Example: `  kafkasec validate -f spec.yaml
  echo '{kind: KafkaSecurity, version: 1, scope: {topics: [audit]}, topics: [{name: audit, partitions: 3}]}' | kafkasec validate -f -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := requireFlag(cmd, "filename"); err != nil {
				return err
			}
			name, spec, err := a.readSpec()
			if err != nil {
				return err
			}
			if a.format == cli.JSON {
				a.written = true
				return cli.WriteJSON(a.stdout, holdfast.Problems{})
			}
			bindings := 0
			for _, acl := range spec.ACLs {
				bindings += len(acl.Operations)
			}
			_, err = fmt.Fprintf(a.stdout, "%s is valid: %s, %s\n", name, count(len(spec.Topics), "topic"), count(bindings, "ACL binding"))
			return err
		},
	}
	a.specFlag(cmd)
	return cmd
}

// readSpec gives the spec with the name that messages about it use.
func (a *app) readSpec() (string, kafkasec.Spec, error) {
	name, data, err := cli.ReadInput(a.spec, a.stdin)
	if err != nil {
		return name, kafkasec.Spec{}, fmt.Errorf("read spec: %w", err)
	}
	spec, err := kafkasec.ParseSpec(name, data)
	return name, spec, err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
