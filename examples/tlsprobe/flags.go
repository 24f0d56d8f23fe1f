package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// probeFlags are what both verbs let one say about a probe.
type probeFlags struct {
	starttls, serverName, verifyName string
	ca, cert, key                    string
	timeout                          time.Duration
	only4, only6, certOnly           bool
	requireClientCert                bool
}

func (f *probeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.starttls, "starttls", "", "protocol before TLS: auto picks by port; tls, "+joined(tlsprobe.Upgrades()))
	flags.StringVar(&f.serverName, "server-name", "", "`NAME` to ask for (SNI) and to find in the certificate")
	flags.StringVar(&f.verifyName, "verify-name", "", "`NAME` to find in the certificate, where it is another")
	flags.StringVar(&f.ca, "ca", "", "trust the certificates of this PEM `FILE` and no others")
	flags.StringVar(&f.cert, "cert", "", "client certificate, PEM `FILE`, with its chain")
	flags.StringVar(&f.key, "key", "", "its private key, PEM `FILE`; that of --cert where it is not given")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long each endpoint may take")
	flags.BoolVarP(&f.only4, "ipv4", "4", false, "IPv4 only")
	flags.BoolVarP(&f.only6, "ipv6", "6", false, "IPv6 only")
	flags.BoolVar(&f.certOnly, "cert-only", false, "end the handshake when the certificates are there: cheaper, seen by servers as an error")
	flags.BoolVar(&f.requireClientCert, "require-client-cert", false, "fail endpoints that do not require client certificates")
	cmd.MarkFlagsMutuallyExclusive("ipv4", "ipv6")
}

func joined(upgrades []tlsprobe.Upgrade) string {
	names := make([]string, len(upgrades))
	for i, u := range upgrades {
		names[i] = string(u)
	}
	return strings.Join(names, ", ")
}

func (f *probeFlags) prober() (*tlsprobe.Prober, error) {
	if f.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: allowed is more than 0", f.timeout)
	}
	p := &tlsprobe.Prober{Timeout: f.timeout, CertificateOnly: f.certOnly}
	if f.ca != "" {
		data, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		p.Roots = x509.NewCertPool()
		if !p.Roots.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("--ca %s: there is no PEM certificate in it", f.ca)
		}
	}
	if f.cert == "" && f.key != "" {
		return nil, errors.New("--key without --cert: a key alone is no client certificate")
	}
	if f.cert != "" {
		key := f.key
		if key == "" {
			key = f.cert
		}
		cert, err := tls.LoadX509KeyPair(f.cert, key)
		if err != nil {
			return nil, fmt.Errorf("--cert %s: %w", f.cert, err)
		}
		p.Certificate = &cert
	}
	return p, nil
}

func (f *probeFlags) policy() tlsprobe.Policy {
	return tlsprobe.Policy{ClientCertificates: f.requireClientCert}
}

// target reads one target and puts the flags on it.
func (f *probeFlags) target(s string) (tlsprobe.Target, error) {
	t, err := tlsprobe.ParseTarget(s)
	if err != nil {
		return t, err
	}
	if f.starttls != "" && t.Upgrade == "" {
		t.Upgrade = tlsprobe.Upgrade(f.starttls)
	}
	t.ServerName, t.VerifyName = f.serverName, f.verifyName
	switch {
	case f.only4:
		t.Network = "tcp4"
	case f.only6:
		t.Network = "tcp6"
	}
	return t, t.Validate()
}
