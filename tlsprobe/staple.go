package tlsprobe

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Staple is a stapled OCSP response (RFC 6066 §8).
type Staple struct {
	// Status is "good", "revoked", "unknown", or "invalid" where the response
	// cannot be parsed, is not signed for the issuer, or is out of date.
	Status string
	// Error says why it is invalid.
	Error                  string
	ThisUpdate, NextUpdate time.Time
	RevokedAt              time.Time
}

// readStaple parses a response. Without an issuer its signature cannot be
// checked, which makes it invalid: no staple at all must not read as good, and
// neither must one that proves nothing.
func readStaple(raw []byte, leaf, issuer *x509.Certificate, now time.Time) *Staple {
	if len(raw) == 0 {
		return nil
	}
	if issuer == nil {
		return &Staple{Status: "invalid", Error: "the issuer is not known, so the signature cannot be checked"}
	}
	response, err := ocsp.ParseResponseForCert(raw, leaf, issuer)
	if err != nil {
		return &Staple{Status: "invalid", Error: err.Error()}
	}
	s := &Staple{ThisUpdate: response.ThisUpdate, NextUpdate: response.NextUpdate, RevokedAt: response.RevokedAt}
	switch response.Status {
	case ocsp.Good:
		s.Status = "good"
	case ocsp.Revoked:
		s.Status = "revoked"
	default:
		s.Status = "unknown"
	}
	switch {
	case now.Before(response.ThisUpdate):
		s.Status, s.Error = "invalid", fmt.Sprintf("it is from the future, %s", response.ThisUpdate.Format(time.RFC3339))
	case !response.NextUpdate.IsZero() && now.After(response.NextUpdate):
		s.Status, s.Error = "invalid", fmt.Sprintf("it ended at %s", response.NextUpdate.Format(time.RFC3339))
	}
	return s
}

// oidTLSFeature is the extension that demands a staple (RFC 7633).
var oidTLSFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

func mustStaple(c *x509.Certificate) bool {
	const statusRequest = 5
	for _, extension := range c.Extensions {
		if !extension.Id.Equal(oidTLSFeature) {
			continue
		}
		var features []int
		if _, err := asn1.Unmarshal(extension.Value, &features); err != nil {
			return false
		}
		for _, feature := range features {
			if feature == statusRequest {
				return true
			}
		}
	}
	return false
}
