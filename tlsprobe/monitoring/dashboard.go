package monitoring

import (
	"encoding/json"
	"fmt"
)

// The part of Grafana's dashboard model that is used (schema version 39, Grafana
// 11).
type dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Tags          []string   `json:"tags"`
	SchemaVersion int        `json:"schemaVersion"`
	Refresh       string     `json:"refresh"`
	Time          timeRange  `json:"time"`
	Templating    templating `json:"templating"`
	Panels        []panel    `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type templating struct {
	List []variable `json:"list"`
}

type variable struct {
	Name       string      `json:"name"`
	Type       string      `json:"type"`
	Label      string      `json:"label,omitempty"`
	Query      string      `json:"query"`
	Datasource *datasource `json:"datasource,omitempty"`
	Multi      bool        `json:"multi,omitempty"`
	IncludeAll bool        `json:"includeAll,omitempty"`
	Refresh    int         `json:"refresh,omitempty"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int              `json:"id"`
	Type        string           `json:"type"`
	Title       string           `json:"title"`
	Description string           `json:"description,omitempty"`
	Grid        grid             `json:"gridPos"`
	Datasource  datasource       `json:"datasource"`
	Targets     []query          `json:"targets"`
	FieldConfig fieldConfig      `json:"fieldConfig"`
	Transform   []transformation `json:"transformations,omitempty"`
}

type grid struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type query struct {
	RefID   string `json:"refId"`
	Expr    string `json:"expr"`
	Legend  string `json:"legendFormat,omitempty"`
	Format  string `json:"format,omitempty"`
	Instant bool   `json:"instant,omitempty"`
}

type fieldConfig struct {
	Defaults  fieldDefaults `json:"defaults"`
	Overrides []any         `json:"overrides"`
}

type fieldDefaults struct {
	Unit       string      `json:"unit,omitempty"`
	Thresholds *thresholds `json:"thresholds,omitempty"`
}

type thresholds struct {
	Mode  string      `json:"mode"`
	Steps []threshold `json:"steps"`
}

type threshold struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

type transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}

// Dashboard returns a Grafana dashboard: what is wrong now, a table of
// certificates by the time they have left, and how that time and the probes went.
// It asks the series of tlsprobe; those of the published Blackbox dashboards are
// exported as well, so these work beside it.
func Dashboard(o Options) ([]byte, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("generate dashboard: %w", err)
	}
	source := datasource{"prometheus", "${datasource}"}
	in := fmt.Sprintf(`{job="%s",instance=~"$instance"}`, o.Job)
	d := dashboard{
		UID: "holdfast-" + o.Job, Title: "TLS endpoints and certificates", Tags: []string{"tls", "certificates"}, SchemaVersion: 39, Refresh: "1m",
		Time: timeRange{"now-24h", "now"},
		Templating: templating{[]variable{
			{Name: "datasource", Type: "datasource", Label: "Prometheus", Query: "prometheus"},
			{Name: "instance", Type: "query", Label: "Endpoint", Query: fmt.Sprintf(`label_values(tlsprobe_reasons{job="%s"}, instance)`, o.Job), Datasource: &source, Multi: true, IncludeAll: true, Refresh: 2},
		}},
	}
	add := func(kind, title, description, unit string, g grid, queries ...query) *panel {
		for i := range queries {
			queries[i].RefID = string(rune('A' + i))
		}
		d.Panels = append(d.Panels, panel{
			ID: len(d.Panels) + 1, Type: kind, Title: title, Description: description, Grid: g, Datasource: source, Targets: queries,
			FieldConfig: fieldConfig{Defaults: fieldDefaults{Unit: unit}, Overrides: []any{}},
		})
		return &d.Panels[len(d.Panels)-1]
	}
	now := func(expr string) query { return query{Expr: expr, Instant: true} }
	badFrom := func(p *panel, value float64) {
		p.FieldConfig.Defaults.Thresholds = &thresholds{"absolute", []threshold{{"green", nil}, {"red", &value}}}
	}
	add("stat", "Endpoints", "How many endpoints are probed", "short", grid{4, 6, 0, 0}, now("count(count by (instance) (tlsprobe_reasons"+in+"))"))
	badFrom(add("stat", "Not good", "Endpoints with at least one reason", "short", grid{4, 6, 6, 0}, now("count(max by (instance) (tlsprobe_reasons"+in+") > 0) or vector(0)")), 1)
	badFrom(add("stat", "Expired", "Certificates that are expired now", "short", grid{4, 6, 12, 0}, now("count("+left()+" <= 0) or vector(0)")), 1)
	add("stat", "Next expiry", "The least time that a valid certificate has left", "s", grid{4, 6, 18, 0}, now("min("+left()+" > 0)"))
	add("table", "What is the matter", "Reasons that hold now, by endpoint and prober", "short", grid{8, 12, 0, 4}, query{Expr: "tlsprobe_reason" + in, Format: "table", Instant: true}).Transform = []transformation{
		{"organize", map[string]any{"excludeByName": map[string]bool{"Time": true, "Value": true, "__name__": true, "job": true}}},
	}
	add("table", "Certificates", "Time left of each certificate that was seen", "s", grid{8, 12, 12, 4}, query{Expr: "sort(" + left() + ")", Format: "table", Instant: true}).Transform = []transformation{
		{"organize", map[string]any{"excludeByName": map[string]bool{"Time": true}, "renameByName": map[string]string{"Value": "left", "subject_cn": "subject"}}},
	}
	add("timeseries", "Expiry", "Time that the leaf certificates have left; a step up is a renewal", "s", grid{8, 24, 0, 12},
		query{Expr: `max by (instance) (tlsprobe_certificate_not_after_timestamp_seconds{position="0",instance=~"$instance"}) - time()`, Legend: "{{instance}}"})
	add("timeseries", "Probes", "The worst outcome of all probers: 1 good, 0 not", "short", grid{8, 12, 0, 20}, query{Expr: "min by (instance) (probe_success" + in + ")", Legend: "{{instance}}"})
	add("timeseries", "Phases", "How long the phases of a probe take on average", "s", grid{8, 12, 12, 20}, query{Expr: "avg by (phase) (tlsprobe_phase_duration_seconds" + in + ")", Legend: "{{phase}}"})
	out, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("generate dashboard: %w", err)
	}
	return append(out, '\n'), nil
}
