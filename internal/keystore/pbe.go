package keystore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"
	"unicode/utf16"

	"github.com/holdfast-sec/holdfast"
)

// passphrase is a password in the two encodings that key derivation takes.
type passphrase struct {
	secret holdfast.Secret
	// bare leaves the terminator of an empty BMPString away. Java and OpenSSL
	// (with a NULL password) write such files.
	bare bool
}

// bmp is the password for the derivation of PKCS#12 (RFC 7292 §B.1): UTF-16 with
// a terminator. Characters outside the BMP are surrogate pairs, as Java and
// OpenSSL encode them.
func (p passphrase) bmp() []byte {
	if p.bare {
		return nil
	}
	var out []byte
	for _, c := range utf16.Encode([]rune(p.secret.Reveal())) {
		out = append(out, byte(c>>8), byte(c))
	}
	return append(out, 0, 0)
}

// budget limits the iterations of one Load.
type budget struct{ left int }

func (b *budget) charge(iterations int) error {
	switch {
	case iterations < 1:
		return fmt.Errorf("%w: %d iterations of key derivation, expected at least 1", ErrCorrupt, iterations)
	case iterations > maxIterations:
		return fmt.Errorf("%w: %d iterations of key derivation, at most %d are done", ErrLimit, iterations, maxIterations)
	case iterations > b.left:
		return fmt.Errorf("%w: more than %d iterations of key derivation in one store", ErrLimit, maxTotalIterations)
	}
	b.left -= iterations
	return nil
}

const (
	oidPBES2     = "1.2.840.113549.1.5.13"
	oidPBKDF2    = "1.2.840.113549.1.5.12"
	oidSHA3DES   = "1.2.840.113549.1.12.1.3" // pbeWithSHAAnd3-KeyTripleDES-CBC
	oidSHARC2128 = "1.2.840.113549.1.12.1.5" // pbeWithSHAAnd128BitRC2-CBC
	oidSHARC240  = "1.2.840.113549.1.12.1.6" // pbeWithSHAAnd40BitRC2-CBC
	oidAES128CBC = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC = "2.16.840.1.101.3.4.1.42"
	oidDES3CBC   = "1.2.840.113549.3.7"
)

// decrypt undoes password-based encryption. Bad padding is ErrPassword.
func decrypt(alg pkix.AlgorithmIdentifier, data []byte, password passphrase, left *budget) ([]byte, error) {
	if password.secret.IsZero() {
		return nil, fmt.Errorf("%w: the content is encrypted and no password was given", ErrPassword)
	}
	switch oid := alg.Algorithm.String(); oid {
	case oidPBES2:
		return decryptPBES2(alg.Parameters.FullBytes, data, password, left)
	case oidSHA3DES, oidSHARC2128, oidSHARC240:
		return decryptPBES1(oid, alg.Parameters.FullBytes, data, password, left)
	default:
		return nil, unsupportedCipher(oid)
	}
}

func unsupportedCipher(oid string) error {
	return fmt.Errorf("%w: encryption %s; PBES2 with AES or 3DES, and the 3DES and RC2 of PKCS#12 are read; convert a key with "+
		"`openssl pkcs8 -topk8 -in OLD -out NEW`, a store with `openssl pkcs12 -in OLD -out all.pem` and "+
		"`openssl pkcs12 -export -in all.pem -out NEW`", ErrUnsupported, oid)
}

// decryptPBES1 does the encryption of PKCS#12 itself (RFC 7292 appendix C): what
// JDK 8 and OpenSSL before 3.0 write.
func decryptPBES1(oid string, params, data []byte, password passphrase, left *budget) ([]byte, error) {
	var p struct {
		Salt       []byte
		Iterations int
	}
	if err := unmarshal(params, &p, "salt and iterations of the encryption"); err != nil {
		return nil, err
	}
	if err := left.charge(p.Iterations); err != nil {
		return nil, err
	}
	derive := func(id byte, size int) []byte {
		return derivePKCS12(sha1.New, id, password.bmp(), p.Salt, p.Iterations, size)
	}
	iv := derive(idIV, 8)
	if oid == oidSHA3DES {
		block, err := des.NewTripleDESCipher(derive(idKey, 24))
		if err != nil {
			return nil, err
		}
		return decryptCBC(block, iv, data)
	}
	size := 16
	if oid == oidSHARC240 {
		size = 5
	}
	return decryptCBC(newRC2(derive(idKey, size)), iv, data)
}

