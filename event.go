package holdfast

import "fmt"

// Event is one piece of progress. A package that works for longer than a
// moment calls its OnEvent field with one, from one goroutine at a time, and
// waits for the call to return, so the callback must be quick.
type Event struct {
	// What is being done, as a verb phrase: "create topics".
	What string `json:"what"`
	// Where it is done: a host, a broker, a resource. May be empty.
	Where string `json:"where,omitempty"`
	// Step counts finished steps, 1 to Of. Both are 0 where the number of
	// steps is not known.
	Step int `json:"step,omitempty"`
	Of   int `json:"of,omitempty"`
	// Outcome is empty while the step runs.
	Outcome Outcome `json:"outcome,omitempty"`
	// Err says why Outcome is Failed. It never holds a secret.
	Err error `json:"-"`
}

// String gives the event as one line: "create topics 500/5000: applied".
func (e Event) String() string {
	s := e.What
	if e.Where != "" {
		s += " " + e.Where
	}
	if e.Of > 0 {
		s += fmt.Sprintf(" %d/%d", e.Step, e.Of)
	}
	if e.Outcome != "" {
		s += ": " + string(e.Outcome)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}
