package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// PEM returns the certificate of the root: a truststore of `ssl.truststore.type=PEM`.
func (ca *CA) PEM() []byte { return certsPEM(ca.Root().Cert) }

// KeyPEM returns the key as unencrypted PKCS#8, the one form that Kafka reads
// (KIP-651).
func (c *Cert) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ChainPEM returns the leaf and its intermediates, leaf first.
func (c *Cert) ChainPEM() []byte { return certsPEM(c.Chain...) }

// KeystorePEM returns key and chain in one file: a keystore of
// `ssl.keystore.type=PEM`.
func (c *Cert) KeystorePEM() ([]byte, error) {
	key, err := c.KeyPEM()
	if err != nil {
		return nil, err
	}
	return append(key, c.ChainPEM()...), nil
}

func certsPEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, cert := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	return b.Bytes()
}

// Files are the paths that WriteFiles wrote.
type Files struct {
	Key      string // key.pem: the key, PKCS#8
	Chain    string // chain.pem: leaf and intermediates
	Keystore string // keystore.pem: both, for ssl.keystore.location
	CA       string // ca.pem: the root, for ssl.truststore.location
}

// WriteFiles writes the certificate as PEM files into dir, which must exist.
// Each has mode 0600; an existing file is replaced.
func (c *Cert) WriteFiles(dir string) (Files, error) {
	key, err := c.KeyPEM()
	if err != nil {
		return Files{}, err
	}
	files := Files{
		Key:      filepath.Join(dir, "key.pem"),
		Chain:    filepath.Join(dir, "chain.pem"),
		Keystore: filepath.Join(dir, "keystore.pem"),
		CA:       filepath.Join(dir, "ca.pem"),
	}
	chain := c.ChainPEM()
	for _, f := range []struct {
		path string
		data []byte
	}{
		{files.Key, key},
		{files.Chain, chain},
		{files.Keystore, append(bytes.Clone(key), chain...)},
		{files.CA, c.CA.PEM()},
	} {
		if err := writeFile(f.path, f.data); err != nil {
			return Files{}, err
		}
	}
	return files, nil
}

// writeFile replaces path. It removes the old file first, because writing into
// it would keep its mode, and a wider one would show the key.
func writeFile(path string, data []byte) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
