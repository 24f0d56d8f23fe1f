package holdfast

// Control refers to one control of a published framework, such as
// {"cis-kubernetes", "1.11.1", "1.2.3"}.
type Control struct {
	Framework string `json:"framework"`
	Version   string `json:"version"`
	ID        string `json:"id"`
}

// Status is the verdict of one check.
type Status string

const (
	// Pass: there is evidence that the expectation holds.
	Pass Status = "pass"
	// Fail: there is evidence that it does not.
	Fail Status = "fail"
	// Unknown: there is no evidence either way. Never counts as Pass.
	Unknown Status = "unknown"
	// NotApplicable: the check has no subject here; the message says why.
	NotApplicable Status = "not-applicable"
	// Manual: a person has to decide.
	Manual Status = "manual"
	// Error: the check itself failed.
	Error Status = "error"
)

// Severity ranks findings.
type Severity string

// The severities, from least to most.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Rank orders severities, 0 (info) to 4 (critical); -1 for an unknown word.
func (s Severity) Rank() int {
	switch s {
	case Info:
		return 0
	case Low:
		return 1
	case Medium:
		return 2
	case High:
		return 3
	case Critical:
		return 4
	}
	return -1
}

// Finding is the result of looking at something without changing it: an audit,
// a lint, a probe.
type Finding struct {
	// Control is the id of the check within its package: "kafka.plaintext-listener".
	Control string `json:"control"`
	// Subject is what was looked at: a file, a listener, a role.
	Subject  string   `json:"subject"`
	Status   Status   `json:"status"`
	Severity Severity `json:"severity"`
	// Message says what was found, in a sentence.
	Message string `json:"message"`
	// Expected and Actual are short values where the check compares two.
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	// Refs are the published controls that this check stands for.
	Refs []Control `json:"refs,omitempty"`
	// Fix says what to do, as a line to add or a command's effect.
	Fix string `json:"fix,omitempty"`
}
