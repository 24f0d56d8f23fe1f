package exporter

import (
	"slices"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// certificateCodes are the reasons that certificates have; all others are about
// the connection.
var certificateCodes = []tlsprobe.Code{
	tlsprobe.Expired, tlsprobe.NotYetValid, tlsprobe.UnknownCA, tlsprobe.SelfSigned, tlsprobe.MissingIntermediate, tlsprobe.WrongHost, tlsprobe.CNOnly,
	tlsprobe.WrongUsage, tlsprobe.NameConstraint, tlsprobe.NotCA, tlsprobe.WeakSignature, tlsprobe.WeakKey, tlsprobe.NegativeSerial, tlsprobe.Revoked,
	tlsprobe.ChainOrder, tlsprobe.StaplingMissing, tlsprobe.UnparseableCertificate,
}

// borne are reasons that do not keep clients from connecting.
var borne = []tlsprobe.Code{tlsprobe.ChainOrder, tlsprobe.StaplingMissing, tlsprobe.WeakKey}

// trusted is whether a client would take the certificates of a server.
func trusted(r *tlsprobe.Result) bool {
	return !slices.ContainsFunc(r.Reasons, func(reason tlsprobe.Reason) bool {
		return slices.Contains(certificateCodes, reason.Code) && !slices.Contains(borne, reason.Code)
	})
}

// succeeded decides probe_success of a module that connects.
func (m *module) succeeded(r *tlsprobe.Result, c *conversation) bool {
	if !m.tls && (c == nil || !c.startTLS) {
		return r.OK() // a connection, and what was said on it
	}
	meaning := m.success
	if meaning == SuccessVerified && m.skipVerify {
		meaning = SuccessHandshake
	}
	if meaning == SuccessCertificate {
		return len(r.Certificates) > 0
	}
	if r.Err != nil || len(r.Certificates) == 0 {
		return false
	}
	return !slices.ContainsFunc(r.Reasons, func(reason tlsprobe.Reason) bool {
		about := slices.Contains(certificateCodes, reason.Code)
		switch {
		case slices.Contains(m.allow, reason.Code), about && meaning == SuccessHandshake:
			return false
		case meaning == SuccessVerified && slices.Contains(borne, reason.Code):
			return false
		}
		return true
	})
}
