package tlsprobe

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// maxJudged bounds how many certificates of a chain are looked at beyond being
// listed: a peer may send hundreds.
const maxJudged = 20

// trust is what chains are verified against.
type trust struct {
	roots         *x509.CertPool // nil: the system's
	intermediates []*x509.Certificate
}

// verdict is what is to be said of a chain for one name at one time.
type verdict struct {
	reasons reasons
	// chainExpiry is the end of the verified chain that lasts longest, zero where
	// none verifies.
	chainExpiry time.Time
	// issuer of the leaf, where it is known, for CRLs and staples.
	issuer *x509.Certificate
	// until is when the verdict may change without the chain changing.
	until time.Time
}

// judge says everything that is the matter with a chain, leaf first. x509.Verify
// stops at the first fault and a date hides all others, so faults are looked for
// one by one: dates by reading them, the name alone, and trust at a time when
// the certificates are valid.
func (t trust) judge(certs []Certificate, name string, now time.Time) verdict {
	j := judge{trust: t, certs: certs[:min(len(certs), maxJudged)], name: name, now: now}
	j.v.until = now.Add(time.Hour)
	if len(certs) == 0 {
		return j.v
	}
	j.unparseable()
	j.dates()
	j.names()
	j.keys()
	j.order()
	j.path()
	return j.v
}

type judge struct {
	trust
	certs []Certificate
	name  string
	now   time.Time
	v     verdict
}

func (j *judge) add(code Code, position int, format string, args ...any) {
	j.v.reasons.add(code, position, fmt.Sprintf(format, args...))
}

func (j *judge) unparseable() {
	for i, c := range j.certs {
		if strings.HasPrefix(c.Serial, "-") {
			j.add(NegativeSerial, i, "%s has the negative serial number %s, which RFC 5280 forbids and many clients refuse: have it issued anew", j.at(i), c.Serial)
		}
		if c.X509 == nil {
			j.add(UnparseableCertificate, i, "%s cannot be parsed (%s): its signature and trust are not checked", j.at(i), c.Error)
		}
	}
}

// at names a certificate in a message.
func (j *judge) at(i int) string {
	subject := j.certs[i].Subject
	if len(subject) > 100 {
		subject = subject[:100] + "…"
	}
	if i == 0 {
		return fmt.Sprintf("the certificate %q", subject)
	}
	return fmt.Sprintf("certificate %d of the chain, %q,", i, subject)
}

// dates looks at the leaf only; what is above it counts where it is used.
func (j *judge) dates() { j.date(0, j.certs[0], j.at(0)) }

func (j *judge) date(position int, c Certificate, what string) {
	for _, edge := range []time.Time{c.NotBefore, c.NotAfter} {
		if edge.After(j.now) && edge.Before(j.v.until) {
			j.v.until = edge
		}
	}
	switch {
	case c.NotAfter.IsZero():
	case j.now.After(c.NotAfter):
		j.add(Expired, position, "%s expired at %s: renew it and let the server load the new one", what, c.NotAfter.Format(time.RFC3339))
	case j.now.Before(c.NotBefore):
		j.add(NotYetValid, position, "%s is valid only from %s: wait, or look at the clock of whoever issued it", what, c.NotBefore.Format(time.RFC3339))
	}
}

func (j *judge) names() {
	leaf := j.certs[0]
	if j.name == "" || leaf.SHA256 == "" || (leaf.X509 == nil && leaf.Subject == "") {
		return
	}
	probe := leaf.X509
	if probe == nil {
		probe = &x509.Certificate{DNSNames: leaf.DNSNames}
		for _, ip := range leaf.IPAddresses {
			probe.IPAddresses = append(probe.IPAddresses, net.ParseIP(ip))
		}
	}
	if probe.VerifyHostname(hostname(j.name)) == nil {
		return
	}
	if len(leaf.DNSNames) == 0 && len(leaf.IPAddresses) == 0 {
		common := commonName(leaf)
		j.add(CNOnly, 0, "the certificate names %q in its common name alone, which clients ignore: have it issued with subject alternative names", common)
		if matchesCommonName(common, j.name) {
			return
		}
	}
	j.add(WrongHost, 0, "the certificate is not for %q but for %s: ask for another name, or have it issued for this one", j.name, listNames(leaf))
}

// hostname brackets an address as VerifyHostname wants it, or drops the dot of
// an absolute name, which certificates do not have.
func hostname(name string) string {
	if addr, err := netip.ParseAddr(name); err == nil && addr.Is6() {
		return "[" + name + "]"
	}
	return strings.TrimSuffix(name, ".")
}

