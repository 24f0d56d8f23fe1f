package tlsprobe

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// Certificate is one certificate as it was presented or stored.
type Certificate struct {
	// Raw is the DER as it came.
	Raw []byte
	// X509 is what Go's parser makes of it; nil where it refuses. Not to be
	// altered: results of equal chains share it.
	X509 *x509.Certificate
	// Error says why X509 is nil. The fields below are then what a lenient
	// reader saw, empty where it saw nothing.
	Error string
	// Subject and Issuer are written as in RFC 2253.
	Subject, Issuer string
	// Serial is in lower case hex without leading zeros, with a minus sign where
	// it is negative.
	Serial string
	// SHA256 is the fingerprint in lower case hex.
	SHA256 string
	// NotBefore and NotAfter are in UTC.
	NotBefore, NotAfter time.Time
	DNSNames            []string
	IPAddresses         []string
	// KeyBits is the size of an RSA key, 0 for other or unknown kinds.
	KeyBits int
}

// Role says what a certificate is for, of those that the position cannot tell.
func (c Certificate) selfIssued() bool {
	if c.X509 == nil {
		return c.Subject != "" && c.Subject == c.Issuer
	}
	return string(c.X509.RawSubject) == string(c.X509.RawIssuer)
}

// LifetimeUsed is the part of its validity that a certificate has behind it at a
// time: below 0 before it, above 1 after it.
func (c Certificate) LifetimeUsed(now time.Time) float64 {
	life := c.NotAfter.Sub(c.NotBefore)
	if life <= 0 {
		return 1
	}
	return float64(now.Sub(c.NotBefore)) / float64(life)
}

// ParseCertificate reads one certificate in DER. It never fails as a whole: see
// [Certificate.Error].
func ParseCertificate(der []byte) Certificate {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		c := lenient(der)
		c.Error = err.Error()
		return c
	}
	return newCertificate(parsed)
}

func newCertificate(parsed *x509.Certificate) Certificate {
	c := Certificate{
		Raw: parsed.Raw, X509: parsed,
		Subject: parsed.Subject.String(), Issuer: parsed.Issuer.String(),
		Serial: parsed.SerialNumber.Text(16), SHA256: fingerprint(parsed.Raw),
		NotBefore: parsed.NotBefore.UTC(), NotAfter: parsed.NotAfter.UTC(),
		DNSNames: parsed.DNSNames, KeyBits: rsaBits(parsed.PublicKey),
	}
	for _, ip := range parsed.IPAddresses {
		c.IPAddresses = append(c.IPAddresses, ip.String())
	}
	return c
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
