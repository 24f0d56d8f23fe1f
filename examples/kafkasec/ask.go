package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// question is what can, who and lint share: of which bindings they ask, and the
// settings of brokers that change the answer, which brokers do not tell.
type question struct {
	opts       kafkasec.AuthorizerOptions
	superUsers []string // of the flag, each as in super.users
}

const askUsage = "(-f FILE | --brokers HOST:PORT,... [--command-config FILE]) [--super-user PRINCIPAL] [--allow-everyone-if-no-acl]"

// askHelp ends the help of each of the verbs.
const askHelp = `

The ACLs are those of a live cluster or, with -f, those that the file declares
present, as if there were no others. Brokers tell nobody their super.users and
allow.everyone.if.no.acl.found, so --super-user and --allow-everyone-if-no-acl
have to, where they are set.`

func (a *app) askFlags(cmd *cobra.Command, q *question) {
	a.specFlags(cmd)
	a.clusterFlags(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&q.superUsers, "super-user", nil, "a `PRINCIPAL` of the brokers' super.users, or several with ; between them; can be given again")
	flags.BoolVar(&q.opts.AllowEveryone, "allow-everyone-if-no-acl", false, "answer for brokers with allow.everyone.if.no.acl.found=true")
	flags.Var((*engineValue)(&q.opts.Engine), "engine", "whose answer: of the StandardAuthorizer of Kafka 4.4 (standard), 4.0 to 4.3 (standard-4.0) or 3 (standard-3.0), or of AclAuthorizer (acl-authorizer)")
}

// options are the settings that the flags give.
func (q question) options() (kafkasec.AuthorizerOptions, error) {
	var errs []error
	for _, value := range q.superUsers {
		users, err := kafkasec.ParseSuperUsers(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("--super-user: %w", err))
		}
		q.opts.SuperUsers = append(q.opts.SuperUsers, users...)
	}
	return q.opts, errors.Join(errs...)
}

// authorizer reads all input before it connects.
func (a *app) authorizer(cmd *cobra.Command, q question) (*kafkasec.Authorizer, error) {
	opts, optsErr := q.options()
	given := cmd.Flags().Changed
	live := given("brokers") || given("command-config")
	var bindings []kafkasec.Binding
	var err error
	switch {
	case given("filename") && live:
		err = fmt.Errorf("%s: -f and a cluster are both given: allowed is one, -f or --brokers and --command-config", cmd.Name())
	case given("filename"):
		bindings, err = a.declared()
	case !live:
		err = fmt.Errorf("%s: no input given: -f FILE is needed, or --brokers HOST:PORT or --command-config FILE for a live cluster", cmd.Name())
	case given("conflicts") || given("least-privilege"):
		err = a.withVariablesOnly("a live cluster is none")
	case optsErr == nil:
		bindings, err = a.live(cmd.Context())
	}
	if err := errors.Join(optsErr, err); err != nil {
		return nil, err
	}
	return kafkasec.NewAuthorizer(bindings, opts), nil
}

// declared are the bindings that a file wants present.
func (a *app) declared() ([]kafkasec.Binding, error) {
	doc, err := a.readSpec()
	if err != nil {
		return nil, err
	}
	return doc.spec.Bindings()
}

func (a *app) live(ctx context.Context) ([]kafkasec.Binding, error) {
	cfg, err := a.dialConfig(ctx)
	if err != nil {
		return nil, err
	}
	r, err := a.connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer r.Client.Close()
	bindings, err := r.Bindings(ctx)
	var e *dial.Error
	if errors.As(dial.Explain(err), &e) && e.Cause != dial.CauseUnauthorized { // of which err says what is missing
		err = e
	}
	return bindings, err
}

// patternFlag is for resources whose names end in *, as pattern is in specs.
func patternFlag(cmd *cobra.Command, literal *patternValue) {
	cmd.Flags().Var(literal, "pattern", "literal where the name of the resource itself ends in *, as in specs")
}

// patternValue is the value of --pattern.
type patternValue kafkasec.Pattern

func (v *patternValue) String() string { return string(*v) }

func (v *patternValue) Set(text string) error {
	if kafkasec.Pattern(text) != kafkasec.Literal {
		return fmt.Errorf("allowed is %s, because a question is about one resource", kafkasec.Literal)
	}
	*v = patternValue(text)
	return nil
}

func (*patternValue) Type() string { return "literal" }

// parseSubject reads OPERATION and RESOURCE of a question.
func parseSubject(operation, resource string, pattern patternValue) (kafkasec.Operation, kafkasec.Resource, error) {
	op, opErr := kafkasec.ParseOperation(operation)
	res, resErr := parseOneResource(resource, pattern)
	return op, res, errors.Join(opErr, resErr)
}

// parseOneResource reads a resource as specs write it. A question is about one:
// what may be done with every one of a prefix depends on which.
func parseOneResource(text string, pattern patternValue) (kafkasec.Resource, error) {
	res, err := kafkasec.ParseResource(text, kafkasec.Pattern(pattern))
	if err == nil && pattern == "" && (res.Pattern != kafkasec.Literal || res.Name == "*") {
		err = fmt.Errorf("resource %q names many: allowed is one, without a trailing * or, where its name ends in one, with --pattern literal", text)
	}
	return res, err
}

func checkPrincipal(principal string) error {
	if typ, name, found := strings.Cut(principal, ":"); !found || typ == "" || name == "" {
		return fmt.Errorf("principal %q: want TYPE:NAME, such as User:alice", principal)
	}
	return nil
}

// takes words wrong arguments as the other errors are worded.
func takes(example string, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return fmt.Errorf("%s takes %s, such as %q; found %s", cmd.Name(), strings.Join(names, " "), example, count(len(args), "argument"))
	}
}

// engineValue is the value of --engine.
type engineValue kafkasec.Engine

func (v *engineValue) String() string {
	if *v == "" {
		return string(kafkasec.Standard)
	}
	return string(*v)
}

func (v *engineValue) Set(text string) error {
	switch e := kafkasec.Engine(text); e {
	case kafkasec.Standard, kafkasec.Standard40, kafkasec.Standard30, kafkasec.ZooKeeper:
		*v = engineValue(e)
		return nil
	}
	return fmt.Errorf("allowed are %s, %s, %s and %s", kafkasec.Standard, kafkasec.Standard40, kafkasec.Standard30, kafkasec.ZooKeeper)
}

func (*engineValue) Type() string { return "ENGINE" }

// write gives JSON, or the lines of text.
func (a *app) write(json any, lines ...string) error {
	if a.format == cli.JSON {
		a.written = true
		return cli.WriteJSON(a.stdout, json)
	}
	_, err := fmt.Fprintln(a.stdout, strings.Join(lines, "\n"))
	return err
}
