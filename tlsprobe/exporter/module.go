package exporter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"time"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// module is one entry of the file, ready to probe.
type module struct {
	settings
	skipVerify bool
	prober     *tlsprobe.Prober // nil for files and what others serve
	files      Source           // nil for what connects
	// clientEnd is when the client certificate ends, zero for none.
	clientEnd time.Time
	// files of tls_config that were read, for debug.
	readFiles []string
}

// build makes modules of settings. Files are read here and not at every probe:
// Blackbox parses its CA file each time.
func (e *Exporter) build(source string, list []settings) (map[string]*module, error) {
	modules := make(map[string]*module, len(list))
	var problems holdfast.Problems
	for _, s := range list {
		m := &module{settings: s, skipVerify: s.config.SkipVerify.value}
		modules[s.name] = m
		switch s.prober {
		case "tcp", "tls":
			d := dialer{guard: e.Guard, source: s.source, prefer4: s.prefer4, fallback: s.fallback, resolver: e.Resolver}
			m.prober = &tlsprobe.Prober{
				MinVersion: s.minVersion, MaxVersion: s.maxVersion, ALPN: s.alpn, PostQuantum: s.postQuantum,
				CertificateOnly: s.certificateOnly, Timeout: maxTimeout, Dial: d.dial, Now: e.Now,
			}
			for _, err := range e.trust(m) {
				problems = append(problems, holdfast.Problem{Source: source, Path: modulePath(s.name), Message: err.Error()})
			}
		case "file":
			m.files = e.Files
		}
	}
	return modules, problems.Err()
}

// trust reads what tls_config names.
func (e *Exporter) trust(m *module) (errs []error) {
	read := func(field, inline, name string) []byte {
		if name == "" {
			return []byte(inline)
		}
		data, err := e.readFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s %q: %w", field, name, err))
		}
		m.readFiles = append(m.readFiles, field+" "+name)
		return data
	}
	c := m.config
	if ca := read("ca_file", c.CA, c.CAFile); len(ca) > 0 {
		m.prober.Roots = x509.NewCertPool()
		if !m.prober.Roots.AppendCertsFromPEM(ca) {
			errs = append(errs, fmt.Errorf("ca_file %q: no certificate in PEM in it", c.CAFile))
		}
	}
	cert := read("cert_file", c.Cert, c.CertFile)
	if len(cert) == 0 || len(errs) > 0 {
		return errs
	}
	key := read("key_file", c.Key.Reveal(), c.KeyFile)
	if len(errs) > 0 {
		return errs
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil { // the error names what is wrong and quotes nothing
		return append(errs, fmt.Errorf("client certificate %q with key %q: %w", c.CertFile, c.KeyFile, err))
	}
	m.prober.Certificate, m.clientEnd = &pair, pair.Leaf.NotAfter
	m.config.Key = secretYAML{} // it is in the pair
	return nil
}

// request is what a URL asks for.
type request struct {
	target     string
	hostname   string
	serverName string
}

// resolve turns a request into a target. hostname is the name of the host, as in
// Blackbox: unless the module says another, it is asked for and must be certified.
// server_name is asked for and changes nothing else.
func (m *module) resolve(q request) (tlsprobe.Target, error) {
	t, err := tlsprobe.ParseTarget(q.target)
	if err != nil {
		return t, err
	}
	if t.Upgrade == "" {
		t.Upgrade = m.upgrade
	}
	if t.Port == 0 && !m.tls {
		return t, fmt.Errorf("target %q has no port, and module %s does not say which", q.target, m.name)
	}
	if t.ServerName = m.config.ServerName; t.ServerName == "" {
		t.ServerName = q.hostname
	}
	if q.serverName != "" {
		if t.VerifyName = t.ServerName; t.VerifyName == "" {
			t.VerifyName = t.Host
		}
		t.ServerName = q.serverName
	}
	// SNI cannot carry an address (RFC 6066 §3); to verify against, it serves.
	if _, err := netip.ParseAddr(t.ServerName); err == nil {
		if t.VerifyName == "" {
			t.VerifyName = t.ServerName
		}
		t.ServerName, t.NoServerName = "", true
	}
	return t, nil
}

// run probes. The context ends it.
func (m *module) run(ctx context.Context, q request) (r tlsprobe.Result, c *conversation) {
	t, err := m.resolve(q)
	if err != nil {
		return tlsprobe.Result{
			Target: t, Err: err, ClientCertificate: tlsprobe.ClientAuthUnknown,
			Reasons: []tlsprobe.Reason{{Code: tlsprobe.InvalidTarget, Message: err.Error(), Position: -1}},
		}, nil
	}
	if len(m.steps) == 0 && m.tls {
		return m.prober.Probe(ctx, t), nil
	}
	// A module without TLS is a conversation that never gets there, also one
	// without a word: it tells whether the port answers.
	c = newConversation(m.steps, !m.skipVerify)
	return m.prober.Converse(ctx, t, c.around(m.tls)), c
}
