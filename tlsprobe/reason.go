package tlsprobe

import "slices"

// Code names one thing that is the matter with an endpoint. The codes are part of
// the JSON of a result.
type Code string

// What can be the matter with the certificates.
const (
	// Expired and NotYetValid are about the leaf or a certificate above it.
	Expired     Code = "expired"
	NotYetValid Code = "not_yet_valid"
	// UnknownCA: the chain ends at an issuer that is not trusted.
	UnknownCA Code = "unknown_ca"
	// SelfSigned: the leaf is its own issuer and not trusted.
	SelfSigned Code = "self_signed"
	// MissingIntermediate: the server did not send the issuer of its leaf. Where
	// nothing tells whether that issuer is a root, UnknownCA stands beside it.
	MissingIntermediate Code = "missing_intermediate"
	// WrongHost: the certificate is for other names.
	WrongHost Code = "wrong_host"
	// CNOnly: the name stands in the common name alone, which clients ignore
	// (RFC 9525 §6.3, Go since 1.15).
	CNOnly Code = "cn_only"
	// WrongUsage: not meant for servers (RFC 5280 §4.2.1.12).
	WrongUsage Code = "wrong_usage"
	// NameConstraint: a CA of the chain may not sign for this name.
	NameConstraint Code = "name_constraint"
	// NotCA: a certificate of the chain signed another and is no CA, as the
	// version-1 ones.
	NotCA Code = "not_a_ca"
	// WeakSignature: signed with MD5 or SHA-1.
	WeakSignature Code = "weak_signature"
	// WeakKey: RSA under 2048 bits, or an elliptic curve under 256 bits.
	WeakKey Code = "weak_key"
	// NegativeSerial: against RFC 5280 §4.1.2.2; Go and others refuse it.
	NegativeSerial Code = "negative_serial"
	// Revoked by a CRL or by the stapled OCSP response.
	Revoked Code = "revoked"
	// ChainOrder: a certificate does not certify the one before it (RFC 8446
	// §4.4.2 tolerates that, older clients do not).
	ChainOrder Code = "chain_order"
	// StaplingMissing: the certificate demands a staple (RFC 7633), and there is
	// none.
	StaplingMissing Code = "stapling_missing"
	// UnparseableCertificate: Go's parser refuses it. What a lenient reader saw is
	// in the result.
	UnparseableCertificate Code = "unparseable_certificate"
)

// What can be the matter with the connection.
const (
	// ClientCertificateRequired: the server ends the connection without one.
	ClientCertificateRequired Code = "client_certificate_required"
	// ClientCertificateRefused: the server does not take the one it was given.
	ClientCertificateRefused Code = "client_certificate_refused"
	// PlaintextPeer: the peer answers in plain text.
	PlaintextPeer Code = "plaintext_peer"
	// WrongProtocol: what answers speaks neither TLS nor the protocol asked for.
	WrongProtocol Code = "wrong_protocol"
	// UpgradeRefused: the server knows the protocol and does not offer TLS in it.
	UpgradeRefused Code = "upgrade_refused"
	// PlaintextInjection: bytes in plain text came behind the go-ahead to TLS
	// (CVE-2021-38371 and its kind).
	PlaintextInjection Code = "plaintext_injection"
	// VersionUnsupported: no version of TLS in common, or one below the minimum.
	VersionUnsupported Code = "version_unsupported"
	// NoSharedCipher: the server finds no suite, group or signature in common.
	NoSharedCipher Code = "no_shared_cipher"
	// HandshakeFailed: TLS ended in an alert that has no code of its own here.
	HandshakeFailed Code = "handshake_failed"
	Refused         Code = "refused"
	Unreachable     Code = "unreachable"
	DNS             Code = "dns"
	Timeout         Code = "timeout"
	// Closed: the peer closed before there was a certificate.
	Closed Code = "closed"
	// Canceled: the caller gave up.
	Canceled Code = "canceled"
	// Forbidden: the dialer of the caller may not connect there.
	Forbidden Code = "forbidden"
	// InvalidTarget: the target itself makes no sense; nothing was sent.
	InvalidTarget Code = "invalid_target"
)

// Reason is one thing that is the matter, and what to do about it.
type Reason struct {
	Code Code `json:"code"`
	// Message is a sentence for a person. It holds what the peer sent only quoted
	// and cut.
	Message string `json:"message"`
	// Position is that of the certificate it is about, -1 for none.
	Position int `json:"position"`
}

// reasons is a set by code: the first of a code stays.
type reasons []Reason

func (r *reasons) add(code Code, position int, message string) {
	if !r.has(code) {
		*r = append(*r, Reason{code, message, position})
	}
}

func (r reasons) has(code Code) bool {
	return slices.ContainsFunc(r, func(reason Reason) bool { return reason.Code == code })
}
