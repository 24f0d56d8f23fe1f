package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
)

func (a *app) lintCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:                   "lint " + askUsage,
		DisableFlagsInUseLine: true,
		Short:                 "Find ACLs that do not do what they seem to",
		Long: `Find ACLs that are redundant, shadowed by a deny, contradictory or without effect,
and those that lock everybody else out. Nothing is written. What only spells out
what another ACL implies, as Describe beside Read, is listed as info.` + askHelp + `

Exit code: 0 nothing found but what is spelled out, 2 findings, 1 error.`,
		Example: `  kafkasec lint --brokers localhost:9092 --command-config client.properties --super-user User:admin
  kafkasec lint -f variables.yml --conflicts grant
  kafkasec lint -f spec.yaml -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			auth, err := a.authorizer(cmd, q)
			if err != nil {
				return err
			}
			findings := auth.Lint()
			if findings == nil {
				findings = []holdfast.Finding{} // in JSON a list, too
			}
			if err := a.write(findings, findingsText(findings, cli.StyleFor(a.stdout))...); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == holdfast.Fail {
					return cli.ErrNo
				}
			}
			return nil
		},
	}
	a.askFlags(cmd, &q)
	return cmd
}

// findingsText is a line per finding and one that counts them.
func findingsText(findings []holdfast.Finding, style cli.Style) []string {
	if len(findings) == 0 {
		return []string{style.Good("no findings")}
	}
	rows := make([][]string, len(findings))
	for i, f := range findings {
		text := f.Subject + ": " + f.Message
		if f.Fix != "" {
			text += "; fix: " + f.Fix
		}
		rows[i] = []string{string(f.Severity), f.Control, cli.OneLine(text)}
	}
	lines := cli.Align(rows)
	for i, f := range findings {
		severity, paint := string(f.Severity), style.Warn
		if f.Severity.Rank() >= holdfast.High.Rank() {
			paint = style.Bad
		}
		lines[i] = paint(severity) + strings.TrimPrefix(lines[i], severity)
	}
	return append(lines, style.Bold(findingsSummary(findings)))
}

// findingsSummary counts by severity, the worst first: "3 findings: 1 high, 2 low".
func findingsSummary(findings []holdfast.Finding) string {
	var parts []string
	for _, severity := range []holdfast.Severity{holdfast.Critical, holdfast.High, holdfast.Medium, holdfast.Low, holdfast.Info} {
		n := 0
		for _, f := range findings {
			if f.Severity == severity {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	return count(len(findings), "finding") + ": " + strings.Join(parts, ", ")
}
