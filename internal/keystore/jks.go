package keystore

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"

	"github.com/holdfast-sec/holdfast"
)

// jksWhitener goes between password and content into the digest
// (sun.security.provider.JavaKeyStore.getPreKeyedHash).
const jksWhitener = "Mighty Aphrodite"

func (s *Store) loadJKS(data []byte, opts Options) error {
	aliases, end, err := scanJKS(data)
	if err != nil {
		return err
	}
	if err := s.verifyJKS(data, end, opts.Password); err != nil {
		return err
	}
	// The library always checks the digest and knows no password above U+00FF.
	// The check is done, so it gets the digest of the empty password.
	ks := jks.New(jks.WithCaseExactAliases())
	body := append(bytes.Clone(data[:end]), jksDigest(data[:end], "")...)
	if err := ks.Load(bytes.NewReader(body), nil); err != nil {
		return fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	for _, alias := range aliases {
		if ks.IsTrustedCertificateEntry(alias) {
			entry, err := ks.GetTrustedCertificateEntry(alias)
			if err != nil {
				return fmt.Errorf("%w: certificate %q: %v", ErrCorrupt, alias, err)
			}
			s.addTrusted(alias, entry.Certificate.Content)
			continue
		}
		if err := s.addJKSKey(ks, alias, opts.keyPassword()); err != nil {
			return fmt.Errorf("key %q: %w", alias, err)
		}
	}
	return nil
}

// verifyJKS checks the digest in data[end:] unless no password was given.
func (s *Store) verifyJKS(data []byte, end int, password holdfast.Secret) error {
	if len(data) > end+sha1.Size {
		s.note("%d bytes after the end of the store were ignored", len(data)-end-sha1.Size)
	}
	if password.IsZero() {
		return nil
	}
	digest := jksDigest(data[:end], password.Reveal())
	if subtle.ConstantTimeCompare(digest, data[end:end+sha1.Size]) != 1 {
		return fmt.Errorf("%w of the store, or the file was altered: the digest does not match", ErrPassword)
	}
	return nil
}

func jksDigest(content []byte, password string) []byte {
	h := sha1.New()
	for _, c := range utf16.Encode([]rune(password)) {
		h.Write([]byte{byte(c >> 8), byte(c)})
	}
	h.Write([]byte(jksWhitener))
	h.Write(content)
	return h.Sum(nil)
}

// addTrusted adds a trusted certificate of a store whose integrity is known. One
// that Go cannot parse could verify nothing, so it costs a note and not the rest.
func (s *Store) addTrusted(alias string, der []byte) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		s.note("trusted certificate %q was left out: %v", alias, err)
		return
	}
	s.Entries = append(s.Entries, Entry{Alias: alias, Chain: []*x509.Certificate{cert}})
}

func (s *Store) addJKSKey(ks jks.KeyStore, alias string, password holdfast.Secret) error {
	stored, err := ks.GetPrivateKeyEntryCertificateChain(alias)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrCorrupt, err)
	}
	var certs []*x509.Certificate
	for i, c := range stored {
		cert, err := x509.ParseCertificate(c.Content)
		if err != nil {
			return fmt.Errorf("%w: certificate %d of its chain: %v", ErrCorrupt, i+1, err)
		}
		certs = append(certs, cert)
	}
	if password.IsZero() {
		return fmt.Errorf("%w: the key is encrypted and no password was given", ErrPassword)
	}
	latin1, err := toLatin1(password.Reveal())
	if err != nil {
		return err
	}
	entry, err := ks.GetPrivateKeyEntry(alias, latin1)
	if err != nil { // scanJKS saw to the form, so only the digest of the key is left
		return fmt.Errorf("%w of the key", ErrPassword)
	}
	key, err := parsePKCS8(entry.PrivateKey)
	if err != nil {
		return err
	}
	return s.addKey(Entry{Alias: alias, Key: key, Chain: s.order(alias, key, certs)})
}

// order puts the leaf first and its issuers behind it. Certificates of no place
// in the chain stay, at the end, as Java would send them.
func (s *Store) order(alias string, key crypto.PrivateKey, certs []*x509.Certificate) []*x509.Certificate {
	set := newCertSet(certs)
	leaves := set.leaves(key)
	if len(leaves) == 0 {
		return certs // Entry.certificate reports it to whoever needs the key
	}
	chain := set.chain(leaves[0])
	placed := map[*x509.Certificate]bool{}
	for _, cert := range chain {
		placed[cert] = true
	}
	for _, cert := range certs {
		if !placed[cert] {
			chain = append(chain, cert)
		}
	}
	for i := range chain {
		if chain[i] != certs[i] {
			s.note("the chain of key %q was out of order: leaf first is what TLS wants", alias)
			break
		}
	}
	return chain
}

