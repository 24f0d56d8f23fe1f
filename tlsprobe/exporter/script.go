package exporter

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// step is one entry of query_response.
type step struct {
	expect      *regexp.Regexp // nil expects nothing
	expectBytes string
	send        string
	labels      [][2]string // name and template
	startTLS    bool
	// raw sends without a line feed behind it, see [bareSends].
	raw bool
}

// bareSends marks what is sent without the line feed that Blackbox 0.28 (prober/
// query_response.go) puts behind everything. That is for its own PostgreSQL
// example: the server reads the eight bytes of an SSLRequest, finds a ninth, and
// logs FATAL "received unencrypted data after SSL request" at each probe
// (ProcessStartupPacket in PostgreSQL 14 and newer, for CVE-2021-23214).
//
// So a send has none if it holds a byte that no line does and is answered by
// bytes, not a line, after which TLS starts. LDAP's StartTLS is the other such
// request. All else is sent as Blackbox does: scripts for line protocols rely on
// it, and some hold control characters.
func bareSends(steps []step) {
	for i := range steps {
		if !binaryText(steps[i].send) {
			continue
		}
		for _, next := range steps[i+1:] {
			if next.startTLS && next.send == "" && next.expect == nil {
				steps[i].raw = true
			}
			if next.startTLS || next.send != "" || next.expect != nil {
				break
			}
		}
	}
}

func binaryText(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\r' && r != '\n' || r == 0x7f
	})
}

// maxScriptLine is the longest line that is read, as Blackbox's bufio.Scanner.
const maxScriptLine = bufio.MaxScanTokenSize

// maxScriptBytes is all that a peer can send through a script that waits for a
// line. Blackbox has no bound but time.
const maxScriptBytes = 16 << 20

// conversation is one run of a script.
type conversation struct {
	steps    []step
	startTLS bool // TLS begins in the middle
	verify   bool // say nothing in TLS to a server that is not trusted

	next        int
	failedRegex bool
	failedBytes bool
	info        [][]string // of probe_expect_info
	log         []string   // for debug; never what was sent or expected
}

func newConversation(steps []step, verify bool) *conversation {
	return &conversation{steps: steps, startTLS: slices.ContainsFunc(steps, func(s step) bool { return s.startTLS }), verify: verify}
}

// around returns what to say before and behind TLS.
func (c *conversation) around(tls bool) tlsprobe.Conversation {
	after := func(_ context.Context, conn net.Conn, r *tlsprobe.Result) error {
		if c.verify && !trusted(r) {
			c.log = append(c.log, "the rest is not said: the server is not to be trusted")
			return nil
		}
		_, err := c.run(conn)
		return err
	}
	if tls {
		return tlsprobe.Conversation{After: func(ctx context.Context, conn net.Conn, r *tlsprobe.Result) error {
			c.reset()
			return after(ctx, conn, r)
		}}
	}
	return tlsprobe.Conversation{After: after, Before: func(_ context.Context, conn net.Conn) (bool, error) {
		c.reset()
		return c.run(conn)
	}}
}

// reset begins anew: a probe may take a second connection.
func (c *conversation) reset() { *c = *newConversation(c.steps, c.verify) }

// run goes on with the script until it ends or starts TLS.
func (c *conversation) run(conn net.Conn) (startTLS bool, err error) {
	in := bufio.NewReader(&io.LimitedReader{R: conn, N: maxScriptBytes})
	for c.next < len(c.steps) {
		s := c.steps[c.next]
		c.next++
		if err := c.step(s, conn, in); err != nil {
			c.log = append(c.log, fmt.Sprintf("step %d: %v", c.next, err))
			return false, err
		}
		c.log = append(c.log, fmt.Sprintf("step %d: done", c.next))
		if !s.startTLS {
			continue
		}
		// Blackbox drops what it has read ahead, so it cannot tell.
		if n := in.Buffered(); n > 0 {
			return false, tlsprobe.Reason{Code: tlsprobe.PlaintextInjection, Position: -1,
				Message: fmt.Sprintf("%d bytes in plain text came before TLS that no step expected: an expect may be missing, or somebody in between feeds commands", n)}
		}
		return true, nil
	}
	return false, nil
}

func (c *conversation) step(s step, conn net.Conn, in *bufio.Reader) error {
	send := s.send
	if s.expect != nil {
		line, match, err := c.expect(s.expect, in)
		if err != nil {
			return err
		}
		send = string(s.expect.Expand(nil, []byte(send), line, match))
		c.label(s, line, match)
	}
	if s.expectBytes != "" {
		if err := c.expectBytes(s.expectBytes, in); err != nil {
			return err
		}
	}
	if send == "" {
		return nil
	}
	if !s.raw {
		send += "\n"
	}
	_, err := io.WriteString(conn, send)
	return err
}

// expect reads lines until one matches. A clean end without a match is the
// failure that probe_failed_due_to_regex shows.
func (c *conversation) expect(pattern *regexp.Regexp, in *bufio.Reader) (line []byte, match []int, err error) {
	for {
		line, err := readLine(in)
		if err != nil {
			if errors.Is(err, io.EOF) {
				c.failedRegex = true
				return nil, nil, unexpected("the peer closed, and no line of its matched")
			}
			return nil, nil, err
		}
		if match := pattern.FindSubmatchIndex(line); match != nil {
			c.failedRegex = false
			return line, match, nil
		}
	}
}

// readLine reads a line without its end. The last one needs none.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) >= maxScriptLine:
			return nil, unexpected(fmt.Sprintf("the peer sent a line of more than %d bytes", maxScriptLine))
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)):
			return nil, err
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
	}
}

// expectBytes reads as many bytes as are expected. Blackbox takes what one read
// gives, and passes over what it has read ahead for a line; so how TCP cut the
// stream decides there, and does not here.
func (c *conversation) expectBytes(want string, in *bufio.Reader) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(in, got); err != nil {
		return err
	}
	if c.failedBytes = string(got) != want; c.failedBytes {
		return unexpected("the peer answered with other bytes than were expected")
	}
	return nil
}

func unexpected(message string) error {
	return tlsprobe.Reason{Code: tlsprobe.WrongProtocol, Message: message, Position: -1}
}

// label keeps a sample of probe_expect_info, once: two of the same make a scrape
// invalid.
func (c *conversation) label(s step, line []byte, match []int) {
	if len(s.labels) == 0 {
		return
	}
	var labels []string
	for _, l := range s.labels {
		labels = append(labels, l[0], cut(string(s.expect.Expand(nil, []byte(l[1]), line, match)), maxName))
	}
	if !slices.ContainsFunc(c.info, func(known []string) bool { return slices.Equal(known, labels) }) {
		c.info = append(c.info, labels)
	}
}
