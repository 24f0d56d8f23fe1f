package keystore

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// Limits of what Load takes from a file it does not trust.
const (
	// maxSize bounds the input. The JDK's own cacerts has about 200 kB.
	maxSize = 8 << 20
	// maxIterations bounds one key derivation: the limit of the JDK itself
	// (MAX_ITERATION_COUNT of sun.security.pkcs12.PKCS12KeyStore, JDK 17).
	maxIterations = 5_000_000
	// maxTotalIterations bounds all key derivations of one Load: some seconds.
	maxTotalIterations = 20_000_000
	// maxKeySize bounds one decoded private key. RSA-8192 has 4.7 kB, and
	// crypto/tls takes none above; parsing time grows with the cube of the size.
	maxKeySize = 6 << 10
	// maxKeys bounds the private keys of one store.
	maxKeys = 256
)

// Options say how to read a keystore.
type Options struct {
	// Type is the declared type, as in ssl.keystore.type; case does not matter.
	// Empty means: whatever the content is.
	Type Type
	// Password opens the store. Zero skips the integrity check, as Java does for
	// a truststore without password; what is encrypted then cannot be read.
	Password holdfast.Secret
	// KeyPassword opens the private keys. Zero means Password.
	KeyPassword holdfast.Secret
}

func (o Options) keyPassword() holdfast.Secret {
	if o.KeyPassword.IsZero() {
		return o.Password
	}
	return o.KeyPassword
}

// Store is what a keystore holds.
type Store struct {
	// Type is the type of the content, whatever was declared.
	Type Type
	// Entries in the order of the file; of PKCS#12 and PEM the keys first.
	Entries []Entry
	// Notes say what was read otherwise than a Java client would, or left out
	// for a reason, one sentence each. They hold no secrets.
	Notes []string
}

// Entry is a private key with its certificates, or a trusted certificate.
type Entry struct {
	// Alias as the file spells it; Java ignores its case. PEM has none.
	Alias string
	// Key is an *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey. Nil
	// for a trusted certificate.
	Key crypto.PrivateKey
	// Chain of a key has the leaf first, and is empty where the file has no
	// certificate of that key. A trusted certificate is alone in it. Its
	// signatures and dates are not checked.
	Chain []*x509.Certificate
}

// Load reads a keystore. The error wraps one of ErrPassword, ErrCorrupt,
// ErrUnsupported, ErrType and ErrLimit.
func Load(data []byte, opts Options) (*Store, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("keystore: %w: %d bytes, at most %d are read", ErrLimit, len(data), maxSize)
	}
	found, err := detect(data)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	note, err := checkType(opts.Type, found)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	store := &Store{Type: found}
	if note != "" {
		store.note("%s", note)
	}
	switch found {
	case PEM:
		err = store.loadPEM(data, opts)
	case JKS:
		err = store.loadJKS(data, opts)
	case PKCS12:
		err = store.loadPKCS12(data, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("%s keystore: %w", found, err)
	}
	return store, nil
}

// addKey adds the entry of a private key.
func (s *Store) addKey(e Entry) error {
	n := 1
	for _, other := range s.Entries {
		if other.Key != nil {
			n++
		}
	}
	if n > maxKeys {
		return fmt.Errorf("%w: more than %d private keys", ErrLimit, maxKeys)
	}
	s.Entries = append(s.Entries, e)
	return nil
}

func (s *Store) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// Pool returns the certificates that a Java client trusts when it has this
// store as truststore: the trusted certificates; of each key the leaf
// (sun.security.validator.TrustStoreUtil); of PEM every certificate (Kafka's
// DefaultSslEngineFactory). An empty pool is an error, as in Java.
func (s *Store) Pool() (*x509.CertPool, error) {
	pool, n := x509.NewCertPool(), 0
	for _, e := range s.Entries {
		trusted := e.Chain
		if s.Type != PEM {
			trusted = trusted[:min(1, len(trusted))]
		}
		for _, cert := range trusted {
			pool.AddCert(cert)
			n++
		}
	}
	if n == 0 {
		return nil, fmt.Errorf("%s truststore: no certificate in it", s.Type)
	}
	return pool, nil
}

// Certificates returns every key that has a certificate, for
// tls.Config.Certificates: TLS picks the first that the server accepts, as
// Java's key manager does. No such key is an error.
func (s *Store) Certificates() ([]tls.Certificate, error) {
	var certs []tls.Certificate
	var failed error
	for _, e := range s.Entries {
		if e.Key == nil {
			continue
		}
		cert, err := e.certificate()
		if err != nil {
			if failed == nil {
				failed = fmt.Errorf("%s keystore: %w", s.Type, err)
			}
			continue
		}
		certs = append(certs, cert)
	}
	if len(certs) > 0 {
		return certs, nil
	}
	if failed != nil {
		return nil, failed
	}
	return nil, fmt.Errorf("%s keystore: no private key in it", s.Type)
}

// Certificate returns the key of alias with its chain. Case does not matter, as
// in Java. An empty alias means the only key of the store.
func (s *Store) Certificate(alias string) (tls.Certificate, error) {
	var keys []Entry
	var names []string
	for _, e := range s.Entries {
		if e.Key == nil {
			continue
		}
		names = append(names, fmt.Sprintf("%q", e.Alias))
		if alias == "" || strings.EqualFold(e.Alias, alias) {
			keys = append(keys, e)
		}
	}
	var found string
	switch {
	case len(keys) == 1:
		cert, err := keys[0].certificate()
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("%s keystore: %w", s.Type, err)
		}
		return cert, nil
	case len(names) == 0:
		found = "no private key in it"
	case len(keys) == 0:
		found = fmt.Sprintf("no private key %q; there are %s", alias, strings.Join(names, ", "))
	case alias == "":
		found = fmt.Sprintf("%d private keys, name one of %s", len(keys), strings.Join(names, ", "))
	default:
		found = fmt.Sprintf("%d private keys are called %q", len(keys), alias)
	}
	return tls.Certificate{}, fmt.Errorf("%s keystore: %s", s.Type, found)
}

func (e Entry) certificate() (tls.Certificate, error) {
	name := "key"
	if e.Alias != "" {
		name = fmt.Sprintf("key %q", e.Alias)
	}
	if len(e.Chain) == 0 {
		return tls.Certificate{}, fmt.Errorf("%s: the file has no certificate of this key", name)
	}
	id, ok := keyID(e.Key)
	if leaf, ok2 := certID(e.Chain[0]); !ok || !ok2 || !bytes.Equal(id, leaf) {
		return tls.Certificate{}, fmt.Errorf("%s: certificate %q is of another key", name, e.Chain[0].Subject)
	}
	cert := tls.Certificate{PrivateKey: e.Key, Leaf: e.Chain[0]}
	for _, c := range e.Chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return cert, nil
}
