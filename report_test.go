package holdfast_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

var errRefused = errors.New("not authorized")

func exampleReport() holdfast.Report {
	return holdfast.Report{Report: "kafkasec", Outcomes: []holdfast.Result{
		{Action: holdfast.ActionCreate, Kind: "topic", Name: "audit", Outcome: holdfast.Applied},
		{Action: holdfast.ActionCreate, Kind: "topic", Name: "logs", Outcome: holdfast.Unchanged, Reason: holdfast.ReasonAlreadyDone},
		{Action: holdfast.ActionUpdate, Kind: "topic", Name: "_schemas", Outcome: holdfast.Skipped, Reason: holdfast.ReasonProtected},
		{Action: holdfast.ActionDelete, Kind: "acl", Name: "User:old", Outcome: holdfast.Failed, Err: errRefused},
		{Action: holdfast.ActionCreate, Kind: "acl", Name: "User:a", Outcome: holdfast.Failed, Reason: holdfast.ReasonUnknownResult},
		{Action: holdfast.ActionCreate, Kind: "acl", Name: "User:b", Outcome: holdfast.Failed},
		{Action: holdfast.ActionCreate, Kind: "acl", Name: "User:c", Outcome: holdfast.NotAttempted, Reason: holdfast.ReasonCanceled, Err: errors.New("context canceled")},
		{Action: holdfast.ActionRestart, Kind: "broker", Name: "2", Outcome: holdfast.NotAttempted, Reason: holdfast.ReasonExpired},
	}}
}

// The shape is a contract: people pipe it.
const exampleReportJSON = `{"report":"kafkasec","outcomes":[
	{"action":"create","kind":"topic","name":"audit","outcome":"applied"},
	{"action":"create","kind":"topic","name":"logs","outcome":"unchanged","reason":"already-done"},
	{"action":"update","kind":"topic","name":"_schemas","outcome":"skipped","reason":"protected"},
	{"action":"delete","kind":"acl","name":"User:old","outcome":"failed","error":"not authorized"},
	{"action":"create","kind":"acl","name":"User:a","outcome":"failed","reason":"unknown-result"},
	{"action":"create","kind":"acl","name":"User:b","outcome":"failed"},
	{"action":"create","kind":"acl","name":"User:c","outcome":"not-attempted","reason":"canceled","error":"context canceled"},
	{"action":"restart","kind":"broker","name":"2","outcome":"not-attempted","reason":"expired"}
]}`

func TestReport_JSON(t *testing.T) {
	b, err := json.Marshal(exampleReport())
	require.NoError(t, err)
	require.JSONEq(t, exampleReportJSON, string(b))

	var back holdfast.Report
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, exampleReport().String(), back.String(), "nothing that a reader sees is lost")
	again, err := json.Marshal(back)
	require.NoError(t, err)
	require.Equal(t, string(b), string(again))

	for i, res := range back.Outcomes {
		require.Equal(t, exampleReport().Outcomes[i].Err == nil, res.Err == nil)
	}
	require.Error(t, json.Unmarshal([]byte(`{"outcomes":[{"action":1}]}`), &back))
}

func TestReport_JSONOverwritesWhatWasThere(t *testing.T) {
	res := holdfast.Result{Outcome: holdfast.Failed, Err: errRefused}
	require.NoError(t, json.Unmarshal([]byte(`{"action":"create","kind":"topic","name":"a","outcome":"applied"}`), &res))
	require.Equal(t, holdfast.Result{Action: holdfast.ActionCreate, Kind: "topic", Name: "a", Outcome: holdfast.Applied}, res)
}

func TestReport_ErrKeepsPlanOrderAndCauses(t *testing.T) {
	err := exampleReport().Err()
	require.EqualError(t, err, `delete acl "User:old": not authorized
create acl "User:a": unknown-result
create acl "User:b": failed
create acl "User:c": context canceled`)
	require.ErrorIs(t, err, errRefused)

	require.NoError(t, holdfast.Report{}.Err())
	require.NoError(t, holdfast.Report{Outcomes: []holdfast.Result{
		{Outcome: holdfast.Applied}, {Outcome: holdfast.Unchanged}, {Outcome: holdfast.Skipped}, {Outcome: holdfast.NotAttempted},
	}}.Err())
}

func TestReport_Counts(t *testing.T) {
	r := exampleReport()
	for outcome, n := range map[holdfast.Outcome]int{
		holdfast.Applied: 1, holdfast.Unchanged: 1, holdfast.Skipped: 1, holdfast.Failed: 3, holdfast.NotAttempted: 2, "": 0,
	} {
		require.Equal(t, n, r.Count(outcome), outcome)
	}
	require.Equal(t, "1 applied, 1 unchanged, 1 skipped, 3 failed, 2 not-attempted", r.Summary())
	require.Equal(t, "nothing to do", holdfast.Report{}.Summary())
}

func TestReport_ConvergedOnlyWhenEverythingHolds(t *testing.T) {
	for _, tt := range []struct {
		outcomes []holdfast.Outcome
		want     bool
	}{
		{nil, true},
		{[]holdfast.Outcome{holdfast.Applied}, true},
		{[]holdfast.Outcome{holdfast.Applied, holdfast.Unchanged}, true},
		{[]holdfast.Outcome{holdfast.Applied, holdfast.Skipped}, false},
		{[]holdfast.Outcome{holdfast.Applied, holdfast.Failed}, false},
		{[]holdfast.Outcome{holdfast.NotAttempted}, false},
		{[]holdfast.Outcome{""}, false},
	} {
		var r holdfast.Report
		for _, o := range tt.outcomes {
			r.Outcomes = append(r.Outcomes, holdfast.Result{Outcome: o})
		}
		require.Equal(t, tt.want, r.Converged(), "%v", tt.outcomes)
	}
}

func TestReport_String(t *testing.T) {
	require.Equal(t, `applied: create topic audit
unchanged: create topic logs (already-done)
skipped: update topic _schemas (protected)
failed: delete acl User:old: not authorized
failed: create acl User:a (unknown-result)
failed: create acl User:b
not-attempted: create acl User:c (canceled): context canceled
not-attempted: restart broker 2 (expired)
1 applied, 1 unchanged, 1 skipped, 3 failed, 2 not-attempted
`, exampleReport().String())
	require.Equal(t, "nothing to do\n", holdfast.Report{}.String())
}
