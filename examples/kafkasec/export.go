package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

func (a *app) exportCommand() *cobra.Command {
	var opts kafkasec.ExportOptions
	var scopeFile string
	var scoped []string
	cmd := &cobra.Command{
		Use:                   "export (--all | --scope-file FILE | --topic-prefix PREFIX ...) --brokers HOST:PORT,... [--command-config FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Write a spec of what is on a cluster",
		Long: `Write a spec of the topics, ACLs, SCRAM users and quotas of a cluster, or of a
scope of it, to standard output. Planning that spec on the same cluster gives
nothing to change. Passwords are on no broker, and so in no export. What is on the
cluster and not in the spec is listed on standard error, each with its reason.

What to export is one of three: everything (--all), what a spec or a topics_acl_users
file owns (--scope-file), or what the other flags name, which add up. ACLs are
exported with their resource or their principal; a SCRAM user, and the quotas of a
user, with the principal User:NAME.

Exit code: 0 done, 1 error, also where something could not be read.`,
		Example: `  kafkasec export --brokers localhost:9092 --command-config client.properties --all
  kafkasec export --brokers localhost:9092 --command-config client.properties --scope-file spec.yaml
  kafkasec export --brokers localhost:9092 --command-config client.properties --topic-prefix metric --principal User:user1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := oneExtent(cmd, scoped)
			if err == nil && scopeFile != "" {
				opts.Scope, err = a.readScope(scopeFile)
			}
			if err != nil {
				return err
			}
			return a.export(cmd.Context(), opts)
		},
	}
	a.clusterFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&opts.Everything, flagAll, false, "export everything that the client may see")
	f.Var(&fileValue{name: &scopeFile}, flagScopeFile, "export what a spec, or a variable file with topics_acl_users, owns: from `FILE`; - is standard input")
	scoped = scopeFlags(cmd, &opts.Scope)
	return cmd
}

type leftOutJSON struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Error  string `json:"error"`
}

type exportJSON struct {
	Export  string        `json:"export"`
	Version int           `json:"version"`
	Spec    string        `json:"spec"` // YAML
	LeftOut []leftOutJSON `json:"left_out"`
}

var errNotWhole = errors.New("export: not everything could be read; the spec on standard output lacks what is listed above")

func (a *app) export(ctx context.Context, opts kafkasec.ExportOptions) error {
	cfg, err := a.dialConfig(ctx)
	if err != nil {
		return err
	}
	r, err := a.connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer r.Client.Close()
	spec, left, err := r.Export(ctx, opts)
	if err != nil {
		return dial.Explain(err)
	}
	text, err := spec.YAML()
	if err != nil {
		return err
	}
	out := exportJSON{Export: "kafkasec", Version: 1, Spec: string(text), LeftOut: []leftOutJSON{}}
	whole := true
	for _, l := range left {
		j := leftOutJSON{Kind: l.Kind, Name: l.Name, Reason: l.Reason}
		if l.Err != nil {
			whole = false
			j.Error = l.Err.Error()
		}
		out.LeftOut = append(out.LeftOut, j)
		fmt.Fprintln(a.stderr, cli.OneLine(l.String()))
	}
	if a.format == cli.JSON {
		a.written = true
		err = cli.WriteJSON(a.stdout, out)
	} else {
		_, err = io.WriteString(a.stdout, out.Spec)
	}
	if err == nil && !whole {
		err = errNotWhole
	}
	return err
}
