package certstore

import (
	"fmt"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// Check turns what was found into findings: those of [tlsprobe.Policy.CheckCertificates],
// an Error for what could not be read, and a Manual one for a keystore whose
// integrity nobody checked.
func (f Found) Check(p tlsprobe.Policy) []holdfast.Finding {
	subject := f.Path
	if f.Alias != "" {
		subject = fmt.Sprintf("%s %s", f.Path, f.Alias)
	}
	var findings []holdfast.Finding
	if f.Err != nil {
		findings = append(findings, holdfast.Finding{
			Control: "certstore.readable", Subject: subject, Status: holdfast.Error, Severity: holdfast.High,
			Message: f.Err.Error(), Fix: "give the password, or replace the file: an unread certificate ends unseen",
		})
	}
	if f.Integrity == Unchecked {
		findings = append(findings, holdfast.Finding{
			Control: "certstore.integrity", Subject: subject, Status: holdfast.Manual, Severity: holdfast.Low,
			Message: "nothing proves that the keystore is as it was written", Fix: "give its password",
		})
	}
	if len(f.Certificates) > 0 {
		findings = append(findings, p.CheckCertificates(subject, f.Certificates, f.At)...)
	}
	return findings
}
