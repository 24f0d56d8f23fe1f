package exporter

import (
	"crypto/tls"
	"time"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// explain writes a page for people: phase by phase what happened, what is the
// matter, and what a scrape would get. What a script sends and expects, which may
// be a password, is not on it, and of the module only what is no secret.
func (o *outcome) explain(p *page, q request) {
	r, m := &o.result, o.module
	p.printf("target %q by module %s (prober %s), at most %s\n", q.target, m.name, m.settings.prober, o.timeout)
	if r.Target.Dial != "" {
		p.printf("connect to %q, ask for %q, certified must be %q\n", r.Target.Dial, r.Target.ServerName, r.Target.VerifyName)
	}
	for _, note := range r.Notes {
		p.printf("note: %s\n", note)
	}
	p.printf("\nPhases:\n")
	o.phases(p)
	p.printf("\nWhat is the matter:\n")
	if r.OK() {
		p.printf("  nothing\n")
	}
	for _, reason := range r.Reasons {
		p.printf("  %s: %s\n", reason.Code, reason.Message)
	}
	p.printf("\nCertificates:\n")
	for i, c := range r.Certificates {
		p.printf("  %d: subject %q, issuer %q, serial %s, sha256 %s%s\n", i, cut(c.Subject, maxName), cut(c.Issuer, maxName), cut(c.Serial, maxCN), c.SHA256, validity(c))
	}
	p.printf("\nModule:\n")
	o.describe(p)
	p.printf("\nprobe_success is %v, by the meaning %q\n\nWhat a scrape gets:\n\n", o.success, m.success)
	o.write(p)
}

func validity(c tlsprobe.Certificate) string {
	if c.NotBefore.IsZero() || c.NotAfter.IsZero() {
		return ", dates not readable"
	}
	return ", valid from " + c.NotBefore.Format(time.RFC3339) + " to " + c.NotAfter.Format(time.RFC3339)
}

func (o *outcome) phases(p *page) {
	r := &o.result
	phase := func(name string, took time.Duration, what string) {
		p.printf("  %-10s %12s  %s\n", name, took, what)
	}
	phase("dns", r.Timings.DNS, "")
	connected := "not connected"
	if r.Address.IsValid() {
		connected = "to " + r.Address.String()
	}
	phase("connect", r.Timings.Connect, connected)
	phase("upgrade", r.Timings.Upgrade, string(r.Target.Upgrade))
	negotiated := "none"
	if r.Version != 0 {
		negotiated = tls.VersionName(r.Version) + " " + tls.CipherSuiteName(r.CipherSuite) + ", client certificate " + string(r.ClientCertificate)
	}
	phase("handshake", r.Timings.Handshake, negotiated)
	phase("total", o.took, "")
	if r.Err != nil {
		p.printf("  ended by: %v\n", r.Err)
	}
	if o.script != nil {
		for _, line := range o.script.log {
			p.printf("  query_response %s\n", line)
		}
	}
}

func (o *outcome) describe(p *page) {
	m := o.module
	p.printf("  tls %v, insecure_skip_verify %v, server_name %q, query_response of %d steps\n", m.tls, m.skipVerify, m.config.ServerName, len(m.steps))
	for _, file := range m.readFiles {
		p.printf("  %s\n", file)
	}
	if !m.clientEnd.IsZero() {
		p.printf("  client certificate ends %s\n", m.clientEnd.UTC().Format(time.RFC3339))
	}
}

func reasonCodes(r *tlsprobe.Result) []tlsprobe.Code {
	codes := make([]tlsprobe.Code, len(r.Reasons))
	for i, reason := range r.Reasons {
		codes[i] = reason.Code
	}
	return codes
}
