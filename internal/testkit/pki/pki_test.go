package pki_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

func TestIssue_VerifiesForItsUsages(t *testing.T) {
	root, err := pki.NewCA("root")
	require.NoError(t, err)
	inter, err := root.Intermediate("intermediate", pki.CAOptions{})
	require.NoError(t, err)

	for _, tt := range []struct {
		name           string
		leaf           pki.Leaf
		client, server bool
	}{
		{"both by default", pki.Leaf{}, true, true},
		{"client only", pki.Leaf{Client: true}, true, false},
		{"server only", pki.Leaf{Server: true}, false, true},
		{"rsa", pki.Leaf{Algorithm: pki.RSA2048}, true, true},
		{"ed25519", pki.Leaf{Algorithm: pki.Ed25519}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaf := pki.Localhost("broker")
			leaf.Client, leaf.Server, leaf.Algorithm = tt.leaf.Client, tt.leaf.Server, tt.leaf.Algorithm
			cert, err := inter.Issue(leaf)
			require.NoError(t, err)
			require.Len(t, cert.Chain, 2)

			verify := func(usage x509.ExtKeyUsage, name string) error {
				inters := x509.NewCertPool()
				inters.AddCert(cert.Chain[1])
				_, err := cert.Chain[0].Verify(x509.VerifyOptions{
					Roots: root.Pool(), Intermediates: inters, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage},
				})
				return err
			}
			for _, name := range []string{"localhost", "127.0.0.1"} {
				require.Equal(t, tt.client, verify(x509.ExtKeyUsageClientAuth, name) == nil)
				require.Equal(t, tt.server, verify(x509.ExtKeyUsageServerAuth, name) == nil)
			}
			require.Error(t, verify(x509.ExtKeyUsageServerAuth, "elsewhere"))
		})
	}
}

func TestIssue_RefusesUnknownAlgorithm(t *testing.T) {
	ca, err := pki.NewCA("root")
	require.NoError(t, err)
	_, err = ca.Issue(pki.Leaf{CommonName: "x", Algorithm: "dsa"})
	require.ErrorContains(t, err, `issue certificate "x": algorithm "dsa": allowed are`)
}

func TestWriteFiles_IsPrivateAlsoOverAWiderFile(t *testing.T) {
	ca, err := pki.NewCA("root")
	require.NoError(t, err)
	cert, err := ca.Issue(pki.Localhost("broker"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), []byte("old"), 0o644))
	files, err := cert.WriteFiles(dir)
	require.NoError(t, err)
	for _, path := range []string{files.Key, files.Chain, files.Keystore, files.CA} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
	}
}
