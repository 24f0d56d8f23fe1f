package keystore

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"
)

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEnvelopedData = "1.2.840.113549.1.7.3"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidPBMAC1        = "1.2.840.113549.1.5.14"
)

// pfx is the outermost PDU (RFC 7292 §4).
type pfx struct {
	Version  int
	AuthSafe contentInfo
	MAC      macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type macData struct {
	MAC struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

type encryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0,optional"`
	}
}

func (s *Store) loadPKCS12(data []byte, opts Options) error {
	var p pfx
	if data[1] == 0x80 {
		return fmt.Errorf("%w: BER with indefinite length; convert it with `openssl pkcs12 -in OLD -out all.pem` and "+
			"`openssl pkcs12 -export -in all.pem -out NEW`", ErrUnsupported)
	}
	rest, err := asn1.Unmarshal(data, &p)
	if err != nil {
		return fmt.Errorf("%w: expected one DER value of type PFX in %d bytes: %v", ErrCorrupt, len(data), err)
	}
	if len(rest) > 0 {
		s.note("%d bytes after the end of the store were ignored", len(rest))
	}
	if oid := p.AuthSafe.Type.String(); oid != oidData {
		return fmt.Errorf("%w: content %s; a store that is signed instead of protected by a password is not read", ErrUnsupported, oid)
	}
	var safes []byte
	if err := unmarshal(p.AuthSafe.Content.Bytes, &safes, "the authenticated safe"); err != nil {
		return err
	}
	left := &budget{left: maxTotalIterations}
	password, err := p.MAC.verify(safes, passphrase{secret: opts.Password}, left)
	if err != nil {
		return err
	}
	var infos []contentInfo
	if err := unmarshal(safes, &infos, "a list of safes"); err != nil {
		return err
	}
	keyPassword := password
	if !opts.KeyPassword.IsZero() {
		keyPassword = passphrase{secret: opts.KeyPassword}
	}
	c := &bagCollector{store: s, password: keyPassword, left: left}
	for i, info := range infos {
		content, err := info.open(password, left)
		if err == nil {
			err = c.collect(content, 0)
		}
		if err != nil {
			return fmt.Errorf("safe %d of %d: %w", i+1, len(infos), err)
		}
	}
	return c.finish()
}

// open returns the SafeContents of one safe.
func (ci contentInfo) open(password passphrase, left *budget) ([]byte, error) {
	switch oid := ci.Type.String(); oid {
	case oidData:
		var content []byte
		err := unmarshal(ci.Content.Bytes, &content, "a safe")
		return content, err
	case oidEncryptedData:
		var e encryptedData
		if err := unmarshal(ci.Content.Bytes, &e, "an encrypted safe"); err != nil {
			return nil, err
		}
		return decrypt(e.Info.Algorithm, e.Info.Content, password, left)
	case oidEnvelopedData:
		return nil, fmt.Errorf("%w: a safe that is encrypted for a public key", ErrUnsupported)
	default:
		return nil, fmt.Errorf("%w: a safe of content %s, expected data or encrypted data", ErrCorrupt, oid)
	}
}

// verify checks the MAC and returns the password in the encoding that matched.
// Without a MAC or a password there is nothing to check, as in Java.
func (m macData) verify(content []byte, password passphrase, left *budget) (passphrase, error) {
	if len(m.MAC.Algorithm.Algorithm) == 0 || password.secret.IsZero() {
		return password, nil
	}
	tries := []passphrase{password}
	if password.secret.Reveal() == "" {
		tries = append(tries, passphrase{secret: password.secret, bare: true})
	}
	for _, try := range tries {
		mac, err := m.compute(content, try, left)
		if err != nil {
			return passphrase{}, err
		}
		if hmac.Equal(mac, m.MAC.Digest) {
			return try, nil
		}
	}
	return passphrase{}, fmt.Errorf("%w of the store, or the file was altered: the MAC does not match", ErrPassword)
}

func (m macData) compute(content []byte, password passphrase, left *budget) ([]byte, error) {
	oid := m.MAC.Algorithm.Algorithm.String()
	if oid == oidPBMAC1 {
		return m.computePBMAC1(content, password, left)
	}
	newHash := digestHash(oid)
	if newHash == nil {
		return nil, fmt.Errorf("%w: a MAC of algorithm %s; SHA-1, SHA-2 and PBMAC1 are read", ErrUnsupported, oid)
	}
	if err := left.charge(m.Iterations); err != nil {
		return nil, err
	}
	key := derivePKCS12(newHash, idMAC, password.bmp(), m.Salt, m.Iterations, newHash().Size())
	mac := hmac.New(newHash, key)
	mac.Write(content)
	return mac.Sum(nil), nil
}

// computePBMAC1 does RFC 9579: the default of OpenSSL 3.4 in FIPS mode and of
// JDK 26. The key is as long as the hash; a short one would be forgeable.
func (m macData) computePBMAC1(content []byte, password passphrase, left *budget) ([]byte, error) {
	var p struct{ KDF, MAC pkix.AlgorithmIdentifier }
	if err := unmarshal(m.MAC.Algorithm.Parameters.FullBytes, &p, "the parameters of PBMAC1"); err != nil {
		return nil, err
	}
	newHash := hmacHash(p.MAC.Algorithm.String())
	if newHash == nil {
		return nil, fmt.Errorf("%w: PBMAC1 with %s; HMAC with SHA-1 and SHA-2 are read", ErrUnsupported, p.MAC.Algorithm)
	}
	key, err := derivePBKDF2(p.KDF, newHash().Size(), password, left)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(newHash, key)
	mac.Write(content)
	return mac.Sum(nil), nil
}

// digestHash returns the hash of a digest algorithm, nil for an unknown one.
func digestHash(oid string) func() hash.Hash {
	switch oid {
	case "1.3.14.3.2.26":
		return sha1.New
	case "2.16.840.1.101.3.4.2.4":
		return sha256.New224
	case "2.16.840.1.101.3.4.2.1":
		return sha256.New
	case "2.16.840.1.101.3.4.2.2":
		return sha512.New384
	case "2.16.840.1.101.3.4.2.3":
		return sha512.New
	}
	return nil
}
