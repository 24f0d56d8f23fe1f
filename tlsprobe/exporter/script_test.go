package exporter

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// script is a module with one query_response and what else tcp has.
func script(steps, rest string) string {
	return "modules:\n  m:\n    prober: tcp\n    timeout: 20s\n    tcp:\n      query_response: " + steps + "\n" + rest
}

// say answers connections with fixed text, then reads until the other side ends.
func say(t *testing.T, text string, hangUp bool) string {
	return serveRaw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, text) // the probe says so
		if !hangUp {
			_, _ = io.Copy(io.Discard, conn) // as above
		}
	})
}

func TestScript_Lines(t *testing.T) {
	for _, tc := range []struct {
		name, steps, text            string
		hangUp                       bool
		success, regex, bytes, codes string
	}{
		{"match", `[{expect: "^SSH-2.0-"}]`, "SSH-2.0-x\r\n", false, "1", "0", "0", ""},
		{"a later line", `[{expect: "^b$"}]`, "a\nb\r\n", false, "1", "0", "0", ""},
		{"the last line without an end", `[{expect: "^b$"}]`, "a\nb", true, "1", "0", "0", ""},
		{"no match", `[{expect: "^c"}]`, "a\nb\n", true, "0", "1", "0", "wrong_protocol"},
		{"two, and one is missing", `[{expect: "^a"}, {expect: "^a"}]`, "a\nb\n", true, "0", "1", "0", "wrong_protocol"},
		{"bytes", `[{expect_bytes: "ab"}, {expect_bytes: "c"}]`, "abc", false, "1", "0", "0", ""},
		{"bytes behind a line", `[{expect: "^a"}, {expect_bytes: "b"}]`, "a\nb", false, "1", "0", "0", ""},
		{"other bytes", `[{expect_bytes: "ab"}]`, "ax", false, "0", "0", "1", "wrong_protocol"},
		{"too few bytes", `[{expect_bytes: "ab"}]`, "a", true, "0", "0", "0", "closed"},
		{"a line without an end", `[{expect: "x"}]`, strings.Repeat("a", maxScriptLine+1), false, "0", "0", "0", "wrong_protocol"},
		{"the longest line", `[{expect: "aa$"}]`, strings.Repeat("a", maxScriptLine-1) + "\n", false, "1", "0", "0", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newExporter(t, newCA(t), script(tc.steps, ""))
			all := probe(t, e, "m", say(t, tc.text, tc.hangUp))
			require.Equal(t, tc.success, all["probe_success"], all)
			require.Equal(t, tc.regex, all["probe_failed_due_to_regex"])
			require.Equal(t, tc.bytes, all["probe_failed_due_to_bytes"])
			if tc.codes != "" {
				require.Equal(t, "1", all[`tlsprobe_reason{code="`+tc.codes+`"}`], all)
			}
		})
	}
}

func TestScript_ExpandsAndLabels(t *testing.T) {
	got := make(chan string, 1)
	address := serveRaw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "PING :42\nSSH-2.0-OpenSSH_9 Debian\n") // the probe says so
		line, _ := bufio.NewReader(conn).ReadString('\n')                   // as above
		got <- line
	})
	e := newExporter(t, newCA(t), script(`
        - {expect: "PING :([^ ]+)", send: "PONG ${1}"}
        - expect: "^SSH-2.0-([^ -]+)(?: (.*))?$"
          labels: [{name: version, value: "${1}"}, {name: comments, value: "${2} \"x\""}]`, ""))
	all := probe(t, e, "m", address)
	require.Equal(t, "1", all["probe_success"])
	require.Equal(t, "1", all[`probe_expect_info{version="OpenSSH_9",comments="Debian \"x\""}`], all)
	require.Equal(t, "PONG 42\n", <-got)
}

// serveStartTLS speaks SMTP's part, begins TLS, and goes on in it.
func serveStartTLS(t *testing.T, config *tls.Config, injected string, heard *[]string) string {
	done := make(chan struct{})
	t.Cleanup(func() { <-done })
	return serveRaw(t, func(conn net.Conn) {
		defer close(done)
		in := bufio.NewReaderSize(conn, 16) // reads no further than a line
		line := func(r *bufio.Reader) {
			s, _ := r.ReadString('\n') // then it is empty
			*heard = append(*heard, s)
		}
		_, _ = io.WriteString(conn, "220 mail ESMTP x\r\n") // the probe says so
		line(in)
		_, _ = io.WriteString(conn, "250-mail\r\n250 STARTTLS\r\n") // as above
		line(in)
		_, _ = io.WriteString(conn, "220 go\r\n"+injected) // as above
		tc := tls.Server(conn, config)
		behind := bufio.NewReader(tc)
		line(behind)
		_, _ = io.WriteString(tc, "235 welcome\r\n") // as above
		_ = tc.Close()                               // as above
	})
}

const smtpSteps = `
        - {expect: "^220 ", send: "EHLO me\r"}
        - {expect: "^250 STARTTLS", send: "STARTTLS\r"}
        - {expect: "^220"}
        - {starttls: true, send: "AUTH hunter2\r"}
        - {expect: "^235 (.*)", labels: [{name: said, value: "$1"}]}`

