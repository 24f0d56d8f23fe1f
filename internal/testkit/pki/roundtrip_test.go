package pki_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

func TestWriters_RoundTripThroughKeystore(t *testing.T) {
	root, err := pki.NewCA("root")
	require.NoError(t, err)
	inter, err := root.Intermediate("intermediate", pki.CAOptions{Algorithm: pki.RSA2048})
	require.NoError(t, err)
	password, keyPassword := holdfast.NewSecret("store-pw"), holdfast.NewSecret("key-pw")

	for _, alg := range []pki.Algorithm{pki.ECDSAP256, pki.RSA2048, pki.Ed25519} {
		cert, err := inter.Issue(pki.Leaf{CommonName: "broker", Algorithm: alg})
		require.NoError(t, err)
		for _, tt := range []struct {
			kind  keystore.Type
			alias string
			write func() ([]byte, error)
			opts  keystore.Options
		}{
			{keystore.PEM, "", cert.KeystorePEM, keystore.Options{}},
			{keystore.JKS, "broker", func() ([]byte, error) { return cert.JKS("broker", password, keyPassword) },
				keystore.Options{Password: password, KeyPassword: keyPassword}},
			{keystore.JKS, "broker", func() ([]byte, error) { return cert.JKS("broker", password, holdfast.Secret{}) },
				keystore.Options{Password: password}},
			{keystore.PKCS12, "1", func() ([]byte, error) { return cert.PKCS12(password) }, keystore.Options{Password: password}},
		} {
			t.Run(string(alg)+"/"+string(tt.kind), func(t *testing.T) {
				data, err := tt.write()
				require.NoError(t, err)
				store, err := keystore.Load(data, tt.opts)
				require.NoError(t, err)
				require.Empty(t, store.Notes)
				require.Equal(t, tt.kind, store.Type)
				require.Len(t, store.Entries, 1)
				require.Equal(t, tt.alias, store.Entries[0].Alias)
				got, err := store.Certificate("")
				require.NoError(t, err)
				want := cert.TLS()
				require.Equal(t, want.Certificate, got.Certificate)
				require.Equal(t, want.PrivateKey, got.PrivateKey)
			})
		}
	}
}

func TestTruststores_RoundTripThroughKeystore(t *testing.T) {
	root, err := pki.NewCA("root")
	require.NoError(t, err)
	password := holdfast.NewSecret("store-pw")
	jks, err := root.TruststoreJKS("ca", password)
	require.NoError(t, err)
	p12, err := root.TruststorePKCS12("ca", password)
	require.NoError(t, err)
	for kind, data := range map[keystore.Type][]byte{keystore.PEM: root.PEM(), keystore.JKS: jks, keystore.PKCS12: p12} {
		store, err := keystore.Load(data, keystore.Options{Password: password})
		require.NoError(t, err)
		require.Equal(t, kind, store.Type)
		require.Empty(t, store.Notes)
		pool, err := store.Pool()
		require.NoError(t, err)
		require.True(t, pool.Equal(root.Pool()))
	}
}

func TestWriteFiles_LoadAsTheyAre(t *testing.T) {
	root, err := pki.NewCA("root")
	require.NoError(t, err)
	cert, err := root.Issue(pki.Localhost("broker"))
	require.NoError(t, err)
	files, err := cert.WriteFiles(t.TempDir())
	require.NoError(t, err)
	data, err := os.ReadFile(files.Keystore)
	require.NoError(t, err)
	store, err := keystore.Load(data, keystore.Options{Type: "pem"})
	require.NoError(t, err)
	got, err := store.Certificates()
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, cert.Chain[0].Raw, got[0].Certificate[0])
}
