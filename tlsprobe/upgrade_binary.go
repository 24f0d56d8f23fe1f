package tlsprobe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// postgres asks with SSLRequest (PostgreSQL protocol 3.0, "SSL Session
// Encryption"), which nothing follows: a byte more is what makes the server log
// a possible man in the middle.
func postgres(t *talk) error {
	var request [8]byte
	binary.BigEndian.PutUint32(request[:], 8)
	binary.BigEndian.PutUint32(request[4:], 80877103)
	if err := t.send(string(request[:])); err != nil {
		return err
	}
	answer, err := t.bytes(1)
	if err != nil {
		return err
	}
	switch answer[0] {
	case 'S':
		return nil
	case 'N':
		return refused("the server answered SSLRequest with N: ssl is off")
	case 'E':
		return refused("the server answered SSLRequest with an error: it does not know TLS, or is not ready")
	}
	return unexpected("S or N", answer)
}

// The flags of MySQL's handshake (include/mysql_com.h of MySQL 8.4).
const (
	mysqlProtocol41       = 1 << 9
	mysqlSSL              = 1 << 11
	mysqlSecureConnection = 1 << 15
	mysqlPluginAuth       = 1 << 19
)

// mysql reads the server's greeting and answers with SSLRequest, which is
// HandshakeResponse41 cut after its reserved bytes.
func mysql(t *talk) error {
	head, err := t.bytes(4)
	if err != nil {
		return err
	}
	length, sequence := int(head[0])|int(head[1])<<8|int(head[2])<<16, head[3]
	if sequence != 0 || length < 3 || length > 4<<10 {
		return unexpected("the greeting of MySQL", head)
	}
	body, err := t.bytes(length)
	if err != nil {
		return err
	}
	caps, err := mysqlGreeting(body)
	if err != nil {
		return err
	}
	if caps&mysqlSSL == 0 {
		return refused("the server's greeting does not offer SSL")
	}
	request := make([]byte, 4+32)
	request[0], request[3] = 32, sequence+1
	binary.LittleEndian.PutUint32(request[4:], mysqlProtocol41|mysqlSSL|mysqlSecureConnection|mysqlPluginAuth)
	binary.LittleEndian.PutUint32(request[8:], 1<<24)
	request[12] = 45 // utf8mb4_general_ci
	return t.send(string(request))
}

// mysqlGreeting returns the capability flags of a HandshakeV10 packet.
func mysqlGreeting(b []byte) (uint32, error) {
	if b[0] == 0xff { // an error instead, such as "Host is blocked"
		message := b[min(len(b), 3):]
		return 0, refused("the server greets with an error: %s", excerpt(message))
	}
	if b[0] != 10 {
		return 0, unexpected("version 10 of the greeting", b)
	}
	rest := b[1:]
	end := 0
	for end < len(rest) && rest[end] != 0 {
		end++
	}
	// The version's NUL, the thread id, eight bytes of the salt and a filler.
	rest = rest[min(len(rest), end+1+4+8+1):]
	if len(rest) < 2 {
		return 0, unexpected("a whole greeting", b)
	}
	caps := uint32(binary.LittleEndian.Uint16(rest))
	if len(rest) >= 7 { // charset, status, and the upper half
		caps |= uint32(binary.LittleEndian.Uint16(rest[5:])) << 16
	}
	return caps, nil
}

// ldap is the StartTLS extended operation (RFC 4511 §4.14). Its answer is parsed
// and not compared, because servers differ in what they add.
func ldap(t *talk) error {
	const oid = "1.3.6.1.4.1.1466.20037"
	request := "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + oid
	if err := t.send(request); err != nil {
		return err
	}
	answer, err := t.berElement(4 << 10)
	if err != nil {
		return err
	}
	code, text, err := ldapResult(answer)
	if err != nil {
		return err
	}
	if code != 0 {
		return refused("the server answered StartTLS with result %d: %s", code, excerpt(text))
	}
	return nil
}

