package tlsprobe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// A peer can send what it likes, so a dialogue reads lines up to maxLine bytes
// and at most maxLines of them. The longest honest answers are those to EHLO and
// the features of XMPP, a few kilobytes.
const (
	maxLine  = 8 << 10
	maxLines = 200
)

// talk is the conversation in plain text before TLS.
type talk struct {
	conn net.Conn
	in   *bufio.Reader
	// name is the host for protocols that address it, as XMPP does.
	name  string
	lines int
	// wrap, if a dialogue sets it, carries the handshake instead of conn.
	wrap net.Conn
}

// upgradeError ends a dialogue.
type upgradeError struct {
	code    Code
	message string
}

func (e *upgradeError) Error() string { return e.message }

func refused(format string, args ...any) error {
	return &upgradeError{UpgradeRefused, fmt.Sprintf(format, args...)}
}

func unexpected(want string, got []byte) error {
	return &upgradeError{WrongProtocol, fmt.Sprintf("the peer answered %s where %s was expected", excerpt(got), want)}
}

func newTalk(conn net.Conn, name string) *talk {
	return &talk{conn: conn, in: bufio.NewReaderSize(conn, maxLine), name: name}
}

// send writes a line or a message as it is.
func (t *talk) send(s string) error {
	_, err := io.WriteString(t.conn, s)
	return err
}

// line reads one line without its end.
func (t *talk) line() (string, error) {
	if t.lines++; t.lines > maxLines {
		return "", &upgradeError{WrongProtocol, fmt.Sprintf("the peer sent more than %d lines before TLS", maxLines)}
	}
	line, err := t.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", &upgradeError{WrongProtocol, fmt.Sprintf("the peer sent a line of more than %d bytes, beginning with %s", maxLine, excerpt(line))}
	}
	if err != nil {
		if len(line) > 0 && errors.Is(err, io.EOF) {
			return "", unexpected("a whole line", line)
		}
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// lineWith reads lines until one begins with prefix, whatever its case.
func (t *talk) lineWith(prefix string) (string, error) {
	for {
		line, err := t.line()
		if err != nil || hasPrefixFold(line, prefix) {
			return line, err
		}
	}
}

// bytes reads exactly n bytes, n being small.
func (t *talk) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(t.in, b)
	return b, err
}

// reply reads an answer of SMTP's kind: lines of one three-digit code, the last
// of which has no dash behind it (RFC 5321 §4.2.1).
func (t *talk) reply() (code string, lines []string, err error) {
	for {
		line, err := t.line()
		if err != nil {
			return code, lines, err
		}
		if len(line) < 3 || !digits(line[:3]) || (len(line) > 3 && line[3] != ' ' && line[3] != '-') {
			return code, lines, unexpected("a three-digit code", []byte(line))
		}
		code = line[:3]
		lines = append(lines, strings.TrimLeft(line[3:], " -"))
		if len(line) == 3 || line[3] == ' ' {
			return code, lines, nil
		}
	}
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// excerpt quotes the beginning of what a peer sent.
func excerpt(b []byte) string {
	const most = 60
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
