package dial

import (
	"errors"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/jaas"
)

const jaasKey = "sasl.jaas.config"

// loginModules are the classes, by their last name, whose options are
// understood. ScramLoginModule also serves PLAIN: both put user name and
// password where Kafka's client looks for them. The package is not compared:
// several vendors ship Kafka's client under another one.
var loginModules = map[Mechanism][]string{
	Plain:       {"PlainLoginModule", "ScramLoginModule"},
	ScramSHA256: {"ScramLoginModule"},
	ScramSHA512: {"ScramLoginModule"},
	OAuthBearer: {"OAuthBearerLoginModule"},
}

func (p *parser) sasl() {
	const key = "sasl.mechanism"
	name, ok := p.lookup(key)
	p.cfg.Mechanism = Mechanism(name)
	modules := loginModules[p.cfg.Mechanism]
	if modules == nil {
		switch {
		case !ok:
			p.problem(key, "not set, which in Kafka means GSSAPI (Kerberos), and that is not supported; allowed: %s", allowedMechanisms)
		case name == "GSSAPI":
			p.problem(key, "GSSAPI (Kerberos) is not supported; allowed: %s", allowedMechanisms)
		default:
			p.problem(key, "%s; allowed: %s", p.shown(key), allowedMechanisms)
		}
		// The rest depends on it.
		for _, k := range []string{jaasKey, "sasl.kerberos.service.name"} {
			p.lookup(k)
		}
		return
	}
	p.classes()
	module, ok := p.loginModule(modules)
	if !ok {
		return
	}
	opts := &moduleOptions{module: module, used: map[string]bool{}}
	if p.cfg.Mechanism == OAuthBearer {
		p.oauth(opts)
	} else {
		p.password(opts)
	}
	for _, o := range module.Options {
		if !opts.used[o.Key] {
			p.ignore(jaasKey, true, "option %s is not used with %s", shownKey(o.Key), p.cfg.Mechanism)
		}
	}
}

// loginModule reads sasl.jaas.config.
func (p *parser) loginModule(allowed []string) (jaas.LoginModule, bool) {
	text, ok := p.get(jaasKey)
	if !ok {
		p.problem(jaasKey, "not set; %s needs it (a file named by java.security.auth.login.config is not read)", p.cfg.Mechanism)
		return jaas.LoginModule{}, false
	}
	module, err := jaas.ParseProperty(holdfast.NewSecret(text))
	if err != nil {
		var ps holdfast.Problems
		if !errors.As(err, &ps) {
			p.problem(jaasKey, "%v", err)
		}
		for _, problem := range ps {
			// Its lines are those of the value; the file's is where the key is.
			p.problem(jaasKey, "%s", problem.Message)
		}
		return jaas.LoginModule{}, false
	}
	short := module.Class[strings.LastIndexByte(module.Class, '.')+1:]
	for _, name := range allowed {
		if short == name {
			return module, true
		}
	}
	// The class is not repeated: in a value that is out of order it can be
	// anything.
	p.problem(jaasKey, "the login module is not one for %s; allowed: %s", p.cfg.Mechanism, strings.Join(allowed, ", "))
	return jaas.LoginModule{}, false
}

func (p *parser) password(opts *moduleOptions) {
	user, _ := opts.secret("username")
	password, _ := opts.secret("password")
	if user.Reveal() == "" {
		p.problem(jaasKey, "option username is not set or empty")
	}
	if password.Reveal() == "" {
		p.problem(jaasKey, "option password is not set or empty")
	}
	p.cfg.Username, p.cfg.Password = user.Reveal(), password
	if p.cfg.Mechanism != Plain {
		// ScramLoginModule.TOKEN_AUTH_CONFIG, read with Boolean.parseBoolean.
		token, _ := opts.secret("tokenauth")
		p.cfg.DelegationToken = strings.EqualFold(token.Reveal(), "true")
	}
}

// The names of Kafka's own classes, which say to do what is done here anyway.
const (
	oauthPackage   = "org.apache.kafka.common.security.oauthbearer."
	loginHandler   = oauthPackage + "OAuthBearerLoginCallbackHandler"
	loginHandler31 = oauthPackage + "secured.OAuthBearerLoginCallbackHandler" // its first name, gone in 4.0
)

