package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

// planText is the plan in columns, a line per change, in the order in which the
// changes are made. Each line begins with its mark, also in a pipe.
func planText(p kafkasec.Plan, style cli.Style) string {
	var b strings.Builder
	paint := map[byte]func(string) string{'+': style.Good, '~': style.Warn, '-': style.Bad, '!': style.Warn, '?': style.Warn}
	write := func(rows [][]string) {
		for _, line := range cli.Align(rows) {
			b.WriteString(paint[line[0]](line[:1]) + line[1:] + "\n")
		}
	}
	// Topics and bindings have different columns, so each run is aligned by itself.
	for changes := p.Changes; len(changes) > 0; {
		acls := changes[0].Kind == kafkasec.KindACL
		n := slices.IndexFunc(changes, func(c kafkasec.Change) bool { return (c.Kind == kafkasec.KindACL) != acls })
		if n < 0 {
			n = len(changes)
		}
		rows := make([][]string, n)
		for i, c := range changes[:n] {
			rows[i] = changeRow(c)
		}
		write(rows)
		changes = changes[n:]
	}
	for _, u := range p.Unread {
		write([][]string{{"? " + u.Kind, u.Name, "could not be read: " + cli.OneLine(u.Err.Error())}})
	}
	if p.Empty() {
		b.WriteString(style.Good(p.Summary()) + "\n")
	} else {
		b.WriteString(style.Bold(p.Summary()) + "\n")
	}
	return b.String()
}

func changeRow(c kafkasec.Change) []string {
	line := c.String()
	row := []string{line[:1] + " " + c.Kind}
	binding, ok := c.After.(kafkasec.Binding)
	if !ok {
		binding, ok = c.Before.(kafkasec.Binding)
	}
	if ok {
		row = append(row, string(binding.Permission), binding.Principal, string(binding.Operation), "on "+binding.Resource.String(), "from "+binding.Host)
		if prefix := c.Name + ": "; strings.Contains(line, prefix) { // why it goes
			_, detail, _ := strings.Cut(line, prefix)
			row = append(row, detail)
		}
		return row
	}
	_, detail, _ := strings.Cut(line, c.Kind+" "+c.Name+": ")
	return append(row, c.Name, detail)
}

// reportText lists what was done first and what needs attention last, where it
// stands right above the prompt.
func reportText(r holdfast.Report, style cli.Style) string {
	paint := map[holdfast.Outcome]func(string) string{
		holdfast.Applied: style.Good, holdfast.Unchanged: style.Dim, holdfast.Skipped: style.Warn,
		holdfast.NotAttempted: style.Warn, holdfast.Failed: style.Bad,
	}
	order := []holdfast.Outcome{holdfast.Applied, holdfast.Unchanged, holdfast.Skipped, holdfast.NotAttempted, holdfast.Failed}
	width := 0
	for _, res := range r.Outcomes {
		width = max(width, len(res.Outcome))
	}
	var b strings.Builder
	for _, outcome := range order {
		for _, res := range r.Outcomes {
			if res.Outcome != outcome {
				continue
			}
			fmt.Fprintf(&b, "%s%s %s %s %s", paint[outcome](string(outcome)), strings.Repeat(" ", width-len(outcome)), res.Action, res.Kind, res.Name)
			if res.Reason != "" {
				fmt.Fprintf(&b, " (%s)", res.Reason)
			}
			if res.Err != nil {
				b.WriteString(": " + cli.OneLine(res.Err.Error()))
			}
			b.WriteByte('\n')
		}
	}
	summary := style.Bold
	switch {
	case r.Count(holdfast.Failed) > 0:
		summary = style.Bad
	case r.Converged():
		summary = style.Good
	}
	b.WriteString(summary(r.Summary()) + "\n")
	return b.String()
}
