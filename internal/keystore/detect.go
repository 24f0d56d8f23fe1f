package keystore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Type of a keystore, spelled as in ssl.keystore.type.
type Type string

// The types that Load reads.
const (
	PEM    Type = "PEM"
	JKS    Type = "JKS"
	PKCS12 Type = "PKCS12"
)

const (
	jksMagic   = 0xFEEDFEED
	jceksMagic = 0xCECECECE
)

// detect tells the type by content.
func detect(data []byte) (Type, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return "", fmt.Errorf("%w: empty, expected PEM, JKS or PKCS12", ErrCorrupt)
	}
	if len(data) >= 4 {
		switch binary.BigEndian.Uint32(data) {
		case jksMagic:
			return JKS, nil
		case jceksMagic:
			return "", fmt.Errorf("%w: a JCEKS store; convert it with "+
				"`keytool -importkeystore -srckeystore OLD -srcstoretype JCEKS -destkeystore NEW -deststoretype PKCS12`", ErrUnsupported)
		}
	}
	if data[0] == 0x30 {
		return detectDER(data)
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return PEM, nil
	}
	return "", fmt.Errorf("%w: neither PEM (no -----BEGIN line) nor JKS nor PKCS12 (other first bytes)", ErrCorrupt)
}

// detectDER tells PKCS#12, a SEQUENCE that begins with the INTEGER 3 (RFC 7292
// §4), from the certificates and keys that also are a SEQUENCE.
func detectDER(data []byte) (Type, error) {
	header := 2
	if len(data) > 1 && data[1] > 0x80 {
		header += int(data[1] & 0x7F)
	}
	if len(data) < header+3 {
		return "", fmt.Errorf("%w: ends within its first header, after %d bytes", ErrCorrupt, len(data))
	}
	body := data[header:]
	switch {
	case body[0] == 0x02 && body[1] == 1 && body[2] == 3:
		return PKCS12, nil
	case body[0] == 0x02:
		return "", fmt.Errorf("%w: a DER key; convert it with `openssl pkey -inform DER -in OLD -out NEW`", ErrUnsupported)
	case body[0] == 0x30:
		return "", fmt.Errorf("%w: a DER certificate or encrypted key; convert it with "+
			"`openssl x509 -inform DER -in OLD -out NEW` or `openssl pkcs8 -inform DER -in OLD -out NEW`", ErrUnsupported)
	default:
		return "", fmt.Errorf("%w: a DER sequence that is not PKCS12 (no version 3 in front)", ErrCorrupt)
	}
}

// checkType compares the declared type with the content. Since JDK 9 Java reads
// JKS and PKCS12 under either name (security property keystore.type.compat), so
// that is a note; every other difference fails in Java too.
func checkType(declared, found Type) (note string, err error) {
	switch d := Type(strings.ToUpper(string(declared))); {
	case d == "" || d == found:
		return "", nil
	case d != PEM && d != JKS && d != PKCS12:
		return "", fmt.Errorf("%w: %q is declared; PEM, JKS and PKCS12 are read", ErrType, declared)
	case d == PEM || found == PEM:
		return "", fmt.Errorf("%w: %s is declared, the content is %s", ErrType, d, found)
	default:
		return fmt.Sprintf("%s is declared, the content is %s: Java reads it unless keystore.type.compat is off", d, found), nil
	}
}
