package tlsprobe

import (
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidRSA            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// lenient reads what it can of a certificate that Go's parser refuses: one with a
// negative serial (Samba, Cisco ASA and old MSSQL make them), an unknown curve, a
// malformed extension. It reads in order (RFC 5280 §4.1) and keeps what it has
// when it meets what it cannot read.
func lenient(der []byte) Certificate {
	c := Certificate{Raw: der, SHA256: fingerprint(der)}
	input := cryptobyte.String(der)
	var whole, tbs cryptobyte.String
	if !input.ReadASN1(&whole, cbasn1.SEQUENCE) || !whole.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return c
	}
	tbs.SkipOptionalASN1(cbasn1.Tag(0).Constructed().ContextSpecific())
	var serial cryptobyte.String
	if !tbs.ReadASN1(&serial, cbasn1.INTEGER) {
		return c
	}
	c.Serial = signed(serial).Text(16)
	var issuer, validity, subject, key cryptobyte.String
	if !tbs.SkipASN1(cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) {
		return c
	}
	c.Issuer = distinguishedName(issuer)
	if !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return c
	}
	var ok bool
	if c.NotBefore, ok = readTime(&validity); !ok {
		return c
	}
	if c.NotAfter, ok = readTime(&validity); !ok || !tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) {
		return c
	}
	c.Subject = distinguishedName(subject)
	if !tbs.ReadASN1(&key, cbasn1.SEQUENCE) {
		return c
	}
	c.KeyBits = spkiBits(key)
	tbs.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific())
	tbs.SkipOptionalASN1(cbasn1.Tag(2).ContextSpecific())
	var extensions cryptobyte.String
	if tbs.ReadASN1(&extensions, cbasn1.Tag(3).Constructed().ContextSpecific()) {
		readNames(&c, extensions)
	}
	return c
}

// signed is the two's complement integer of an INTEGER's bytes.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func distinguishedName(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return ""
	}
	return name.String()
}

func readTime(s *cryptobyte.String) (time.Time, bool) {
	var t time.Time
	if s.PeekASN1Tag(cbasn1.UTCTime) {
		return t, s.ReadASN1UTCTime(&t)
	}
	ok := s.ReadASN1GeneralizedTime(&t)
	return t.UTC(), ok
}

func spkiBits(key cryptobyte.String) int {
	var algorithm, bits, numbers cryptobyte.String
	var oid asn1.ObjectIdentifier
	var unused uint8
	modulus := new(big.Int)
	if !key.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidRSA) ||
		!key.ReadASN1(&bits, cbasn1.BIT_STRING) || !bits.ReadUint8(&unused) || unused != 0 ||
		!bits.ReadASN1(&numbers, cbasn1.SEQUENCE) || !numbers.ReadASN1Integer(modulus) {
		return 0
	}
	return modulus.BitLen()
}

func readNames(c *Certificate, extensions cryptobyte.String) {
	var list cryptobyte.String
	if !extensions.ReadASN1(&list, cbasn1.SEQUENCE) {
		return
	}
	for !list.Empty() {
		var extension, value, names cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1(&extension, cbasn1.SEQUENCE) || !extension.ReadASN1ObjectIdentifier(&oid) {
			return
		}
		extension.SkipOptionalASN1(cbasn1.BOOLEAN)
		if !oid.Equal(oidSubjectAltName) || !extension.ReadASN1(&value, cbasn1.OCTET_STRING) || !value.ReadASN1(&names, cbasn1.SEQUENCE) {
			continue
		}
		for !names.Empty() {
			var name cryptobyte.String
			var tag cbasn1.Tag
			if !names.ReadAnyASN1(&name, &tag) {
				return
			}
			switch tag {
			case cbasn1.Tag(2).ContextSpecific():
				c.DNSNames = append(c.DNSNames, string(name))
			case cbasn1.Tag(7).ContextSpecific():
				if len(name) == net.IPv4len || len(name) == net.IPv6len {
					c.IPAddresses = append(c.IPAddresses, net.IP(name).String())
				}
			}
		}
	}
}

func rsaBits(key any) int {
	if key, ok := key.(*rsa.PublicKey); ok {
		return key.N.BitLen()
	}
	return 0
}
