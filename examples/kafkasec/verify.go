package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// verifyFlags are those that only verify has.
type verifyFlags struct {
	as              string // client properties
	principal, host string
	pattern         patternValue
}

func (a *app) verifyCommand() *cobra.Command {
	var q question
	var f verifyFlags
	cmd := &cobra.Command{
		Use:                   "verify --as FILE [RESOURCE...] (-f FILE | --command-config FILE) [--brokers HOST:PORT,...] [--principal PRINCIPAL] [--host H]",
		DisableFlagsInUseLine: true,
		Short:                 "Compare what brokers give a client with what the ACLs say",
		Long: `Log in with a client's own properties, ask the brokers what that client may do
with each resource, and compare it with the ACLs: those of the cluster, read with
the login of --command-config, or with -f those that the file declares present. The
resources are those that these ACLs and the file name, or those that are given;
of a prefix it is the resource named as the prefix. Nothing is written.

Brokers do not tell a client who it is to them. Without --principal it is the user
name in its properties; without --host it is the address of its own end of the
connection, which a proxy or NAT in between makes another one.` + askHelp + `

Exit code: 0 all that could be compared agrees, 2 something differs or nothing
could be compared, 1 error.`,
		Example: `  kafkasec verify --as client.properties -f spec.yaml --super-user User:admin --brokers localhost:9092
  kafkasec verify --as client.properties topic:metricbeat --command-config client.properties --super-user User:admin --brokers localhost:9092`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.verify(cmd, q, f, args) },
	}
	a.askFlags(cmd, &q)
	patternFlag(cmd, &f.pattern)
	cmd.Flags().Var(&fileValue{name: &f.as}, "as", "Java client properties of the client to verify, from `FILE`")
	cmd.Flags().StringVar(&f.principal, "principal", "", "who the brokers take the client for, as `TYPE:NAME`; default: User: and the user name in --as")
	cmd.Flags().StringVar(&f.host, "host", "", "the client's IP `ADDRESS`, as the brokers see it; default: its own end of the connection")
	return cmd
}

// verified is the client to verify: how it connects, who and where it is.
type verified struct {
	cfg       dial.Config
	principal string
	// from says how the principal was found.
	from string
	host netip.Addr
}

func (a *app) verify(cmd *cobra.Command, q question, f verifyFlags, args []string) error {
	if err := requireFlag(cmd, "as"); err != nil {
		return err
	}
	c, err := a.verifiedClient(cmd, f)
	asked, argsErr := parseResources(args, f.pattern)
	if err := errors.Join(err, argsErr); err != nil {
		return err
	}
	auth, declared, err := a.expectation(cmd, q)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		asked = declared
	}
	answers, err := a.askAs(cmd.Context(), &c, asked)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "as %s (%s), from %s\n", cli.OneLine(c.principal), c.from, c.host)
	findings := auth.Verify(c.principal, c.host, answers)
	if findings == nil {
		findings = []holdfast.Finding{}
	}
	if err := a.write(findings, verifyText(findings, cli.StyleFor(a.stdout))...); err != nil {
		return err
	}
	return verifyVerdict(findings)
}

// verifiedClient reads and judges what is given of the client, before anything
// is connected.
func (a *app) verifiedClient(cmd *cobra.Command, f verifyFlags) (verified, error) {
	cfg, err := a.propertiesConfig(cmd.Context(), "--as", f.as)
	if err != nil {
		return verified{}, err
	}
	c := verified{cfg: cfg, principal: f.principal, from: "--principal"}
	var errs []error
	if cmd.Flags().Changed("principal") {
		errs = append(errs, checkPrincipal(f.principal))
	} else {
		c.from = "by the user name in " + f.as
		if c.principal, err = cfg.Principal(); err != nil {
			errs = append(errs, fmt.Errorf("--as %s: %w, with --principal", f.as, err))
		}
	}
	if cmd.Flags().Changed("host") {
		if c.host, err = netip.ParseAddr(f.host); err != nil {
			errs = append(errs, fmt.Errorf("--host %q: want the IP address that the brokers see", f.host))
		}
	}
	return c, errors.Join(errs...)
}

