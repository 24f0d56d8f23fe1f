package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

func (a *app) scanCommand() *cobra.Command {
	var file, format string
	s := tlsprobe.Scanner{}
	cmd := &cobra.Command{
		Use:   "scan -f FILE",
		Short: "Look at many endpoints, one per line of a file",
		Long: `Look at many endpoints, one per line of a file or of standard input (-f -), and
write a line for each as it is done, as JSON or as CSV. Empty lines and lines that
begin with # are passed over.

An interrupted scan says how many targets from the first on are done; --skip
leaves them out the next time.`,
		Example: `  tlsprobe scan -f targets.txt > results.jsonl
  tlsprobe scan -f - --csv --concurrency 500 --cert-only < targets.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: scan takes its targets as -f FILE", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return errors.New("scan: no targets given: -f FILE is needed, - for standard input")
			}
			if s.Concurrency < 0 || s.Skip < 0 || s.PerNetwork < 0 {
				return errors.New("scan: --concurrency, --per-network and --skip: allowed is 0 and more")
			}
			p, err := a.probe.prober()
			if err != nil {
				return err
			}
			in, err := a.open(file)
			if err != nil {
				return err
			}
			defer in.Close() // it was only read
			s.Prober = p
			return a.scan(cmd.Context(), &s, file, in, format == "csv")
		},
	}
	a.probe.add(cmd)
	cmd.Flags().StringVarP(&file, "file", "f", "", "targets, one per line of `FILE`; - is standard input")
	cmd.Flags().StringVarP(&format, "output", "o", "json", "json: a line of each; csv: a row of each")
	cmd.Flags().IntVar(&s.Concurrency, "concurrency", 64, "how many probes at once")
	cmd.Flags().IntVar(&s.PerNetwork, "per-network", 0, "how many probes a second may begin in one /24 or /48; 0 is no limit")
	cmd.Flags().IntVar(&s.Skip, "skip", 0, "how many targets to leave out, those that are done")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if format != "json" && format != "csv" {
			return fmt.Errorf(`-o %q: allowed are json and csv`, format)
		}
		return nil
	}
	return cmd
}

func (a *app) open(file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(a.stdin), nil
	}
	return os.Open(file)
}

func (a *app) scan(ctx context.Context, s *tlsprobe.Scanner, name string, in io.Reader, asCSV bool) error {
	lines := &lines{name: name, in: in, flags: &a.probe}
	progress := cli.NewProgress(a.stderr)
	defer progress.Done()
	done, failed := s.Skip, 0
	s.OnDone = func(n int) { done = n }
	out := bufio.NewWriter(a.stdout)
	write := a.jsonLines(out)
	if asCSV {
		write = csvRows(out)
	}
	step := 0
	for target, r := range s.Scan(ctx, lines.targets()) {
		bad := fails(a.probe.policy().Check(r))
		if bad {
			failed++
		}
		if err := write(r); err != nil {
			return err
		}
		step++
		// A pipe gets a line now and then, a terminal all.
		if cli.IsTerminal(a.stderr) || step%1000 == 0 {
			progress.Event(holdfast.Event{What: "probe", Where: target.String(), Step: step})
		}
	}
	progress.Done()
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "%d probed, %d not good\n", step, failed)
	if ctx.Err() != nil {
		return fmt.Errorf("scan: interrupted; --skip %d leaves out what is done", done)
	}
	if err := errors.Join(lines.errs...); err != nil {
		return err
	}
	if failed > 0 {
		return cli.ErrNo
	}
	return nil
}

func (a *app) jsonLines(w io.Writer) func(tlsprobe.Result) error {
	enc := json.NewEncoder(w)
	return func(r tlsprobe.Result) error { return enc.Encode(r) }
}

func csvRows(w io.Writer) func(tlsprobe.Result) error {
	out := csv.NewWriter(w)
	head := false
	return func(r tlsprobe.Result) error {
		if !head {
			head = true
			if err := out.Write([]string{"target", "address", "version", "reasons", "client_certificate", "subject", "issuer", "not_before", "not_after", "sha256"}); err != nil {
				return err
			}
		}
		var codes []string
		for _, reason := range r.Reasons {
			codes = append(codes, string(reason.Code))
		}
		row := []string{r.Target.String(), "", "", strings.Join(codes, " "), string(r.ClientCertificate), "", "", "", "", ""}
		if r.Address.IsValid() {
			row[1] = r.Address.String()
		}
		if r.Version != 0 {
			row[2] = tls.VersionName(r.Version)
		}
		if len(r.Certificates) > 0 {
			c := r.Certificates[0]
			row[5], row[6], row[9] = c.Subject, c.Issuer, c.SHA256
			if !c.NotAfter.IsZero() {
				row[7], row[8] = c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339)
			}
		}
		if err := out.Write(row); err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	}
}

// lines are the targets of a file, read as they are wanted.
type lines struct {
	name  string
	in    io.Reader
	flags *probeFlags
	errs  []error
}

func (l *lines) targets() iter.Seq[tlsprobe.Target] {
	return func(yield func(tlsprobe.Target) bool) {
		scanner := bufio.NewScanner(l.in)
		for n := 1; scanner.Scan(); n++ {
			text := strings.TrimSpace(scanner.Text())
			if text == "" || strings.HasPrefix(text, "#") {
				continue
			}
			target, err := l.flags.target(text)
			if err != nil {
				l.errs = append(l.errs, fmt.Errorf("%s:%d: %w", l.name, n, err))
				continue
			}
			if !yield(target) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			l.errs = append(l.errs, fmt.Errorf("%s: %w", l.name, err))
		}
	}
}