func commonName(c Certificate) string {
	if c.X509 != nil {
		return c.X509.Subject.CommonName
	}
	for part := range strings.SplitSeq(c.Subject, ",") {
		if cn, ok := strings.CutPrefix(part, "CN="); ok {
			return cn
		}
	}
	return ""
}

func matchesCommonName(common, name string) bool {
	if strings.EqualFold(common, name) {
		return true
	}
	c := x509.Certificate{DNSNames: []string{common}}
	return common != "" && c.VerifyHostname(hostname(name)) == nil
}

func listNames(c Certificate) string {
	names := append(slices.Clone(c.DNSNames), c.IPAddresses...)
	if len(names) == 0 {
		return fmt.Sprintf("%q", commonName(c))
	}
	const most = 5
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(names, ", ") + more
}

// keys looks for weak keys everywhere, and for weak signatures except where a
// certificate vouches for itself: nobody checks those.
func (j *judge) keys() {
	for i, c := range j.certs {
		if bits, kind := weakKey(c); bits > 0 {
			j.add(WeakKey, i, "%s has a key of %s with %d bits: RSA wants 2048 at least, elliptic curves 256", j.at(i), kind, bits)
		}
		if c.X509 == nil || (i > 0 && c.selfIssued()) {
			continue
		}
		switch c.X509.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			j.add(WeakSignature, i, "%s is signed with %s, which clients refuse: have it issued anew", j.at(i), c.X509.SignatureAlgorithm)
		}
	}
}

func weakKey(c Certificate) (bits int, kind string) {
	if c.KeyBits > 0 && c.KeyBits < 2048 {
		return c.KeyBits, "RSA"
	}
	if c.X509 == nil {
		return 0, ""
	}
	switch key := c.X509.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if n := key.Curve.Params().BitSize; n < 256 {
			return n, "ECDSA"
		}
	}
	return 0, ""
}

func (j *judge) order() {
	for i := 1; i < len(j.certs); i++ {
		before, c := j.certs[i-1], j.certs[i]
		if before.X509 == nil || c.X509 == nil {
			continue
		}
		if string(before.X509.RawIssuer) != string(c.X509.RawSubject) {
			j.add(ChainOrder, i, "%s does not certify the one before it, which %q issued: let the server send leaf, issuer, issuer's issuer, and nothing else", j.at(i), before.Issuer)
			return
		}
	}
}

