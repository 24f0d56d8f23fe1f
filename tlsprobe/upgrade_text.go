package tlsprobe

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// smtp is STARTTLS of SMTP (RFC 3207) and, with another greeting, LMTP's (RFC 2033).
func smtp(hello string) func(*talk) error {
	return func(t *talk) error {
		code, lines, err := t.reply()
		if err != nil {
			return err
		}
		if code != "220" {
			return unexpected("220", []byte(code+" "+strings.Join(lines, " ")))
		}
		if err := t.send(hello + " tlsprobe.invalid\r\n"); err != nil {
			return err
		}
		code, lines, err = t.reply()
		if err != nil {
			return err
		}
		if code != "250" || !offers(lines, "STARTTLS") {
			return refused("the server does not offer STARTTLS in its answer to %s (%s)", hello, code)
		}
		return t.command("STARTTLS\r\n", "220")
	}
}

// ftp is AUTH TLS (RFC 4217).
func ftp(t *talk) error {
	if code, lines, err := t.reply(); err != nil {
		return err
	} else if code != "220" {
		return unexpected("220", []byte(code+" "+strings.Join(lines, " ")))
	}
	return t.command("AUTH TLS\r\n", "234")
}

// nntp is STARTTLS of RFC 4642.
func nntp(t *talk) error {
	if code, lines, err := t.reply(); err != nil {
		return err
	} else if code != "200" && code != "201" {
		return unexpected("200 or 201", []byte(code+" "+strings.Join(lines, " ")))
	}
	return t.command("STARTTLS\r\n", "382")
}

// command sends a command and wants one code for an answer.
func (t *talk) command(command, want string) error {
	if err := t.send(command); err != nil {
		return err
	}
	code, lines, err := t.reply()
	if err != nil {
		return err
	}
	if code != want {
		return refused("the server answered %s with %s", strings.TrimSpace(command), excerpt([]byte(code+" "+strings.Join(lines, " "))))
	}
	return nil
}

func offers(lines []string, extension string) bool {
	for _, line := range lines {
		if word, _, _ := strings.Cut(line, " "); strings.EqualFold(word, extension) {
			return true
		}
	}
	return false
}

// imap is STARTTLS of RFC 9051 §6.2.1.
func imap(t *talk) error {
	line, err := t.line()
	if err != nil {
		return err
	}
	if !hasPrefixFold(line, "* OK") && !hasPrefixFold(line, "* PREAUTH") {
		return unexpected("* OK", []byte(line))
	}
	return t.tagged("a STARTTLS\r\n", "a ", "OK")
}

// tagged sends a command and reads up to the line that begins with tag.
func (t *talk) tagged(command, tag, ok string) error {
	if err := t.send(command); err != nil {
		return err
	}
	line, err := t.lineWith(tag)
	if err != nil {
		return err
	}
	if !hasPrefixFold(line, tag+ok) {
		return refused("the server answered STARTTLS with %s", excerpt([]byte(line)))
	}
	return nil
}

// pop3 is STLS of RFC 2595 §4.
func pop3(t *talk) error {
	line, err := t.line()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, "+OK") {
		return unexpected("+OK", []byte(line))
	}
	if err := t.send("STLS\r\n"); err != nil {
		return err
	}
	if line, err = t.line(); err != nil {
		return err
	}
	if !strings.HasPrefix(line, "+OK") {
		return refused("the server answered STLS with %s", excerpt([]byte(line)))
	}
	return nil
}

// sieve is STARTTLS of ManageSieve (RFC 5804 §2.2): the server begins with its
// capabilities, which end in OK.
func sieve(t *talk) error {
	offered := false
	for {
		line, err := t.line()
		if err != nil {
			return err
		}
		if hasPrefixFold(line, `"STARTTLS"`) {
			offered = true
		}
		if hasPrefixFold(line, "OK") {
			break
		}
		if !strings.HasPrefix(line, `"`) {
			return unexpected("a capability or OK", []byte(line))
		}
	}
	if !offered {
		return refused("STARTTLS is not among the server's capabilities")
	}
	return t.tagged("STARTTLS\r\n", "", "OK")
}

