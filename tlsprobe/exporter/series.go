package exporter

import (
	"crypto/tls"
	"hash/fnv"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// Bounds on what a peer can put into labels. Honest names are far shorter; the
// names of a certificate are cut at a comma.
const (
	maxName  = 512
	maxNames = 2048
	maxCN    = 128
)

const (
	helpSuccess  = "Whether the probe went well, see the module's meaning of success"
	helpDuration = "How long the probe took"
	helpTimeout  = "How long the probe may take"
)

// outcome is what one probe came to.
type outcome struct {
	module  *module
	result  tlsprobe.Result
	script  *conversation // nil without query_response
	success bool
	took    time.Duration
	timeout time.Duration
}

// write gives all families of a probe: those of Blackbox's tcp prober under its
// names and with its labels, then ours.
func (o *outcome) write(p *page) {
	r := &o.result
	p.gauge("probe_success", helpSuccess, asFloat(o.success))
	p.gauge("probe_duration_seconds", helpDuration, o.took.Seconds())
	p.gauge("probe_timeout_seconds", helpTimeout, o.timeout.Seconds())
	p.gauge("probe_dns_lookup_time_seconds", "How long the lookup of the name took", r.Timings.DNS.Seconds())
	if addr := r.Address.Addr(); addr.IsValid() {
		p.gauge("probe_ip_protocol", "The IP protocol really used, 4 or 6", ipProtocol(addr))
		p.gauge("probe_ip_addr_hash", "A hash of the address really used, which changes with it", ipHash(addr))
	}
	o.scriptSeries(p)
	o.tlsSeries(p)
	o.ownSeries(p)
}

func (o *outcome) scriptSeries(p *page) {
	if o.module.files == nil {
		var regex, bytes bool
		if o.script != nil {
			regex, bytes = o.script.failedRegex, o.script.failedBytes
		}
		p.gauge("probe_failed_due_to_regex", "Whether no line matched what query_response expects", asFloat(regex))
		p.gauge("probe_failed_due_to_bytes", "Whether other bytes came than query_response expects", asFloat(bytes))
	}
	if o.script != nil && len(o.script.info) > 0 {
		p.family("probe_expect_info", "gauge", "What query_response found in an expected line")
		for _, labels := range o.script.info {
			p.sample(1, labels...)
		}
	}
}

// tlsSeries are Blackbox's, but they stand wherever a certificate was received,
// and none is ever the zero time.
func (o *outcome) tlsSeries(p *page) {
	r := &o.result
	if r.Version != 0 {
		p.family("probe_tls_version_info", "gauge", "The version of TLS negotiated")
		p.sample(1, "version", tls.VersionName(r.Version))
		p.family("probe_tls_cipher_info", "gauge", "The cipher suite negotiated")
		p.sample(1, "cipher", tls.CipherSuiteName(r.CipherSuite))
	}
	if len(r.Certificates) == 0 {
		return
	}
	earliest := earliestEnd(r.Certificates)
	if !earliest.IsZero() {
		p.gauge("probe_ssl_earliest_cert_expiry", "When the first of the certificates sent ends", unix(earliest))
	}
	// Without a verified chain, what was sent is the chain: the series must not go
	// away when a certificate expires, which is what it is for.
	last := r.ChainExpiry
	if last.IsZero() {
		last = earliest
	}
	if !last.IsZero() {
		p.gauge("probe_ssl_last_chain_expiry_timestamp_seconds", "When the verified chain that lasts longest ends, or what was sent where none verifies", unix(last))
	}
	leaf := &r.Certificates[0]
	p.family("probe_ssl_last_chain_info", "gauge", "The leaf certificate")
	p.sample(1, "fingerprint_sha256", leaf.SHA256, "issuer", cut(leaf.Issuer, maxName), "serialnumber", blackboxSerial(leaf.Serial),
		"subject", cut(leaf.Subject, maxName), "subjectalternative", joinNames(leaf.DNSNames)) // sorted, as client_golang does
}

func (o *outcome) ownSeries(p *page) {
	r := &o.result
	if len(r.Reasons) > 0 {
		p.family("tlsprobe_reason", "gauge", "What is the matter with the endpoint, 1 for each reason that holds")
		for _, reason := range r.Reasons {
			p.sample(1, "code", string(reason.Code))
		}
	}
	p.gauge("tlsprobe_reasons", "How many reasons hold, 0 for none", float64(len(r.Reasons)))
	if o.module.tls || (o.script != nil && o.script.startTLS) {
		p.family("tlsprobe_client_certificate", "gauge", "What the server wants of client certificates, 1 for the state that holds")
		for _, state := range clientStates {
			p.sample(asFloat(r.ClientCertificate == state), "state", string(state))
		}
	}
	if end := o.module.clientEnd; !end.IsZero() {
		p.gauge("tlsprobe_own_client_certificate_not_after_timestamp_seconds", "When the client certificate of the module ends", unix(end))
	}
	if r.Staple != nil {
		p.family("tlsprobe_ocsp_staple_info", "gauge", "What the stapled OCSP response says")
		p.sample(1, "status", r.Staple.Status)
	}
	if o.module.files == nil {
		p.family("tlsprobe_phase_duration_seconds", "gauge", "How long the phases of the probe took")
		p.sample(r.Timings.DNS.Seconds(), "phase", "dns")
		p.sample(r.Timings.Connect.Seconds(), "phase", "connect")
		p.sample(r.Timings.Upgrade.Seconds(), "phase", "upgrade")
		p.sample(r.Timings.Handshake.Seconds(), "phase", "handshake")
	}
	entries := make([]entry, len(r.Certificates))
	for i, c := range r.Certificates {
		entries[i] = entry{c, i, ""}
	}
	writeCertificates(p, entries, o.module.maxCertificates, r.Start)
}

var clientStates = []tlsprobe.ClientAuth{tlsprobe.NotRequested, tlsprobe.Optional, tlsprobe.Required, tlsprobe.ClientAuthUnknown}

// entry is a certificate with where it was found.
type entry struct {
	tlsprobe.Certificate
	position int
	path     string // of the store, "" for endpoints
}

// writeCertificates gives the families per certificate, at most so many.
func writeCertificates(p *page, all []entry, most int, now time.Time) {
	shown := all[:min(len(all), most)]
	p.gauge("tlsprobe_certificates", "How many certificates were seen", float64(len(all)))
	p.gauge("tlsprobe_certificates_omitted", "How many of them have no series of their own, see max_certificates", float64(len(all)-len(shown)))
	if len(shown) == 0 {
		return
	}
	labels := make([]byte, 0, 300*len(shown))
	blocks := make([][]byte, len(shown))
	for i := range shown {
		start := len(labels)
		labels = shown[i].appendLabels(labels)
		blocks[i] = labels[start:len(labels):len(labels)]
	}
	p.family("tlsprobe_certificate_info", "gauge", "A certificate that was seen, leaf first")
	for _, block := range blocks {
		p.block(1, block)
	}
	each := func(name, help string, of func(*entry) (float64, bool)) {
		begun := false
		for i := range shown {
			v, ok := of(&shown[i])
			if !ok {
				continue
			}
			if !begun {
				p.family(name, "gauge", help)
				begun = true
			}
			p.block(v, blocks[i])
		}
	}
	each("tlsprobe_certificate_not_before_timestamp_seconds", "When the certificate begins to be valid", func(e *entry) (float64, bool) {
		return unix(e.NotBefore), !e.NotBefore.IsZero()
	})
	each("tlsprobe_certificate_not_after_timestamp_seconds", "When the certificate ends", func(e *entry) (float64, bool) {
		return unix(e.NotAfter), !e.NotAfter.IsZero()
	})
	each("tlsprobe_certificate_lifetime_used_ratio", "How much of its life the certificate has behind it: 0 at its begin, 1 at its end", func(e *entry) (float64, bool) {
		return math.Round(e.LifetimeUsed(now)*1e6) / 1e6, !e.NotBefore.IsZero() && !e.NotAfter.IsZero()
	})
}

func (e *entry) appendLabels(b []byte) []byte {
	var number [20]byte
	position := strconv.AppendInt(number[:0], int64(e.position), 10)
	if e.path != "" {
		b = appendLabels(b, []string{"path", e.path})
		b = append(b, ',')
	}
	b = append(b, `position="`...)
	b = append(b, position...)
	b = append(b, `",`...)
	return appendLabels(b, []string{"role", e.role(), "subject_cn", cut(e.subjectName(), maxCN), "issuer_cn", cut(e.issuerName(), maxCN),
		"serial", cut(e.Serial, maxCN), "sha256", e.SHA256})
}

// role says what a certificate is for: leaf, intermediate or root.
func (e *entry) role() string {
	switch {
	case e.X509 != nil && e.X509.IsCA && string(e.X509.RawSubject) == string(e.X509.RawIssuer):
		return "root"
	case e.X509 != nil && e.X509.IsCA, e.position > 0 && e.path == "":
		return "intermediate"
	}
	return "leaf"
}

func (e *entry) subjectName() string {
	if e.X509 != nil && e.X509.Subject.CommonName != "" {
		return e.X509.Subject.CommonName
	}
	return nameOf(e.Subject)
}

func (e *entry) issuerName() string {
	if e.X509 != nil && e.X509.Issuer.CommonName != "" {
		return e.X509.Issuer.CommonName
	}
	return nameOf(e.Issuer)
}

// nameOf finds the common name in a name as of RFC 2253, or returns all of it:
// public CAs issue certificates without one.
func nameOf(name string) string {
	for part := range strings.SplitSeq(name, ",") {
		if cn, ok := strings.CutPrefix(part, "CN="); ok {
			return cn
		}
	}
	return name
}

func earliestEnd(certs []tlsprobe.Certificate) time.Time {
	var earliest time.Time
	for _, c := range certs {
		if !c.NotAfter.IsZero() && (earliest.IsZero() || c.NotAfter.Before(earliest)) {
			earliest = c.NotAfter
		}
	}
	return earliest
}

func joinNames(names []string) string {
	n := 0
	for i, name := range names {
		if n += len(name) + 1; n > maxNames {
			return strings.Join(names[:i], ",")
		}
	}
	return strings.Join(names, ",")
}

// blackboxSerial writes a serial number as Blackbox does, the bytes of its
// magnitude in hex, so with an even number of digits.
func blackboxSerial(serial string) string {
	serial = strings.TrimPrefix(serial, "-")
	switch {
	case serial == "0":
		return ""
	case len(serial)%2 == 1:
		serial = "0" + serial
	}
	return cut(serial, maxCN)
}

func ipProtocol(a netip.Addr) float64 {
	if a.Unmap().Is4() {
		return 4
	}
	return 6
}

// ipHash is Blackbox's: 32-bit FNV-1a of the bytes of the address.
func ipHash(a netip.Addr) float64 {
	h := fnv.New32a()
	_, _ = h.Write(a.Unmap().AsSlice()) // a hash takes everything
	return float64(h.Sum32())
}
