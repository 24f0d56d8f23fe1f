package exporter

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// counts are the exporter's own figures.
type counts struct {
	unknown    atomic.Int64
	overloaded atomic.Int64

	mu       sync.Mutex
	probes   map[countKey]probeCount
	loadOK   bool
	loadedAt time.Time
}

type countKey struct {
	module  string
	success bool
}

type probeCount struct {
	n       int64
	seconds float64
}

func (c *counts) loaded(ok bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loadOK = ok; ok {
		c.loadedAt = now
	}
}

func (c *counts) probed(module string, success bool, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probes == nil {
		c.probes = map[countKey]probeCount{}
	}
	key := countKey{module, success}
	count := c.probes[key]
	count.n++
	count.seconds += took.Seconds()
	c.probes[key] = count
}

func (e *Exporter) serveMetrics(w http.ResponseWriter, r *http.Request) {
	p := newPage(r)
	c := &e.counts
	c.mu.Lock()
	probes, ok, at := maps.Clone(c.probes), c.loadOK, c.loadedAt
	c.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(probes), func(a, b countKey) int {
		return cmp.Or(cmp.Compare(a.module, b.module), cmp.Compare(asFloat(a.success), asFloat(b.success)))
	})
	p.gauge("tlsprobe_exporter_config_last_reload_successful", "Whether the last load of the module file went well", asFloat(ok))
	if !at.IsZero() {
		p.gauge("tlsprobe_exporter_config_last_reload_success_timestamp_seconds", "When a module file was last loaded", unix(at))
	}
	p.gauge("tlsprobe_exporter_probes_in_flight", "How many probes are under way", float64(e.inFlight.Load()))
	if len(keys) > 0 {
		p.family("tlsprobe_exporter_probes_total", "counter", "Probes by module and probe_success")
		for _, k := range keys {
			p.sample(float64(probes[k].n), "module", k.module, "success", yesNo(k.success))
		}
		p.family("tlsprobe_exporter_probe_duration_seconds_total", "counter", "Time that probes took, by module and probe_success")
		for _, k := range keys {
			p.sample(probes[k].seconds, "module", k.module, "success", yesNo(k.success))
		}
	}
	p.family("tlsprobe_exporter_unknown_module_total", "counter", "Requests for a module that is not there")
	p.sample(float64(c.unknown.Load()))
	p.family("tlsprobe_exporter_overloaded_total", "counter", "Requests that found as many probes under way as are allowed")
	p.sample(float64(c.overloaded.Load()))
	p.serve(w)
}

func yesNo(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