// expectation gives the algebra over the bindings to go by, and what they are about.
func (a *app) expectation(cmd *cobra.Command, q question) (*kafkasec.Authorizer, []kafkasec.Resource, error) {
	opts, err := q.options()
	if err != nil {
		return nil, nil, err
	}
	if cmd.Flags().Changed("filename") {
		if cmd.Flags().Changed("command-config") {
			return nil, nil, errors.New("verify: -f and --command-config are both given: allowed is one, because ACLs are read from the file or with that login")
		}
		doc, err := a.readSpec()
		if err != nil {
			return nil, nil, err
		}
		bindings, err := doc.spec.Bindings()
		if err != nil {
			return nil, nil, err
		}
		resources, err := doc.spec.Resources()
		return kafkasec.NewAuthorizer(bindings, opts), resources, err
	}
	if !cmd.Flags().Changed("command-config") {
		return nil, nil, errors.New("verify: no ACLs to compare with: -f FILE is needed, or --command-config FILE with a login that may read those of the cluster")
	}
	bindings, err := a.live(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	return kafkasec.NewAuthorizer(bindings, opts), kafkasec.Resources(bindings), nil
}

// askAs logs in as the client, and asks. Where nobody said the client's host, it
// is what the operating system says of the client's end.
func (a *app) askAs(ctx context.Context, c *verified, resources []kafkasec.Resource) ([]kafkasec.AuthorizedOperations, error) {
	var mu sync.Mutex
	var local netip.Addr
	c.cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			if ap, ok := conn.LocalAddr().(*net.TCPAddr); ok {
				mu.Lock()
				local = ap.AddrPort().Addr().Unmap()
				mu.Unlock()
			}
		}
		return conn, err
	}
	r, err := a.connect(ctx, c.cfg)
	if err != nil {
		return nil, fmt.Errorf("--as: %w", err)
	}
	defer r.Client.Close()
	answers, err := r.AuthorizedOperations(ctx, resources)
	if err != nil {
		return nil, dial.Explain(err)
	}
	if !c.host.IsValid() {
		mu.Lock()
		defer mu.Unlock()
		c.host = local
	}
	return answers, nil
}

func parseResources(texts []string, pattern patternValue) ([]kafkasec.Resource, error) {
	var resources []kafkasec.Resource
	var errs []error
	for _, text := range texts {
		res, err := parseOneResource(text, pattern)
		resources, errs = append(resources, res), append(errs, err)
	}
	return resources, errors.Join(errs...)
}

// verifyWords are what the statuses mean here.
var verifyWords = map[holdfast.Status]string{
	holdfast.Pass: "agreed", holdfast.Fail: "differs", holdfast.Unknown: "unknown", holdfast.NotApplicable: "not comparable", holdfast.Error: "error",
}

func verifyText(findings []holdfast.Finding, style cli.Style) []string {
	paint := map[holdfast.Status]func(string) string{
		holdfast.Pass: style.Good, holdfast.Fail: style.Bad, holdfast.Unknown: style.Dim, holdfast.NotApplicable: style.Dim, holdfast.Error: style.Warn,
	}
	rows := make([][]string, len(findings))
	n := map[holdfast.Status]int{}
	for i, f := range findings {
		n[f.Status]++
		rows[i] = []string{verifyWords[f.Status], cli.OneLine(f.Subject), cli.OneLine(f.Message)}
	}
	lines := cli.Align(rows)
	for i, f := range findings {
		word := verifyWords[f.Status]
		lines[i] = paint[f.Status](word) + lines[i][len(word):]
	}
	return append(lines, style.Bold(fmt.Sprintf("%s: %d agreed, %d differ, %d unknown, %d not comparable, %d errors", count(len(findings), "resource"),
		n[holdfast.Pass], n[holdfast.Fail], n[holdfast.Unknown], n[holdfast.NotApplicable], n[holdfast.Error])))
}

func verifyVerdict(findings []holdfast.Finding) error {
	n := map[holdfast.Status]int{}
	for _, f := range findings {
		n[f.Status]++
	}
	switch {
	case n[holdfast.Error] > 0:
		return fmt.Errorf("verify: %s without an answer", count(n[holdfast.Error], "resource"))
	case n[holdfast.Fail] > 0 || n[holdfast.Pass] == 0:
		return cli.ErrNo
	}
	return nil
}
