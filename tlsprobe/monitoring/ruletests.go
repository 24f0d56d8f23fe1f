package monitoring

import (
	"fmt"
	"time"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

type testFile struct {
	Rules    []string   `yaml:"rule_files"`
	Interval string     `yaml:"evaluation_interval"`
	Tests    []ruleTest `yaml:"tests"`
}

type ruleTest struct {
	Name     string     `yaml:"name"`
	Interval string     `yaml:"interval"`
	Series   []series   `yaml:"input_series"`
	Firing   []exprTest `yaml:"promql_expr_test"`
}

type series struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

// exprTest says which alerts fire at a time, and thereby that no others do.
type exprTest struct {
	Expr    string   `yaml:"expr"`
	At      string   `yaml:"eval_time"`
	Samples []sample `yaml:"exp_samples,omitempty"`
}

type sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

func firing(at time.Duration, alerts ...string) exprTest {
	t := exprTest{Expr: `count by (alertname) (ALERTS{alertstate="firing"})`, At: millis(at)}
	for _, alert := range alerts {
		t.Samples = append(t.Samples, sample{fmt.Sprintf(`{alertname="%s"}`, alert), 1})
	}
	return t
}

// Lifetimes of certificates as they are met: short-lived ones, those of Let's
// Encrypt from 2028, the longest public ones from 2029 and until 2026, the usual
// 90 days, and a private CA.
var lifetimes = []time.Duration{6 * oneDay, 45 * oneDay, 47 * oneDay, 90 * oneDay, 398 * oneDay, 3650 * oneDay}

const (
	oneDay = 24 * time.Hour
)

// stepsOf is how many samples a life has: enough that the last week has some.
func stepsOf(life time.Duration) int { return max(400, int(life/oneDay)) }

// RuleTests returns unit tests of the rules for promtool test rules, by file
// name: certificates that are renewed with a third of their life left raise no
// alert, and those that are not raise each alert in its time. Each life has a file
// of its own, because the rules are evaluated some hundred times in it, however
// long it is.
func RuleTests(o Options) (map[string][]byte, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("generate tests of alert rules: %w", err)
	}
	files := map[string][]byte{}
	add := func(name string, step time.Duration, tests ...ruleTest) error {
		data, err := write("promtool test rules "+name, testFile{Rules: []string{"rules.yml"}, Interval: millis(step), Tests: tests})
		files[name] = data
		return err
	}
	for _, life := range lifetimes {
		if err := add(fmt.Sprintf("rules_test_%d_days.yml", life/oneDay), life/time.Duration(stepsOf(life)), renewed(life), neglected(life)); err != nil {
			return nil, err
		}
	}
	if err := add("rules_test_probers.yml", time.Minute, unreachable(), o.deadProber()); err != nil {
		return nil, err
	}
	return files, nil
}

func labelsOf(sha string) string {
	return fmt.Sprintf(`{instance="db:5432",position="0",subject_cn="db",sha256="%s",prober="a"}`, sha)
}

// renewed is a life at whose last third another certificate takes over.
func renewed(life time.Duration) ruleTest {
	steps := stepsOf(life)
	step := life / time.Duration(steps)
	at := steps * 2 / 3
	second := time.Duration(at) * step
	t := ruleTest{
		Name: fmt.Sprintf("a certificate of %d days, renewed with a third left, raises nothing", life/oneDay), Interval: millis(step),
		Series: []series{
			{notBefore + labelsOf("first"), fmt.Sprintf("0x%d stale", at-1)},
			{notAfter + labelsOf("first"), fmt.Sprintf("%dx%d stale", int(life.Seconds()), at-1)},
			{notBefore + labelsOf("second"), fmt.Sprintf("_x%d %dx%d", at, int(second.Seconds()), steps)},
			{notAfter + labelsOf("second"), fmt.Sprintf("_x%d %dx%d", at, int((second + life).Seconds()), steps)},
		},
	}
	for _, when := range []int{1, steps / 2, at - 1, at + 1, steps - 1} {
		t.Firing = append(t.Firing, firing(time.Duration(when)*step))
	}
	return t
}

// neglected is a life that nobody renews: each alert fires in the middle of its
// span, alone.
func neglected(life time.Duration) ruleTest {
	steps := stepsOf(life)
	step := life / time.Duration(steps)
	warn, critical := tlsprobe.Remaining(life)
	middle := func(from, to time.Duration) time.Duration { return (life - (from+to)/2).Truncate(step) }
	return ruleTest{
		Name: fmt.Sprintf("a certificate of %d days that is not renewed raises each alert in its time", life/oneDay), Interval: millis(step),
		Series: []series{
			{notBefore + labelsOf("only"), fmt.Sprintf("0x%d", steps+20)},
			{notAfter + labelsOf("only"), fmt.Sprintf("%dx%d", int(life.Seconds()), steps+20)},
		},
		Firing: []exprTest{
			firing((life - warn - step).Truncate(step)),
			firing(middle(warn, critical), "TLSCertificateExpiresSoon"),
			firing(middle(critical, 0), "TLSCertificateExpiresVerySoon"),
			firing(life+10*step, "TLSCertificateExpired"),
		},
	}
}

// unreachable is an endpoint that two probers see nothing of.
func unreachable() ruleTest {
	return ruleTest{
		Name: "an endpoint that no prober sees raises one alert", Interval: "1m",
		Series: []series{
			{`tlsprobe_certificates{instance="db:5432",prober="a"}`, "1x5 0x20"},
			{`tlsprobe_certificates{instance="db:5432",prober="b"}`, "1x5 0x20"},
			{`tlsprobe_certificates{instance="web:443",prober="a"}`, "1x5 0x20"},
			{`tlsprobe_certificates{instance="web:443",prober="b"}`, "1x25"},
		},
		Firing: []exprTest{firing(5 * time.Minute), firing(20*time.Minute, "TLSEndpointUnreachable")},
	}
}

// deadProber is an exporter that stops answering.
func (o Options) deadProber() ruleTest {
	return ruleTest{
		Name: "a dead exporter raises an alert of its own and none about certificates", Interval: "1m",
		Series: []series{
			{fmt.Sprintf(`up{job="%s-exporter",instance="a:9115"}`, o.Job), "1x5 0x90"},
			{fmt.Sprintf(`up{job="%s-exporter",instance="b:9115"}`, o.Job), "1x95"},
			{fmt.Sprintf(`up{job="%s",instance="db:5432",prober="a"}`, o.Job), "1x5 0x90"},
			{fmt.Sprintf(`up{job="%s",instance="db:5432",prober="b"}`, o.Job), "1x95"},
			{`tlsprobe_certificates{instance="db:5432",prober="a"}`, "1x5 stale"},
			{`tlsprobe_certificates{instance="db:5432",prober="b"}`, "1x95"},
			{fmt.Sprintf(`probe_success{job="%s",instance="db:5432",prober="a"}`, o.Job), "1x5 stale"},
			{fmt.Sprintf(`probe_success{job="%s",instance="db:5432",prober="b"}`, o.Job), "1x95"},
		},
		Firing: []exprTest{firing(90*time.Minute, "TLSProberDown")},
	}
}

func millis(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
