package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
	"github.com/holdfast-sec/holdfast/kafkasec/playbook"
)

// reasonDeclined goes with not-attempted: the person who was asked said no.
const reasonDeclined holdfast.Reason = "declined"

// applyFlags are those that only apply has.
type applyFlags struct {
	plan string
	yes  bool
	// broad: see kafkasec.Reconciler.BroadRevokes.
	broad bool
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:                   "apply (-f FILE | --plan FILE) --brokers HOST:PORT,... [--command-config FILE] [--yes]",
		DisableFlagsInUseLine: true,
		Short:                 "Make the cluster as the spec says",
		Long: `Show the plan, ask, make its changes, and report what became of each. A saved plan
(--plan) is made exactly as it is, or refused as a whole where the cluster has
moved on since. When it is interrupted, by a signal or a crash, run it again: it
goes on with what is left.

Exit code: 0 the cluster is as declared, 2 changes are pending (declined, not
supported yet, or not readable), 1 error.`,
		Example: `  kafkasec apply --brokers localhost:9092 --command-config client.properties -f spec.yaml --yes
  kafkasec plan --brokers localhost:9092 --command-config client.properties -f spec.yaml --out plan.json
  kafkasec apply --brokers localhost:9092 --command-config client.properties --plan plan.json --yes
  kafkasec apply --brokers localhost:9092 --command-config client.properties -f variables.yml --conflicts revoke --yes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("filename") && cmd.Flags().Changed("plan") {
				return errors.New("apply: -f and --plan are both given: allowed is one, because a saved plan is applied as it is")
			}
			if err := requireFlag(cmd, "filename", "plan"); err != nil {
				return err
			}
			if f.plan != "" && a.translate != (playbook.Options{}) {
				return fmt.Errorf("apply: %w", a.withVariablesOnly("a saved plan is applied as it is"))
			}
			return a.apply(cmd.Context(), f)
		},
	}
	a.specFlags(cmd)
	a.clusterFlags(cmd)
	a.passwordFlag(cmd)
	cmd.Flags().Var(&fileValue{name: &f.plan}, "plan", "a plan that plan --out saved, from `FILE`, in place of -f")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.broad, "broad-revokes", false, "for thousands of revokes: one filter for a principal or a resource all of whose bindings the plan revokes, which catches, too, what somebody else grants in that very moment; that is put back at once, and told")
	return cmd
}

func (a *app) apply(ctx context.Context, f applyFlags) error {
	r, plan, err := a.loadPlan(ctx, f)
	if err != nil {
		return err
	}
	defer r.Client.Close()
	if len(plan.Changes) > 0 {
		// What is asked about goes where the question goes; the report is the data.
		if _, err := io.WriteString(a.stderr, planText(plan, cli.StyleFor(a.stderr))); err != nil {
			return err
		}
		if err := a.ask(ctx, f, plan); err != nil {
			return err
		}
	}
	progress := cli.NewProgress(a.stderr)
	r.OnEvent, r.BroadRevokes = progress.Event, f.broad
	report, applyErr := r.Apply(ctx, plan)
	progress.Done()
	unwritten := a.writeReport(report)
	err = verdict(report, applyErr)
	if unwritten != nil && errors.Is(err, cli.ErrPending) {
		return unwritten // the worse of two exit codes
	}
	return errors.Join(unwritten, err)
}

// loadPlan reads all input before it connects, and gives the client with what
// it is for.
func (a *app) loadPlan(ctx context.Context, f applyFlags) (*kafkasec.Reconciler, kafkasec.Plan, error) {
	if f.plan == "" {
		return a.makePlan(ctx)
	}
	plan, err := a.readPlan(f.plan)
	cfg, cfgErr := a.dialConfig(ctx)
	if err := errors.Join(err, cfgErr); err != nil {
		return nil, kafkasec.Plan{}, err
	}
	r, err := a.connect(ctx, cfg)
	return r, plan, err
}

func (a *app) readPlan(path string) (kafkasec.Plan, error) {
	name, data, err := cli.ReadInput(path, a.stdin)
	if err != nil {
		return kafkasec.Plan{}, fmt.Errorf("read plan: %w", err)
	}
	return kafkasec.ParsePlan(name, data)
}

// ask returns nil where the changes may be made.
func (a *app) ask(ctx context.Context, f applyFlags, plan kafkasec.Plan) error {
	n := supported(plan)
	if f.yes || n == 0 {
		return nil
	}
	question := fmt.Sprintf("Make %s on cluster %s", count(n, "change"), plan.Cluster)
	switch n, full := deletedTopics(plan); {
	case n == 0:
	case full == 0:
		question += fmt.Sprintf(", deleting %s", count(n, "empty topic"))
	case full == n:
		question += fmt.Sprintf(", deleting %s with all records", count(n, "topic"))
	default:
		question += fmt.Sprintf(", deleting %s, %d of them with all records", count(n, "topic"), full)
	}
	question += "?"
	yes, err := cli.Confirm(ctx, a.stdin, a.stderr, question)
	if err != nil {
		return fmt.Errorf("apply: %w; nothing was written", err)
	}
	if yes {
		return nil
	}
	fmt.Fprintln(a.stderr, "nothing was written")
	if a.format == cli.JSON {
		report := holdfast.Report{Report: "kafkasec"}
		for _, c := range plan.Changes {
			report.Outcomes = append(report.Outcomes, holdfast.Result{Action: c.Action, Kind: c.Kind, Name: c.Name,
				Outcome: holdfast.NotAttempted, Reason: reasonDeclined})
		}
		if err := a.writeReport(report); err != nil {
			return err
		}
	}
	return cli.ErrPending
}

// supported counts the changes that Apply can make; it skips the others.
func supported(plan kafkasec.Plan) int {
	n := 0
	for _, c := range plan.Changes {
		if c.Kind != kafkasec.KindTopicReplication {
			n++
		}
	}
	return n
}

// deletedTopics counts the topics that go, and those not known to be empty.
func deletedTopics(plan kafkasec.Plan) (n, full int) {
	for _, c := range plan.Changes {
		if c.Kind == kafkasec.KindTopic && c.Action == holdfast.ActionDelete {
			n++
			if before, _ := c.Before.(kafkasec.TopicData); before.Records != kafkasec.RecordsNone {
				full++
			}
		}
	}
	return n, full
}

// writeReport tells what became of the changes on standard error where nobody
// reads standard output, because they are made all the same.
func (a *app) writeReport(report holdfast.Report) error {
	var err error
	if a.format == cli.JSON {
		a.written = true
		err = cli.WriteJSON(a.stdout, report)
	} else {
		_, err = io.WriteString(a.stdout, reportText(report, cli.StyleFor(a.stdout)))
	}
	if err != nil {
		_, _ = io.WriteString(a.stderr, reportText(report, cli.StyleFor(a.stderr))) // err tells
		return fmt.Errorf("apply: the report is not on standard output but on standard error: %w", err)
	}
	return nil
}

// verdict turns what Apply returned into the error to exit with. The report has
// told the fate of each change, so of those only the first is repeated.
func verdict(report holdfast.Report, applyErr error) error {
	var errs []error
	bad := 0
	var first error
	for _, res := range report.Outcomes {
		pending := res.Outcome == holdfast.Skipped || res.Outcome == holdfast.NotAttempted && res.Reason == holdfast.ReasonUnread
		if res.Err == nil || pending {
			continue
		}
		if bad++; first == nil {
			first = fmt.Errorf("%s %s %s: %w", res.Action, res.Kind, res.Name, res.Err)
		}
	}
	if first != nil {
		errs = append(errs, fmt.Errorf("apply: %d of %s not made, the first: %s", bad, count(len(report.Outcomes), "change"), cli.OneLine(first.Error())))
	}
	for _, err := range beyond(applyErr, report) {
		errs = append(errs, fmt.Errorf("apply: %w", dial.Explain(err)))
	}
	switch {
	case len(errs) > 0:
		return errors.Join(errs...)
	case !report.Converged():
		return cli.ErrPending
	}
	return nil
}

// beyond returns the parts of Apply's error that are not the error of one
// change: that the plan was refused, the cluster not read, or the result not
// seen in time.
func beyond(err error, report holdfast.Report) []error {
	var rest []error
	from := 0 // both are in plan order
	for _, part := range cli.Parts(errors.Unwrap(err)) {
		n := slices.IndexFunc(report.Outcomes[from:], func(res holdfast.Result) bool {
			return res.Err != nil && errors.Is(part, res.Err)
		})
		if n < 0 {
			rest = append(rest, part)
			continue
		}
		from += n + 1
	}
	return rest
}
