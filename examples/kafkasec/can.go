package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

func (a *app) canCommand() *cobra.Command {
	var q question
	var pattern patternValue
	var host string
	cmd := &cobra.Command{
		Use:                   "can PRINCIPAL OPERATION RESOURCE [--host H] " + askUsage,
		DisableFlagsInUseLine: true,
		Short:                 "Say whether somebody may do something, and what decides",
		Long: `Say whether a principal may do an operation on a resource, as the brokers would,
and which ACL or rule decides. The resource is written as in specs, topic:NAME.
Without --host the answer is for a client whose address no ACL names.` + askHelp + `

Exit code: 0 allowed, 2 not allowed, 1 error.`,
		Example: `  kafkasec can User:user1 Write topic:metricbeat --brokers localhost:9092 --command-config client.properties
  kafkasec can User:user1 Write topic:metricbeat -f spec.yaml --host 10.1.2.3
  kafkasec can User:admin Alter cluster -f spec.yaml --super-user User:admin -o json`,
		Args: takes("User:alice Read topic:orders", "PRINCIPAL", "OPERATION", "RESOURCE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			op, res, err := parseSubject(args[1], args[2], pattern)
			err = errors.Join(checkPrincipal(args[0]), err)
			var addr netip.Addr
			if cmd.Flags().Changed("host") {
				var hostErr error
				if addr, hostErr = netip.ParseAddr(host); hostErr != nil {
					err = errors.Join(err, fmt.Errorf("--host %q: want the IP address that the brokers see", host))
				}
			}
			if err != nil {
				return err
			}
			auth, err := a.authorizer(cmd, q)
			if err != nil {
				return err
			}
			return a.can(auth, kafkasec.Question{Principal: args[0], Host: addr, Operation: op, Resource: res})
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "the client's IP `ADDRESS`, as the brokers see it")
	a.askFlags(cmd, &q)
	patternFlag(cmd, &pattern)
	return cmd
}

func (a *app) can(auth *kafkasec.Authorizer, q kafkasec.Question) error {
	d := auth.Decide(q)
	if err := a.write(d, cli.OneLine(d.String())); err != nil {
		return err
	}
	if !q.Host.IsValid() {
		for _, note := range byHost(auth, d) {
			fmt.Fprintln(a.stderr, cli.OneLine(note))
		}
	}
	if !d.Allowed {
		return cli.ErrNo
	}
	return nil
}

// byHost says for which hosts the answer is another.
func byHost(auth *kafkasec.Authorizer, d kafkasec.Decision) []string {
	q := d.Question
	var notes []string
	for _, c := range auth.Who(q.Operation, q.Resource) {
		if c.Principal != q.Principal && (c.Principal != everyone || slices.Contains(c.ExceptPrincipals, q.Principal)) {
			continue
		}
		if !d.Allowed {
			notes = append(notes, "from "+c.Host+" it may: ask with --host")
		} else if len(c.ExceptHosts) > 0 {
			notes = append(notes, "from "+strings.Join(c.ExceptHosts, ", ")+" it may not: ask with --host")
		}
	}
	return notes
}

// everyone is the principal of ACLs for all of them.
const everyone = "User:*"
