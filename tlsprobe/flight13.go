package tlsprobe

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"

	"golang.org/x/crypto/chacha20poly1305"
)

// flightKey reads a flight of TLS 1.3, where the certificates are encrypted. Go
// tells nobody about one that it cannot parse, not even its hooks; so a second
// connection keeps the secret of the handshake, as [tls.Config.KeyLogWriter]
// writes it, and is read here. The secret protects nothing but that handshake.
type flightKey struct{ secret []byte }

// Write takes a line of the key log: a label, the client's random, a secret.
func (k *flightKey) Write(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) == 3 && string(fields[0]) == "SERVER_HANDSHAKE_TRAFFIC_SECRET" {
		k.secret, _ = hex.DecodeString(string(fields[2])) //nolint:errcheck // crypto/tls writes hex
	}
	return len(line), nil
}

// The content types and messages of TLS 1.3 that are read here (RFC 8446 §5.1, §4).
const (
	recordApplication  = 23
	messageServerHello = 2
)

// certificates returns those of the Certificate message, nil where there is none
// or the flight is cut short before its end.
func (k *flightKey) certificates(flight []byte) [][]byte {
	var suite uint16
	var protect cipher.AEAD
	var iv, messages []byte
	for seq := uint64(0); len(flight) >= 5; {
		n := 5 + int(binary.BigEndian.Uint16(flight[3:]))
		if len(flight) < n {
			break
		}
		head, body := flight[:5], flight[5:n]
		flight = flight[n:]
		switch {
		case head[0] == recordHandshake && protect == nil:
			suite = suiteOf(body)
		case head[0] == recordApplication:
			if protect == nil {
				if protect, iv = k.protection(suite); protect == nil {
					return nil
				}
			}
			plain, err := protect.Open(nil, nonce(iv, seq), body, head)
			seq++
			plain = bytes.TrimRight(plain, "\x00") // padding, behind the content type
			if err != nil || len(plain) == 0 || plain[len(plain)-1] != recordHandshake {
				return certificateOf(messages)
			}
			messages = append(messages, plain[:len(plain)-1]...)
		}
	}
	return certificateOf(messages)
}

// suiteOf reads a ServerHello, or the HelloRetryRequest that looks like one.
func suiteOf(b []byte) uint16 {
	const sessionID = 4 + 2 + 32 // header, version, random
	if len(b) <= sessionID || b[0] != messageServerHello {
		return 0
	}
	b = b[sessionID:]
	if b = b[min(len(b), 1+int(b[0])):]; len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// protection derives what the server's handshake records are sealed with (RFC
// 8446 §7.3), nil where the suite or the secret is not known.
func (k *flightKey) protection(suite uint16) (protect cipher.AEAD, iv []byte) {
	expand := func(label string, n int) (out []byte) {
		info := string([]byte{0, byte(n), byte(len("tls13 ") + len(label))}) + "tls13 " + label + "\x00"
		if suite == tls.TLS_AES_256_GCM_SHA384 {
			out, _ = hkdf.Expand(sha512.New384, k.secret, info, n) //nolint:errcheck // nil then
			return out
		}
		out, _ = hkdf.Expand(sha256.New, k.secret, info, n) //nolint:errcheck // nil then
		return out
	}
	if len(k.secret) == 0 {
		return nil, nil
	}
	switch suite {
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		protect, _ = chacha20poly1305.New(expand("key", 32)) //nolint:errcheck // nil then
	case tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384:
		size := 16 * int(suite-tls.TLS_AES_128_GCM_SHA256+1)
		if block, err := aes.NewCipher(expand("key", size)); err == nil {
			protect, _ = cipher.NewGCM(block) //nolint:errcheck // nil then
		}
	}
	return protect, expand("iv", 12)
}

// nonce is that of a record (RFC 8446 §5.3).
func nonce(iv []byte, seq uint64) []byte {
	n := binary.BigEndian.AppendUint64(make([]byte, len(iv)-8), seq)
	subtle.XORBytes(n, n, iv)
	return n
}

// certificateOf finds the Certificate message and splits its entries, each of
// which has extensions (RFC 8446 §4.4.2).
func certificateOf(messages []byte) (list [][]byte) {
	for len(messages) >= 4 {
		n := 4 + int24(messages[1:])
		if len(messages) < n {
			return nil
		}
		b := messages[4:n]
		if messages[0] != messageCertificate {
			messages = messages[n:]
			continue
		}
		if len(b) < 4 || b[0] != 0 || int24(b[1:]) != len(b)-4 { // no context in a handshake
			return nil
		}
		for b = b[4:]; len(b) >= 3; {
			end := 3 + int24(b)
			if len(b) < end+2 {
				return nil
			}
			list = append(list, bytes.Clone(b[3:end]))
			if end += 2 + int(binary.BigEndian.Uint16(b[end:])); len(b) < end {
				return nil
			}
			b = b[end:]
		}
		return list
	}
	return nil
}
