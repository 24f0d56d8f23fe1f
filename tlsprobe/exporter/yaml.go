package exporter

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

// The shapes of Blackbox's module file (config/config.go of 0.28, and config/
// http_config.go of prometheus/common for tls_config), and of our own two
// probers. Texts take every scalar, as there.

type fileYAML struct {
	Modules map[string]moduleYAML `yaml:"modules"`
}

type moduleYAML struct {
	Prober  string       `yaml:"prober,literal"`
	Timeout durationYAML `yaml:"timeout,literal"`
	TCP     *tcpYAML     `yaml:"tcp"`
	TLS     *tlsYAML     `yaml:"tls"`
	File    *filesYAML   `yaml:"file"`

	// Sections of Blackbox's other probers; what is in them is its business.
	HTTP      *foreignYAML `yaml:"http"`
	ICMP      *foreignYAML `yaml:"icmp"`
	DNS       *foreignYAML `yaml:"dns"`
	GRPC      *foreignYAML `yaml:"grpc"`
	Unix      *foreignYAML `yaml:"unix"`
	WebSocket *foreignYAML `yaml:"websocket"`
}

type foreignYAML struct {
	Keys []strictyaml.UnknownKey `yaml:",unknown"`
}

type tcpYAML struct {
	Prefer        string        `yaml:"preferred_ip_protocol,literal"`
	Fallback      boolYAML      `yaml:"ip_protocol_fallback,literal"`
	Source        string        `yaml:"source_ip_address,literal"`
	QueryResponse []stepYAML    `yaml:"query_response"`
	TLS           boolYAML      `yaml:"tls,literal"`
	TLSConfig     tlsConfigYAML `yaml:"tls_config"`
}

type stepYAML struct {
	Expect      string      `yaml:"expect,literal"`
	ExpectBytes string      `yaml:"expect_bytes,binary"`
	Send        string      `yaml:"send,binary"`
	Labels      []labelYAML `yaml:"labels"`
	StartTLS    boolYAML    `yaml:"starttls,literal"`
}

type labelYAML struct {
	Name  string `yaml:"name,literal"`
	Value string `yaml:"value,literal"`
}

type tlsConfigYAML struct {
	CA         string     `yaml:"ca,literal"`
	Cert       string     `yaml:"cert,literal"`
	Key        secretYAML `yaml:"key,literal"`
	CAFile     string     `yaml:"ca_file,literal"`
	CertFile   string     `yaml:"cert_file,literal"`
	KeyFile    string     `yaml:"key_file,literal"`
	ServerName string     `yaml:"server_name,literal"`
	SkipVerify boolYAML   `yaml:"insecure_skip_verify,literal"`
	MinVersion string     `yaml:"min_version,literal"`
	MaxVersion string     `yaml:"max_version,literal"`
}

// tlsYAML is our prober "tls": TLS, or an upgrade to it, and nothing else.
type tlsYAML struct {
	Prefer          string        `yaml:"preferred_ip_protocol,literal"`
	Fallback        boolYAML      `yaml:"ip_protocol_fallback,literal"`
	Source          string        `yaml:"source_ip_address,literal"`
	Upgrade         string        `yaml:"upgrade"`
	TLSConfig       tlsConfigYAML `yaml:"tls_config"`
	Success         string        `yaml:"success"`
	Allow           []string      `yaml:"allow_reasons"`
	CertificateOnly bool          `yaml:"certificate_only"`
	PostQuantum     bool          `yaml:"post_quantum"`
	ALPN            []string      `yaml:"alpn"`
	MaxCertificates int           `yaml:"max_certificates"`
}

// filesYAML is our prober "file": certificates at rest.
type filesYAML struct {
	Paths           []string `yaml:"paths"`
	MaxCertificates int      `yaml:"max_certificates"`
}

// boolYAML takes the words of YAML 1.1 too, as Blackbox's reader does.
type boolYAML struct{ set, value bool }

func (b *boolYAML) UnmarshalText(text []byte) error {
	switch s := string(text); s {
	case "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
		*b = boolYAML{true, true}
	case "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		*b = boolYAML{true, false}
	default:
		return fmt.Errorf("want true or false, found %q", s)
	}
	return nil
}

func (b boolYAML) or(def bool) bool {
	if b.set {
		return b.value
	}
	return def
}

// durationYAML takes 5s, and a number as nanoseconds, as Blackbox's reader does.
type durationYAML time.Duration

func (d *durationYAML) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		n, numErr := strconv.ParseInt(string(text), 10, 64)
		if numErr != nil {
			return fmt.Errorf("want a duration such as 5s, found %q", text)
		}
		v = time.Duration(n)
	}
	if v < 0 {
		return fmt.Errorf("want a duration that is not negative, found %s", v)
	}
	*d = durationYAML(v)
	return nil
}

type secretYAML struct{ holdfast.Secret }

func (s *secretYAML) UnmarshalText(text []byte) error {
	s.Secret = holdfast.NewSecret(string(text))
	return nil
}
