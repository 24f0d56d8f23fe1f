package keystore

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-sec/holdfast"
)

// pkcs12 lists the certificates of all safes that open. Keys stay encrypted: it
// is the local key id that pairs them with their certificates, which all known
// writers set on both.
func (l *Listing) pkcs12(data []byte, secret holdfast.Secret) error {
	l.Integrity = Unchecked
	p, safes, err := l.authSafe(data)
	if err != nil {
		return err
	}
	left := &budget{left: maxTotalIterations}
	password, failed := p.MAC.verify(safes, passphrase{secret: secret}, left)
	hasMAC := len(p.MAC.MAC.Algorithm.Algorithm) > 0
	switch {
	case errors.Is(failed, ErrPassword):
		l.Integrity = WrongPassword
	case failed == nil && hasMAC && !secret.IsZero():
		l.Integrity = Verified
	case failed == nil && !hasMAC:
		l.note("the store has no MAC: nothing proves that it is as it was written")
	}
	var infos []contentInfo
	if err := unmarshal(safes, &infos, "a list of safes"); err != nil {
		return errors.Join(failed, err)
	}
	errs := []error{failed}
	c := &certCollector{listing: l}
	for i, info := range infos {
		// With a wrong password only what is not encrypted is worth a look.
		if failed != nil && info.Type.String() != oidData {
			continue
		}
		content, err := info.open(password, left)
		if err == nil {
			err = c.collect(content, 0)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("safe %d of %d: %w", i+1, len(infos), err))
		}
	}
	c.finish()
	return errors.Join(errs...)
}

// authSafe unwraps the outermost layers.
func (l *Listing) authSafe(data []byte) (p pfx, safes []byte, err error) {
	if data[1] == 0x80 {
		return p, nil, fmt.Errorf("%w: BER with indefinite length; convert it with `openssl pkcs12 -in OLD -out all.pem` and "+
			"`openssl pkcs12 -export -in all.pem -out NEW`", ErrUnsupported)
	}
	rest, err := asn1.Unmarshal(data, &p)
	if err != nil {
		return p, nil, fmt.Errorf("%w: expected one DER value of type PFX in %d bytes: %v", ErrCorrupt, len(data), err)
	}
	if len(rest) > 0 {
		l.note("%d bytes after the end of the store were ignored", len(rest))
	}
	if oid := p.AuthSafe.Type.String(); oid != oidData {
		return p, nil, fmt.Errorf("%w: content %s; a store that is signed instead of protected by a password is not read", ErrUnsupported, oid)
	}
	err = unmarshal(p.AuthSafe.Content.Bytes, &safes, "the authenticated safe")
	return p, safes, err
}

// certCollector gathers the bags of all safes, as bagCollector does, but neither
// opens keys nor demands that Go can parse a certificate.
type certCollector struct {
	listing *Listing
	keys    []bagNames
	certs   []listedBag
	unnamed int
}

type listedBag struct {
	bagNames
	der  []byte
	x509 *x509.Certificate // nil where Go refuses it
}

func (c *certCollector) collect(content []byte, depth int) error {
	if depth > maxBagDepth {
		return fmt.Errorf("%w: safes within safes, deeper than %d", ErrLimit, maxBagDepth)
	}
	var bags []safeBag
	if err := unmarshal(content, &bags, "the bags of a safe"); err != nil {
		return err
	}
	var errs []error
	for i, bag := range bags {
		if err := c.bag(bag, depth); err != nil {
			errs = append(errs, fmt.Errorf("bag %d of %d: %w", i+1, len(bags), err))
		}
		if len(errs) == maxErrors {
			break
		}
	}
	return errors.Join(errs...)
}

func (c *certCollector) bag(bag safeBag, depth int) error {
	names, err := bag.names()
	if err != nil {
		return err
	}
	switch oid := bag.ID.String(); oid {
	case oidKeyBag, oidShroudedKeyBag:
		c.keys = append(c.keys, names)
	case oidCertBag:
		der, err := bag.certificate()
		if err != nil {
			return err
		}
		cert, _ := x509.ParseCertificate(der)
		c.certs = append(c.certs, listedBag{names, der, cert})
	case oidSafeBag:
		return c.collect(bag.Value.Bytes, depth+1)
	case oidCRLBag:
		c.listing.note("a revocation list was passed over: it is no certificate")
	case oidSecretBag:
		c.listing.note("secret %q was passed over: it has no certificate", names.alias)
	default:
		return fmt.Errorf("%w: a bag of unknown kind %s", ErrUnsupported, oid)
	}
	return nil
}

// finish gives each key its chain; what is in no chain, or is marked as trusted,
// is an entry of its own.
func (c *certCollector) finish() {
	var parsed []*x509.Certificate
	for _, b := range c.certs {
		if b.x509 != nil {
			parsed = append(parsed, b.x509)
		}
	}
	set := newCertSet(parsed)
	used := map[string]bool{} // by content: a file may repeat a certificate
	for _, k := range c.keys {
		e := Listed{Alias: c.alias(k.alias), Key: true}
		leaf := slices.IndexFunc(c.certs, func(b listedBag) bool { return k.keyID != "" && b.keyID == k.keyID })
		if leaf >= 0 {
			e.Certificates = [][]byte{c.certs[leaf].der}
			if cert := c.certs[leaf].x509; cert != nil {
				e.Certificates = nil
				for _, link := range set.chain(cert) {
					e.Certificates = append(e.Certificates, link.Raw)
				}
			}
		}
		for _, der := range e.Certificates {
			used[string(der)] = true
		}
		c.listing.Entries = append(c.listing.Entries, e)
	}
	for _, b := range c.certs {
		if b.trusted || !used[string(b.der)] {
			c.listing.Entries = append(c.listing.Entries, Listed{Alias: c.alias(b.alias), Trusted: b.trusted, Certificates: [][]byte{b.der}})
		}
	}
}

// alias gives an entry without one the name that Java gives it.
func (c *certCollector) alias(name string) string {
	if name != "" {
		return name
	}
	c.unnamed++
	return strconv.Itoa(c.unnamed)
}
