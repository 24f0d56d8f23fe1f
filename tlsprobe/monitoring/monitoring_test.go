package monitoring

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

var update = flag.Bool("update", false, "write the golden files; read the diff")

var two = Options{Exporters: []string{"probe-a:9115", "probe-b:9115"}, TargetsURL: "http://probe-a:9115/targets"}

func TestFiles_Golden(t *testing.T) {
	files, err := Files(two)
	require.NoError(t, err)
	require.Equal(t, []string{
		"alertmanager.yml", "dashboard.json", "prometheus.yml", "rules.yml", "rules_test_3650_days.yml", "rules_test_398_days.yml", "rules_test_45_days.yml",
		"rules_test_47_days.yml", "rules_test_6_days.yml", "rules_test_90_days.yml", "rules_test_probers.yml",
	}, slices.Sorted(maps.Keys(files)))
	for _, name := range []string{"alertmanager.yml", "dashboard.json", "prometheus.yml", "rules.yml"} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, files[name], 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), string(files[name]), name)
	}
	again, err := Files(two)
	require.NoError(t, err)
	require.Equal(t, files, again)
}

func TestOptions_Rejects(t *testing.T) {
	_, err := Files(Options{Exporters: []string{"a", ":9115"}, Interval: time.Millisecond, SlowHandshake: -1})
	for _, want := range []string{`exporters[0]: "a": allowed is HOST:PORT`, `exporters[1]: ":9115"`, "interval: 1ms: allowed is 1s and more", "slow_handshake: -1ns: allowed is more than 0"} {
		require.ErrorContains(t, err, want)
	}
}

// Every series that a rule or a panel asks for is one that the exporter has.
func TestQueries_NameKnownSeries(t *testing.T) {
	known := []string{
		"probe_success", "tlsprobe_certificate_info", "tlsprobe_certificate_not_after_timestamp_seconds", "tlsprobe_certificate_not_before_timestamp_seconds",
		"tlsprobe_certificates", "tlsprobe_phase_duration_seconds", "tlsprobe_reason", "tlsprobe_reasons", "up",
	}
	series := regexp.MustCompile(`\b(?:probe|tlsprobe)_[a-z_]+`)
	o, err := two.withDefaults()
	require.NoError(t, err)
	for _, rule := range o.all() {
		for _, name := range series.FindAllString(rule.Expr, -1) {
			require.Contains(t, known, name, rule.Alert)
		}
	}
	data, err := Dashboard(two)
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(data, &d))
	for _, p := range d.Panels {
		require.NotEmpty(t, p.Targets, p.Title)
		for _, q := range p.Targets {
			names := series.FindAllString(q.Expr, -1)
			require.NotEmpty(t, names, p.Title)
			for _, name := range names {
				require.Contains(t, known, name, p.Title)
			}
		}
	}
}

// promtool and amtool take everything, and the rules do what their tests say.
func TestReal_Promtool(t *testing.T) {
	real.Enabled(t)
	dir := t.TempDir()
	files, err := Files(two)
	require.NoError(t, err)
	for name, data := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	check := func(tool string, args ...string) {
		path, err := install.Program(tool)
		require.NoError(t, err)
		cmd := exec.Command(path, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %s\n%s", tool, strings.Join(args, " "), out)
	}
	check("promtool", "check", "config", "prometheus.yml")
	check("promtool", "check", "rules", "rules.yml")
	check("amtool", "check-config", "alertmanager.yml")
	for name := range files {
		if strings.HasPrefix(name, "rules_test_") {
			check("promtool", "test", "rules", name)
		}
	}
}
