package monitoring

import "fmt"

type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations annotations       `yaml:"annotations"`
}

type annotations struct {
	Summary     string `yaml:"summary"`
	Description string `yaml:"description"`
}

const (
	notBefore = "tlsprobe_certificate_not_before_timestamp_seconds"
	notAfter  = "tlsprobe_certificate_not_after_timestamp_seconds"
	day       = 24 * 60 * 60
)

// each is a family once per certificate, however many exporters saw it.
func each(family string) string {
	return fmt.Sprintf("max by (instance, path, position, subject_cn, sha256) (%s)", family)
}

// left is how long certificates have, and below makes it a comparison with a part
// of their life that is at most so many days: [tlsprobe.Remaining].
func left() string { return fmt.Sprintf("(%s - time())", each(notAfter)) }

func below(part, days int) string {
	return fmt.Sprintf("%s\n  < clamp_max((%s - %s) / %d, %d)", left(), each(notAfter), each(notBefore), part, days*day)
}

// all returns the alerts.
func (o Options) all() []rule {
	critical, warning := map[string]string{"severity": "critical"}, map[string]string{"severity": "warning"}
	certificate := `Certificate {{ $labels.position }} ("{{ $labels.subject_cn }}", {{ $labels.sha256 }}) of {{ $labels.instance }}{{ $labels.path }}`
	in := fmt.Sprintf(`{job=~"%s(-[0-9]+)?"}`, o.Job)
	return []rule{
		{
			Alert: "TLSCertificateExpired", Expr: left() + " <= 0", Labels: critical,
			Annotations: annotations{"{{ $labels.instance }} presents an expired certificate", certificate + " is expired. Clients refuse it: renew it and let the server load the new one."},
		},
		{
			Alert: "TLSCertificateExpiresVerySoon", Expr: "0 < " + below(10, 7), For: "15m", Labels: critical,
			Annotations: annotations{"{{ $labels.instance }}: {{ $value | humanizeDuration }} left", certificate + " has less than a tenth of its life left, or less than 7 days: its renewal does not work."},
		},
		{
			Alert: "TLSCertificateExpiresSoon", Expr: "(" + below(4, 30) + ")\n  >= " + fmt.Sprintf("clamp_max((%s - %s) / 10, %d)", each(notAfter), each(notBefore), 7*day), For: "1h", Labels: warning,
			Annotations: annotations{"{{ $labels.instance }}: {{ $value | humanizeDuration }} left", certificate + " has less than a quarter of its life left, or less than 30 days, and is usually renewed with a third left: look why it was not."},
		},
		{
			Alert: "TLSEndpointUnreachable", Expr: "max by (instance) (tlsprobe_certificates) == 0", For: "5m", Labels: critical,
			Annotations: annotations{"{{ $labels.instance }} shows no certificate", "No prober has seen a certificate of {{ $labels.instance }}. tlsprobe_reason has the cause in its label code."},
		},
		{
			Alert: "TLSEndpointNotGood", Expr: `min by (instance, code) (tlsprobe_reason{code!~"expired|refused|unreachable|dns|timeout|closed"}) == 1`, For: "10m", Labels: warning,
			Annotations: annotations{"{{ $labels.instance }}: {{ $labels.code }}", "Something is the matter with the TLS of {{ $labels.instance }}: {{ $labels.code }}. /probe with debug=true explains it."},
		},
		{
			Alert: "TLSHandshakeSlow", Expr: fmt.Sprintf(`min by (instance) (tlsprobe_phase_duration_seconds{phase="handshake"}) > %g`, o.SlowHandshake.Seconds()), For: "10m", Labels: warning,
			Annotations: annotations{"{{ $labels.instance }}: handshakes take {{ $value | humanizeDuration }}", "Every prober waits that long for a handshake with {{ $labels.instance }}: the server or the network is overloaded."},
		},
		{
			Alert: "TLSSeriesVanished", Expr: "(count by (instance) (tlsprobe_certificates offset 1h) unless count by (instance) (tlsprobe_certificates)) and on () (max(up" + in + ") == 1)", For: "10m", Labels: warning,
			Annotations: annotations{"Nobody probes {{ $labels.instance }} any more", "{{ $labels.instance }} was probed an hour ago and is not now: it is gone from the targets, or its probes fail as a whole."},
		},
		{
			Alert: "TLSProbersDisagree", Expr: "count by (instance) (count by (instance, sha256) (tlsprobe_certificate_info{position=\"0\"})) > 1\n  or max by (instance) (probe_success" + in + ") != min by (instance) (probe_success" + in + ")", For: "15m", Labels: warning,
			Annotations: annotations{"Probers see {{ $labels.instance }} differently", "One prober sees another certificate or another outcome than the next: servers behind one name differ, or somebody sits in between."},
		},
		{
			Alert: "TLSProberDown", Expr: fmt.Sprintf(`up{job="%s-exporter"} == 0`, o.Job), For: "5m", Labels: warning,
			Annotations: annotations{"The exporter {{ $labels.instance }} does not answer", "Endpoints are probed by the other exporters alone, if there are any."},
		},
	}
}

// Rules returns the alert rules.
func Rules(o Options) ([]byte, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("generate alert rules: %w", err)
	}
	return write("Alerts on certificates and endpoints that tlsprobe watches.", ruleFile{[]ruleGroup{{o.Job, o.all()}}})
}
