package keystore

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

const (
	oidKeyBag         = "1.2.840.113549.1.12.10.1.1"
	oidShroudedKeyBag = "1.2.840.113549.1.12.10.1.2"
	oidCertBag        = "1.2.840.113549.1.12.10.1.3"
	oidCRLBag         = "1.2.840.113549.1.12.10.1.4"
	oidSecretBag      = "1.2.840.113549.1.12.10.1.5"
	oidSafeBag        = "1.2.840.113549.1.12.10.1.6"

	oidX509Cert     = "1.2.840.113549.1.9.22.1"
	oidFriendlyName = "1.2.840.113549.1.9.20"
	oidLocalKeyID   = "1.2.840.113549.1.9.21"
	// oidJavaTrusted marks a certificate as a trust anchor. Java 8 and newer
	// write it and see no other certificate as trusted.
	oidJavaTrusted = "2.16.840.1.113894.746875.1.1"
)

// maxBagDepth bounds safes within safes; no known writer nests them.
const maxBagDepth = 4

type safeBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue     `asn1:"tag:0,explicit"`
	Attributes []pkcs12Attribute `asn1:"set,optional"`
}

type pkcs12Attribute struct {
	ID     asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

// bagNames is what the attributes of a bag say.
type bagNames struct {
	alias   string
	keyID   string
	trusted bool
}

type bagKey struct {
	bagNames
	key crypto.PrivateKey
}

type bagCert struct {
	bagNames
	cert *x509.Certificate
}

// bagCollector gathers the bags of all safes: a key is in one safe, its
// certificates are in another.
type bagCollector struct {
	store    *Store
	password passphrase
	left     *budget
	keys     []bagKey
	certs    []bagCert
	unnamed  int
}

func (c *bagCollector) collect(content []byte, depth int) error {
	if depth > maxBagDepth {
		return fmt.Errorf("%w: safes within safes, deeper than %d", ErrLimit, maxBagDepth)
	}
	var bags []safeBag
	if err := unmarshal(content, &bags, "the bags of a safe"); err != nil {
		return err
	}
	for i, bag := range bags {
		if err := c.bag(bag, depth); err != nil {
			return fmt.Errorf("bag %d of %d: %w", i+1, len(bags), err)
		}
	}
	return nil
}

func (c *bagCollector) bag(bag safeBag, depth int) error {
	names, err := bag.names()
	if err != nil {
		return err
	}
	switch oid := bag.ID.String(); oid {
	case oidKeyBag, oidShroudedKeyBag:
		var key crypto.PrivateKey
		if oid == oidKeyBag {
			key, err = parsePKCS8(bag.Value.Bytes)
		} else {
			key, err = decryptPKCS8(bag.Value.Bytes, c.password, c.left)
		}
		if err != nil {
			return fmt.Errorf("key %q: %w", names.alias, err)
		}
		c.keys = append(c.keys, bagKey{names, key})
	case oidCertBag:
		return c.certBag(bag, names)
	case oidSafeBag:
		return c.collect(bag.Value.Bytes, depth+1)
	case oidCRLBag:
		c.store.note("a revocation list was left out: it is neither key nor certificate")
	case oidSecretBag:
		c.store.note("secret %q was left out: it is no key for TLS", names.alias)
	default:
		return fmt.Errorf("%w: a bag of unknown kind %s", ErrUnsupported, oid)
	}
	return nil
}

func (c *bagCollector) certBag(bag safeBag, names bagNames) error {
	der, err := bag.certificate()
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		// The store's MAC matched: the certificate is as it was written, only Go
		// is stricter than Java (negative serial numbers, for one).
		c.store.note("certificate %q was left out: %v", names.alias, err)
		return nil
	}
	c.certs = append(c.certs, bagCert{names, cert})
	return nil
}

// certificate returns the DER in a certificate bag (RFC 7292 §4.2.3).
func (bag safeBag) certificate() ([]byte, error) {
	var value struct {
		ID   asn1.ObjectIdentifier
		Data []byte `asn1:"tag:0,explicit"`
	}
	if err := unmarshal(bag.Value.Bytes, &value, "a certificate bag"); err != nil {
		return nil, err
	}
	if oid := value.ID.String(); oid != oidX509Cert {
		return nil, fmt.Errorf("%w: a certificate of kind %s, X.509 is read", ErrUnsupported, oid)
	}
	return value.Data, nil
}

