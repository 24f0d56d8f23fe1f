package keystore_test

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// TestLoad_AgreesWithGoPKCS12 reads every form that go-pkcs12 writes.
func TestLoad_AgreesWithGoPKCS12(t *testing.T) {
	root, err := pki.NewCA("root")
	require.NoError(t, err)
	inter, err := root.Intermediate("intermediate", pki.CAOptions{})
	require.NoError(t, err)
	cert, err := inter.Issue(pki.Leaf{CommonName: "leaf"})
	require.NoError(t, err)

	for name, enc := range map[string]*pkcs12.Encoder{
		"LegacyRC2": pkcs12.LegacyRC2, "LegacyDES": pkcs12.LegacyDES, "Modern2023": pkcs12.Modern2023,
		"Modern2026": pkcs12.Modern2026, "Passwordless": pkcs12.Passwordless,
	} {
		for _, password := range []string{"", "store-pw", "pässword-€", "a password that is longer than one block of the key derivation"} {
			if name == "Passwordless" && password != "" {
				continue
			}
			t.Run(name+"/"+password, func(t *testing.T) {
				opts := keystore.Options{Password: holdfast.NewSecret(password)}
				data, err := enc.Encode(cert.Key, cert.Chain[0], []*x509.Certificate{root.Cert, inter.Cert}, password)
				require.NoError(t, err)
				store, err := keystore.Load(data, opts)
				require.NoError(t, err)
				require.Equal(t, []entry{key("1", "leaf", "intermediate", "root")}, entries(store))
				require.Equal(t, cert.Key, store.Entries[0].Key)

				data, err = enc.EncodeTrustStoreEntries([]pkcs12.TrustStoreEntry{
					{Cert: root.Cert, FriendlyName: "one"}, {Cert: inter.Cert, FriendlyName: "One"}}, password)
				require.NoError(t, err)
				store, err = keystore.Load(data, opts)
				require.NoError(t, err)
				require.Equal(t, []entry{trusted("one", "root"), trusted("One", "intermediate")}, entries(store))
				require.Equal(t, []string{`several entries are called "One": Java keeps only the last`}, store.Notes)
			})
		}
	}
}
