package exporter

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// probeFiles lists the certificates at rest of a module.
func (e *Exporter) probeFiles(ctx context.Context, p *page, m *module, debug bool, timeout time.Duration) {
	start := time.Now()
	stores := m.files.List(ctx, m.paths)
	took := time.Since(start)
	now := e.now()
	var entries []entry
	bad := 0
	for _, s := range stores {
		if s.Error != "" {
			bad++
		}
		for i, c := range s.Certificates {
			entries = append(entries, entry{c, i, cut(s.Path, maxName)})
		}
	}
	success := bad == 0 && len(stores) > 0 && ctx.Err() == nil
	e.counts.probed(m.name, success, took)
	if debug {
		p.open = false
		p.printf("module %s reads %d paths\n", m.name, len(m.paths))
		for _, s := range stores {
			p.printf("%q: %d certificates %s\n", s.Path, len(s.Certificates), s.Error)
		}
		p.printf("\nWhat a scrape gets:\n\n")
	}
	p.gauge("probe_success", helpSuccess, asFloat(success))
	p.gauge("probe_duration_seconds", helpDuration, took.Seconds())
	p.gauge("probe_timeout_seconds", helpTimeout, timeout.Seconds())
	p.gauge("tlsprobe_stores", "How many files and keystores were found", float64(len(stores)))
	p.gauge("tlsprobe_stores_unreadable", "How many of them could not be read in full", float64(bad))
	// Under a cap, those that end first are the ones to show.
	slices.SortStableFunc(entries, func(a, b entry) int { return a.NotAfter.Compare(b.NotAfter) })
	writeCertificates(p, entries, m.maxCertificates, now)
}

func (p *page) printf(format string, args ...any) { p.b = fmt.Appendf(p.b, format, args...) }