// names reads the attributes. Others than the three are of no meaning here.
func (bag safeBag) names() (bagNames, error) {
	var n bagNames
	for _, attr := range bag.Attributes {
		switch attr.ID.String() {
		case oidJavaTrusted:
			n.trusted = true
		case oidFriendlyName:
			var value asn1.RawValue
			if _, err := asn1.Unmarshal(attr.Values.Bytes, &value); err != nil || value.Tag != asn1.TagBMPString || len(value.Bytes)%2 != 0 {
				return n, fmt.Errorf("%w: expected a BMPString as alias", ErrCorrupt)
			}
			units := make([]uint16, len(value.Bytes)/2)
			for i := range units {
				units[i] = uint16(value.Bytes[2*i])<<8 | uint16(value.Bytes[2*i+1])
			}
			n.alias = string(utf16.Decode(units))
		case oidLocalKeyID:
			var id []byte
			if _, err := asn1.Unmarshal(attr.Values.Bytes, &id); err != nil {
				return n, fmt.Errorf("%w: expected an OCTET STRING as local key id", ErrCorrupt)
			}
			n.keyID = string(id)
		}
	}
	return n, nil
}

// finish pairs keys with certificates and turns both into entries.
func (c *bagCollector) finish() error {
	all := make([]*x509.Certificate, len(c.certs))
	ids := make(map[*x509.Certificate]string, len(c.certs))
	for i, b := range c.certs {
		all[i], ids[b.cert] = b.cert, b.keyID
	}
	set := newCertSet(all)
	used := map[string]bool{} // by content: a file may repeat a certificate
	for _, k := range c.keys {
		entry := Entry{Alias: c.alias(k.alias), Key: k.key}
		if leaf := pickLeaf(k.keyID, set.leaves(k.key), ids); leaf != nil {
			entry.Chain = set.chain(leaf)
		}
		for _, cert := range entry.Chain {
			used[string(cert.Raw)] = true
		}
		if err := c.store.addKey(entry); err != nil {
			return err
		}
	}
	c.finishCerts(used)
	c.noteDuplicates()
	return nil
}

// pickLeaf picks the certificate of a key: of those with its public key the one
// with its local key id. A key that was certified anew has several.
func pickLeaf(keyID string, own []*x509.Certificate, ids map[*x509.Certificate]string) *x509.Certificate {
	for _, cert := range own {
		if keyID != "" && ids[cert] == keyID {
			return cert
		}
	}
	if len(own) == 0 {
		return nil
	}
	return own[0]
}

// finishCerts adds the trusted certificates. A certificate without Java's mark
// is trusted only where the file has no keys and so can be nothing but a
// truststore; beside keys it is a leftover of some chain.
func (c *bagCollector) finishCerts(used map[string]bool) {
	unmarked := 0
	for _, b := range c.certs {
		switch {
		case b.trusted, len(c.keys) == 0:
			if !b.trusted {
				unmarked++
			}
			c.store.Entries = append(c.store.Entries, Entry{Alias: c.alias(b.alias), Chain: []*x509.Certificate{b.cert}})
		case !used[string(b.cert.Raw)]:
			c.store.note("certificate %q was left out: it belongs to no key and is not marked as trusted", b.cert.Subject)
		}
	}
	if unmarked > 0 {
		c.store.note("%d certificates lack the mark by which Java knows a trusted certificate, so a Java client sees none of them; "+
			"import them with `keytool -importcert`", unmarked)
	}
}

// alias gives an entry without one the name that Java gives it.
func (c *bagCollector) alias(name string) string {
	if name != "" {
		return name
	}
	c.unnamed++
	return strconv.Itoa(c.unnamed)
}

func (c *bagCollector) noteDuplicates() {
	seen := map[string]bool{}
	for _, e := range c.store.Entries {
		name := strings.ToLower(e.Alias)
		if seen[name] {
			c.store.note("several entries are called %q: Java keeps only the last", e.Alias)
		}
		seen[name] = true
	}
}
