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
	cmd := &cobra.Command{
		Use:                   "export (--all | --topic-prefix PREFIX ...) --brokers HOST:PORT,... [--command-config FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Write a spec of what is on a cluster",
		Long: `Write a spec of the topics and ACLs of a cluster, or of a scope of it, to standard
output. Planning that spec on the same cluster gives nothing to change. What is on
the cluster and not in the spec is listed on standard error, each with its reason.

Exit code: 0 done, 1 error, also where something could not be read.`,
		Example: `  kafkasec export --brokers localhost:9092 --command-config client.properties --all
  kafkasec export --brokers localhost:9092 --command-config client.properties --topic-prefix metric --principal User:user1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.export(cmd.Context(), opts) },
	}
	a.clusterFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&opts.Everything, "all", false, "export everything that the client may see")
	for _, names := range []struct {
		list             *[]string
		flag, what, meta string
	}{
		{&opts.Scope.Topics, "topic", "the topic", "NAME"},
		{&opts.Scope.TopicPrefixes, "topic-prefix", "topics whose names begin with", "PREFIX"},
		{&opts.Scope.Groups, "group", "ACLs on the group", "NAME"},
		{&opts.Scope.GroupPrefixes, "group-prefix", "ACLs on groups whose names begin with", "PREFIX"},
		{&opts.Scope.TransactionalIDs, "transactional-id", "ACLs on the transactional id", "NAME"},
		{&opts.Scope.TransactionalIDPrefixes, "transactional-id-prefix", "ACLs on transactional ids that begin with", "PREFIX"},
		{&opts.Scope.Principals, "principal", "ACLs of the principal", "TYPE:NAME"},
	} {
		// Not split at commas, which principals of certificates are full of.
		f.StringArrayVar(names.list, names.flag, nil, fmt.Sprintf("export %s `%s`; may be repeated", names.what, names.meta))
	}
	f.BoolVar(&opts.Scope.Cluster, "cluster", false, "export ACLs on the cluster resource")
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
