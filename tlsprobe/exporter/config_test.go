package exporter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
)

// A module file in the manner of those that people have, with every section and
// with what YAML readers of other programs let pass.
const wild = `
modules:
  http_2xx:
    prober: http
    timeout: 5s
    http:
      valid_status_codes: []
      headers: {Host: example.org, X: !!str 5}
      tls_config: {insecure_skip_verify: false}
  icmp: {prober: icmp}
  icmp_null:
    prober: icmp
    icmp:
  dns: {prober: dns, dns: {query_name: example.org}}
  tcp_connect: {prober: tcp}
  numbers:
    prober: tcp
    timeout: 5000000000
    tcp:
      preferred_ip_protocol: ip4
      ip_protocol_fallback: no
      source_ip_address: 127.0.0.1
      tls: yes
      query_response:
        - send: 12
        - expect: true
  smtp_starttls: &smtp
    prober: tcp
    timeout: 5s
    tcp:
      query_response:
        - expect: "^220 ([^ ]+) ESMTP (.+)$"
        - send: "EHLO prober\r"
        - expect: "^250-STARTTLS"
        - send: "STARTTLS\r"
        - expect: "^220"
        - starttls: true
        - send: "EHLO prober\r"
        - expect: "^250-AUTH"
        - send: "QUIT\r"
  alias: *smtp
  ssh:
    prober: tcp
    tcp:
      query_response:
        - expect: "^SSH-2.0-([^ -]+)(?: (.*))?$"
          labels:
            - {name: ssh_version, value: "${1}"}
            - {name: ssh_comments, value: "${2}"}
  postgresql:
    prober: tcp
    tcp:
      query_response:
        - send: !!binary AAAACATSFi8=
        - expect_bytes: S
        - starttls: true
`

func moduleOf(t *testing.T, list []settings, name string) settings {
	for _, s := range list {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no module %q", name)
	return settings{}
}

func TestParse_WhatBlackboxReads(t *testing.T) {
	list, err := parse("blackbox.yml", []byte(wild))
	require.NoError(t, err)
	require.Len(t, list, 10)
	numbers := moduleOf(t, list, "numbers")
	require.Equal(t, 5*time.Second, numbers.timeout)
	require.True(t, numbers.tls && numbers.prefer4 && !numbers.fallback)
	require.Equal(t, "127.0.0.1", numbers.source.String())
	require.Equal(t, "12", numbers.steps[0].send)
	require.Equal(t, "true", numbers.steps[1].expect.String())
	require.Equal(t, moduleOf(t, list, "smtp_starttls").steps, moduleOf(t, list, "alias").steps)
	require.Equal(t, [][2]string{{"ssh_version", "${1}"}, {"ssh_comments", "${2}"}}, moduleOf(t, list, "ssh").steps[0].labels)

	for name, raw := range map[string][]bool{"postgresql": {true, false, false}, "smtp_starttls": make([]bool, 9)} {
		for i, s := range moduleOf(t, list, name).steps {
			require.Equal(t, raw[i], s.raw, "%s step %d", name, i)
		}
	}
	require.Equal(t, "\x00\x00\x00\x08\x04\xd2\x16\x2f", moduleOf(t, list, "postgresql").steps[0].send)
}

func TestParse_Refused(t *testing.T) {
	paths, err := filepath.Glob("testdata/reject/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			_, err = parse("in.yml", archive.Files[0].Data)
			require.Error(t, err)
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "problems", Data: []byte(err.Error() + "\n")})
				require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o644))
			}
			require.Equal(t, string(archive.Files[1].Data), err.Error()+"\n")
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(wild)
	f.Add(plainModules)
	paths, _ := filepath.Glob("testdata/reject/*.txtar") // seeds
	for _, path := range paths {
		if archive, err := txtar.ParseFile(path); err == nil {
			f.Add(string(archive.Files[0].Data))
		}
	}
	f.Fuzz(func(t *testing.T, in string) {
		list, err := parse("in.yml", []byte(in))
		if err != nil {
			var problems holdfast.Problems
			require.ErrorAs(t, err, &problems, "every problem has its place")
			return
		}
		e := &Exporter{ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }}
		_, _ = e.build("in.yml", list) // missing files are fine, panics are not
	})
}

func TestLoad_NamesWhatCannotBeReadAndKeepsTheOld(t *testing.T) {
	ca := newCA(t)
	e := newExporter(t, ca, plainModules)
	old := e.module("tls")
	err := e.Load("modules.yml", []byte(`
modules:
  a: {prober: tcp, tcp: {tls: true, tls_config: {ca_file: missing.pem}}}
  b: {prober: tcp, tcp: {tls: true, tls_config: {cert_file: client.pem, key_file: ca.pem}}}
  c: {prober: tcp, tcp: {tls: true, tls_config: {ca_file: client.key}}}
`))
	require.ErrorContains(t, err, `modules.a: read ca_file "missing.pem"`)
	require.ErrorContains(t, err, `modules.b: client certificate "client.pem" with key "ca.pem"`)
	require.ErrorContains(t, err, `modules.c: ca_file "client.key": no certificate in PEM in it`)
	require.Same(t, old, e.module("tls"))
	require.Equal(t, "0", samples(t, get(t, e, "/metrics").Body.String())["tlsprobe_exporter_config_last_reload_successful"])

	require.NoError(t, e.Load("modules.yml", []byte(plainModules)))
	require.NotSame(t, old, e.module("tls"))
	all := samples(t, get(t, e, "/metrics").Body.String())
	require.Equal(t, "1", all["tlsprobe_exporter_config_last_reload_successful"])
	require.Equal(t, unixText(now), all["tlsprobe_exporter_config_last_reload_success_timestamp_seconds"])
}