// path looks for a way from the leaf to a trusted root.
func (j *judge) path() {
	leaf := j.certs[0].X509
	if leaf == nil {
		return
	}
	sent := x509.NewCertPool()
	for _, c := range j.certs[1:] {
		if c.X509 != nil {
			sent.AddCert(c.X509)
		}
	}
	for _, c := range j.intermediates {
		sent.AddCert(c)
	}
	opts := x509.VerifyOptions{Roots: j.roots, Intermediates: sent, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	chains, at, err := j.verify(leaf, opts)
	if err != nil {
		j.untrusted(leaf, opts, err)
		j.usage(leaf, nil, opts)
		return
	}
	for _, chain := range chains {
		end := earliest(chain)
		if at.Equal(j.now) && end.After(j.v.chainExpiry) {
			j.v.chainExpiry = end.UTC()
		}
	}
	best := chains[0]
	if len(best) > 1 {
		j.v.issuer = best[1]
	}
	for _, c := range best[1:] {
		position := j.position(c)
		j.date(position, newCertificate(c), fmt.Sprintf("the CA %q", c.Subject))
	}
	opts.CurrentTime = at
	j.usage(leaf, chains, opts)
}

// verify tries now, and else the moments at which certificates begin or end, so
// that a date hides nothing else.
func (j *judge) verify(leaf *x509.Certificate, opts x509.VerifyOptions) (chains [][]*x509.Certificate, at time.Time, err error) {
	moments := []time.Time{j.now}
	for _, c := range j.certs {
		if c.X509 != nil {
			moments = append(moments, c.NotAfter, c.NotBefore)
		}
	}
	for _, at = range moments {
		opts.CurrentTime = at
		var failed error
		if chains, failed = leaf.Verify(opts); failed == nil {
			return chains, at, nil
		}
		var invalid x509.CertificateInvalidError
		if !errors.As(failed, &invalid) || invalid.Reason != x509.Expired {
			// Not about dates: another moment may only hide it again.
			var unknown x509.UnknownAuthorityError
			if err == nil || !errors.As(failed, &unknown) {
				err = failed
			}
		} else if err == nil {
			err = failed
		}
	}
	return nil, j.now, err
}

// untrusted says why there is no way to a trusted root.
func (j *judge) untrusted(leaf *x509.Certificate, opts x509.VerifyOptions, err error) {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && j.invalid(invalid) {
		return
	}
	if strings.Contains(err.Error(), "insecure algorithm") && j.v.reasons.has(WeakSignature) {
		return // there may be a root, but nothing proves it
	}
	path := j.follow()
	top := j.certs[path[len(path)-1]]
	for _, i := range path[1:] {
		c := j.certs[i]
		j.date(i, c, j.at(i))
		// x509 passes over such an issuer in silence.
		if !c.X509.IsCA || !c.X509.BasicConstraintsValid {
			j.add(NotCA, i, "%s is no CA (version %d) and signed a certificate all the same: let a CA sign it", j.at(i), c.X509.Version)
		}
	}
	if j.v.reasons.has(NotCA) {
		if _, _, err := j.verify(top.X509, opts); err == nil {
			return
		}
	}
	switch {
	case len(path) == 1 && top.selfIssued():
		j.add(SelfSigned, 0, "the certificate vouches for itself (version %d): trust its fingerprint %s, or have it issued by a CA", top.X509.Version, top.SHA256)
	case len(path) == 1:
		j.add(MissingIntermediate, 0, "the issuer %q is neither trusted nor was it sent: if it is an intermediate, let the server send it; if it is a root, trust it", top.Issuer)
		if len(top.X509.IssuingCertificateURL) == 0 {
			j.add(UnknownCA, 0, "nothing trusted issued the certificate: its issuer is %q", top.Issuer)
		}
	default:
		j.add(UnknownCA, path[len(path)-1], "the chain ends at %q, which is not trusted: trust that root, or have the certificate issued by one that is", rootOf(top))
		roots := x509.NewCertPool()
		roots.AddCert(top.X509)
		opts.Roots = roots
		if _, _, err := j.verify(leaf, opts); errors.As(err, &invalid) {
			j.invalid(invalid)
		}
	}
}

func rootOf(top Certificate) string {
	if top.selfIssued() {
		return top.Subject
	}
	return top.Issuer
}

// invalid adds the reason that stands for what x509 says of a chain.
func (j *judge) invalid(err x509.CertificateInvalidError) bool {
	position := j.position(err.Cert)
	subject := err.Cert.Subject.String()
	switch err.Reason {
	case x509.NotAuthorizedToSign, x509.TooManyIntermediates:
		j.add(NotCA, position, "%q is not a CA that may stand there, and signed a certificate all the same: let a CA sign it (version 1 certificates cannot be one)", subject)
	case x509.CANotAuthorizedForThisName, x509.NameConstraintsWithoutSANs, x509.UnconstrainedName, x509.TooManyConstraints, x509.CANotAuthorizedForExtKeyUsage:
		j.add(NameConstraint, position, "the CA above %q may not certify its names: %s", subject, err.Error())
	default:
		return false
	}
	return true
}

// usage looks at the leaf, and at the CAs above it where the way is known.
func (j *judge) usage(leaf *x509.Certificate, chains [][]*x509.Certificate, opts x509.VerifyOptions) {
	usages := leaf.ExtKeyUsage
	wrong := len(usages)+len(leaf.UnknownExtKeyUsage) > 0 && !slices.Contains(usages, x509.ExtKeyUsageServerAuth) && !slices.Contains(usages, x509.ExtKeyUsageAny)
	if !wrong && chains != nil {
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		_, err := leaf.Verify(opts)
		var invalid x509.CertificateInvalidError
		wrong = errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage
	}
	if wrong {
		j.add(WrongUsage, 0, "the certificate or a CA above it is not meant for servers: have it issued with the extended key usage serverAuth")
	}
}

// follow returns the positions from the leaf upwards, as far as the sent
// certificates lead.
func (j *judge) follow() []int {
	path := []int{0}
	for {
		c := j.certs[path[len(path)-1]]
		if c.X509 == nil || c.selfIssued() {
			return path
		}
		next := slices.IndexFunc(j.certs, func(parent Certificate) bool {
			return parent.X509 != nil && string(parent.X509.RawSubject) == string(c.X509.RawIssuer) && signedBy(c.X509, parent.X509)
		})
		if next < 0 || slices.Contains(path, next) {
			return path
		}
		path = append(path, next)
	}
}

// signedBy is whether parent's key made child's signature. Weak algorithms, which
// x509 does not compute, are taken on trust: they are a reason of their own.
func signedBy(child, parent *x509.Certificate) bool {
	err := parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	var weak x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &weak)
}

// position of a certificate in what was sent, -1 for one that was not.
func (j *judge) position(c *x509.Certificate) int {
	return slices.IndexFunc(j.certs, func(sent Certificate) bool { return string(sent.Raw) == string(c.Raw) })
}

func earliest(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}
