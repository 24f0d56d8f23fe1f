package exporter

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// page is one exposition under construction: the text format 0.0.4, or
// OpenMetrics 1.0. They differ in the escapes of help, the names of counters and
// the end. It is written by hand because a registry per probe costs as much as a
// third of the probe.
type page struct {
	b    []byte
	open bool // OpenMetrics
	name string
}

const (
	textType = "text/plain; version=0.0.4; charset=utf-8"
	openType = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

func (p *page) contentType() string {
	if p.open {
		return openType
	}
	return textType
}

// family begins a family. Samples of it follow, at least one.
func (p *page) family(name, kind, help string) {
	p.name = name
	head := name
	if p.open && kind == "counter" {
		head = strings.TrimSuffix(name, "_total") // OpenMetrics names families without it
	}
	p.b = append(p.b, "# HELP "...)
	p.b = append(p.b, head...)
	p.b = append(p.b, ' ')
	p.b = append(p.b, help...) // constants of this package, which need no escape
	p.b = append(p.b, "\n# TYPE "...)
	p.b = append(p.b, head...)
	p.b = append(p.b, ' ')
	p.b = append(p.b, kind...)
	p.b = append(p.b, '\n')
}

// gauge is a family of one sample without labels.
func (p *page) gauge(name, help string, value float64) {
	p.family(name, "gauge", help)
	p.sample(value)
}

// sample writes a sample of the family. labels are names and values by turns.
func (p *page) sample(value float64, labels ...string) {
	p.b = append(p.b, p.name...)
	if len(labels) > 0 {
		p.b = append(p.b, '{')
		p.b = appendLabels(p.b, labels)
		p.b = append(p.b, '}')
	}
	p.value(value)
}

// block writes a sample whose labels are written already.
func (p *page) block(value float64, labels []byte) {
	p.b = append(p.b, p.name...)
	p.b = append(p.b, '{')
	p.b = append(p.b, labels...)
	p.b = append(p.b, '}')
	p.value(value)
}

func (p *page) value(v float64) {
	p.b = append(p.b, ' ')
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		p.b = strconv.AppendInt(p.b, int64(v), 10)
	default:
		p.b = strconv.AppendFloat(p.b, v, 'g', -1, 64)
	}
	p.b = append(p.b, '\n')
}

func (p *page) end() {
	if p.open {
		p.b = append(p.b, "# EOF\n"...)
	}
}

func appendLabels(b []byte, labels []string) []byte {
	for i := 0; i+1 < len(labels); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, labels[i]...)
		b = append(b, `="`...)
		b = appendLabelValue(b, labels[i+1])
		b = append(b, '"')
	}
	return b
}

// appendLabelValue escapes what may not stand in a label's value. What is no
// UTF-8, which certificates may hold, becomes U+FFFD: Prometheus refuses a whole
// scrape for it.
func appendLabelValue(b []byte, s string) []byte {
	if plain(s) {
		return append(b, s...)
	}
	for _, r := range s { // invalid bytes come as RuneError
		switch r {
		case '\\':
			b = append(b, `\\`...)
		case '"':
			b = append(b, `\"`...)
		case '\n':
			b = append(b, `\n`...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cut shortens what a peer chose the length of, at a whole letter.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// wantsOpenMetrics is whether an Accept header names OpenMetrics with a weight
// above 0 and not below that of the text format.
func wantsOpenMetrics(accept string) bool {
	var open, text float64
	for part := range strings.SplitSeq(accept, ",") {
		media, parameters, _ := strings.Cut(part, ";")
		weight := 1.0
		for parameter := range strings.SplitSeq(parameters, ";") {
			if q, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
				if v, err := strconv.ParseFloat(q, 64); err == nil {
					weight = v
				}
			}
		}
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "application/openmetrics-text":
			open = max(open, weight)
		case "text/plain":
			text = max(text, weight)
		}
	}
	return open > 0 && open >= text
}

func unix(t time.Time) float64 { return float64(t.Unix()) }

func asFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
