package holdfast_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

func TestEvent(t *testing.T) {
	tests := []struct {
		name  string
		event holdfast.Event
		text  string
		json  string
	}{
		{"bare", holdfast.Event{What: "observe"}, "observe", `{"what":"observe"}`},
		{"where", holdfast.Event{What: "observe", Where: "broker 1"}, "observe broker 1", `{"what":"observe","where":"broker 1"}`},
		{
			"finished step",
			holdfast.Event{What: "create topics", Step: 500, Of: 5000, Outcome: holdfast.Applied},
			"create topics 500/5000: applied",
			`{"what":"create topics","step":500,"of":5000,"outcome":"applied"}`,
		},
		{"before the first step", holdfast.Event{What: "wait", Of: 3}, "wait 0/3", `{"what":"wait","of":3}`},
		{
			"failure",
			holdfast.Event{What: "restart", Where: "kafka2", Step: 2, Of: 3, Outcome: holdfast.Failed, Err: errRefused},
			"restart kafka2 2/3: failed: not authorized",
			`{"what":"restart","where":"kafka2","step":2,"of":3,"outcome":"failed"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.text, tt.event.String())
			b, err := json.Marshal(tt.event)
			require.NoError(t, err)
			require.JSONEq(t, tt.json, string(b))
		})
	}
}
