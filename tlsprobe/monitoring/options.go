package monitoring

import (
	"fmt"
	"net"
	"time"

	"github.com/holdfast-sec/holdfast"
)

// Options say what is watched. The zero value is one exporter on this machine.
type Options struct {
	// Exporters are host:port of each. Empty means "127.0.0.1:9115".
	Exporters []string
	// Job is the name of the scrape job, "tlsprobe" where empty. With several
	// exporters each has a job of its own: the name, a dash and its number.
	Job string
	// Module is the module to probe with, "tls_connect" where empty.
	Module string
	// TargetsURL is an HTTP service discovery of targets, such as the exporter's.
	// TargetFiles are patterns of files of targets. Where both are empty, the
	// targets come from "targets/*.yml".
	TargetsURL  string
	TargetFiles []string
	// Interval is how often each endpoint is probed. 0 means 1 minute.
	Interval time.Duration
	// SlowHandshake is how long a handshake may take. 0 means 2 seconds.
	SlowHandshake time.Duration
}

func (o Options) withDefaults() (Options, error) {
	var problems holdfast.Problems
	bad := func(path, format string, args ...any) {
		problems = append(problems, holdfast.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if len(o.Exporters) == 0 {
		o.Exporters = []string{"127.0.0.1:9115"}
	}
	for i, exporter := range o.Exporters {
		if host, port, err := net.SplitHostPort(exporter); err != nil || host == "" || port == "" {
			bad(fmt.Sprintf("exporters[%d]", i), "%q: allowed is HOST:PORT", exporter)
		}
	}
	if o.Job == "" {
		o.Job = "tlsprobe"
	}
	if o.Module == "" {
		o.Module = "tls_connect"
	}
	if o.TargetsURL == "" && len(o.TargetFiles) == 0 {
		o.TargetFiles = []string{"targets/*.yml"}
	}
	switch {
	case o.Interval == 0:
		o.Interval = time.Minute
	case o.Interval < time.Second:
		bad("interval", "%s: allowed is 1s and more", o.Interval)
	}
	switch {
	case o.SlowHandshake == 0:
		o.SlowHandshake = 2 * time.Second
	case o.SlowHandshake < 0:
		bad("slow_handshake", "%s: allowed is more than 0", o.SlowHandshake)
	}
	if len(problems) > 0 {
		return o, problems
	}
	return o, nil
}

// Files returns everything that is generated, by file name: prometheus.yml,
// rules.yml with its tests rules_test_*.yml, alertmanager.yml and dashboard.json.
func Files(o Options) (map[string][]byte, error) {
	if _, err := o.withDefaults(); err != nil {
		return nil, fmt.Errorf("generate monitoring: %w", err)
	}
	files, err := RuleTests(o)
	if err != nil {
		return nil, err
	}
	for name, generate := range map[string]func(Options) ([]byte, error){
		"prometheus.yml": Scrape, "rules.yml": Rules, "alertmanager.yml": Routes, "dashboard.json": Dashboard,
	} {
		if files[name], err = generate(o); err != nil {
			return nil, err
		}
	}
	return files, nil
}