// irc is STARTTLS of IRCv3: the server may send notices before its answer, 670,
// or 691 for no.
func irc(t *talk) error {
	if err := t.send("STARTTLS\r\n"); err != nil {
		return err
	}
	for {
		line, err := t.line()
		if err != nil {
			return err
		}
		words := strings.Fields(line)
		if len(words) > 0 && strings.HasPrefix(words[0], ":") {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "670":
			return nil
		case "NOTICE":
		case "PING": // before registration some servers want it answered
			if err := t.send("PONG " + strings.Join(words[1:], " ") + "\r\n"); err != nil {
				return err
			}
		case "691", "421", "451", "ERROR":
			return refused("the server answered STARTTLS with %s", excerpt([]byte(line)))
		default:
			return unexpected("670", []byte(line))
		}
	}
}

// nats reads INFO, after which the client begins TLS without an answer.
func nats(t *talk) error {
	line, err := t.line()
	if err != nil {
		return err
	}
	if !hasPrefixFold(line, "INFO ") {
		return unexpected("INFO", []byte(line))
	}
	var info struct {
		Required  bool `json:"tls_required"`
		Available bool `json:"tls_available"`
	}
	if err := json.Unmarshal([]byte(line[len("INFO "):]), &info); err != nil {
		return unexpected("INFO with JSON", []byte(line))
	}
	if !info.Required && !info.Available {
		return refused("the server's INFO has neither tls_required nor tls_available")
	}
	return nil
}

// xmpp is STARTTLS of RFC 6120 §5, of clients or between servers by namespace.
func xmpp(namespace string) func(*talk) error {
	const tls = "urn:ietf:params:xml:ns:xmpp-tls"
	return func(t *talk) error {
		var to strings.Builder
		if err := xml.EscapeText(&to, []byte(t.name)); err != nil {
			return err
		}
		if err := t.send(fmt.Sprintf("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams'>", to.String(), namespace)); err != nil {
			return err
		}
		dec := xml.NewDecoder(&bytewise{t.in, 64 << 10})
		asked := false
		for {
			tok, err := dec.Token()
			var syntax *xml.SyntaxError
			switch {
			case errors.As(err, &syntax) && syntax.Msg != "unexpected EOF":
				return &upgradeError{WrongProtocol, fmt.Sprintf("the peer did not answer with XMPP: line %d: %s", syntax.Line, excerpt([]byte(syntax.Msg)))}
			case errors.As(err, &syntax):
				return io.ErrUnexpectedEOF // the peer closed within an element
			case err != nil:
				return err
			}
			start, isStart := tok.(xml.StartElement)
			end, isEnd := tok.(xml.EndElement)
			switch {
			case isStart && start.Name.Local == "starttls" && start.Name.Space == tls:
				if err := dec.Skip(); err != nil {
					return err
				}
				asked = true
				if err := t.send("<starttls xmlns='" + tls + "'/>"); err != nil {
					return err
				}
			case isStart && start.Name.Local == "proceed" && start.Name.Space == tls:
				return dec.Skip()
			case isStart && start.Name.Local == "failure" && start.Name.Space == tls:
				return refused("the server answered starttls with failure")
			case isStart && start.Name.Local == "error":
				return refused("the server ended the stream with an error: it may serve other domains than %q", t.name)
			case isEnd && end.Name.Local == "features" && !asked:
				return refused("the server offers no starttls among its stream features")
			}
		}
	}
}

// bytewise is a reader that xml.Decoder takes single bytes from, so that it takes
// no more than the element which ends the dialogue.
type bytewise struct {
	in   *bufio.Reader
	left int
}

func (b *bytewise) ReadByte() (byte, error) {
	if b.left--; b.left < 0 {
		return 0, &upgradeError{WrongProtocol, "the peer sent too much XML before TLS"}
	}
	return b.in.ReadByte()
}

func (b *bytewise) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}
