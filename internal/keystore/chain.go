package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
)

// maxChain bounds a chain; crypto/x509 verifies far fewer.
const maxChain = 32

// certSet is the certificates of a file, to find leaves and issuers in.
type certSet struct {
	all       []*x509.Certificate
	byKey     map[string][]*x509.Certificate
	bySubject map[string][]*x509.Certificate
}

func newCertSet(certs []*x509.Certificate) certSet {
	s := certSet{
		all:       certs,
		byKey:     map[string][]*x509.Certificate{},
		bySubject: map[string][]*x509.Certificate{},
	}
	for _, cert := range certs {
		if id, ok := certID(cert); ok {
			s.byKey[string(id)] = append(s.byKey[string(id)], cert)
		}
		s.bySubject[string(cert.RawSubject)] = append(s.bySubject[string(cert.RawSubject)], cert)
	}
	return s
}

// leaves returns the certificates of key, in the order of the file.
func (s certSet) leaves(key crypto.PrivateKey) []*x509.Certificate {
	id, ok := keyID(key)
	if !ok {
		return nil
	}
	return s.byKey[string(id)]
}

// chain follows the issuers from leaf upwards, by name, and by key identifier
// where two have the same name (a CA that was renewed). It ends at a
// self-issued certificate, at one whose issuer is absent, or before a loop.
func (s certSet) chain(leaf *x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	seen := map[*x509.Certificate]bool{leaf: true}
	for cert := leaf; len(chain) < maxChain && !bytes.Equal(cert.RawIssuer, cert.RawSubject); {
		issuer := s.issuer(cert)
		if issuer == nil || seen[issuer] {
			break
		}
		seen[issuer] = true
		chain = append(chain, issuer)
		cert = issuer
	}
	return chain
}

func (s certSet) issuer(cert *x509.Certificate) *x509.Certificate {
	named := s.bySubject[string(cert.RawIssuer)]
	for _, c := range named {
		if len(cert.AuthorityKeyId) > 0 && bytes.Equal(cert.AuthorityKeyId, c.SubjectKeyId) {
			return c
		}
	}
	if len(named) == 0 {
		return nil
	}
	return named[0]
}
