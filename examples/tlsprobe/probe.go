package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

func (a *app) probeCommand() *cobra.Command {
	var asPEM bool
	cmd := &cobra.Command{
		Use:   "probe [UPGRADE://]HOST[:PORT]...",
		Short: "Look at endpoints and show a page of each",
		Long: `Look at endpoints and show a page of each, or a line of JSON with -o json. A
target without a port means 443, or the port of its upgrade.`,
		Example: `  tlsprobe probe example.org
  tlsprobe probe kafka.example.org:9093 --ca ca.pem --cert client.pem --key client.key
  tlsprobe probe postgres://db.example.org mail.example.org:25 --starttls auto -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("probe: no target given: allowed is HOST, HOST:PORT, [IPv6]:PORT or UPGRADE://HOST:PORT, one or more")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			targets, errs := make([]tlsprobe.Target, len(args)), make([]error, len(args))
			for i, arg := range args {
				targets[i], errs[i] = a.probe.target(arg)
			}
			if err := errors.Join(errs...); err != nil {
				return err
			}
			p, err := a.probe.prober()
			if err != nil {
				return err
			}
			failed := false
			for i, target := range targets {
				r := p.Probe(cmd.Context(), target)
				findings := a.probe.policy().Check(r)
				failed = failed || fails(findings)
				switch {
				case asPEM:
					err = a.writePEM(r)
				case a.format == cli.JSON:
					err = json.NewEncoder(a.stdout).Encode(r)
				default:
					if i > 0 {
						fmt.Fprintln(a.stdout)
					}
					err = a.page(r, findings)
				}
				if err != nil {
					return err
				}
			}
			if failed {
				return cli.ErrNo
			}
			return nil
		},
	}
	a.probe.add(cmd)
	cmd.Flags().VarP(&a.format, "output", "o", "text: a page of each; json: a line of each")
	cmd.Flags().BoolVar(&asPEM, "pem", false, "print the certificates as PEM, in the order they came")
	return cmd
}

// fails is whether a policy is not held: something failed, or could not be seen.
func fails(findings []holdfast.Finding) bool {
	return slices.ContainsFunc(findings, func(f holdfast.Finding) bool {
		return f.Status == holdfast.Fail || f.Status == holdfast.Unknown || f.Status == holdfast.Error
	})
}

func (a *app) writePEM(r tlsprobe.Result) error {
	for i, c := range r.Certificates {
		if _, err := fmt.Fprintf(a.stdout, "# %s certificate %d: %s\n", r.Target, i, cli.OneLine(c.Subject)); err != nil {
			return err
		}
		if err := pem.Encode(a.stdout, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			return err
		}
	}
	for _, reason := range r.Reasons {
		if len(r.Certificates) == 0 {
			fmt.Fprintf(a.stderr, "%s: %s: %s\n", r.Target, reason.Code, cli.OneLine(reason.Message))
		}
	}
	return nil
}
