package tlsprobe

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/holdfast-sec/holdfast"
)

// Policy says what an endpoint has to be like. Its zero value is what public
// servers are held to today.
type Policy struct {
	// MinVersion is the oldest version that may be negotiated. 0 means TLS 1.2.
	MinVersion uint16
	// ClientCertificates demands that the server requires them.
	ClientCertificates bool
	// Allow are reasons that are known and borne, such as SelfSigned in a lab.
	Allow []Code
	// Now is the time at which expiry is judged. Nil means the start of the
	// result's probe.
	Now func() time.Time
}

// Remaining returns how long before its end a certificate of a lifetime becomes a
// warning and a critical finding: at the smaller of a quarter of its life and 30
// days, and of a tenth and 7 days. Renewal is usual with a third left, so fixed
// days would sound at every renewal of certificates of 47 days.
func Remaining(lifetime time.Duration) (warn, critical time.Duration) {
	const day = 24 * time.Hour
	return min(lifetime/4, 30*day), min(lifetime/10, 7*day)
}

// severities of reasons; what is not here is High.
var severities = map[Code]holdfast.Severity{
	Expired: holdfast.Critical, Revoked: holdfast.Critical, PlaintextInjection: holdfast.Critical,
	ChainOrder: holdfast.Low, CNOnly: holdfast.Medium, StaplingMissing: holdfast.Medium, NegativeSerial: holdfast.Medium,
	WeakSignature: holdfast.High,
}

// Check turns a result into findings: one for each reason, one for the lifetime
// of each certificate, one for the version and one for client certificates. What
// could not be seen is Unknown, which is not Pass.
func (p Policy) Check(r Result) []holdfast.Finding {
	subject := r.Target.String()
	findings := p.reasons(subject, r.Reasons)
	findings = append(findings, p.version(subject, r), p.clientAuth(subject, r))
	return append(findings, p.lifetimes(subject, r.Certificates, r.Start)...)
}

// CheckCertificates turns certificates that no probe brought into findings: one
// for each reason of [Inspect] and one for the lifetime of each. The time is the
// policy's, else at.
func (p Policy) CheckCertificates(subject string, certs []Certificate, at time.Time) []holdfast.Finding {
	if p.Now != nil {
		at = p.Now()
	}
	return append(p.reasons(subject, Inspect(certs, at)), p.lifetimes(subject, certs, at)...)
}

func (p Policy) reasons(subject string, reasons []Reason) []holdfast.Finding {
	var findings []holdfast.Finding
	for _, reason := range reasons {
		severity, ok := severities[reason.Code]
		if !ok {
			severity = holdfast.High
		}
		f := holdfast.Finding{Control: "tls." + string(reason.Code), Subject: subject, Status: holdfast.Fail, Severity: severity, Message: reason.Message, Refs: refsOf(reason.Code)}
		for _, allowed := range p.Allow {
			if allowed == reason.Code {
				f.Status, f.Severity = holdfast.Pass, holdfast.Info
				f.Message = "allowed by the policy: " + reason.Message
			}
		}
		findings = append(findings, f)
	}
	return findings
}

func (p Policy) version(subject string, r Result) holdfast.Finding {
	least := p.MinVersion
	if least == 0 {
		least = tls.VersionTLS12
	}
	f := holdfast.Finding{Control: "tls.version", Subject: subject, Severity: holdfast.High, Expected: tls.VersionName(least) + " or newer", Refs: qualityRefs}
	switch {
	case r.Version == 0:
		f.Status, f.Message = holdfast.Unknown, "no version was negotiated"
	case r.Version < least:
		f.Status, f.Actual = holdfast.Fail, tls.VersionName(r.Version)
		f.Message = fmt.Sprintf("the server chose %s", f.Actual)
		f.Fix = "let the server speak a newer version of TLS, and switch the old ones off"
	default:
		f.Status, f.Actual = holdfast.Pass, tls.VersionName(r.Version)
		f.Message = fmt.Sprintf("the server chose %s", f.Actual)
	}
	return f
}

func (p Policy) clientAuth(subject string, r Result) holdfast.Finding {
	f := holdfast.Finding{Control: "tls.client-certificate", Subject: subject, Severity: holdfast.High, Actual: string(r.ClientCertificate), Refs: transportRefs}
	switch {
	case !p.ClientCertificates:
		f.Status, f.Message = holdfast.NotApplicable, "the policy does not ask for client certificates"
	case r.ClientCertificate == Required:
		f.Status, f.Message = holdfast.Pass, "the server requires client certificates"
	case r.ClientCertificate == ClientAuthUnknown:
		f.Status, f.Message = holdfast.Unknown, "it is not known whether the server requires client certificates"
	default:
		f.Status, f.Message = holdfast.Fail, fmt.Sprintf("client certificates are %s, and the policy wants them required", r.ClientCertificate)
		f.Fix = "let the server require and verify client certificates"
	}
	if p.ClientCertificates {
		f.Expected = string(Required)
	}
	return f
}

func (p Policy) lifetimes(subject string, certs []Certificate, now time.Time) []holdfast.Finding {
	if p.Now != nil {
		now = p.Now()
	}
	if len(certs) == 0 {
		return []holdfast.Finding{{Control: "tls.lifetime", Subject: subject, Status: holdfast.Unknown, Severity: holdfast.High, Message: "no certificate was seen", Refs: qualityRefs}}
	}
	var findings []holdfast.Finding
	for i, c := range certs {
		f := holdfast.Finding{Control: "tls.lifetime", Subject: fmt.Sprintf("%s certificate %d", subject, i), Status: holdfast.Pass, Severity: holdfast.Info, Refs: qualityRefs}
		if c.NotAfter.IsZero() || c.NotBefore.IsZero() {
			f.Status, f.Severity, f.Message = holdfast.Unknown, holdfast.High, "the dates of the certificate cannot be read"
			findings = append(findings, f)
			continue
		}
		left := c.NotAfter.Sub(now)
		warn, critical := Remaining(c.NotAfter.Sub(c.NotBefore))
		f.Actual = c.NotAfter.Format(time.RFC3339)
		f.Message = fmt.Sprintf("%q is valid for %s more", c.Subject, Span(left))
		switch {
		case left < 0:
			f.Status, f.Severity, f.Message = holdfast.Fail, holdfast.Critical, fmt.Sprintf("%q expired %s ago", c.Subject, Span(-left))
		case left < critical:
			f.Status, f.Severity = holdfast.Fail, holdfast.Critical
			f.Expected = fmt.Sprintf("at least %s left", Span(critical))
		case left < warn:
			f.Status, f.Severity = holdfast.Fail, holdfast.Medium
			f.Expected = fmt.Sprintf("at least %s left", Span(warn))
		}
		if f.Status == holdfast.Fail {
			f.Fix = "renew the certificate and let the server load the new one"
		}
		findings = append(findings, f)
	}
	return findings
}

// Span writes a duration as people say it: days from two days on, else hours or
// minutes, rounded down.
func Span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}
