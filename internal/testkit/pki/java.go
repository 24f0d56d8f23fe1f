package pki

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/holdfast-sec/holdfast"
)

// JKS returns a keystore of type JKS with the key and its chain. A zero
// keyPassword means the store's, as keytool does.
func (c *Cert) JKS(alias string, password, keyPassword holdfast.Secret) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("write JKS: %w", err)
	}
	if keyPassword.IsZero() {
		keyPassword = password
	}
	entry := jks.PrivateKeyEntry{CreationTime: creationTime(), PrivateKey: der}
	for _, cert := range c.Chain {
		entry.CertificateChain = append(entry.CertificateChain, jksCert(cert))
	}
	ks := jks.New()
	if err := ks.SetPrivateKeyEntry(alias, entry, []byte(keyPassword.Reveal())); err != nil {
		return nil, fmt.Errorf("write JKS: %w", err)
	}
	return storeJKS(ks, password)
}

// TruststoreJKS returns a truststore of type JKS that holds the root.
func (ca *CA) TruststoreJKS(alias string, password holdfast.Secret) ([]byte, error) {
	ks := jks.New()
	entry := jks.TrustedCertificateEntry{CreationTime: creationTime(), Certificate: jksCert(ca.Root().Cert)}
	if err := ks.SetTrustedCertificateEntry(alias, entry); err != nil {
		return nil, fmt.Errorf("write JKS: %w", err)
	}
	return storeJKS(ks, password)
}

func storeJKS(ks jks.KeyStore, password holdfast.Secret) ([]byte, error) {
	var b bytes.Buffer
	if err := ks.Store(&b, []byte(password.Reveal())); err != nil {
		return nil, fmt.Errorf("write JKS: %w", err)
	}
	return b.Bytes(), nil
}

func jksCert(cert *x509.Certificate) jks.Certificate {
	return jks.Certificate{Type: "X.509", Content: cert.Raw}
}

// creationTime stands in for the clock; nothing reads it.
func creationTime() time.Time { return defaultNotBefore() }

// PKCS12 returns a keystore of type PKCS12 with the key and its chain, in the
// algorithms of OpenSSL 3 and JDK 20: PBES2 with AES-256, HMAC-SHA-256. The
// entry has no alias: go-pkcs12 writes none.
func (c *Cert) PKCS12(password holdfast.Secret) ([]byte, error) {
	data, err := pkcs12.Modern2023.Encode(c.Key, c.Chain[0], c.Chain[1:], password.Reveal())
	if err != nil {
		return nil, fmt.Errorf("write PKCS12: %w", err)
	}
	return data, nil
}

// TruststorePKCS12 returns a truststore of type PKCS12 that holds the root,
// marked as trusted the way Java demands it.
func (ca *CA) TruststorePKCS12(alias string, password holdfast.Secret) ([]byte, error) {
	data, err := pkcs12.Modern2023.EncodeTrustStoreEntries([]pkcs12.TrustStoreEntry{
		{Cert: ca.Root().Cert, FriendlyName: alias},
	}, password.Reveal())
	if err != nil {
		return nil, fmt.Errorf("write PKCS12: %w", err)
	}
	return data, nil
}