// classes refuses what would run Java code to log in.
func (p *parser) classes() {
	for key, fine := range map[string][]string{
		"sasl.login.class":                   {"org.apache.kafka.common.security.authenticator.DefaultLogin"},
		"sasl.client.callback.handler.class": {"org.apache.kafka.common.security.authenticator.SaslClientCallbackHandler"},
		"sasl.login.callback.handler.class":  {loginHandler, loginHandler31},
		"sasl.oauthbearer.jwt.retriever.class": {
			oauthPackage + "DefaultJwtRetriever", oauthPackage + "ClientCredentialsJwtRetriever"},
	} {
		v, ok := p.get(key)
		if !ok {
			continue
		}
		known := false
		for _, f := range fine {
			known = known || v == f
		}
		if !known {
			p.problem(key, "%s: Java classes cannot be run here; allowed: %s", p.shown(key), strings.Join(fine, ", "))
		}
	}
}

// oauth reads the client-credentials grant: keys of Kafka 4.1 and newer
// (KIP-1139), else the options that OAuthBearerLoginCallbackHandler had before
// (KIP-768). Where both are there the new ones win (ConfigOrJaas, 4.4).
func (p *parser) oauth(opts *moduleOptions) {
	o := &p.cfg.OAuth
	for key := range p.values {
		if strings.HasPrefix(key, "sasl.oauthbearer.assertion.") {
			p.problem(key, "the JWT bearer grant is not supported; allowed: client credentials")
			p.lookup(key)
		}
	}
	urlKey := "sasl.oauthbearer.token.endpoint.url"
	o.TokenURL, _ = p.get(urlKey)
	if msg := checkTokenURL(o.TokenURL); msg != "" {
		p.problem(urlKey, "%s", msg)
	}
	id := p.either(opts, "sasl.oauthbearer.client.credentials.client.id", "clientId")
	o.ClientID = id.Reveal()
	o.ClientSecret = p.either(opts, "sasl.oauthbearer.client.credentials.client.secret", "clientSecret")
	if o.ClientID == "" {
		p.problem("sasl.oauthbearer.client.credentials.client.id", "not set, and neither is the option clientId of %s", jaasKey)
	}
	if o.ClientSecret.Reveal() == "" {
		p.problem("sasl.oauthbearer.client.credentials.client.secret", "not set, and neither is the option clientSecret of %s", jaasKey)
	}
	o.Scopes = strings.Fields(p.either(opts, "sasl.oauthbearer.scope", "scope").Reveal())
	o.RawCredentials = !p.flag("sasl.oauthbearer.header.urlencode")
	for _, opt := range opts.module.Options {
		if name, ok := strings.CutPrefix(opt.Key, "extension_"); ok && name != "" {
			if o.Extensions == nil {
				o.Extensions = map[string]string{}
			}
			v, _ := opts.secret(opt.Key)
			o.Extensions[name] = v.Reveal()
		}
	}
	if opts.has("ssl.") {
		// The token endpoint has TLS settings of its own, and not those for the
		// brokers (JaasOptionsUtils.getSslClientConfig).
		in := func(key string) (string, bool) {
			s, ok := opts.secret(key)
			return javaTrim(s.Reveal()), ok
		}
		o.HTTPClient = tokenClient(p.tls(in, jaasKey))
	}
}

// either gives the value of a key or, where it is not set, of a JAAS option.
func (p *parser) either(opts *moduleOptions, key, option string) holdfast.Secret {
	old, _ := opts.secret(option)
	if v, ok := p.get(key); ok {
		if old.Reveal() != "" && old.Reveal() != v {
			p.ignore(jaasKey, true, "option %s, because %s is set too", option, key)
		}
		return holdfast.NewSecret(v)
	}
	return old
}

// moduleOptions counts which options were used.
type moduleOptions struct {
	module jaas.LoginModule
	used   map[string]bool
}

func (m *moduleOptions) secret(key string) (holdfast.Secret, bool) {
	m.used[key] = true
	return m.module.Get(key)
}

func (m *moduleOptions) has(prefix string) bool {
	for _, o := range m.module.Options {
		if strings.HasPrefix(o.Key, prefix) {
			return true
		}
	}
	return false
}
