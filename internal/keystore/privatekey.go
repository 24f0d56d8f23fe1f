package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// pkcs8 is PrivateKeyInfo (RFC 5208 §5) and the head of OneAsymmetricKey (RFC 5958 §2).
type pkcs8 struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
}

// encryptedPKCS8 is EncryptedPrivateKeyInfo (RFC 5208 §6). The private keys of
// PEM, JKS and PKCS#12 are all of this form.
type encryptedPKCS8 struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

func parsePKCS8(der []byte) (crypto.PrivateKey, error) {
	if len(der) > maxKeySize {
		return nil, fmt.Errorf("%w: a private key of %d bytes, at most %d are read", ErrLimit, len(der), maxKeySize)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, explainKey(der, err)
	}
	return tlsKey(key)
}

// explainKey tells a key that crypto/x509 does not know from a damaged one.
func explainKey(der []byte, cause error) error {
	var info pkcs8
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return fmt.Errorf("%w: expected a PKCS#8 private key: %v", ErrCorrupt, err)
	}
	var curve asn1.ObjectIdentifier
	switch oid := info.Algorithm.Algorithm.String(); oid {
	case oidRSA, oidEd25519:
	case oidEC:
		if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &curve); err != nil || !knownCurve(curve) {
			return fmt.Errorf("%w: an EC private key whose curve is not P-224, P-256, P-384 or P-521", ErrUnsupported)
		}
	default:
		return fmt.Errorf("%w: a private key of algorithm %s; RSA, EC and Ed25519 are read", ErrUnsupported, oid)
	}
	return fmt.Errorf("%w: private key: %v", ErrCorrupt, cause)
}

const (
	oidRSA     = "1.2.840.113549.1.1.1"
	oidEC      = "1.2.840.10045.2.1"
	oidEd25519 = "1.3.101.112"
)

func knownCurve(oid asn1.ObjectIdentifier) bool {
	switch oid.String() {
	case "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35": // P-224, P-256, P-384, P-521
		return true
	}
	return false
}

// tlsKey refuses the keys that crypto/x509 reads and TLS cannot sign with (X25519).
func tlsKey(key any) (crypto.PrivateKey, error) {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("%w: a private key that cannot sign (%T); RSA, EC and Ed25519 are read", ErrUnsupported, key)
}

// keyID identifies the key pair of a private key.
func keyID(key crypto.PrivateKey) ([]byte, bool) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, false
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	return der, err == nil
}

// certID identifies the key pair of a certificate. It encodes anew, because a
// certificate may spell its key otherwise (compressed point, absent NULL).
func certID(cert *x509.Certificate) ([]byte, bool) {
	if cert.PublicKey == nil {
		return nil, false
	}
	der, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	return der, err == nil
}
