package tlsprobe

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// script is one side of a dialogue: lines that begin with "C:" are awaited from
// the probe, others are said. Both may hold Go's escapes for bytes.
type script []string

func (s script) run(conn net.Conn, in *bufio.Reader) bool {
	for _, step := range s {
		if want, ok := strings.CutPrefix(step, "C:"); ok {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(in, got); err != nil || string(got) != want {
				return false
			}
			continue
		}
		if _, err := io.WriteString(conn, step); err != nil {
			return false
		}
	}
	return true
}

const (
	mysqlHelloText = "\x20\x00\x00\x00\x0a8.4.0\x00\x01\x00\x00\x00abcdefgh\x00\xff\xff\x2d\x02\x00\xff\xff\x15ijkl"
	mysqlNoSSL     = "\x20\x00\x00\x00\x0a8.4.0\x00\x01\x00\x00\x00abcdefgh\x00\xff\xf7\x2d\x02\x00\xff\xff\x15ijkl"
	mysqlRequest   = "C:\x20\x00\x00\x01\x00\x8a\x08\x00\x00\x00\x00\x01\x2d" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	rdpRequest     = "C:\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
	ldapRequest    = "C:\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
	xmppHead       = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>"
	xmppHello      = "C:<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	xmppFeatures   = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	xmppStart      = "C:<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	xmppProceed    = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	tdsRequest     = "C:\x12\x01\x00\x1a\x00\x00\x01\x00\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x00\x00\x00\x00\x00\x00\x01"
)

// accepted are dialogues that end in the go-ahead.
var accepted = map[Upgrade]script{
	SMTP:       {"220-mail.example hello\r\n220 ESMTP\r\n", "C:EHLO tlsprobe.invalid\r\n", "250-mail.example\r\n250-SIZE 1\r\n250 STARTTLS\r\n", "C:STARTTLS\r\n", "220 go\r\n"},
	LMTP:       {"220 LMTP\r\n", "C:LHLO tlsprobe.invalid\r\n", "250-x\r\n250 starttls\r\n", "C:STARTTLS\r\n", "220 go\r\n"},
	IMAP:       {"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "C:a STARTTLS\r\n", "* BYE the way\r\na OK begin\r\n"},
	POP3:       {"+OK POP3\r\n", "C:STLS\r\n", "+OK begin\r\n"},
	FTP:        {"220-hello\r\n220 FTP\r\n", "C:AUTH TLS\r\n", "234 go\r\n"},
	NNTP:       {"201 no posting\r\n", "C:STARTTLS\r\n", "382 go\r\n"},
	Sieve:      {"\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK ready\r\n", "C:STARTTLS\r\n", "OK begin\r\n"},
	IRC:        {":irc.example NOTICE * :looking up\r\n", "C:STARTTLS\r\n", ":irc.example 670 * :go\r\n"},
	XMPP:       {xmppHello, xmppHead + xmppFeatures, xmppStart, xmppProceed},
	XMPPServer: {strings.Replace(xmppHello, "client", "server", 1), strings.Replace(xmppHead, "client", "server", 1) + xmppFeatures, xmppStart, xmppProceed},
	LDAP:       {ldapRequest, "\x30\x26\x02\x01\x01\x78\x21\x0a\x01\x00\x04\x00\x04\x02ok\x8a\x161.3.6.1.4.1.1466.20037"},
	Postgres:   {"C:\x00\x00\x00\x08\x04\xd2\x16\x2f", "S"},
	MySQL:      {mysqlHelloText, mysqlRequest},
	RDP:        {rdpRequest, "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00"},
	NATS:       {"INFO {\"server_id\":\"x\",\"tls_required\":true} \r\n"},
}

// refusals are dialogues in which the server says no.
var refusals = map[Upgrade]script{
	SMTP:       {"220 x\r\n", "C:EHLO tlsprobe.invalid\r\n", "250 x\r\n"},
	LMTP:       {"220 x\r\n", "C:LHLO tlsprobe.invalid\r\n", "250 STARTTLS\r\n", "C:STARTTLS\r\n", "454 not now\r\n"},
	IMAP:       {"* OK x\r\n", "C:a STARTTLS\r\n", "a NO never\r\n"},
	POP3:       {"+OK x\r\n", "C:STLS\r\n", "-ERR what\r\n"},
	FTP:        {"220 x\r\n", "C:AUTH TLS\r\n", "502 what\r\n"},
	NNTP:       {"200 x\r\n", "C:STARTTLS\r\n", "580 no\r\n"},
	Sieve:      {"\"IMPLEMENTATION\" \"x\"\r\nOK ready\r\n"},
	IRC:        {"C:STARTTLS\r\n", ":irc.example 691 * :no\r\n"},
	XMPP:       {xmppHello, xmppHead + "<stream:features><bind/></stream:features>"},
	XMPPServer: {strings.Replace(xmppHello, "client", "server", 1), xmppHead + xmppFeatures, xmppStart, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
	LDAP:       {ldapRequest, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"},
	Postgres:   {"C:\x00\x00\x00\x08\x04\xd2\x16\x2f", "N"},
	MySQL:      {mysqlNoSSL},
	MSSQL:      {tdsRequest, "\x04\x01\x00\x0f\x00\x00\x01\x00\x01\x00\x06\x00\x01\xff\x02"},
	RDP:        {rdpRequest, "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x03\x00\x08\x00\x02\x00\x00\x00"},
	NATS:       {"INFO {\"server_id\":\"x\"} \r\n"},
}

func upgradeServer(t testing.TB, s script, config *tls.Config, more string) Target {
	return serveRaw(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		if len(s) > 0 && more != "" {
			s = append(append(script{}, s[:len(s)-1]...), s[len(s)-1]+more)
		}
		if !s.run(conn, in) {
			return
		}
		if config == nil {
			_, _ = io.Copy(io.Discard, in)
			return
		}
		tc := tls.Server(&readAhead{conn, in}, config)
		if tc.Handshake() == nil {
			_, _ = io.Copy(io.Discard, tc)
		}
	})
}

type readAhead struct {
	net.Conn
	in *bufio.Reader
}

func (r *readAhead) Read(p []byte) (int, error) { return r.in.Read(p) }

func TestUpgrades(t *testing.T) {
	root := newMint(t, nil, ca("root"))
	leaf := newMint(t, root, as)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}}
	for _, upgrade := range Upgrades() {
		probe := func(target Target) Result {
			target.Upgrade = upgrade
			return prober(root.cert).Probe(t.Context(), target)
		}
		if upgrade != MSSQL {
			t.Run(string(upgrade)+"/accepted", func(t *testing.T) {
				r := probe(upgradeServer(t, accepted[upgrade], config, ""))
				require.Empty(t, r.Reasons)
				require.Len(t, r.Certificates, 1)
				require.Positive(t, r.Timings.Upgrade)
			})
		}
		if upgrade != MSSQL && upgrade != MySQL { // after whose greeting the client speaks
			t.Run(string(upgrade)+"/injection", func(t *testing.T) {
				r := probe(upgradeServer(t, accepted[upgrade], nil, "injected\r\n"))
				require.Equal(t, []Code{PlaintextInjection}, codes(r), "%+v", r.Reasons)
			})
		}
		t.Run(string(upgrade)+"/refused", func(t *testing.T) {
			r := probe(upgradeServer(t, refusals[upgrade], nil, ""))
			require.Equal(t, []Code{UpgradeRefused}, codes(r), "%+v", r.Reasons)
		})
		for name, garbage := range map[string]string{
			"garbage": "\xff\xfe\x00garbage\r\n" + strings.Repeat("\x00garbage\r\n", 5), "long line": strings.Repeat("x", 1<<20), "endless lines": strings.Repeat("* x\r\n", 1<<14),
		} {
			t.Run(string(upgrade)+"/"+name, func(t *testing.T) {
				r := probe(serveRaw(t, func(conn net.Conn) {
					go func() { _, _ = io.Copy(io.Discard, conn) }()
					_, _ = io.WriteString(conn, garbage)
				}))
				require.Len(t, r.Reasons, 1)
				require.Contains(t, []Code{WrongProtocol, UpgradeRefused, Closed}, r.Reasons[0].Code, "%+v", r.Reasons)
				require.Less(t, len(r.Reasons[0].Message), 600)
			})
		}
		t.Run(string(upgrade)+"/closed", func(t *testing.T) {
			r := probe(serveRaw(t, func(net.Conn) {}))
			require.Equal(t, []Code{Closed}, codes(r), "%+v", r.Reasons)
		})
	}
}

