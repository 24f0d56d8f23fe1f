package certstore

import (
	"encoding/json"
	"time"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// MarshalJSON writes a Found in the words of a probe's result: codes in "reasons",
// their sentences in "explanations", times in RFC 3339, and no field for what is
// not there.
func (f Found) MarshalJSON() ([]byte, error) {
	out := foundJSON{
		Path: f.Path, Format: f.Format, Alias: f.Alias, Role: f.Role, Purpose: f.Purpose, Integrity: f.Integrity,
		Reasons: []tlsprobe.Code{}, Explanations: f.Reasons, Notes: f.Notes, Certificates: f.Certificates,
	}
	for _, reason := range f.Reasons {
		out.Reasons = append(out.Reasons, reason.Code)
	}
	if !f.RenewsFrom.IsZero() {
		out.RenewsFrom = f.RenewsFrom.UTC().Format(time.RFC3339)
	}
	if f.Err != nil {
		out.Error = f.Err.Error()
	}
	return json.Marshal(out)
}

type foundJSON struct {
	Path         string            `json:"path"`
	Format       Format            `json:"format,omitempty"`
	Alias        string            `json:"alias,omitempty"`
	Role         Role              `json:"role,omitempty"`
	Purpose      string            `json:"purpose,omitempty"`
	Integrity    Integrity         `json:"integrity,omitempty"`
	Reasons      []tlsprobe.Code   `json:"reasons"`
	Explanations []tlsprobe.Reason `json:"explanations,omitempty"`
	Certificates tlsprobe.Chain    `json:"certificates"`
	RenewsFrom   string            `json:"renews_from,omitempty"`
	Notes        []string          `json:"notes,omitempty"`
	Error        string            `json:"error,omitempty"`
}
