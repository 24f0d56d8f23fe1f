package keystore

import (
	"crypto/sha1"
	"crypto/subtle"
	"fmt"

	"github.com/holdfast-sec/holdfast"
)

// java lists a JKS or a JCEKS: the same frame under another magic, in which
// certificates are plain and only keys are encrypted. JCEKS adds secret keys
// (com.sun.crypto.provider.JceKeyStore.engineStore, JDK 17).
func (l *Listing) java(data []byte, password holdfast.Secret) error {
	r := &jksReader{data: data}
	r.uint32("the magic")
	version := r.uint32("the version")
	if r.err == nil && version != 1 && version != 2 {
		return fmt.Errorf("%w: version %d, 1 and 2 are read", ErrUnsupported, version)
	}
	l.Integrity = Unchecked
	for n := r.uint32("the number of entries"); n > 0 && r.err == nil; n-- {
		l.javaEntry(r, version)
	}
	end := r.pos
	digest := r.bytes(sha1.Size, "the digest")
	if r.err != nil || password.IsZero() {
		return r.err
	}
	if subtle.ConstantTimeCompare(jksDigest(data[:end], password.Reveal()), digest) != 1 {
		l.Integrity = WrongPassword
		return fmt.Errorf("%w of the store, or the file was altered: the digest does not match", ErrPassword)
	}
	l.Integrity = Verified
	return nil
}

// javaEntry lists one entry, of which a damaged end does not hide the beginning.
func (l *Listing) javaEntry(r *jksReader, version uint32) {
	tag := r.uint32("an entry tag")
	e := Listed{Alias: r.text("an alias")}
	r.bytes(8, "a creation date")
	if r.err != nil {
		return
	}
	switch {
	case tag == 1:
		e.Key = true
		r.bytes(int(r.uint32("a key length")), "a private key")
		for c := r.uint32("the length of a chain"); c > 0 && r.err == nil; c-- {
			if der := r.cert(version); r.err == nil {
				e.Certificates = append(e.Certificates, der)
			}
		}
	case tag == 2:
		e.Trusted = true
		if der := r.cert(version); r.err == nil {
			e.Certificates = [][]byte{der}
		}
	case tag == 3 && l.Type == JCEKS:
		l.note("secret key %q was passed over: it has no certificate", printable(e.Alias))
		if n, err := javaObject(r.data[r.pos:]); err != nil {
			r.err = fmt.Errorf("secret key %q, what follows it is not read: %w", printable(e.Alias), err)
		} else {
			r.pos += n
		}
		return
	default:
		r.err = fmt.Errorf("%w: entry %q: tag %d, expected 1 (key) or 2 (certificate)", ErrCorrupt, printable(e.Alias), tag)
		return
	}
	if e.Key || len(e.Certificates) > 0 {
		l.Entries = append(l.Entries, e)
	}
}
