package exporter

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxTimeout is that of a probe where neither module nor scrape gives one, and
// the longest there is.
const maxTimeout = 120 * time.Second

// maxParameter bounds what a URL may ask for; names have 253 bytes at most.
const maxParameter = 512

var pages = sync.Pool{New: func() any { return &page{b: make([]byte, 0, 8<<10)} }}

// maxPooled keeps a page that grew for a huge chain from staying for good.
const maxPooled = 64 << 10

func newPage(r *http.Request) *page {
	p := pages.Get().(*page)
	p.b, p.open = p.b[:0], wantsOpenMetrics(r.Header.Get("Accept"))
	return p
}

func (p *page) serve(w http.ResponseWriter) {
	p.end()
	w.Header().Set("Content-Type", p.contentType())
	_, _ = w.Write(p.b) // the client is gone or not
	if cap(p.b) <= maxPooled {
		pages.Put(p)
	}
}

func (e *Exporter) serveProbe(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	for name, values := range query {
		if len(values) > 1 || len(values[0]) > maxParameter {
			http.Error(w, fmt.Sprintf("parameter %q is given %d times with %d bytes; allowed are once and %d", cut(name, 40), len(values), len(values[0]), maxParameter), http.StatusBadRequest)
			return
		}
	}
	m, status, message := e.choose(query.Get("module"))
	if m == nil {
		http.Error(w, message, status)
		return
	}
	q := request{query.Get("target"), query.Get("hostname"), query.Get("server_name")}
	if q.target == "" && m.files == nil {
		http.Error(w, "the parameter target is missing: /probe?module=NAME&target=HOST:PORT", http.StatusBadRequest)
		return
	}
	timeout, err := e.timeout(r.Header.Get("X-Prometheus-Scrape-Timeout-Seconds"), m.timeout)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if e.inFlight.Add(1) > e.maxInFlight() {
		e.inFlight.Add(-1)
		e.counts.overloaded.Add(1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, fmt.Sprintf("%d probes are under way, which is as many as are allowed", e.maxInFlight()), http.StatusServiceUnavailable)
		return
	}
	defer e.inFlight.Add(-1)
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()

	p := newPage(r)
	debug := query.Get("debug") == "true"
	if m.files != nil {
		e.probeFiles(ctx, p, m, debug, timeout)
	} else {
		e.probe(ctx, p, m, q, debug, timeout)
	}
	if debug {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		p.open = false // it is a page for people
	}
	p.serve(w)
}

// choose returns a module, or the answer to who asked for another.
func (e *Exporter) choose(name string) (*module, int, string) {
	m := e.module(name)
	switch {
	case m == nil:
		e.counts.unknown.Add(1)
		if name == "" {
			return nil, http.StatusBadRequest, "the parameter module is missing; there are " + e.names()
		}
		return nil, http.StatusBadRequest, fmt.Sprintf("unknown module %q; there are %s", name, e.names())
	case m.settings.prober == "file" && m.files == nil:
		return nil, http.StatusForbidden, fmt.Sprintf("module %q reads files, which this exporter has switched off", name)
	case slices.Contains(foreignProbers, m.settings.prober):
		return nil, http.StatusBadRequest, fmt.Sprintf("%s, which module %q asks for, is not a prober of this exporter; it has tcp, tls and file", m.settings.prober, name)
	}
	return m, 0, ""
}

func (e *Exporter) names() string {
	modules := e.modules.Load()
	if modules == nil {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(*modules)), ", ")
}

// timeout is the module's, or what Prometheus waits less the offset where that is
// less, as in Blackbox. An offset longer than the wait leaves half of it.
func (e *Exporter) timeout(header string, module time.Duration) (time.Duration, error) {
	timeout := maxTimeout
	if header != "" {
		seconds, err := strconv.ParseFloat(header, 64)
		if err != nil || !(seconds >= 0) {
			return 0, fmt.Errorf("X-Prometheus-Scrape-Timeout-Seconds: %q is no number of seconds", cut(header, 40))
		}
		if scrape := time.Duration(min(seconds, maxTimeout.Seconds()) * float64(time.Second)); scrape > 0 {
			timeout = max(scrape-e.offset(), scrape/2)
		}
	}
	if module > 0 {
		timeout = min(timeout, module)
	}
	return timeout, nil
}

func (e *Exporter) probe(ctx context.Context, p *page, m *module, q request, debug bool, timeout time.Duration) {
	start := time.Now()
	o := outcome{module: m, timeout: timeout}
	o.result, o.script = m.run(ctx, q)
	o.took = time.Since(start)
	o.success = m.succeeded(&o.result, o.script)
	e.counts.probed(m.name, o.success, o.took)
	if e.Logger != nil && e.Logger.Enabled(ctx, slog.LevelDebug) {
		e.Logger.Debug("probed", "module", m.name, "target", q.target, "success", o.success, "reasons", reasonCodes(&o.result), "took", o.took)
	}
	if !debug {
		o.write(p)
		return
	}
	p.open = false
	o.explain(p, q)
}
