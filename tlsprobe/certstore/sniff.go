package certstore

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
)

// shape is what the bytes of a file look like.
type shape int

const (
	nothing shape = iota
	store         // what internal/keystore lists
	object        // of Kubernetes, in YAML or JSON
)

// sniff looks for the marks of what is read. A document comes first, since there
// is PEM in ConfigMaps.
func sniff(data []byte) shape {
	switch {
	case binaryStore(data):
		return store
	case bytes.IndexByte(data, 0) >= 0:
		return nothing
	case isObject(data):
		return object
	case bytes.Contains(data, []byte("-----BEGIN CERTIFICATE-----")), bytes.Contains(data, []byte("-----BEGIN X509 CERTIFICATE-----")),
		bytes.Contains(data, []byte("-----BEGIN TRUSTED CERTIFICATE-----")), bytes.Contains(data, []byte("-----BEGIN PKCS7-----")),
		bytes.Contains(data, []byte("-----BEGIN CMS-----")):
		return store
	}
	return nothing
}

// mayHold is sniff on the beginning of a file: PEM and documents are text.
func mayHold(head []byte) bool { return binaryStore(head) || bytes.IndexByte(head, 0) < 0 }

func binaryStore(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	switch binary.BigEndian.Uint32(data) {
	case 0xFEEDFEED, 0xCECECECE:
		return true
	}
	// A SEQUENCE with its length in one to three bytes, or without (BER): no
	// certificate is shorter than 128 bytes.
	return data[0] == 0x30 && data[1] >= 0x80 && data[1] <= 0x83
}

func isObject(data []byte) bool {
	if bytes.HasPrefix(data, []byte("apiVersion:")) || bytes.Contains(data, []byte("\napiVersion:")) {
		return true
	}
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return false
	}
	// k3s keeps the certificate of its listener in a Secret in JSON that names no
	// kind (dynamic-cert.json).
	return bytes.Contains(trimmed, []byte(`"apiVersion"`)) || bytes.Contains(trimmed, []byte(`"tls.crt"`))
}

var extensions = []string{".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".jks", ".jceks", ".keystore", ".truststore", ".p12", ".pfx", ".pkcs12"}

// promising is whether a file without certificates is worth a word because of its
// name.
func promising(name string) bool {
	return slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}
