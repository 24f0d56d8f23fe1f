package keystore

import (
	"encoding/asn1"
	"errors"
	"fmt"
)

// pem lists the certificates of a bundle in their order, whatever else is in it.
func (l *Listing) pem(data []byte) error {
	var errs []error
	e := Listed{}
	var others []string
	n := 0
	for block, err := range pemBlocks(data) {
		n++
		if err == nil {
			if err = pemCertificates(&e, block, &others); err != nil {
				err = fmt.Errorf("block %d (%s): %w", n, printable(block.label), err)
			}
		}
		if err == nil {
			continue
		}
		// Looking for the end of a block that has none goes through the rest of
		// the file, so it is not done often.
		if len(errs) == maxErrors {
			errs = append(errs, fmt.Errorf("%w: and more; what follows is not read", ErrCorrupt))
			break
		}
		errs = append(errs, err)
	}
	if len(others) > 0 {
		l.note("%d blocks that are no certificates were passed over, the first is %q", len(others), printable(others[0]))
	}
	if e.Key || len(e.Certificates) > 0 {
		l.Entries = []Listed{e}
	} else if len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%w: expected a certificate, found none in %d blocks", ErrCorrupt, n))
	}
	return errors.Join(errs...)
}

// maxErrors bounds what is said of one file.
const maxErrors = 20

func pemCertificates(e *Listed, block pemBlock, others *[]string) error {
	switch block.label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		// OpenSSL puts what it trusts it for behind a TRUSTED CERTIFICATE.
		der, err := firstDER(block.der)
		if block.headers || err != nil || der[0] != 0x30 {
			return fmt.Errorf("%w: expected a certificate", ErrCorrupt)
		}
		e.Certificates = append(e.Certificates, der)
	case "PKCS7", "CMS":
		certs, err := signedCertificates(block.der)
		e.Certificates = append(e.Certificates, certs...)
		return err
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY":
		e.Key = true
	case "EC PARAMETERS", "DH PARAMETERS":
	default:
		*others = append(*others, block.label)
	}
	return nil
}

// der lists certificates that follow each other, or those of a PKCS#7.
func (l *Listing) der(data []byte) error {
	if certs, err := signedCertificates(data); err == nil {
		l.Entries = []Listed{{Certificates: certs}}
		return nil
	}
	e := Listed{}
	for rest := data; len(rest) > 0; {
		der, err := firstDER(rest)
		if err != nil && len(e.Certificates) == 0 {
			return fmt.Errorf("%w: expected one DER value, found %d bytes that are none", ErrCorrupt, len(data))
		}
		if err != nil || !looksLikeCertificate(der) {
			if len(e.Certificates) > 0 {
				l.note("%d bytes behind the certificate were passed over", len(rest))
				break
			}
			return fmt.Errorf("%w: expected a certificate or PKCS#7, found a sequence of something else", ErrUnsupported)
		}
		e.Certificates = append(e.Certificates, der)
		rest = rest[len(der):]
	}
	l.Entries = []Listed{e}
	return nil
}

// firstDER returns the first element of data.
func firstDER(data []byte) ([]byte, error) {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	return v.FullBytes, nil
}

// looksLikeCertificate tells a certificate (RFC 5280 §4.1: in the outer sequence
// one that begins with a version or a serial number) from an encrypted key, whose
// inner sequence begins with an identifier.
func looksLikeCertificate(der []byte) bool {
	var outer, inner, first asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || outer.Tag != asn1.TagSequence {
		return false
	}
	if rest, err := asn1.Unmarshal(outer.Bytes, &inner); err != nil || inner.Tag != asn1.TagSequence || len(rest) == 0 {
		return false
	}
	if rest, err := asn1.Unmarshal(inner.Bytes, &first); err != nil || len(rest) == 0 {
		return false
	}
	return first.Class == asn1.ClassContextSpecific && first.Tag == 0 || first.Class == asn1.ClassUniversal && first.Tag == asn1.TagInteger
}

const oidSignedData = "1.2.840.113549.1.7.2"

// signedCertificates are those of a PKCS#7 (RFC 5652 §5.1), in which CAs send
// chains. Nothing in it is signed then.
func signedCertificates(der []byte) ([][]byte, error) {
	var info contentInfo
	if err := unmarshal(der, &info, "a PKCS#7"); err != nil {
		return nil, err
	}
	if oid := info.Type.String(); oid != oidSignedData {
		return nil, fmt.Errorf("%w: PKCS#7 of content %s, signed data is read", ErrUnsupported, oid)
	}
	var signed struct {
		Version      int
		Algorithms   asn1.RawValue
		Content      asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      asn1.RawValue
	}
	if err := unmarshal(info.Content.Bytes, &signed, "signed data"); err != nil {
		return nil, err
	}
	var certs [][]byte
	for rest := signed.Certificates.Bytes; len(rest) > 0; {
		der, err := firstDER(rest)
		if err != nil {
			return certs, fmt.Errorf("%w: expected certificates in signed data", ErrCorrupt)
		}
		rest = rest[len(der):]
		if looksLikeCertificate(der) { // there may be kinds from before X.509
			certs = append(certs, der)
		}
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("%w: no certificate in signed data", ErrCorrupt)
	}
	return certs, nil
}