// berElement reads one element of definite length up to most bytes.
func (t *talk) berElement(most int) ([]byte, error) {
	head, err := t.bytes(2)
	if err != nil {
		return nil, err
	}
	if head[0] != 0x30 {
		return nil, unexpected("an LDAP message", head)
	}
	length := int(head[1])
	if length == 0x80 || length > 0x84 {
		return nil, unexpected("an LDAP message of definite length", head)
	}
	if length > 0x80 {
		more, err := t.bytes(length & 0x7f)
		if err != nil {
			return nil, err
		}
		length = 0
		for _, b := range more {
			length = length<<8 | int(b)
		}
	}
	if length > most {
		return nil, &upgradeError{WrongProtocol, fmt.Sprintf("the peer announced an LDAP message of %d bytes, more than %d", length, most)}
	}
	return t.bytes(length)
}

// ldapResult reads what is inside the LDAPMessage: its id, and an
// ExtendedResponse with resultCode, matchedDN and diagnosticMessage. Any BER
// length is taken, not only the short ones of DER.
func ldapResult(message []byte) (code int, text []byte, err error) {
	bad := func() (int, []byte, error) { return 0, nil, unexpected("an ExtendedResponse", message) }
	tag, _, rest, ok := ber(message)
	if !ok || tag != 0x02 {
		return bad()
	}
	tag, response, _, ok := ber(rest)
	if !ok || tag != 0x78 {
		return bad()
	}
	tag, value, rest, ok := ber(response)
	if !ok || tag != 0x0a || len(value) == 0 || len(value) > 4 {
		return bad()
	}
	for _, b := range value {
		code = code<<8 | int(b)
	}
	if _, _, rest, ok = ber(rest); !ok {
		return bad()
	}
	if _, text, _, ok = ber(rest); !ok {
		return bad()
	}
	return code, text, nil
}

// ber splits the first element of definite length off b.
func ber(b []byte) (tag byte, value, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, nil, false
	}
	tag, length, at := b[0], int(b[1]), 2
	if length == 0x80 || length > 0x84 {
		return 0, nil, nil, false
	}
	if length > 0x80 {
		n := length & 0x7f
		if len(b) < 2+n {
			return 0, nil, nil, false
		}
		length = 0
		for _, c := range b[2 : 2+n] {
			length = length<<8 | int(c)
		}
		at += n
	}
	if length < 0 || length > len(b)-at {
		return 0, nil, nil, false
	}
	return tag, b[at : at+length], b[at+length:], true
}

// rdp asks for TLS in an X.224 connection request (MS-RDPBCGR 2.2.1.1).
func rdp(t *talk) error {
	// TPKT, X.224 CR, and RDP_NEG_REQ for PROTOCOL_SSL | PROTOCOL_HYBRID, because
	// many servers take TLS only with CredSSP in it.
	const request = "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
	if err := t.send(request); err != nil {
		return err
	}
	head, err := t.bytes(4)
	if err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	if head[0] != 3 || length < 11 || length > 512 {
		return unexpected("a TPKT header", head)
	}
	body, err := t.bytes(length - 4)
	if err != nil {
		return err
	}
	return rdpConfirm(body)
}

// rdpConfirm judges an X.224 connection confirm: 7 bytes, then RDP_NEG_RSP or
// RDP_NEG_FAILURE of 8 bytes, or nothing from servers that know RDP security only.
func rdpConfirm(b []byte) error {
	if len(b) < 7 || b[1] != 0xd0 {
		return unexpected("an X.224 connection confirm", b)
	}
	if len(b) < 15 {
		return refused("the server knows no security but RDP's own")
	}
	value := binary.LittleEndian.Uint32(b[11:])
	switch {
	case b[7] == 3:
		return refused("the server refused TLS with code %d (MS-RDPBCGR 2.2.1.2.2)", value)
	case b[7] == 2 && value != 0:
		return nil
	case b[7] == 2:
		return refused("the server chose RDP's own security")
	}
	return unexpected("RDP_NEG_RSP", b)
}

