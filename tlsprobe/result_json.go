package tlsprobe

import (
	"crypto/tls"
	"encoding/json"
	"time"
)

// MarshalJSON writes a result for people who pipe it: codes in "reasons", their
// sentences in "explanations", times in RFC 3339, durations in milliseconds, and
// no field for what was not seen.
func (r Result) MarshalJSON() ([]byte, error) {
	out := resultJSON{
		Target: r.Target.String(), Upgrade: r.Target.Upgrade, ServerName: r.Target.ServerName, VerifyName: r.Target.VerifyName,
		ALPN: r.ALPN, ClientCertificate: r.ClientCertificate, AcceptableCAs: r.AcceptableCAs, SCTs: r.SCTs,
		Reasons: []Code{}, Explanations: r.Reasons, Notes: r.Notes, Certificates: r.Certificates,
		ChainExpiry: timeJSON(r.ChainExpiry), Start: timeJSON(r.Start),
		Milliseconds: timingsJSON{ms(r.Timings.DNS), ms(r.Timings.Connect), ms(r.Timings.Upgrade), ms(r.Timings.Handshake), ms(r.Timings.Total)},
	}
	if r.Address.IsValid() {
		out.Address = r.Address.String()
	}
	if r.Version != 0 {
		out.Version, out.CipherSuite = tls.VersionName(r.Version), tls.CipherSuiteName(r.CipherSuite)
	}
	if r.Group != 0 {
		out.Group = r.Group.String()
	}
	for _, reason := range r.Reasons {
		out.Reasons = append(out.Reasons, reason.Code)
	}
	if r.Staple != nil {
		out.Staple = &stapleJSON{r.Staple.Status, r.Staple.Error, timeJSON(r.Staple.ThisUpdate), timeJSON(r.Staple.NextUpdate), timeJSON(r.Staple.RevokedAt)}
	}
	if r.CRL != nil {
		out.CRL = &crlJSON{r.CRL.Status, r.CRL.Error, r.CRL.URL, timeJSON(r.CRL.NextUpdate), timeJSON(r.CRL.RevokedAt)}
	}
	if r.Err != nil && len(r.Certificates) == 0 {
		out.Error = r.Err.Error()
	}
	return json.Marshal(out)
}

type resultJSON struct {
	Target            string      `json:"target"`
	Upgrade           Upgrade     `json:"upgrade"`
	ServerName        string      `json:"server_name,omitempty"`
	VerifyName        string      `json:"verify_name,omitempty"`
	Start             string      `json:"start,omitempty"`
	Address           string      `json:"address,omitempty"`
	Version           string      `json:"version,omitempty"`
	CipherSuite       string      `json:"cipher_suite,omitempty"`
	Group             string      `json:"group,omitempty"`
	ALPN              string      `json:"alpn,omitempty"`
	ClientCertificate ClientAuth  `json:"client_certificate"`
	AcceptableCAs     []string    `json:"acceptable_cas,omitempty"`
	Reasons           []Code      `json:"reasons"`
	Explanations      []Reason    `json:"explanations,omitempty"`
	Notes             []string    `json:"notes,omitempty"`
	Certificates      Chain       `json:"certificates"`
	ChainExpiry       string      `json:"chain_expiry,omitempty"`
	Staple            *stapleJSON `json:"staple,omitempty"`
	CRL               *crlJSON    `json:"crl,omitempty"`
	SCTs              int         `json:"scts,omitempty"`
	Milliseconds      timingsJSON `json:"milliseconds"`
	Error             string      `json:"error,omitempty"`
}

type timingsJSON struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	Upgrade   float64 `json:"upgrade"`
	Handshake float64 `json:"handshake"`
	Total     float64 `json:"total"`
}

type stapleJSON struct {
	Status     string `json:"status"`
	Error      string `json:"error,omitempty"`
	ThisUpdate string `json:"this_update,omitempty"`
	NextUpdate string `json:"next_update,omitempty"`
	RevokedAt  string `json:"revoked_at,omitempty"`
}

type crlJSON struct {
	Status     CRLStatus `json:"status"`
	Error      string    `json:"error,omitempty"`
	URL        string    `json:"url,omitempty"`
	NextUpdate string    `json:"next_update,omitempty"`
	RevokedAt  string    `json:"revoked_at,omitempty"`
}

// Chain is certificates in the JSON of a result: a list of objects, each with its
// position from 0.
type Chain []Certificate

// MarshalJSON implements [json.Marshaler].
func (chain Chain) MarshalJSON() ([]byte, error) {
	out := make([]certificateJSON, len(chain))
	for i, c := range chain {
		out[i] = c.json(i)
	}
	return json.Marshal(out)
}

type certificateJSON struct {
	Position     int      `json:"position"`
	Subject      string   `json:"subject"`
	Issuer       string   `json:"issuer"`
	Serial       string   `json:"serial"`
	SHA256       string   `json:"sha256"`
	NotBefore    string   `json:"not_before,omitempty"`
	NotAfter     string   `json:"not_after,omitempty"`
	DNSNames     []string `json:"dns_names"`
	IPAddresses  []string `json:"ip_addresses,omitempty"`
	X509Version  int      `json:"x509_version,omitempty"`
	Signature    string   `json:"signature,omitempty"`
	KeyAlgorithm string   `json:"key_algorithm,omitempty"`
	KeyBits      int      `json:"key_bits,omitempty"`
	CA           bool     `json:"ca,omitempty"`
	Error        string   `json:"error,omitempty"`
}

func (c Certificate) json(position int) certificateJSON {
	out := certificateJSON{
		Position: position, Subject: c.Subject, Issuer: c.Issuer, Serial: c.Serial, SHA256: c.SHA256,
		NotBefore: timeJSON(c.NotBefore), NotAfter: timeJSON(c.NotAfter),
		DNSNames: append([]string{}, c.DNSNames...), IPAddresses: c.IPAddresses, KeyBits: c.KeyBits, Error: c.Error,
	}
	if c.X509 != nil {
		out.X509Version, out.CA = c.X509.Version, c.X509.IsCA
		out.Signature, out.KeyAlgorithm = c.X509.SignatureAlgorithm.String(), c.X509.PublicKeyAlgorithm.String()
	}
	return out
}

// timeJSON never writes the zero time: what is not known is left out.
func timeJSON(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// ms is in milliseconds, with microseconds behind the point.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
