package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
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
  kafkasec validate -f variables.yml --conflicts revoke
  echo '{kind: KafkaSecurity, version: 1, scope: {topics: [audit]}, topics: [{name: audit, partitions: 3}]}' | kafkasec validate -f -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := requireFlag(cmd, "filename"); err != nil {
				return err
			}
			doc, err := a.readSpec()
			if err != nil {
				return err
			}
			if a.format == cli.JSON {
				a.written = true
				return cli.WriteJSON(a.stdout, holdfast.Problems{})
			}
			bindings := 0
			for _, acl := range doc.spec.ACLs {
				bindings += len(acl.Operations)
			}
			for _, role := range doc.spec.Roles {
				more, err := role.Bindings()
				if err != nil {
					return err
				}
				bindings += len(more)
			}
			_, err = fmt.Fprintf(a.stdout, "%s is valid: %s, %s\n", doc.name, count(len(doc.spec.Topics), "topic"), count(bindings, "ACL binding"))
			return err
		},
	}
	a.specFlags(cmd)
	return cmd
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
