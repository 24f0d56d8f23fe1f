package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

func (a *app) planCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:                   "plan -f FILE --brokers HOST:PORT,... [--command-config FILE] [--out FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Show what would change",
		Long: `Show what would change to make the cluster as the spec says. Nothing is written
to the cluster. A line begins with + for create, ~ for update, - for delete, !
for a difference that cannot be changed yet, and ? for what could not be read.

Exit code: 0 nothing to change, 2 there is a plan or something could not be read,
1 error.`,
		Example: `  kafkasec plan --brokers localhost:9092 --command-config client.properties -f spec.yaml
  kafkasec plan --brokers localhost:9092 --command-config client.properties -f spec.yaml --out plan.json
  kafkasec plan --brokers localhost:9092 --command-config client.properties -f variables.yml --conflicts revoke`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := requireFlag(cmd, "filename"); err != nil {
				return err
			}
			return a.plan(cmd.Context(), out)
		},
	}
	a.specFlags(cmd)
	a.clusterFlags(cmd)
	a.passwordFlag(cmd)
	cmd.Flags().Var(&fileValue{name: &out}, "out", "save the plan for apply --plan to `FILE`, mode 0600, replaced if it exists")
	return cmd
}

func (a *app) plan(ctx context.Context, out string) error {
	r, plan, err := a.makePlan(ctx)
	if err != nil {
		return err
	}
	defer r.Client.Close()
	if out != "" {
		if err := savePlan(out, plan); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if a.format == cli.JSON {
		a.written = true
		err = cli.WriteJSON(a.stdout, plan)
	} else {
		_, err = io.WriteString(a.stdout, planText(plan, cli.StyleFor(a.stdout)))
	}
	if err != nil {
		return err
	}
	if out != "" {
		fmt.Fprintf(a.stderr, "saved to %s: kafkasec apply makes it with --plan %s in place of -f\n", out, out)
	}
	if !plan.Empty() {
		return cli.ErrPending
	}
	return nil
}

// makePlan reads all input before it connects. The caller closes the client.
func (a *app) makePlan(ctx context.Context) (*kafkasec.Reconciler, kafkasec.Plan, error) {
	doc, err := a.readSpec()
	cfg, cfgErr := a.dialConfig(ctx)
	if err := errors.Join(err, cfgErr); err != nil {
		return nil, kafkasec.Plan{}, err
	}
	r, err := a.connect(ctx, cfg)
	if err != nil {
		return nil, kafkasec.Plan{}, err
	}
	state, err := r.Observe(ctx, doc.spec)
	if err != nil {
		r.Client.Close()
		return nil, kafkasec.Plan{}, dial.Explain(err)
	}
	plan, err := doc.spec.Plan(state)
	if err != nil {
		r.Client.Close()
		return nil, kafkasec.Plan{}, doc.located(err)
	}
	return r, plan, nil
}

func savePlan(path string, plan kafkasec.Plan) error {
	var b bytes.Buffer
	if err := cli.WriteJSON(&b, plan); err != nil {
		return err
	}
	return cli.WriteFile(path, b.Bytes())
}
