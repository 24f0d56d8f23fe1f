package keystore

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

func (s *Store) loadPEM(data []byte, opts Options) error {
	blocks, err := scanPEM(data)
	if err != nil {
		return err
	}
	var keys []crypto.PrivateKey
	var certs []*x509.Certificate
	left := &budget{left: maxTotalIterations}
	for i, block := range blocks {
		key, cert, err := s.readBlock(block, passphrase{secret: opts.keyPassword()}, left)
		if err != nil {
			return fmt.Errorf("block %d (%s): %w", i+1, printable(block.label), err)
		}
		if key != nil {
			keys = append(keys, key)
		}
		if cert != nil {
			certs = append(certs, cert)
		}
	}
	if len(keys)+len(certs) == 0 {
		return fmt.Errorf("%w: expected a certificate or a private key, found none in %d blocks", ErrCorrupt, len(blocks))
	}
	if len(keys) > 1 {
		s.note("%d private keys: Kafka's PEM keystore takes exactly one", len(keys))
	}
	return s.pairPEM(keys, certs)
}

// pairPEM gives each key its chain. The other certificates are trusted ones:
// PEM does not say what a certificate is for.
func (s *Store) pairPEM(keys []crypto.PrivateKey, certs []*x509.Certificate) error {
	set := newCertSet(certs)
	used := map[string]bool{} // by content: a file may repeat a certificate
	for _, key := range keys {
		entry := Entry{Key: key}
		if leaves := set.leaves(key); len(leaves) > 0 {
			entry.Chain = set.chain(leaves[0])
		} else if len(certs) > 0 {
			s.note("a private key belongs to none of the %d certificates", len(certs))
		}
		for _, cert := range entry.Chain {
			used[string(cert.Raw)] = true
		}
		if err := s.addKey(entry); err != nil {
			return err
		}
	}
	for _, cert := range certs {
		if !used[string(cert.Raw)] {
			s.Entries = append(s.Entries, Entry{Chain: []*x509.Certificate{cert}})
		}
	}
	return nil
}

func (s *Store) readBlock(b pemBlock, password passphrase, left *budget) (crypto.PrivateKey, *x509.Certificate, error) {
	if b.headers {
		return nil, nil, fmt.Errorf("%w: the encryption of OpenSSL before PKCS#8, which Kafka does not read either; "+
			"convert it with `openssl pkcs8 -topk8 -in OLD -out NEW`", ErrUnsupported)
	}
	var key crypto.PrivateKey
	var err error
	switch b.label {
	case "CERTIFICATE", "X509 CERTIFICATE":
		cert, err := x509.ParseCertificate(b.der)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: expected a certificate: %v", ErrCorrupt, err)
		}
		return nil, cert, nil
	case "TRUSTED CERTIFICATE":
		return nil, nil, fmt.Errorf("%w: convert it with `openssl x509 -in OLD -out NEW`", ErrUnsupported)
	case "PRIVATE KEY":
		key, err = parsePKCS8(b.der)
	case "ENCRYPTED PRIVATE KEY":
		key, err = decryptPKCS8(b.der, password, left)
	case "RSA PRIVATE KEY", "EC PRIVATE KEY":
		s.note("a private key is in the form %q: Kafka's PEM keystore takes PKCS#8 only, "+
			"convert it with `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW`", b.label)
		key, err = parseOldKey(b)
	case "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY":
		err = fmt.Errorf("%w: not a key for TLS; RSA, EC and Ed25519 in PKCS#8 are read", ErrUnsupported)
	case "EC PARAMETERS", "DH PARAMETERS": // openssl ecparam -genkey writes them before the key
	default:
		s.note("a block %q was left out: neither certificate nor private key", printable(b.label))
	}
	return key, nil, err
}

// parseOldKey reads PKCS#1 (RFC 8017 A.1.2) and SEC 1 (RFC 5915).
func parseOldKey(b pemBlock) (crypto.PrivateKey, error) {
	if len(b.der) > maxKeySize {
		return nil, fmt.Errorf("%w: a private key of %d bytes, at most %d are read", ErrLimit, len(b.der), maxKeySize)
	}
	var key crypto.PrivateKey
	var err error
	if b.label == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(b.der)
	} else {
		key, err = x509.ParseECPrivateKey(b.der)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: private key: %v", ErrCorrupt, err)
	}
	return key, nil
}

// decryptPKCS8 reads an encrypted private key. Without a MAC a wrong password
// shows as bad padding, and once in 256 times as nonsense behind good padding.
func decryptPKCS8(der []byte, password passphrase, left *budget) (crypto.PrivateKey, error) {
	var info encryptedPKCS8
	if err := unmarshal(der, &info, "an encrypted private key"); err != nil {
		return nil, err
	}
	plain, err := decrypt(info.Algorithm, info.Data, password, left)
	if err != nil {
		return nil, err
	}
	var probe pkcs8
	if rest, err := asn1.Unmarshal(plain, &probe); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w, or the key was altered", ErrPassword)
	}
	return parsePKCS8(plain)
}

// unmarshal reads DER that must be v and nothing more.
func unmarshal(der []byte, v any, expected string) error {
	rest, err := asn1.Unmarshal(der, v)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes after its end")
	}
	if err != nil {
		return fmt.Errorf("%w: expected %s: %v", ErrCorrupt, expected, err)
	}
	return nil
}