// SQL Server's handshake goes inside packets.
func TestUpgrades_MSSQL(t *testing.T) {
	root := newMint(t, nil, ca("root"))
	leaf := newMint(t, root, as)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}, MaxVersion: tls.VersionTLS12}
	target := serveRaw(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		s := script{tdsRequest, "\x04\x01\x00\x0f\x00\x00\x01\x00\x01\x00\x06\x00\x01\xff\x01"}
		if !s.run(conn, in) {
			return
		}
		wrapped := &tdsConn{netConn: conn, in: &talk{conn: conn, in: in}}
		tc := tls.Server(wrapped, config)
		if tc.Handshake() == nil {
			wrapped.bare = true
			_, _ = io.Copy(io.Discard, tc)
		}
	})
	target.Upgrade = MSSQL
	r := prober(root.cert).Probe(t.Context(), target)
	require.Empty(t, r.Reasons)
	require.Len(t, r.Certificates, 1)
}

func FuzzDialogues(f *testing.F) {
	for _, s := range accepted {
		f.Add(strings.Join(s, ""))
	}
	for _, s := range refusals {
		f.Add(strings.Join(s, ""))
	}
	f.Fuzz(func(t *testing.T, said string) {
		for _, d := range dialogues {
			talk := newTalk(scripted{says: strings.NewReader(said)}, "localhost")
			if err := d.run(talk); err != nil && len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		}
	})
}

// scripted is a connection that says one thing and hears all.
type scripted struct {
	net.Conn
	says io.Reader
}

func (s scripted) Read(p []byte) (int, error)  { return s.says.Read(p) }
func (s scripted) Write(p []byte) (int, error) { return len(p), nil }
