package holdfast

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Result is what became of one change: the change's own action, kind and name,
// and its outcome.
type Result struct {
	Action  Action
	Kind    string
	Name    string
	Outcome Outcome
	// Reason refines Outcome; may be empty.
	Reason Reason
	// Err is set where Outcome is Failed, and may be set where it is
	// NotAttempted. It never holds a secret.
	Err error
}

// Error text as JSON, because an error value has no JSON form of its own.
type resultJSON struct {
	Action  Action  `json:"action"`
	Kind    string  `json:"kind"`
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// MarshalJSON writes the error as its text.
func (r Result) MarshalJSON() ([]byte, error) {
	j := resultJSON{Action: r.Action, Kind: r.Kind, Name: r.Name, Outcome: r.Outcome, Reason: r.Reason}
	if r.Err != nil {
		j.Error = r.Err.Error()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote; the error comes back as text only.
func (r *Result) UnmarshalJSON(data []byte) error {
	var j resultJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*r = Result{Action: j.Action, Kind: j.Kind, Name: j.Name, Outcome: j.Outcome, Reason: j.Reason}
	if j.Error != "" {
		r.Err = errors.New(j.Error)
	}
	return nil
}

// String gives the result as one line.
func (r Result) String() string {
	s := fmt.Sprintf("%s: %s %s %s", r.Outcome, r.Action, r.Kind, r.Name)
	if r.Reason != "" {
		s += " (" + string(r.Reason) + ")"
	}
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// Report is what Apply returns: one [Result] per planned change, in plan order,
// also when Apply was interrupted.
type Report struct {
	// Report names the package that made it: "kafkasec".
	Report string `json:"report"`
	// Outcomes is never nil in what an Apply returns, so that its JSON is always
	// a list: people pipe it into programs that iterate.
	Outcomes []Result `json:"outcomes"`
}

// Count returns how many changes had the outcome.
func (r Report) Count(o Outcome) int {
	n := 0
	for _, res := range r.Outcomes {
		if res.Outcome == o {
			n++
		}
	}
	return n
}

// Err joins the errors of all results, in plan order; nil when none has one. A
// failed result without an error of its own still counts.
func (r Report) Err() error {
	var errs []error
	for _, res := range r.Outcomes {
		switch {
		case res.Err != nil:
			errs = append(errs, fmt.Errorf("%s %s %q: %w", res.Action, res.Kind, res.Name, res.Err))
		case res.Outcome == Failed:
			errs = append(errs, fmt.Errorf("%s %s %q: %s", res.Action, res.Kind, res.Name, cmp.Or(string(res.Reason), "failed")))
		}
	}
	return errors.Join(errs...)
}

// Converged reports whether the system now is as planned: every change applied
// or already in place.
func (r Report) Converged() bool {
	return r.Count(Applied)+r.Count(Unchanged) == len(r.Outcomes)
}

// Summary counts the outcomes in one line: "3 applied, 1 failed".
func (r Report) Summary() string {
	if len(r.Outcomes) == 0 {
		return "nothing to do"
	}
	var parts []string
	for _, o := range []Outcome{Applied, Unchanged, Skipped, Failed, NotAttempted} {
		if n := r.Count(o); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

// String lists the results, a line each, and the summary.
func (r Report) String() string {
	var b strings.Builder
	for _, res := range r.Outcomes {
		b.WriteString(res.String())
		b.WriteByte('\n')
	}
	b.WriteString(r.Summary())
	b.WriteByte('\n')
	return b.String()
}
