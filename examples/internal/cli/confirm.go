package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoTerminal says that there is nobody to ask.
var ErrNoTerminal = errors.New("standard input is not a terminal, so nobody can be asked; pass --yes to go on without")

// Confirm asks a question on stderr and reports whether the answer is y or yes.
// Anything else, also the end of input, is no. Where stdin is not a terminal it
// returns [ErrNoTerminal]; where the context ends first, its cause.
func Confirm(ctx context.Context, stdin io.Reader, stderr io.Writer, question string) (bool, error) {
	if !IsTerminal(stdin) {
		return false, ErrNoTerminal
	}
	// With stderr in a file the question would be asked of nobody. The terminal
	// that the answer comes from is normally open both ways.
	w := stderr
	if rw, ok := stdin.(io.Writer); ok && !IsTerminal(stderr) {
		w = rw
	}
	if _, err := fmt.Fprintf(w, "%s [y/N] ", StyleFor(w).Bold(question)); err != nil {
		return false, ErrNoTerminal
	}
	answer := make(chan string, 1)
	go func() { // ends with the process at the latest: nothing can interrupt this read
		line, _ := bufio.NewReader(stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(w)
		return false, context.Cause(ctx)
	case line := <-answer:
		if !strings.HasSuffix(line, "\n") {
			fmt.Fprintln(w)
		}
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes", nil
	}
}
