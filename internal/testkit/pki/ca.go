package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Default validity: certain to hold on every machine whose clock is near right.
func defaultNotBefore() time.Time { return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }
func defaultNotAfter() time.Time  { return time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC) }

// CA signs certificates: a root, or an intermediate below one.
type CA struct {
	Key  crypto.Signer
	Cert *x509.Certificate
	// Parent signed Cert. Nil for a root.
	Parent *CA
}

// CAOptions are the rarer choices for a CA. The zero value is what NewCA makes.
type CAOptions struct {
	// Algorithm of the key. Empty means ECDSAP256.
	Algorithm Algorithm
	// NotBefore and NotAfter default to 2020 and 2120.
	NotBefore, NotAfter time.Time
}

// NewCA mints a self-signed root with an EC P-256 key.
func NewCA(name string) (*CA, error) { return NewCAWith(name, CAOptions{}) }

// NewCAWith mints a self-signed root.
func NewCAWith(name string, opts CAOptions) (*CA, error) { return newCA(name, opts, nil) }

// Intermediate mints a CA whose certificate ca signs.
func (ca *CA) Intermediate(name string, opts CAOptions) (*CA, error) { return newCA(name, opts, ca) }

func newCA(name string, opts CAOptions, parent *CA) (*CA, error) {
	tmpl := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             opts.NotBefore,
		NotAfter:              opts.NotAfter,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	key, cert, err := sign(tmpl, opts.Algorithm, parent)
	if err != nil {
		return nil, fmt.Errorf("mint CA %q: %w", name, err)
	}
	return &CA{Key: key, Cert: cert, Parent: parent}, nil
}

// Root returns the self-signed CA above ca, or ca itself.
func (ca *CA) Root() *CA {
	for ca.Parent != nil {
		ca = ca.Parent
	}
	return ca
}

// Pool returns a pool that trusts the root of ca.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Root().Cert)
	return pool
}

// Leaf says what certificate to issue.
type Leaf struct {
	CommonName string
	DNSNames   []string
	IPs        []net.IP
	// Client and Server choose the extended key usages. Neither means both,
	// which a Kafka broker needs: it is a client of the other brokers.
	Client, Server bool
	// Algorithm of the key. Empty means ECDSAP256.
	Algorithm Algorithm
	// NotBefore and NotAfter default to 2020 and 2120.
	NotBefore, NotAfter time.Time
	// KeyUsage defaults to digital signature, plus key encipherment for RSA.
	KeyUsage x509.KeyUsage
}

// Localhost is the Leaf of a server and client on the loopback interface.
func Localhost(commonName string) Leaf {
	return Leaf{
		CommonName: commonName,
		DNSNames:   []string{"localhost"},
		IPs:        []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// Cert is an issued certificate with its key.
type Cert struct {
	Key crypto.Signer
	// Chain is the leaf and the intermediates above it, without the root.
	Chain []*x509.Certificate
	// CA signed Chain[0].
	CA *CA
}

// Issue mints a key and a certificate for it.
func (ca *CA) Issue(leaf Leaf) (*Cert, error) {
	usage := leaf.KeyUsage
	if usage == 0 {
		usage = x509.KeyUsageDigitalSignature
		if leaf.Algorithm == RSA2048 {
			usage |= x509.KeyUsageKeyEncipherment
		}
	}
	var ext []x509.ExtKeyUsage
	if leaf.Server || !leaf.Client {
		ext = append(ext, x509.ExtKeyUsageServerAuth)
	}
	if leaf.Client || !leaf.Server {
		ext = append(ext, x509.ExtKeyUsageClientAuth)
	}
	key, cert, err := sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: leaf.CommonName},
		DNSNames:              leaf.DNSNames,
		IPAddresses:           leaf.IPs,
		NotBefore:             leaf.NotBefore,
		NotAfter:              leaf.NotAfter,
		KeyUsage:              usage,
		ExtKeyUsage:           ext,
		BasicConstraintsValid: true,
	}, leaf.Algorithm, ca)
	if err != nil {
		return nil, fmt.Errorf("issue certificate %q: %w", leaf.CommonName, err)
	}
	chain := []*x509.Certificate{cert}
	for issuer := ca; issuer.Parent != nil; issuer = issuer.Parent {
		chain = append(chain, issuer.Cert)
	}
	return &Cert{Key: key, Chain: chain, CA: ca}, nil
}

// TLS returns the certificate for a tls.Config.
func (c *Cert) TLS() tls.Certificate {
	raw := make([][]byte, len(c.Chain))
	for i, cert := range c.Chain {
		raw[i] = cert.Raw
	}
	return tls.Certificate{Certificate: raw, PrivateKey: c.Key, Leaf: c.Chain[0]}
}

// sign completes tmpl and signs it with parent, or with its own key.
func sign(tmpl *x509.Certificate, alg Algorithm, parent *CA) (crypto.Signer, *x509.Certificate, error) {
	key, err := newKey(alg)
	if err != nil {
		return nil, nil, err
	}
	// 127 bits keep the serial positive and within the 20 octets of RFC 5280 §4.1.2.2.
	if tmpl.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, err
	}
	if tmpl.NotBefore.IsZero() {
		tmpl.NotBefore = defaultNotBefore()
	}
	if tmpl.NotAfter.IsZero() {
		tmpl.NotAfter = defaultNotAfter()
	}
	issuer, issuerKey := tmpl, key
	if parent != nil {
		issuer, issuerKey = parent.Cert, parent.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, key.Public(), issuerKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}
