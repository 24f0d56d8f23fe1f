package dial

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
)

// lookup gives the value of a key. The ssl.* keys come in two places: as keys of
// the file and, for the token endpoint, as options inside of sasl.jaas.config.
type lookup func(key string) (string, bool)

// sslKeys reads ssl.* keys from one place.
type sslKeys struct {
	*parser
	in lookup
	// at is the key that problems name, where it is not the ssl.* key itself.
	at string
}

// get gives a value that is set and not empty.
func (s sslKeys) get(key string) (string, bool) {
	v, ok := s.in(key)
	return v, ok && v != ""
}

func (s sslKeys) secret(key string) holdfast.Secret {
	if v, ok := s.get(key); ok {
		return holdfast.NewSecret(v)
	}
	return holdfast.Secret{}
}

func (s sslKeys) problem(key, format string, args ...any) {
	if s.at != "" {
		format, args = "%s: "+format, append([]any{key}, args...)
	}
	s.parser.problem(cmp.Or(s.at, key), format, args...)
}

func (s sslKeys) ignore(key string, format string, args ...any) {
	if s.at != "" {
		format, args = "%s: "+format, append([]any{key}, args...)
	}
	s.parser.ignore(cmp.Or(s.at, key), true, format, args...)
}

func (s sslKeys) shown(key string) string {
	v, _ := s.in(key)
	return s.quoted(key, v)
}

func (s sslKeys) quoted(key, part string) string { return s.parser.quoted(cmp.Or(s.at, key), part) }

// tls builds the TLS configuration. at is empty for the keys of the file.
func (p *parser) tls(in lookup, at string) *tls.Config {
	s := sslKeys{p, in, at}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	s.versions(cfg)
	s.ciphers(cfg)
	s.truststore(cfg)
	s.keystore(cfg)
	// Set only with code that runs inside of the Java client, and would decide
	// whom to trust: going on without would be another security than was asked for.
	if v, ok := s.get("ssl.engine.factory.class"); ok && v != "org.apache.kafka.common.security.ssl.DefaultSslEngineFactory" {
		s.problem("ssl.engine.factory.class", "%s: Java classes cannot be run here; remove it", s.shown("ssl.engine.factory.class"))
	}
	if v, ok := s.in("ssl.endpoint.identification.algorithm"); ok {
		switch {
		case strings.EqualFold(v, "https"):
		case v == "":
			// Java's way to say: trust the certificate whatever name it has. The
			// chain is verified all the same.
			cfg.InsecureSkipVerify = true
			cfg.VerifyConnection = verifyChainOnly(cfg.RootCAs)
		default:
			s.problem("ssl.endpoint.identification.algorithm", "%s; allowed: https, or empty for no check of the host name",
				s.shown("ssl.endpoint.identification.algorithm"))
		}
	}
	return cfg
}

// versions honours ssl.protocol and ssl.enabled.protocols (SslConfigs; defaults
// TLSv1.3, and TLSv1.2 with TLSv1.3).
func (s sslKeys) versions(cfg *tls.Config) {
	const key = "ssl.enabled.protocols"
	if list, ok := s.get(key); ok {
		var low, high uint16
		for _, name := range splitList(list) {
			v, known := tlsVersions[strings.ToUpper(name)]
			switch {
			case !known:
				s.problem(key, "%s; allowed: TLSv1.2, TLSv1.3", s.quoted(key, name))
			case v < tls.VersionTLS12:
				s.ignore(key, "%s is not offered, being broken; TLS 1.2 and newer are", name)
			default:
				low, high = min(cmp.Or(low, v), v), max(high, v)
			}
		}
		if low == 0 {
			s.problem(key, "leaves no version; allowed: TLSv1.2, TLSv1.3")
			return
		}
		cfg.MinVersion, cfg.MaxVersion = low, high
	}
	const ceiling = "ssl.protocol"
	if name, ok := s.get(ceiling); ok {
		v, known := tlsVersions[strings.ToUpper(name)]
		switch {
		case strings.EqualFold(name, "TLS"):
		case !known || v < tls.VersionTLS12:
			s.problem(ceiling, "%s; allowed: TLS, TLSv1.2, TLSv1.3", s.shown(ceiling))
		case v < cfg.MinVersion:
			s.problem(ceiling, "%s, but %s begins with %s", s.shown(ceiling), key, tls.VersionName(cfg.MinVersion))
		case cfg.MaxVersion == 0 || v < cfg.MaxVersion:
			// An SSLContext of TLSv1.2 does not speak 1.3 (JSSE's TLS12Context).
			cfg.MaxVersion = v
		}
	}
}

var tlsVersions = map[string]uint16{
	"SSLV2": 0x0200, "SSLV3": 0x0300, "SSL": 0x0300,
	"TLSV1": tls.VersionTLS10, "TLSV1.1": tls.VersionTLS11, "TLSV1.2": tls.VersionTLS12, "TLSV1.3": tls.VersionTLS13,
}

