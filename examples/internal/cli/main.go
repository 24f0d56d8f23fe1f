package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/holdfast-sec/holdfast"
)

// ErrPending is what a program returns, alone or wrapped, when all went well and
// changes are left to make. It is not printed: the output has shown them.
var ErrPending = errors.New("changes are pending")

// ErrNo is what a program returns, alone or wrapped, when all went well and the
// answer to its question is no, or it has findings. It is not printed either.
var ErrNo = errors.New("the answer is no")

// Run is a program without its process.
type Run func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error

// Main runs a program with the process's arguments and streams and returns its
// exit code. SIGINT and SIGTERM end the context, so that the program can still
// report what became of its work; a second one ends the process at once. That
// nobody reads its output any more is an error of the write: Ctrl-C ends the tee
// of a pipeline as well, and SIGPIPE would end the program in mid-work, with
// nobody told how far it came.
func Main(name string, run Run) int {
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrPending), errors.Is(err, ErrNo):
		return 2
	}
	printError(os.Stderr, name, err)
	return 1
}

// printError writes a line per problem. One that knows its place in a file
// begins with it, as compilers do, so that editors and terminals can jump there;
// all others begin with the name of the program.
func printError(w io.Writer, name string, err error) {
	style := StyleFor(w)
	for _, p := range Problems(err) {
		line := OneLine(p.Error())
		if p.Source == "" {
			line = name + ": " + line
		}
		fmt.Fprintln(w, style.Bad(line))
	}
}

// Problems gives any error as a list: the problems that it holds, and for what
// holds none a problem per line of its text.
func Problems(err error) holdfast.Problems {
	var all holdfast.Problems
	for _, part := range Parts(err) {
		var ps holdfast.Problems
		var p holdfast.Problem
		switch {
		case errors.As(part, &ps):
			all = append(all, ps...)
		case errors.As(part, &p):
			all = append(all, p)
		default:
			for line := range strings.Lines(part.Error()) {
				if line = strings.TrimSpace(line); line != "" {
					all = append(all, holdfast.Problem{Message: line})
				}
			}
		}
	}
	return all
}

// Parts takes apart what errors.Join made, and nothing else: an error that wraps
// several others may have a text of its own.
func Parts(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	if ps, ok := err.(holdfast.Problems); ok {
		return []error{ps}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, Parts(e)...)
	}
	return all
}

// OneLine makes text that may come from a file or the network fit for one line
// of a terminal: line breaks become "; ", control characters disappear.
func OneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
