package monitoring

import "fmt"

type alertmanager struct {
	Route     route     `yaml:"route"`
	Inhibit   []inhibit `yaml:"inhibit_rules"`
	Receivers []named   `yaml:"receivers"`
}

type route struct {
	Receiver       string   `yaml:"receiver"`
	Matchers       []string `yaml:"matchers,omitempty"`
	GroupBy        []string `yaml:"group_by,omitempty,flow"`
	GroupWait      string   `yaml:"group_wait,omitempty"`
	RepeatInterval string   `yaml:"repeat_interval,omitempty"`
	Routes         []route  `yaml:"routes,omitempty"`
}

type inhibit struct {
	Source []string `yaml:"source_matchers"`
	Target []string `yaml:"target_matchers"`
	Equal  []string `yaml:"equal,flow"`
}

type named struct {
	Name string `yaml:"name"`
}

// Routes returns an example configuration of Alertmanager: what is critical goes
// to whoever is on duty, warnings about certificates once a day to whoever renews
// them. Its receivers are empty: fill them in.
func Routes(o Options) ([]byte, error) {
	if _, err := o.withDefaults(); err != nil {
		return nil, fmt.Errorf("generate routes: %w", err)
	}
	return write("Routes of the alerts in rules.yml. The receivers are to be filled in.", alertmanager{
		Route: route{
			Receiver: "tickets", GroupBy: []string{"alertname", "instance"}, GroupWait: "1m", RepeatInterval: "24h",
			Routes: []route{{Receiver: "on-duty", Matchers: []string{`alertname=~"TLS.+"`, `severity="critical"`}, RepeatInterval: "4h"}},
		},
		Inhibit: []inhibit{
			{[]string{`alertname="TLSCertificateExpired"`}, []string{`alertname="TLSEndpointNotGood"`}, []string{"instance"}},
			{[]string{`alertname="TLSEndpointUnreachable"`}, []string{`alertname=~"TLSEndpointNotGood|TLSProbersDisagree"`}, []string{"instance"}},
		},
		Receivers: []named{{"on-duty"}, {"tickets"}},
	})
}
