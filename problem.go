package holdfast

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with an input: a spec, a configuration
// file, a saved plan. Validation reports all of them at once, as [Problems].
type Problem struct {
	// Source names the input, usually a file. Empty for a value built in Go.
	Source string `json:"source,omitempty"`
	// Line and Column count from 1 and are 0 where the position is not known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path leads to the field, in the input's own names: "acls[2].operations[0]".
	Path string `json:"path,omitempty"`
	// Message says what was found and what is allowed.
	Message string `json:"message"`
}

// Error gives the problem as one line, "spec.yaml:12:5: topics[0].name: ...".
func (p Problem) Error() string {
	var b strings.Builder
	sep := func() {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
	}
	b.WriteString(p.Source)
	if p.Line > 0 {
		if p.Source == "" {
			b.WriteString("line ")
		} else {
			b.WriteByte(':')
		}
		b.WriteString(strconv.Itoa(p.Line))
		if p.Column > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(p.Column))
		}
	}
	if p.Path != "" {
		sep()
		b.WriteString(p.Path)
	}
	sep()
	b.WriteString(p.Message)
	return b.String()
}

// Problems is a list of problems as one error, a line each. The error that a
// validation returns holds it for errors.As.
type Problems []Problem

// Error joins the problems with newlines.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As reach each Problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Sort orders by source and position; problems without a position keep their
// order, behind those that have one.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if c := cmp.Compare(a.Source, b.Source); c != 0 {
			return c
		}
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Err returns the problems as an error, or nil where there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
