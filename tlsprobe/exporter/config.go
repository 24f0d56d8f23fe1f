package exporter

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// Success is what probe_success says 1 to.
type Success string

// The meanings of probe_success.
const (
	// SuccessVerified is Blackbox's: the handshake went well, a client would take
	// the certificates, and no client certificate is missing (which Blackbox does
	// not see in TLS 1.3). With insecure_skip_verify it is SuccessHandshake. What
	// clients bear, as a chain in the wrong order, is no failure.
	SuccessVerified Success = "verified"
	// SuccessStrict: nothing at all is the matter.
	SuccessStrict Success = "strict"
	// SuccessHandshake: the handshake went well, whatever the certificates are.
	SuccessHandshake Success = "handshake"
	// SuccessCertificate: a certificate was received.
	SuccessCertificate Success = "certificate"
)

var successes = []Success{SuccessVerified, SuccessStrict, SuccessHandshake, SuccessCertificate}

// Blackbox's probers that are not ours.
var foreignProbers = []string{"dns", "grpc", "http", "icmp", "unix", "websocket"}

const (
	defaultMaxCertificates = 8
	maxMaxCertificates     = 64
)

// settings are a module as it was written, checked.
type settings struct {
	name            string
	prober          string // tcp, tls, file or one of foreignProbers
	timeout         time.Duration
	prefer4         bool
	fallback        bool
	source          netip.Addr
	tls             bool // from the first byte, or after the upgrade
	upgrade         tlsprobe.Upgrade
	config          tlsConfigYAML
	minVersion      uint16
	maxVersion      uint16
	steps           []step
	success         Success
	allow           []tlsprobe.Code
	certificateOnly bool
	postQuantum     bool
	alpn            []string
	maxCertificates int
	paths           []string
}

// parse reads a module file and returns its modules by name, or every problem.
func parse(source string, data []byte) ([]settings, error) {
	var file fileYAML
	positions, err := strictyaml.Decode(source, data, &file)
	if err != nil {
		return nil, err
	}
	var c checker
	if len(file.Modules) == 0 {
		c.add("modules", "no modules: a file has one at least")
	}
	var modules []settings
	for _, name := range slices.Sorted(maps.Keys(file.Modules)) {
		modules = append(modules, c.module(name, file.Modules[name]))
	}
	if len(c.problems) > 0 {
		return nil, positions.Locate(c.problems)
	}
	return modules, nil
}

type checker struct{ problems holdfast.Problems }

func (c *checker) add(path, format string, args ...any) {
	c.problems = append(c.problems, holdfast.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// modulePath leads to a module, with a name quoted as strictyaml does.
func modulePath(name string) string {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return fmt.Sprintf("modules[%q]", name)
		}
	}
	return "modules." + name
}

func (c *checker) module(name string, m moduleYAML) settings {
	at := modulePath(name)
	s := settings{name: name, prober: m.Prober, timeout: time.Duration(m.Timeout), fallback: true, success: SuccessVerified, maxCertificates: defaultMaxCertificates}
	switch {
	case m.Prober == "tcp":
		c.tcp(at+".tcp", &s, m.TCP)
	case m.Prober == "tls":
		c.tls(at+".tls", &s, m.TLS)
	case m.Prober == "file":
		c.file(at+".file", &s, m.File)
	case !slices.Contains(foreignProbers, m.Prober):
		c.add(at+".prober", "prober %q is not known; allowed are file, tcp and tls, and Blackbox's %s, which this exporter does not serve", m.Prober, strings.Join(foreignProbers, ", "))
	}
	if m.TLS != nil && m.Prober != "tls" {
		c.add(at+".tls", "the section is for prober tls, and the prober is %q", m.Prober)
	}
	if m.File != nil && m.Prober != "file" {
		c.add(at+".file", "the section is for prober file, and the prober is %q", m.Prober)
	}
	return s
}

func (c *checker) tcp(at string, s *settings, t *tcpYAML) {
	if t == nil {
		return // a bare connect
	}
	s.tls = t.TLS.value
	c.dial(at, s, t.Prefer, t.Fallback, t.Source)
	c.tlsConfig(at+".tls_config", s, t.TLSConfig)
	starts := 0
	for i, y := range t.QueryResponse {
		where := fmt.Sprintf("%s.query_response[%d]", at, i)
		s.steps = append(s.steps, c.step(where, y))
		if !y.StartTLS.value {
			continue
		}
		if starts++; s.tls {
			c.add(where+".starttls", "tls is true, so TLS is there from the first byte: remove one of them")
		} else if starts > 1 {
			c.add(where+".starttls", "an earlier step has started TLS")
		}
	}
	bareSends(s.steps)
}

