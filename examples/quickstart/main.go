package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
)

func main() { os.Exit(cli.Main("quickstart", run)) }

func run(ctx context.Context, args []string, _ io.Reader, stdout, _ io.Writer) error {
	switch {
	case len(args) == 0:
	case args[0] == "-h" || args[0] == "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	case args[0] == "--version":
		_, err := fmt.Fprintln(stdout, "quickstart version "+cli.Version())
		return err
	default:
		return fmt.Errorf("found the argument %q: it takes none, and tells all of its chapters", args[0])
	}
	return tour(ctx, &stage{
		out:       stdout,
		style:     cli.StyleFor(stdout),
		listen:    net.Listen,
		newSecret: func() holdfast.Secret { return holdfast.NewSecret(rand.Text()) },
	})
}

const usage = `Show what Holdfast does, on servers that run inside this process. There are no
arguments and no flags, and nothing outside of the process is touched.

  go run ./examples/quickstart
`

// chapter shows one package. When tell returns, whatever it started has ended.
type chapter struct {
	title string
	tell  func(context.Context, *stage) error
}

// chapters are in the order in which they are told.
func chapters() []chapter {
	return []chapter{
		{"Kafka: topics and ACLs as a file declares them", tellKafkasec},
	}
}

func tour(ctx context.Context, s *stage) error {
	s.title("Holdfast quickstart")
	s.say(`Everything here runs inside this one process: the servers are embedded, listen on
127.0.0.1 and end with it. What the text says is checked while it is said; if something does not
hold, the program stops there with an error.`)
	for i, c := range chapters() {
		s.chapter(i+1, c.title)
		err := c.tell(ctx, s)
		if err == nil {
			err = s.err // of writing, which the chapters leave to the stage
		}
		if cause := context.Cause(ctx); cause != nil {
			return fmt.Errorf("stopped in chapter %d, and all its servers with it: %w", i+1, cause)
		}
		if err != nil {
			return fmt.Errorf("chapter %d: %w", i+1, err)
		}
	}
	s.readOn()
	return s.err
}

// readOn says where to go from here. A test looks whether it is all there.
func (s *stage) readOn() {
	s.step("Where to read on")
	s.table([][]string{
		{"docs/kafkasec.md", "the guide to chapter 1: specs, scope, saved plans, errors"},
		{"go doc ./kafkasec", "its package; ./kafkasec/dial connects, ./kafkasec/jaas reads logins"},
		{"examples/kafkasec", "the same from the command line: validate, plan, apply, can, who, lint"},
		{"docs/architecture.md", "where everything lives"},
	}, s.style.Bold)
	s.say("To compare a cluster of your own with the spec of chapter 1, writing nothing:")
	s.file(`go run ./examples/kafkasec plan --brokers HOST:PORT --command-config client.properties \
  -f examples/quickstart/kafkasec.yaml
`, "#")
}

// errNotSo is what all failed checks are, so that they read alike.
var errNotSo = errors.New("what the text says does not hold")

func notSo(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errNotSo}, args...)...)
}
