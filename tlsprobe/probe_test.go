package tlsprobe

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

func issue(t testing.TB, ca *pki.CA, leaf pki.Leaf) tls.Certificate {
	t.Helper()
	leaf.Server = true
	if leaf.DNSNames == nil {
		leaf.DNSNames = []string{"localhost"}
	}
	cert, err := ca.Issue(leaf)
	require.NoError(t, err)
	out := tls.Certificate{PrivateKey: cert.Key}
	for _, c := range cert.Chain {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out
}

func newCA(t testing.TB, name string) *pki.CA {
	ca, err := pki.NewCA(name)
	require.NoError(t, err)
	return ca
}

func TestProbe_ClientCertificates(t *testing.T) {
	ca := newCA(t, "root")
	cert := issue(t, ca, pki.Leaf{CommonName: "server"})
	client := issue(t, ca, pki.Leaf{CommonName: "client", Client: true})
	stranger := issue(t, newCA(t, "elsewhere"), pki.Leaf{CommonName: "stranger", Client: true})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, tc := range []struct {
			auth  tls.ClientAuthType
			with  *tls.Certificate
			want  ClientAuth
			codes []Code
		}{
			{tls.NoClientCert, nil, NotRequested, nil},
			{tls.VerifyClientCertIfGiven, nil, Optional, nil},
			{tls.RequireAndVerifyClientCert, nil, Required, []Code{ClientCertificateRequired}},
			{tls.RequireAndVerifyClientCert, &stranger, Required, []Code{ClientCertificateRefused}},
			{tls.RequireAndVerifyClientCert, &client, Optional, nil},
		} {
			t.Run(tls.VersionName(version)+"/"+tc.auth.String(), func(t *testing.T) {
				target := serve(t, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version, ClientAuth: tc.auth, ClientCAs: ca.Pool()})
				p := prober(ca.Cert)
				p.Certificate = tc.with
				r := p.Probe(t.Context(), target)
				require.Equal(t, tc.want, r.ClientCertificate, "%+v", r)
				require.Equal(t, tc.codes, codes(r), "%+v", r.Reasons)
				require.NotEmpty(t, r.Certificates)
				require.Equal(t, version, r.Version)
				if tc.auth != tls.NoClientCert {
					require.Equal(t, []string{"CN=root"}, r.AcceptableCAs)
				}
			})
		}
	}
	_ = x509.Certificate{}
}