type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       asn1.RawValue // CHOICE of an OCTET STRING and never seen others
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decryptPBES2 does RFC 8018 §6.2: what JDK 17, OpenSSL 3 and `openssl pkcs8` write.
func decryptPBES2(params, data []byte, password passphrase, left *budget) ([]byte, error) {
	var p pbes2Params
	if err := unmarshal(params, &p, "the parameters of PBES2"); err != nil {
		return nil, err
	}
	oid := p.Cipher.Algorithm.String()
	size, newCipher := 0, aes.NewCipher
	switch oid {
	case oidAES128CBC:
		size = 16
	case oidAES192CBC:
		size = 24
	case oidAES256CBC:
		size = 32
	case oidDES3CBC:
		size, newCipher = 24, des.NewTripleDESCipher
	default:
		return nil, unsupportedCipher(oid)
	}
	var iv []byte
	if err := unmarshal(p.Cipher.Parameters.FullBytes, &iv, "an initialization vector"); err != nil {
		return nil, err
	}
	key, err := derivePBKDF2(p.KDF, size, password, left)
	if err != nil {
		return nil, err
	}
	block, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, data)
}

// derivePBKDF2 derives size bytes. Passwords are UTF-8 here, also within PKCS#12.
func derivePBKDF2(alg pkix.AlgorithmIdentifier, size int, password passphrase, left *budget) ([]byte, error) {
	if oid := alg.Algorithm.String(); oid != oidPBKDF2 {
		return nil, unsupportedCipher(oid + " (key derivation)")
	}
	var p pbkdf2Params
	if err := unmarshal(alg.Parameters.FullBytes, &p, "the parameters of PBKDF2"); err != nil {
		return nil, err
	}
	if p.Salt.Class != asn1.ClassUniversal || p.Salt.Tag != asn1.TagOctetString {
		return nil, fmt.Errorf("%w: a salt that is no OCTET STRING", ErrUnsupported)
	}
	if p.KeyLength != 0 && p.KeyLength != size {
		return nil, fmt.Errorf("%w: a derived key of %d bytes, expected %d", ErrCorrupt, p.KeyLength, size)
	}
	prf := sha1.New // the default of RFC 8018 §A.2
	if len(p.PRF.Algorithm) > 0 {
		if prf = hmacHash(p.PRF.Algorithm.String()); prf == nil {
			return nil, unsupportedCipher(p.PRF.Algorithm.String() + " (in key derivation)")
		}
	}
	if err := left.charge(p.Iterations); err != nil {
		return nil, err
	}
	return pbkdf2.Key(prf, password.secret.Reveal(), p.Salt.Bytes, p.Iterations, size)
}

// hmacHash returns the hash of an HMAC (RFC 8018 §B.1), nil for an unknown one.
func hmacHash(oid string) func() hash.Hash {
	switch oid {
	case "1.2.840.113549.2.7":
		return sha1.New
	case "1.2.840.113549.2.8":
		return sha256.New224
	case "1.2.840.113549.2.9":
		return sha256.New
	case "1.2.840.113549.2.10":
		return sha512.New384
	case "1.2.840.113549.2.11":
		return sha512.New
	}
	return nil
}

func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size {
		return nil, fmt.Errorf("%w: an initialization vector of %d bytes, expected %d", ErrCorrupt, len(iv), size)
	}
	if len(data) == 0 || len(data)%size != 0 {
		return nil, fmt.Errorf("%w: encrypted content of %d bytes, expected a multiple of %d", ErrCorrupt, len(data), size)
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > size || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, fmt.Errorf("%w, or the encrypted content was altered", ErrPassword)
	}
	return plain[:len(plain)-pad], nil
}
