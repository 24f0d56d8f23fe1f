package keystore

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/holdfast-sec/holdfast"
)

// JCEKS and DER are types that List reads and Load does not: no Kafka client has
// them.
const (
	JCEKS Type = "JCEKS"
	DER   Type = "DER"
)

// Integrity says whether a password proved that a store is as it was written.
type Integrity string

// The states of [Listing.Integrity].
const (
	// NoIntegrity: the format has no check, as PEM and DER.
	NoIntegrity Integrity = ""
	Verified    Integrity = "verified"
	// Unchecked: no password was given, or the store has no MAC.
	Unchecked Integrity = "unchecked"
	// WrongPassword: the check failed. The store may have been altered as well.
	WrongPassword Integrity = "wrong-password"
)

// Listing is the certificates of a store, without its private keys.
type Listing struct {
	Type      Type
	Integrity Integrity
	// Entries in the order of the file; of PKCS#12 the keys first. PEM and DER
	// are one entry.
	Entries []Listed
	// Notes say what was left out for a reason, one sentence each.
	Notes []string
}

// Listed is the certificates of one entry.
type Listed struct {
	// Alias as the file spells it; PEM and DER have none.
	Alias string
	// Key is whether the entry has a private key. It was not looked at.
	Key bool
	// Trusted is whether the store says that the certificate is trusted.
	Trusted bool
	// Certificates are in DER, the leaf of a key first. They need not be ones
	// that Go parses.
	Certificates [][]byte
}

// List reads the certificates of a store, of whatever type, and no private key:
// those are passed over still encrypted. What can be read is in the listing also
// beside an error, which wraps some of ErrPassword, ErrCorrupt, ErrUnsupported
// and ErrLimit: certificates of a JKS are readable without its password, and a
// damaged one hides no other.
func List(data []byte, password holdfast.Secret) (Listing, error) {
	if len(data) > maxSize {
		return Listing{}, fmt.Errorf("keystore: %w: %d bytes, at most %d are read", ErrLimit, len(data), maxSize)
	}
	var l Listing
	var err error
	if l.Type, err = detectListed(data); err != nil {
		return l, fmt.Errorf("keystore: %w", err)
	}
	switch l.Type {
	case PEM:
		err = l.pem(data)
	case DER:
		err = l.der(data)
	case JKS, JCEKS:
		err = l.java(data, password)
	case PKCS12:
		err = l.pkcs12(data, password)
	}
	if err != nil {
		return l, fmt.Errorf("%s: %w", l.Type, err)
	}
	return l, nil
}

// detectListed is detect with the types that only List reads. A text may begin
// with the byte of a SEQUENCE, which is the digit 0.
func detectListed(data []byte) (Type, error) {
	if len(data) >= 4 && binary.BigEndian.Uint32(data) == jceksMagic {
		return JCEKS, nil
	}
	found, err := detect(data)
	switch {
	case err == nil || len(data) == 0 || data[0] != 0x30:
		return found, err
	case bytes.Contains(data, []byte(pemBegin)) && len(data) > 1 && data[1] != 0x82 && data[1] != 0x83:
		return PEM, nil
	}
	return DER, nil
}

func (l *Listing) note(format string, args ...any) {
	l.Notes = append(l.Notes, fmt.Sprintf(format, args...))
}