func TestScript_StartTLS(t *testing.T) {
	ca := newCA(t)
	cert := issue(t, ca, pki.Leaf{CommonName: "mail"})
	// starttls stands last in a step, so what follows goes behind TLS.
	steps := strings.Replace(smtpSteps, `{starttls: true, send: "AUTH hunter2\r"}`, "{starttls: true}\n        - {send: \"AUTH hunter2\\r\"}", 1)

	var heard []string
	e := newExporter(t, ca, script(steps, "      tls_config: {ca_file: ca.pem}"))
	all := probe(t, e, "m", serveStartTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}, "", &heard))
	require.Equal(t, "1", all["probe_success"], all)
	require.Contains(t, all, "probe_ssl_earliest_cert_expiry")
	require.Equal(t, "1", all[`probe_expect_info{said="welcome"}`])
	require.Equal(t, "1", all[`tlsprobe_client_certificate{state="not-requested"}`])
	require.Equal(t, []string{"EHLO me\r\n", "STARTTLS\r\n", "AUTH hunter2\r\n"}, heard)
}

// A password of a script must not reach who is not who they claim to be.
func TestScript_KeepsWhatIsBehindTLSFromUntrustedServers(t *testing.T) {
	ca := newCA(t)
	cert := issue(t, newCA(t), pki.Leaf{CommonName: "mallory"})
	steps := strings.Replace(smtpSteps, `{starttls: true, send: "AUTH hunter2\r"}`, "{starttls: true}\n        - {send: \"AUTH hunter2\\r\"}", 1)
	var heard []string
	e := newExporter(t, ca, script(steps, "      tls_config: {ca_file: ca.pem}"))
	t.Run("verified", func(t *testing.T) {
		all := probe(t, e, "m", serveStartTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}, "", &heard))
		require.Equal(t, "0", all["probe_success"])
		require.Contains(t, all, "probe_ssl_earliest_cert_expiry")
		require.Equal(t, "1", all[`tlsprobe_reason{code="unknown_ca"}`], all)
	})
	require.Equal(t, []string{"EHLO me\r\n", "STARTTLS\r\n", ""}, heard)

	heard = nil
	e = newExporter(t, ca, script(steps, "      tls_config: {insecure_skip_verify: true}"))
	t.Run("blind", func(t *testing.T) {
		all := probe(t, e, "m", serveStartTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}, "", &heard))
		require.Equal(t, "1", all["probe_success"], all)
	})
	require.Equal(t, "AUTH hunter2\r\n", heard[2])
}

func TestScript_Injection(t *testing.T) {
	ca := newCA(t)
	var heard []string
	e := newExporter(t, ca, script(smtpSteps, "      tls_config: {ca_file: ca.pem}"))
	t.Run("injected", func(t *testing.T) {
		all := probe(t, e, "m", serveStartTLS(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Leaf{})}}, "250 injected\r\n", &heard))
		require.Equal(t, "0", all["probe_success"])
		// The send of the step goes out before TLS starts, as in Blackbox, and the
		// bytes may come after that.
		require.Contains(t, fmt.Sprint(all), "plaintext_")
	})
}

// The eight bytes of PostgreSQL's SSLRequest, and no ninth.
func TestScript_SendsBinaryRequestsBare(t *testing.T) {
	ca := newCA(t)
	cert := issue(t, ca, pki.Leaf{CommonName: "postgres"})
	const ldap = `"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"`
	for request, steps := range map[string]string{
		"\x00\x00\x00\x08\x04\xd2\x16\x2f":                               `[{send: !!binary AAAACATSFi8=}, {expect_bytes: S}, {starttls: true}]`,
		"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"[:5]: `[{send: ` + ldap + `}, {expect_bytes: S}, {starttls: true}]`,
		"\x01CTCP\x01\n":   `[{send: "\x01CTCP\x01"}, {expect_bytes: S}]`,
		"STARTTLS\r\n":     `[{send: "STARTTLS\r"}, {expect_bytes: S}, {starttls: true}]`,
		"\x01 in a line\n": `[{send: "\x01 in a line"}, {expect: S}, {starttls: true}]`,
	} {
		got := make(chan string, 1)
		address := serveRaw(t, func(conn net.Conn) {
			b := make([]byte, len(request))
			_, _ = io.ReadFull(conn, b) // then it differs
			got <- string(b)
			if !strings.HasPrefix(request, "\x00") {
				return
			}
			_, _ = io.WriteString(conn, "S") // the probe says so
			tc := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			_ = tc.Handshake()                      // as above
			_, _ = io.ReadFull(tc, make([]byte, 1)) // until the goodbye
			_ = tc.Close()                          // as above
		})
		e := newExporter(t, ca, script(steps, "      tls_config: {ca_file: ca.pem}"))
		all := probe(t, e, "m", address)
		require.Equal(t, request, <-got)
		if strings.HasPrefix(request, "\x00") {
			require.Equal(t, "1", all["probe_success"], all)
		}
	}
}

func TestScript_DebugHoldsNothingSecret(t *testing.T) {
	ca := newCA(t)
	e := newExporter(t, ca, script(`[{send: "AUTH hunter2"}, {expect: "^hunter3"}, {expect_bytes: hunter4}]`, "      tls: true\n      tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}"))
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{issue(t, ca, pki.Leaf{CommonName: "mail"})}})
	w := get(t, e, "/probe", "module", "m", "target", address, "debug", "true")
	require.Equal(t, http.StatusOK, w.Code)
	body := w.Body.String()
	for _, want := range []string{"Phases:", "dns ", "connect ", "upgrade ", "handshake ", "total ", "TLS 1.3", "query_response step 1: done", "CN=mail", "probe_success 0", "ca_file ca.pem"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "hunter")
	require.NotContains(t, body, "PRIVATE KEY")
	require.Equal(t, textType, w.Header().Get("Content-Type"))
}
