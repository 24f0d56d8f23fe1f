package main

import (
	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:                   "schema",
		DisableFlagsInUseLine: true,
		Short:                 "Print the JSON Schema of specs, for editors",
		Long: `Print the JSON Schema of specs, with which an editor completes fields, says what
they are for and underlines what is wrong. The editor finds it by the first line
of a spec, where the path is relative to the spec:

  # yaml-language-server: $schema=spec.schema.json

Exit code: 0 done, 1 error.`,
		Example: `  kafkasec schema > spec.schema.json`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			a.written = true // it is JSON in either format
			_, err := a.stdout.Write(kafkasec.SpecSchema())
			return err
		},
	}
}
