package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

func (a *app) whoCommand() *cobra.Command {
	var q question
	var pattern patternValue
	cmd := &cobra.Command{
		Use:                   "who OPERATION RESOURCE " + askUsage,
		DisableFlagsInUseLine: true,
		Short:                 "List who may do something",
		Long: `List who may do an operation on a resource, as the brokers would answer, from
where, and by which ACLs. The resource is written as in specs, topic:NAME. User:*
stands for everybody but those that are named beside it.` + askHelp,
		Example: `  kafkasec who Write topic:metricbeat --brokers localhost:9092 --command-config client.properties
  kafkasec who Read group:metricbeatCon1 -f spec.yaml --super-user User:admin`,
		Args: takes("Read topic:orders", "OPERATION", "RESOURCE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			op, res, err := parseSubject(args[0], args[1], pattern)
			if err != nil {
				return err
			}
			auth, err := a.authorizer(cmd, q)
			if err != nil {
				return err
			}
			who := auth.Who(op, res)
			if len(who) == 0 {
				return a.write([]kafkasec.Access{}, cli.OneLine("nobody may "+string(op)+" "+res.String()))
			}
			return a.write(who, whoText(who)...)
		},
	}
	a.askFlags(cmd, &q)
	patternFlag(cmd, &pattern)
	return cmd
}

func whoText(who []kafkasec.Access) []string {
	rows := make([][]string, len(who))
	for i, c := range who {
		rows[i] = []string{
			cli.OneLine(except(c.Principal, c.ExceptPrincipals)), cli.OneLine("from " + except(c.Host, c.ExceptHosts)), cli.OneLine(accessReason(c)),
		}
	}
	return cli.Align(rows)
}

func except(name string, others []string) string {
	if len(others) > 0 {
		name += " except " + strings.Join(others, ", ")
	}
	return name
}

func accessReason(c kafkasec.Access) string {
	bindings := make([]string, len(c.Bindings))
	for i, b := range c.Bindings {
		bindings[i] = b.String()
	}
	text := strings.Join(bindings, "; ")
	switch c.Rule {
	case kafkasec.RuleSuperUser:
		return "it is a super user"
	case kafkasec.RuleNoACLAllow:
		return "no ACL covers it, and allow.everyone.if.no.acl.found is true"
	case kafkasec.RuleImplied:
		return "implied by " + text
	}
	return text
}