// ciphers honours ssl.cipher.suites where Go can: it has no choice of suites in
// TLS 1.3, all of which are sound, and none of the broken ones.
func (s sslKeys) ciphers(cfg *tls.Config) {
	const key = "ssl.cipher.suites"
	list, ok := s.get(key)
	if !ok {
		return
	}
	var unknown []string
	old := false
	for _, name := range splitList(list) {
		i := slices.IndexFunc(tls.CipherSuites(), func(c *tls.CipherSuite) bool { return c.Name == name })
		switch {
		case i < 0:
			unknown = append(unknown, name)
		case slices.Contains(tls.CipherSuites()[i].SupportedVersions, tls.VersionTLS12):
			cfg.CipherSuites = append(cfg.CipherSuites, tls.CipherSuites()[i].ID)
			old = true
		default:
			// One of TLS 1.3.
		}
	}
	if len(unknown) > 0 {
		s.ignore(key, "%s not available; the others are offered", s.quoted(key, strings.Join(unknown, ", ")))
	}
	if !old {
		// Nothing for TLS 1.2 in the list: then it is not to be spoken.
		if cfg.MaxVersion == tls.VersionTLS12 || len(unknown) == len(splitList(list)) {
			s.problem(key, "names no cipher suite that is available; leave it out for sound ones")
			return
		}
		cfg.MinVersion = tls.VersionTLS13
	}
}

// truststore honours ssl.truststore.*. Without one the system's authorities
// count, as in Java the JVM's.
func (s sslKeys) truststore(cfg *tls.Config) {
	const location, inline, password = "ssl.truststore.location", "ssl.truststore.certificates", "ssl.truststore.password"
	data, at := s.storeData(location, inline)
	if data == nil {
		// An ineffective password or type is listed as left over.
		return
	}
	store := s.load(at, data, "ssl.truststore.type", keystore.Options{Password: s.secret(password)})
	if store == nil {
		return
	}
	pool, err := store.Pool()
	if err != nil {
		s.problem(at, "%v", err)
		return
	}
	cfg.RootCAs = pool
}

// keystore honours ssl.keystore.* and ssl.key.password.
func (s sslKeys) keystore(cfg *tls.Config) {
	const location, inline, chain = "ssl.keystore.location", "ssl.keystore.key", "ssl.keystore.certificate.chain"
	data, at := s.storeData(location, inline)
	certs, hasChain := s.get(chain)
	switch {
	case data == nil && hasChain:
		s.problem(chain, "set without ssl.keystore.key")
		return
	case data == nil:
		return
	case at == inline && !hasChain:
		s.problem(inline, "set without ssl.keystore.certificate.chain")
		return
	case at == location && hasChain:
		s.problem(chain, "set as well as ssl.keystore.location; allowed: one of them")
		return
	case at == inline:
		data = slices.Concat(data, []byte("\n"), []byte(certs))
	}
	store := s.load(at, data, "ssl.keystore.type", keystore.Options{
		Password: s.secret("ssl.keystore.password"), KeyPassword: s.secret("ssl.key.password"),
	})
	if store == nil {
		return
	}
	keys, err := store.Certificates()
	if err != nil {
		s.problem(at, "%v", err)
		return
	}
	cfg.Certificates = keys
}

// storeData gives the bytes of a store, from a file or from the value itself,
// and the key they come from.
func (s sslKeys) storeData(location, inline string) (data []byte, at string) {
	name, inFile := s.get(location)
	text, inValue := s.get(inline)
	switch {
	case inFile && inValue:
		s.problem(inline, "set as well as %s; allowed: one of them", location)
		return nil, ""
	case inValue:
		return []byte(text), inline
	case !inFile:
		return nil, ""
	}
	data, err := s.opts.ReadFile(name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // the name is said already
		}
		s.problem(location, "read %s: %v", s.shown(location), err)
		return nil, ""
	}
	if data == nil {
		data = []byte{}
	}
	return data, location
}

func (s sslKeys) load(at string, data []byte, typeKey string, opts keystore.Options) *keystore.Store {
	declared, _ := s.get(typeKey)
	switch strings.ToUpper(declared) {
	case "", "JKS", "PKCS12", "PEM":
		opts.Type = keystore.Type(strings.ToUpper(declared))
	default:
		s.problem(typeKey, "%s; allowed: JKS, PKCS12, PEM", s.shown(typeKey))
		return nil
	}
	inline := at == "ssl.truststore.certificates" || at == "ssl.keystore.key"
	if inline && opts.Type != keystore.PEM {
		// As DefaultSslEngineFactory: the default type, JKS, has no inline form.
		s.problem(at, "needs %s=PEM", typeKey)
		return nil
	}
	store, err := keystore.Load(data, opts)
	if err != nil {
		s.problem(at, "%v", err)
		return nil
	}
	for _, note := range store.Notes {
		s.ignore(at, "%s", note)
	}
	return store
}
