package keystore

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// pemBlock is one BEGIN…END section.
type pemBlock struct {
	label   string
	headers bool // RFC 1421 headers: the old encrypted form of OpenSSL
	der     []byte
}

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"
)

// scanPEM finds the blocks. It does not use encoding/pem, which wants lines and
// skips what it cannot read: a PEM value in a Java properties file is often one
// line (a continuation ends in no newline, and Kafka's PemParser takes any white
// space, KIP-651), and a damaged certificate must not vanish.
func scanPEM(data []byte) ([]pemBlock, error) {
	var blocks []pemBlock
	for {
		start := bytes.Index(data, []byte(pemBegin))
		if start < 0 {
			return blocks, nil
		}
		data = data[start+len(pemBegin):]
		n := len(blocks) + 1
		dash := bytes.Index(data, []byte(pemDash))
		if dash < 0 || bytes.ContainsAny(data[:dash], "\r\n") {
			return nil, fmt.Errorf("%w: block %d: its BEGIN line does not end in %s", ErrCorrupt, n, pemDash)
		}
		label := string(data[:dash])
		data = data[dash+len(pemDash):]
		end := bytes.Index(data, []byte(pemEnd))
		if next := bytes.Index(data, []byte(pemBegin)); end < 0 || next >= 0 && next < end {
			return nil, fmt.Errorf("%w: block %d (%s): no END line", ErrCorrupt, n, printable(label))
		}
		body := data[:end]
		data = data[end+len(pemEnd):]
		if !bytes.HasPrefix(data, []byte(label+pemDash)) {
			return nil, fmt.Errorf("%w: block %d (%s): its END line has another name", ErrCorrupt, n, printable(label))
		}
		data = data[len(label)+len(pemDash):]
		block := pemBlock{label: label}
		if bytes.ContainsRune(body, ':') {
			block.headers = true
		} else {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(body)), ""))
			if err != nil || len(der) == 0 {
				return nil, fmt.Errorf("%w: block %d (%s): expected base64", ErrCorrupt, n, printable(label))
			}
			block.der = der
		}
		blocks = append(blocks, block)
	}
}

// printable bounds a label of a file for an error text.
func printable(label string) string {
	if len(label) > 40 {
		label = label[:40] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' && r != '…' {
			return '?'
		}
		return r
	}, label)
}
