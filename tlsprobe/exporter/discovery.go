package exporter

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// TargetGroup is an element of Prometheus' http_sd answer: targets with the
// labels that they have in common, such as "__param_module".
type TargetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// Discovery answers http_sd_configs with what list returns. An error is a 500, at
// which Prometheus keeps what it has; so is a label that Prometheus would refuse
// with the whole answer.
func Discovery(list func(ctx context.Context) ([]TargetGroup, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method "+r.Method+" is not allowed; allowed are GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		groups, err := list(r.Context())
		if err == nil {
			err = checkGroups(groups)
		}
		if err != nil {
			http.Error(w, "list targets: "+err.Error(), http.StatusInternalServerError)
			return
		}
		out := make([]TargetGroup, len(groups)) // [] and not null: no targets is an answer
		for i, g := range groups {
			out[i] = TargetGroup{append([]string{}, g.Targets...), g.Labels}
		}
		data, err := json.Marshal(out)
		if err != nil {
			http.Error(w, "list targets: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data) // the client is gone or not
	})
}

func checkGroups(groups []TargetGroup) error {
	for i, g := range groups {
		for name := range g.Labels {
			if !labelName.MatchString(name) {
				return fmt.Errorf("group %d: %q cannot name a label", i, name)
			}
		}
	}
	return nil
}
