package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/tlsprobe"
	"github.com/holdfast-sec/holdfast/tlsprobe/certstore"
)

func (a *app) filesCommand() *cobra.Command {
	var passwords, globs []string
	cmd := &cobra.Command{
		Use:   "files PATH...",
		Short: "Look at the certificates in files and below directories",
		Long: `Look at the certificates in files and below directories: PEM, DER, PKCS#7, JKS,
JCEKS, PKCS#12, kubeconfigs, and Secrets, ConfigMaps and caBundles in manifests.
What is there is listed with its end and what is the matter, or as a line of JSON
each with -o json. Private keys are not opened.`,
		Example: `  tlsprobe files /etc/ssl/certs
  tlsprobe files /var/lib/rancher/k3s /etc/rancher/k3s/k3s.yaml
  tlsprobe files --password file:keystore.pw --glob '**/*.jks' /etc/kafka -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("files: no path given: allowed are files and directories, one or more")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := certstore.Options{Globs: globs}
			if err := opts.Validate(); err != nil {
				return fmt.Errorf("--glob: %w", err)
			}
			secrets, err := resolve(cmd.Context(), passwords)
			if err != nil {
				return err
			}
			opts.Passwords = func(string) []holdfast.Secret { return secrets }
			return a.files(cmd.Context(), args, opts)
		},
	}
	cmd.Flags().StringArrayVar(&passwords, "password", nil, "try the password behind this `REFERENCE` on keystores: env:NAME, file:PATH or directory:DIR:NAME; may be repeated")
	cmd.Flags().StringArrayVar(&globs, "glob", nil, "below directories only files of this `PATTERN`, ** for any number of directories; may be repeated")
	cmd.Flags().VarP(&a.format, "output", "o", "text: a few lines of each; json: a line of each")
	return cmd
}

// resolve answers references to passwords, which keep the passwords themselves off
// the command line, where other users see them. What is no reference may be one,
// and is not echoed.
func resolve(ctx context.Context, refs []string) ([]holdfast.Secret, error) {
	var secrets []holdfast.Secret
	var errs []error
	for i, ref := range refs {
		secret, err := holdfast.Secret{}, error(nil)
		switch provider, _, ok := strings.Cut(ref, ":"); {
		case ok && slices.Contains([]string{"env", "file", "dir", "directory"}, provider):
			secret, err = cli.ResolveSecret(ctx, ref)
		default:
			err = errors.New("it is no reference; allowed are env:NAME, file:PATH and directory:DIR:NAME")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--password, the %d. one: %w", i+1, err))
			continue
		}
		secrets = append(secrets, secret)
	}
	return secrets, errors.Join(errs...)
}

func (a *app) files(ctx context.Context, paths []string, opts certstore.Options) error {
	roots := make([]root, len(paths))
	errs := make([]error, len(paths))
	for i, p := range paths {
		roots[i], errs[i] = rootOf(p, opts)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	entries, certificates, failed := 0, 0, 0
	for _, root := range roots {
		for f := range certstore.Read(ctx, os.DirFS(root.dir), root.opts) {
			findings := f.Check(tlsprobe.Policy{})
			entries++
			certificates += len(f.Certificates)
			if fails(findings) {
				failed++
			}
			var err error
			if a.format == cli.JSON {
				err = json.NewEncoder(a.stdout).Encode(f)
			} else {
				err = a.entry(f, findings)
			}
			if err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return errors.New("files: interrupted")
		}
	}
	fmt.Fprintf(a.stderr, "%d entries with %d certificates, %d not good\n", entries, certificates, failed)
	if failed > 0 {
		return cli.ErrNo
	}
	return nil
}

// root is where one argument is read.
type root struct {
	dir  string
	opts certstore.Options
}

// rootOf makes a directory its own root, and a file a glob in its directory.
func rootOf(p string, opts certstore.Options) (root, error) {
	info, err := os.Stat(p)
	if err != nil {
		return root{}, err
	}
	if info.IsDir() {
		opts.Base = filepath.ToSlash(p)
		return root{p, opts}, nil
	}
	dir, name := filepath.Split(p)
	quoted := strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(name)
	opts.Base, opts.Globs = filepath.ToSlash(dir), []string{quoted}
	return root{filepath.Clean(dir), opts}, nil
}

// entry writes a few lines of what was found: the verdict, what is the matter, and
// a line of each certificate.
func (a *app) entry(f certstore.Found, findings []holdfast.Finding) error {
	var b strings.Builder
	style := cli.StyleFor(a.stdout)
	verdict := style.Good("good")
	switch {
	case fails(findings):
		verdict = style.Bad("not good")
	case len(f.Certificates) == 0:
		verdict = style.Dim("nothing to judge")
	}
	name := f.Path
	if f.Alias != "" {
		name += "  " + f.Alias
	}
	var about []string
	for _, word := range []string{string(f.Format), string(f.Role), string(f.Integrity), f.Purpose} {
		if word != "" {
			about = append(about, word)
		}
	}
	fmt.Fprintf(&b, "%s  %s  %s\n", style.Bold(cli.OneLine(name)), strings.Join(about, ", "), verdict)
	a.failures(&b, findings)
	for _, note := range f.Notes {
		fmt.Fprintf(&b, "  %s %s\n", style.Dim("·"), style.Dim(cli.OneLine(note)))
	}
	var rows [][]string
	for _, c := range f.Certificates {
		row := []string{"", "", cli.OneLine(c.Subject)}
		if !c.NotAfter.IsZero() {
			row[0], row[1] = c.NotAfter.Format(time.DateOnly), "expired"
			if left := c.NotAfter.Sub(f.At); left > 0 {
				row[1] = tlsprobe.Span(left) + " left"
			}
		}
		rows = append(rows, row)
	}
	for _, row := range cli.Align(rows) {
		b.WriteString(strings.TrimRight("  "+row, " ") + "\n")
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}
