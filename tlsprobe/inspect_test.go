package tlsprobe_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// TestInspect_LooksAtEachCertificateAlone: a bundle may hold several that
// expired, and roots that vouch for themselves are nothing to report.
func TestInspect_LooksAtEachCertificateAlone(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ca, err := pki.NewCA("root")
	require.NoError(t, err)
	certs := []tlsprobe.Certificate{tlsprobe.ParseCertificate(ca.Cert.Raw)}
	for _, end := range []time.Time{now.AddDate(0, 0, -1), now.AddDate(1, 0, 0), now.AddDate(0, 0, -9)} {
		cert, err := ca.Issue(pki.Leaf{CommonName: "leaf", NotBefore: now.AddDate(-1, 0, 0), NotAfter: end})
		require.NoError(t, err)
		certs = append(certs, tlsprobe.ParseCertificate(cert.Chain[0].Raw))
	}
	certs = append(certs, tlsprobe.ParseCertificate([]byte("no certificate")))

	type at struct {
		code     tlsprobe.Code
		position int
	}
	var got []at
	for _, r := range tlsprobe.Inspect(certs, now) {
		got = append(got, at{r.Code, r.Position})
	}
	require.Equal(t, []at{{tlsprobe.Expired, 1}, {tlsprobe.Expired, 3}, {tlsprobe.UnparseableCertificate, 4}}, got)

	policy := tlsprobe.Policy{Allow: []tlsprobe.Code{tlsprobe.Expired}}
	status := map[string][]holdfast.Status{}
	for _, f := range policy.CheckCertificates("file", certs, now) {
		status[f.Control] = append(status[f.Control], f.Status)
	}
	require.Equal(t, map[string][]holdfast.Status{
		"tls.expired":                 {holdfast.Pass, holdfast.Pass},
		"tls.unparseable_certificate": {holdfast.Fail},
		"tls.lifetime":                {holdfast.Pass, holdfast.Fail, holdfast.Pass, holdfast.Fail, holdfast.Unknown},
	}, status)

	policy.Now = func() time.Time { return now.AddDate(0, 0, -2) }
	require.Equal(t, holdfast.Fail, policy.CheckCertificates("file", certs[3:4], now)[1].Status)
	require.Equal(t, holdfast.Fail, policy.CheckCertificates("file", certs[1:2], now)[0].Status, "two days left of a year")
}

func TestChain_IsAListInJSON(t *testing.T) {
	for _, chain := range []tlsprobe.Chain{nil, {}} {
		out, err := json.Marshal(chain)
		require.NoError(t, err)
		require.Equal(t, "[]", string(out))
	}
	out, err := json.Marshal(tlsprobe.Chain{{Subject: "CN=a"}, {Subject: "CN=b"}})
	require.NoError(t, err)
	require.Contains(t, string(out), `"position":1,"subject":"CN=b"`)
	require.NotContains(t, string(out), "0001-01-01")
}