// toLatin1 gives keystore-go a password in the only form it takes: a byte per
// UTF-16 unit.
func toLatin1(password string) ([]byte, error) {
	out := make([]byte, 0, len(password))
	for _, r := range password {
		if r > 0xFF {
			return nil, fmt.Errorf("%w: a JKS key password with characters above U+00FF; "+
				"change it with `keytool -keypasswd`", ErrUnsupported)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// jksReader walks the frame. Its first error stays.
type jksReader struct {
	data []byte
	pos  int
	err  error
}

func (r *jksReader) bytes(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.data)-r.pos { // a length is negative where int has 32 bits
		r.err = fmt.Errorf("%w: expected %s of %d bytes at offset %d, found %d", ErrCorrupt, what, n, r.pos, len(r.data)-r.pos)
		return nil
	}
	b := r.data[r.pos : r.pos+n]
	r.pos += n
	return b
}

func (r *jksReader) uint32(what string) uint32 {
	if b := r.bytes(4, what); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *jksReader) text(what string) string {
	if b := r.bytes(2, what); b != nil {
		return string(r.bytes(int(binary.BigEndian.Uint16(b)), what))
	}
	return ""
}

func (r *jksReader) cert(version uint32) []byte {
	if version == 2 {
		if kind := r.text("a certificate type"); r.err == nil && kind != "X.509" && kind != "X509" {
			r.err = fmt.Errorf("%w: a certificate of type %q, X.509 is read", ErrUnsupported, printable(kind))
		}
	}
	return r.bytes(int(r.uint32("a certificate length")), "a certificate")
}

// scanJKS walks the frame and returns the aliases in order and where the digest
// begins. keystore-go allocates what lengths say before it reads, and slices a
// key by lengths it does not check: after this walk neither can hurt.
func scanJKS(data []byte) (aliases []string, end int, err error) {
	r := &jksReader{data: data}
	r.uint32("the magic")
	version := r.uint32("the version")
	if r.err == nil && version != 1 && version != 2 {
		return nil, 0, fmt.Errorf("%w: JKS version %d, 1 and 2 are read", ErrUnsupported, version)
	}
	seen := map[string]bool{}
	for n := r.uint32("the number of entries"); n > 0 && r.err == nil; n-- {
		tag := r.uint32("an entry tag")
		alias := r.text("an alias")
		r.bytes(8, "a creation date")
		switch {
		case r.err != nil:
		case tag == 1:
			r.key(alias)
			for c := r.uint32("the length of a chain"); c > 0 && r.err == nil; c-- {
				r.cert(version)
			}
		case tag == 2:
			r.cert(version)
		default:
			r.err = fmt.Errorf("%w: entry %q: tag %d, expected 1 (key) or 2 (certificate)", ErrCorrupt, printable(alias), tag)
		}
		if r.err == nil && seen[alias] {
			r.err = fmt.Errorf("%w: two entries are called %q", ErrCorrupt, printable(alias))
		}
		seen[alias] = true
		aliases = append(aliases, alias)
	}
	end = r.pos
	r.bytes(sha1.Size, "the digest")
	return aliases, end, r.err
}

// oidJKSKeyProtector is Sun's own cipher, the only one in a JKS.
const oidJKSKeyProtector = "1.3.6.1.4.1.42.2.17.1.1"

// key checks the form of an encrypted key: salt and digest around the content.
func (r *jksReader) key(alias string) {
	der := r.bytes(int(r.uint32("a key length")), "a private key")
	if r.err != nil {
		return
	}
	var info encryptedPKCS8
	if err := unmarshal(der, &info, "an encrypted private key"); err != nil {
		r.err = fmt.Errorf("key %q: %w", printable(alias), err)
		return
	}
	if oid := info.Algorithm.Algorithm.String(); oid != oidJKSKeyProtector {
		r.err = fmt.Errorf("key %q: %w: key protection %s, a JKS has %s", printable(alias), ErrUnsupported, oid, oidJKSKeyProtector)
	} else if len(info.Data) < 2*sha1.Size {
		r.err = fmt.Errorf("key %q: %w: expected at least %d bytes of salt and digest, found %d", printable(alias), ErrCorrupt, 2*sha1.Size, len(info.Data))
	}
}
