package tlsprobe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCRLs(t *testing.T) {
	root, other := newMint(t, nil, ca("root", crlSign)), newMint(t, nil, ca("other", crlSign))
	leaf := newMint(t, root, func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"ldap://x/", "http://crl.example/root.crl"}
	})
	target := serve(t, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}})
	list := func(signer *mint, end time.Time, revoked ...*big.Int) []byte {
		template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: end.AddDate(0, 0, -7), NextUpdate: end}
		for _, serial := range revoked {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: now.AddDate(0, 0, -1)})
		}
		der, err := x509.CreateRevocationList(rand.Reader, template, signer.cert, signer.key)
		require.NoError(t, err)
		return der
	}
	next, past := now.AddDate(0, 0, 1), now.AddDate(0, 0, -1)
	for name, tc := range map[string]struct {
		der  []byte
		err  error
		want CRLStatus
		says string
	}{
		"good":          {list(root, next, big.NewInt(1<<40)), nil, CRLGood, ""},
		"revoked":       {list(root, next, leaf.cert.SerialNumber), nil, CRLRevoked, ""},
		"stale":         {list(root, past), nil, CRLStale, ""},
		"stale, named":  {list(root, past, leaf.cert.SerialNumber), nil, CRLRevoked, ""},
		"not to be had": {nil, errors.New("no route"), CRLUnavailable, "no route"},
		"not a list":    {[]byte("<html>"), nil, CRLUnavailable, "crl.example"},
		"of another":    {list(other, next), nil, CRLUnavailable, "crl.example"},
	} {
		t.Run(name, func(t *testing.T) {
			p := prober(root.cert)
			fetched := 0
			p.CRLs = &CRLs{Fetch: func(_ context.Context, url string) ([]byte, error) {
				fetched++
				require.Equal(t, "http://crl.example/root.crl", url)
				return tc.der, tc.err
			}}
			for range 2 {
				r := p.Probe(t.Context(), target)
				require.NotNil(t, r.CRL)
				require.Equal(t, tc.want, r.CRL.Status, "%+v", r.CRL)
				require.Equal(t, tc.want == CRLRevoked, r.Has(Revoked))
				require.Contains(t, r.CRL.Error, tc.says)
				require.Equal(t, tc.want == CRLRevoked, !r.CRL.RevokedAt.IsZero())
			}
			require.Equal(t, 1, fetched)
		})
	}
	require.Nil(t, prober(root.cert).Probe(t.Context(), target).CRL)
}

func crlSign(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }
