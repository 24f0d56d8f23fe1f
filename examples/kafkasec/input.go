package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/playbook"
)

// specFlags are -f and what says how to read a playbook's variable file there.
func (a *app) specFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.VarP(&fileValue{name: &a.spec}, "filename", "f", "the spec, or a variable file with topics_acl_users, from `FILE`; - is standard input")
	flags.Var((*resolutionValue)(&a.translate.Conflicts), "conflicts",
		"what counts where a topics_acl_users file grants and removes the same: grant drops the remove lines, revoke makes what they name absent")
	flags.BoolVar(&a.translate.LeastPrivilege, "least-privilege", false,
		"give the producers and consumers of a topics_acl_users file only what they need, not all that kafka-acls --producer and --consumer give")
}

// document is what -f was.
type document struct {
	name string // for messages
	spec kafkasec.Spec
	// variables: it was translated, so nobody has seen the spec.
	variables bool
}

// readSpec reads what -f names, and lists what was not translated.
func (a *app) readSpec() (document, error) {
	name, data, err := cli.ReadInput(a.spec, a.stdin)
	doc := document{name: name}
	if err != nil {
		return doc, fmt.Errorf("read spec: %w", err)
	}
	if doc.variables = playbook.Recognize(data); !doc.variables {
		if a.translate != (playbook.Options{}) {
			return doc, a.withVariablesOnly(name + " is none")
		}
		doc.spec, err = kafkasec.ParseSpec(name, data)
		return doc, err
	}
	result, err := playbook.Read(name, data, a.translate)
	if err != nil {
		return doc, conflictError(err)
	}
	a.listUntranslated(name, result)
	doc.spec = result.Spec
	return doc, nil
}

// listUntranslated says what of a variable file is not in its spec.
func (a *app) listUntranslated(name string, result playbook.Result) {
	for _, u := range result.Untranslated {
		text := ""
		if u.Text != "" {
			text = fmt.Sprintf(" %q", u.Text)
		}
		fmt.Fprintf(a.stderr, "%s:%d: not translated: %s\n", name, u.Line, cli.OneLine(u.Path+text+": "+u.Reason))
	}
}

// withVariablesOnly refuses the flags of [app.specFlags] where they would be
// without effect.
func (a *app) withVariablesOnly(why string) error {
	flag := "--least-privilege"
	if a.translate.Conflicts != "" {
		flag = "--conflicts"
	}
	return fmt.Errorf("%s is for files with topics_acl_users, and %s", flag, why)
}

// conflictError gives each conflict as a problem at its line, and says which
// flag decides.
func conflictError(err error) error {
	var conflicts *playbook.ConflictError
	if !errors.As(err, &conflicts) {
		return err
	}
	var problems holdfast.Problems
	errors.As(err, &problems)
	all := append(holdfast.Problems{}, problems...)
	for _, c := range conflicts.Conflicts {
		all = append(all, holdfast.Problem{Source: conflicts.Source, Line: c.Removed.Line, Message: c.String()})
	}
	return errors.Join(all, fmt.Errorf("the file contradicts itself: choose --conflicts %s, which drops these remove lines, or --conflicts %s, "+
		"which makes what they name absent, as the playbook does in the end", playbook.Grant, playbook.Revoke))
}

// located gives problems that only the cluster shows a place in the document. Of
// a spec they have it already.
func (d document) located(err error) error {
	var problems holdfast.Problems
	if !d.variables || !errors.As(err, &problems) {
		return err
	}
	located := make(holdfast.Problems, len(problems))
	for i, p := range problems {
		located[i] = holdfast.Problem{Source: d.name, Path: "topics_acl_users", Message: d.subject(p.Path) + p.Message}
		var n int
		var field string
		if _, err := fmt.Sscanf(p.Path, "topics[%d].%s", &n, &field); err == nil {
			switch field {
			case "partitions":
				located[i].Path = "kafka_partition_count"
			case "replication_factor":
				located[i].Path = "kafka_replication_count"
			}
		}
	}
	return located
}

// subject says what of the spec a path leads to.
func (d document) subject(path string) string {
	var n int
	if _, err := fmt.Sscanf(path, "topics[%d]", &n); err == nil && n < len(d.spec.Topics) {
		return fmt.Sprintf("topic %q: ", d.spec.Topics[n].Name)
	}
	if _, err := fmt.Sscanf(path, "acls[%d]", &n); err == nil && n < len(d.spec.ACLs) {
		return fmt.Sprintf("%s on %s: ", d.spec.ACLs[n].Principal, d.spec.ACLs[n].Resource)
	}
	return ""
}

// resolutionValue is the value of --conflicts.
type resolutionValue playbook.Resolution

func (v *resolutionValue) String() string { return string(*v) }

func (v *resolutionValue) Set(text string) error {
	switch r := playbook.Resolution(text); r {
	case playbook.Grant, playbook.Revoke:
		*v = resolutionValue(r)
		return nil
	}
	return fmt.Errorf("allowed are %s and %s", playbook.Grant, playbook.Revoke)
}

func (*resolutionValue) Type() string { return "grant|revoke" }
