package holdfast_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestFinding_JSON(t *testing.T) {
	findings := []holdfast.Finding{
		{
			Control: "kafka.plaintext-listener", Subject: "listener CLIENT", Status: holdfast.Fail, Severity: holdfast.High,
			Message: "the listener takes clients without TLS", Expected: "SASL_SSL", Actual: "SASL_PLAINTEXT",
			Refs: []holdfast.Control{{Framework: "cis-kafka", Version: "1.0.0", ID: "4.1"}},
			Fix:  "listener.security.protocol.map=CLIENT:SASL_SSL",
		},
		{Control: "c", Subject: "s", Status: holdfast.Pass, Severity: holdfast.Info, Message: "m"},
	}
	b, err := json.Marshal(findings)
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"control":"kafka.plaintext-listener","subject":"listener CLIENT","status":"fail","severity":"high",
		 "message":"the listener takes clients without TLS","expected":"SASL_SSL","actual":"SASL_PLAINTEXT",
		 "refs":[{"framework":"cis-kafka","version":"1.0.0","id":"4.1"}],
		 "fix":"listener.security.protocol.map=CLIENT:SASL_SSL"},
		{"control":"c","subject":"s","status":"pass","severity":"info","message":"m"}
	]`, string(b))

	var back []holdfast.Finding
	require.NoError(t, json.Unmarshal(b, &back))
	require.Empty(t, cmp.Diff(findings, back))
}

// Saved findings outlive a release, so the words are a contract.
func TestWords(t *testing.T) {
	require.Equal(t, []holdfast.Status{"pass", "fail", "unknown", "not-applicable", "manual", "error"},
		[]holdfast.Status{holdfast.Pass, holdfast.Fail, holdfast.Unknown, holdfast.NotApplicable, holdfast.Manual, holdfast.Error})
	require.Equal(t, []holdfast.Action{"create", "update", "delete", "restart"},
		[]holdfast.Action{holdfast.ActionCreate, holdfast.ActionUpdate, holdfast.ActionDelete, holdfast.ActionRestart})
	require.Equal(t, []holdfast.Outcome{"applied", "unchanged", "skipped", "failed", "not-attempted"},
		[]holdfast.Outcome{holdfast.Applied, holdfast.Unchanged, holdfast.Skipped, holdfast.Failed, holdfast.NotAttempted})
	require.Equal(t, []holdfast.Reason{"already-done", "already-gone", "protected", "unsupported", "unread", "canceled", "expired", "unknown-result"},
		[]holdfast.Reason{
			holdfast.ReasonAlreadyDone, holdfast.ReasonAlreadyGone, holdfast.ReasonProtected, holdfast.ReasonUnsupported,
			holdfast.ReasonUnread, holdfast.ReasonCanceled, holdfast.ReasonExpired, holdfast.ReasonUnknownResult,
		})
}

func TestSeverity_Rank(t *testing.T) {
	ordered := []holdfast.Severity{"info", "low", "medium", "high", "critical"}
	for i, s := range ordered {
		require.Equal(t, i, s.Rank())
	}
	require.True(t, slices.IsSortedFunc(ordered, func(a, b holdfast.Severity) int { return a.Rank() - b.Rank() }))
	require.Equal(t, -1, holdfast.Severity("").Rank())
	require.Equal(t, -1, holdfast.Severity("High").Rank(), "words are lower case")
}
