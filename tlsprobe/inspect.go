package tlsprobe

import "time"

// Inspect says what is the matter with each of several certificates by itself,
// as they lie in a file: dates, keys, signatures, serial numbers, and whether
// they can be parsed. A code may come once for each. Trust, names and order are
// those of a connection; nothing is said of them here.
func Inspect(certs []Certificate, now time.Time) []Reason {
	var all []Reason
	for i, c := range certs {
		j := judge{certs: []Certificate{c}, now: now}
		j.unparseable()
		j.dates()
		j.keys()
		for _, reason := range j.v.reasons {
			// Nobody checks what a certificate says of itself, so a root in a
			// truststore may be signed as it likes.
			if reason.Code == WeakSignature && c.selfIssued() {
				continue
			}
			reason.Position = i
			all = append(all, reason)
		}
	}
	return all
}