func (c *checker) tls(at string, s *settings, t *tlsYAML) {
	s.tls = true
	if t == nil {
		return
	}
	c.dial(at, s, t.Prefer, t.Fallback, t.Source)
	c.tlsConfig(at+".tls_config", s, t.TLSConfig)
	s.certificateOnly, s.postQuantum, s.alpn = t.CertificateOnly, t.PostQuantum, t.ALPN
	s.maxCertificates = c.maxCertificates(at, t.MaxCertificates)
	s.upgrade = tlsprobe.Upgrade(t.Upgrade)
	allowed := append([]tlsprobe.Upgrade{tlsprobe.Auto, tlsprobe.Direct}, tlsprobe.Upgrades()...)
	if t.Upgrade != "" && !slices.Contains(allowed, s.upgrade) {
		c.add(at+".upgrade", "upgrade %q is not known; allowed are %s", t.Upgrade, join(allowed))
	}
	if t.Success != "" {
		if s.success = Success(t.Success); !slices.Contains(successes, s.success) {
			c.add(at+".success", "success %q is not known; allowed are %s", t.Success, join(successes))
		}
	}
	for i, code := range t.Allow {
		if s.allow = append(s.allow, tlsprobe.Code(code)); !slices.Contains(certificateCodes, tlsprobe.Code(code)) {
			c.add(fmt.Sprintf("%s.allow_reasons[%d]", at, i), "%q is no reason that a certificate may have; allowed are %s", code, join(certificateCodes))
		}
	}
	for i, protocol := range t.ALPN {
		if protocol == "" || len(protocol) > 255 {
			c.add(fmt.Sprintf("%s.alpn[%d]", at, i), "a protocol has 1 to 255 bytes, found %d", len(protocol))
		}
	}
}

func (c *checker) file(at string, s *settings, f *filesYAML) {
	if f == nil || len(f.Paths) == 0 {
		c.add(at+".paths", "no paths: prober file lists what it reads")
		return
	}
	s.paths, s.maxCertificates = f.Paths, c.maxCertificates(at, f.MaxCertificates)
	for i, path := range f.Paths {
		if path == "" {
			c.add(fmt.Sprintf("%s.paths[%d]", at, i), "the path is empty")
		}
	}
}

func (c *checker) maxCertificates(at string, n int) int {
	switch {
	case n == 0:
		return defaultMaxCertificates
	case n < 0 || n > maxMaxCertificates:
		c.add(at+".max_certificates", "%d; allowed are 1 to %d", n, maxMaxCertificates)
	}
	return n
}

func (c *checker) dial(at string, s *settings, prefer string, fallback boolYAML, source string) {
	switch prefer {
	case "", "ip6":
	case "ip4":
		s.prefer4 = true
	default:
		c.add(at+".preferred_ip_protocol", "%q; allowed are ip4 and ip6", prefer)
	}
	s.fallback = fallback.or(true)
	if source == "" {
		return
	}
	addr, err := netip.ParseAddr(source)
	if err != nil {
		c.add(at+".source_ip_address", "%q is no IP address", source)
	}
	s.source = addr
}

var versions = map[string]uint16{"": 0, "TLS10": tls.VersionTLS10, "TLS11": tls.VersionTLS11, "TLS12": tls.VersionTLS12, "TLS13": tls.VersionTLS13}

func (c *checker) tlsConfig(at string, s *settings, y tlsConfigYAML) {
	s.config = y
	version := func(field, name string) uint16 {
		v, ok := versions[name]
		if !ok {
			c.add(at+"."+field, "%q; allowed are TLS10, TLS11, TLS12 and TLS13", name)
		}
		return v
	}
	s.minVersion, s.maxVersion = version("min_version", y.MinVersion), version("max_version", y.MaxVersion)
	if s.minVersion > s.maxVersion && s.maxVersion != 0 {
		c.add(at+".max_version", "%s is older than min_version %s", y.MaxVersion, y.MinVersion)
	}
	both := func(field, inline, file string) {
		if inline != "" && file != "" {
			c.add(at+"."+field, "%s and %s_file are given: remove one", field, field)
		}
	}
	both("ca", y.CA, y.CAFile)
	both("cert", y.Cert, y.CertFile)
	hasKey := !y.Key.IsZero()
	if hasKey && y.KeyFile != "" {
		c.add(at+".key", "key and key_file are given: remove one")
	}
	hasKey = hasKey || y.KeyFile != ""
	if hasCert := y.Cert != "" || y.CertFile != ""; hasCert != hasKey {
		c.add(at, "a client certificate needs cert_file and key_file, and one of them is missing")
	}
}

// labelName is what may name a label (Prometheus' data model; UTF-8 names need
// quotes that old servers cannot read).
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func (c *checker) step(at string, y stepYAML) step {
	s := step{expectBytes: y.ExpectBytes, send: y.Send, startTLS: y.StartTLS.value}
	if y.Expect != "" {
		var err error
		if s.expect, err = regexp.Compile(y.Expect); err != nil {
			c.add(at+".expect", "%q is no regular expression of RE2: %v", y.Expect, err)
		}
	} else if len(y.Labels) > 0 {
		c.add(at+".labels", "labels are filled from what expect matches, and there is no expect")
	}
	seen := map[string]bool{}
	for i, l := range y.Labels {
		where := fmt.Sprintf("%s.labels[%d].name", at, i)
		switch {
		case !labelName.MatchString(l.Name) || strings.HasPrefix(l.Name, "__"):
			c.add(where, "%q cannot name a label: letters, digits and _, no digit first, no __ first", l.Name)
		case seen[l.Name]:
			c.add(where, "%q is given a second time", l.Name)
		}
		seen[l.Name] = true
		s.labels = append(s.labels, [2]string{l.Name, l.Value})
	}
	return s
}

func join[S ~string](list []S) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
