package keystore

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"iter"
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

// scanPEM finds the blocks, and fails at the first that is damaged.
func scanPEM(data []byte) ([]pemBlock, error) {
	var blocks []pemBlock
	for block, err := range pemBlocks(data) {
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

// pemBlocks finds the blocks; behind a damaged one it goes on at the next BEGIN.
// It does not use encoding/pem, which wants lines and skips what it cannot read:
// a PEM value in a Java properties file is often one line (a continuation ends in
// no newline, and Kafka's PemParser takes any white space, KIP-651), and a damaged
// certificate must not vanish.
func pemBlocks(data []byte) iter.Seq2[pemBlock, error] {
	return func(yield func(pemBlock, error) bool) {
		for n := 1; ; n++ {
			start := bytes.Index(data, []byte(pemBegin))
			if start < 0 {
				return
			}
			data = data[start+len(pemBegin):]
			block, rest, err := readPEM(data, n)
			if err == nil {
				data = rest
			}
			if !yield(block, err) {
				return
			}
		}
	}
}

// readPEM reads block n behind the word BEGIN.
func readPEM(data []byte, n int) (block pemBlock, rest []byte, err error) {
	dash := bytes.Index(data, []byte(pemDash))
	if dash < 0 || bytes.ContainsAny(data[:dash], "\r\n") {
		return block, nil, fmt.Errorf("%w: block %d: its BEGIN line does not end in %s", ErrCorrupt, n, pemDash)
	}
	block.label = string(data[:dash])
	data = data[dash+len(pemDash):]
	end := bytes.Index(data, []byte(pemEnd))
	if next := bytes.Index(data, []byte(pemBegin)); end < 0 || next >= 0 && next < end {
		return block, nil, fmt.Errorf("%w: block %d (%s): no END line", ErrCorrupt, n, printable(block.label))
	}
	body := data[:end]
	data = data[end+len(pemEnd):]
	if !bytes.HasPrefix(data, []byte(block.label+pemDash)) {
		return block, nil, fmt.Errorf("%w: block %d (%s): its END line has another name", ErrCorrupt, n, printable(block.label))
	}
	data = data[len(block.label)+len(pemDash):]
	if bytes.ContainsRune(body, ':') {
		block.headers = true
		return block, data, nil
	}
	block.der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(body)), ""))
	if err != nil || len(block.der) == 0 {
		return block, nil, fmt.Errorf("%w: block %d (%s): expected base64", ErrCorrupt, n, printable(block.label))
	}
	return block, data, nil
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