// The packets and options of TDS (MS-TDS 2.2.3.1.1, 2.2.6.5).
const (
	tdsPrelogin     = 0x12
	tdsResponse     = 0x04
	tdsLast         = 0x01
	tdsEncryption   = 0x01
	tdsTerminator   = 0xff
	tdsNotSupported = 0x02
)

// mssql is PRELOGIN, after which the handshake goes inside TDS packets (MS-TDS
// 2.2.6.5). TDS 8 begins with TLS instead: that is [Direct] with ALPN "tds/8.0".
func mssql(t *talk) error {
	// VERSION of 6 bytes at 11, ENCRYPTION of 1 at 17: ENCRYPT_ON.
	payload := "\x00\x00\x0b\x00\x06" + "\x01\x00\x11\x00\x01" + "\xff" + "\x00\x00\x00\x00\x00\x00" + "\x01"
	if err := t.send(tdsPacket(tdsPrelogin, payload)); err != nil {
		return err
	}
	answer, err := t.tdsMessage()
	if err != nil {
		return err
	}
	encryption, err := tdsEncryptionOf(answer)
	if err != nil {
		return err
	}
	if encryption == tdsNotSupported {
		return refused("the server's PRELOGIN says that it does not support encryption")
	}
	t.wrap = &tdsConn{netConn: t.conn, in: t}
	return nil
}

func tdsPacket(kind byte, payload string) string {
	n := len(payload) + 8
	return string([]byte{kind, tdsLast, byte(n >> 8), byte(n), 0, 0, 1, 0}) + payload
}

// tdsMessage reads the packets of one message, 32 KiB at most.
func (t *talk) tdsMessage() ([]byte, error) {
	var message []byte
	for {
		head, err := t.bytes(8)
		if err != nil {
			return nil, err
		}
		length := int(binary.BigEndian.Uint16(head[2:]))
		if (head[0] != tdsResponse && head[0] != tdsPrelogin) || length < 8 || len(message)+length > 32<<10 {
			return nil, unexpected("a TDS packet", head)
		}
		body, err := t.bytes(length - 8)
		if err != nil {
			return nil, err
		}
		message = append(message, body...)
		if head[1]&tdsLast != 0 {
			return message, nil
		}
	}
}

// tdsEncryptionOf returns the ENCRYPTION option of a PRELOGIN message.
func tdsEncryptionOf(b []byte) (byte, error) {
	for at := 0; at < len(b) && b[at] != tdsTerminator; at += 5 {
		if at+5 > len(b) {
			break
		}
		offset, length := int(binary.BigEndian.Uint16(b[at+1:])), int(binary.BigEndian.Uint16(b[at+3:]))
		if b[at] == tdsEncryption {
			if length < 1 || offset+length > len(b) {
				break
			}
			return b[offset], nil
		}
	}
	return 0, unexpected("a PRELOGIN with ENCRYPTION", b)
}

// tdsConn carries TLS records in PRELOGIN packets, as long as the handshake
// lasts. After it the records are bare; a probe says no more than goodbye then,
// which goes out bare as well.
type tdsConn struct {
	netConn
	in   *talk
	left []byte
	// bare is set when the handshake is over.
	bare bool
}

func (c *tdsConn) Read(p []byte) (int, error) {
	if c.bare && len(c.left) == 0 {
		return c.in.in.Read(p)
	}
	if len(c.left) == 0 {
		message, err := c.in.tdsMessage()
		if err != nil {
			var upgrade *upgradeError
			if errors.As(err, &upgrade) {
				return 0, err
			}
			return 0, io.ErrUnexpectedEOF
		}
		c.left = message
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *tdsConn) Write(p []byte) (int, error) {
	if c.bare {
		return c.netConn.Write(p)
	}
	for at := 0; at < len(p); {
		n := min(len(p)-at, 4096-8)
		if _, err := io.WriteString(c.netConn, tdsPacket(tdsPrelogin, string(p[at:at+n]))); err != nil {
			return at, err
		}
		at += n
	}
	return len(p), nil
}
