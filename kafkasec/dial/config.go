package dial

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast"
)

// Protocol is Kafka's security.protocol.
type Protocol string

// Kafka's protocols (org.apache.kafka.common.security.auth.SecurityProtocol).
const (
	Plaintext     Protocol = "PLAINTEXT"
	SSL           Protocol = "SSL"
	SASLPlaintext Protocol = "SASL_PLAINTEXT"
	SASLSSL       Protocol = "SASL_SSL"
)

// The empty protocol is [Plaintext], as in Kafka.
func (p Protocol) tls() bool  { return p == SSL || p == SASLSSL }
func (p Protocol) sasl() bool { return p == SASLPlaintext || p == SASLSSL }

const allowedProtocols = "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"

// Mechanism is Kafka's sasl.mechanism.
type Mechanism string

// The mechanisms that can be used.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

const allowedMechanisms = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"

// Config says how to reach a cluster. [ParseProperties] fills it from a Java
// properties file; it may as well be written in Go. It prints and marshals
// without its secrets.
type Config struct {
	// Brokers are the bootstrap addresses, host:port. ParseProperties leaves it
	// empty where the file has no bootstrap.servers.
	Brokers []string
	// Protocol is how to speak to them. Empty means [Plaintext].
	Protocol Protocol
	// TLS is for [SSL] and [SASLSSL]. Nil means the system's certificate
	// authorities, host names checked, no client certificate. TLS below 1.2 is
	// refused.
	TLS *tls.Config `json:"-"`
	// Mechanism is for [SASLPlaintext] and [SASLSSL], and has no default.
	Mechanism Mechanism
	// Username and Password are for PLAIN and SCRAM.
	Username string
	Password holdfast.Secret
	// DelegationToken says that Username and Password are the id and the HMAC of
	// a delegation token (tokenauth=true in Java). SCRAM only.
	DelegationToken bool
	// OAuth is for OAUTHBEARER.
	OAuth OAuth
	// ClientID names this program in the broker's logs, metrics and quotas. Empty
	// means "holdfast".
	ClientID string
	// Timeout bounds Connect as a whole. Zero means 10 s.
	Timeout time.Duration
	// RequestTimeout is how long to wait for the answer to one request, on top of
	// the time that the request itself grants the broker. Zero means 30 s, which
	// is Java's request.timeout.ms.
	RequestTimeout time.Duration
	// Dial makes the TCP connection. Nil means net.Dialer. It may be called
	// concurrently.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) `json:"-"`
	// Ignored lists what the properties file says and this client does not do.
	Ignored []Ignored
}

// OAuth is the client-credentials grant (RFC 6749 §4.4) that gets the token
// for OAUTHBEARER.
type OAuth struct {
	// TokenURL is the token endpoint, http or https.
	TokenURL     string
	ClientID     string
	ClientSecret holdfast.Secret
	Scopes       []string
	// Extensions go to the broker with the token (KIP-342).
	Extensions map[string]string
	// RawCredentials sends id and secret in the Authorization header as they are.
	// RFC 6749 §2.3.1 wants them URL-encoded first, which is what happens by
	// default here, but not in Java (sasl.oauthbearer.header.urlencode, KIP-1025).
	// Makes a difference only if they hold other than letters, digits, - . _.
	RawCredentials bool
	// HTTPClient asks for the token. Nil means one that trusts the system's
	// certificate authorities, uses no proxy and follows no redirect.
	HTTPClient *http.Client `json:"-"`
}

// Ignored is one setting of a properties file that has no effect here.
type Ignored struct {
	Key string
	// Line counts from 1.
	Line int
	// Reason says why it has no effect.
	Reason string
	// Security is set where the key belongs to authentication or encryption: the
	// person who wrote it may count on it.
	Security bool
}

// String gives the entry as one line: "line 7: acks: ...".
func (i Ignored) String() string {
	return fmt.Sprintf("line %d: %s: %s", i.Line, i.Key, i.Reason)
}

// Validate reports everything that is wrong, as [holdfast.Problems] with field
// names as paths. [Connect] and [Config.Options] call it.
func (c Config) Validate() error {
	var ps holdfast.Problems
	add := func(path, format string, args ...any) {
		ps = append(ps, holdfast.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if len(c.Brokers) == 0 {
		add("Brokers", "empty; at least one host:port is needed")
	}
	for i, b := range c.Brokers {
		if _, msg := brokerAddr(b); msg != "" {
			add(fmt.Sprintf("Brokers[%d]", i), "%s", msg)
		}
	}
	if c.Protocol != "" && !slices.Contains([]Protocol{Plaintext, SSL, SASLPlaintext, SASLSSL}, c.Protocol) {
		add("Protocol", "%q; allowed: %s", c.Protocol, allowedProtocols)
	}
	// Settings that would silently not be used are refused: whoever sets TLS or a
	// password counts on them.
	if c.TLS != nil {
		switch {
		case !c.Protocol.tls():
			add("TLS", "set, but protocol %s has no TLS", c.protocol())
		case c.TLS.MinVersion != 0 && c.TLS.MinVersion < tls.VersionTLS12:
			add("TLS.MinVersion", "%s; allowed: TLS 1.2 or newer", tls.VersionName(c.TLS.MinVersion))
		case c.TLS.MaxVersion != 0 && c.TLS.MaxVersion < tls.VersionTLS12:
			add("TLS.MaxVersion", "%s; allowed: TLS 1.2 or newer", tls.VersionName(c.TLS.MaxVersion))
		}
	}
	ps = append(ps, c.validateSASL()...)
	if c.Timeout < 0 {
		add("Timeout", "%s; must not be negative", c.Timeout)
	}
	// kgo's own limits of RequestTimeoutOverhead.
	if c.RequestTimeout != 0 && (c.RequestTimeout < 100*time.Millisecond || c.RequestTimeout > 15*time.Minute) {
		add("RequestTimeout", "%s; allowed: 100ms to 15m", c.RequestTimeout)
	}
	if len(c.ClientID) > 256 {
		add("ClientID", "%d bytes; allowed: up to 256", len(c.ClientID))
	}
	return ps.Err()
}

func (c Config) validateSASL() holdfast.Problems {
	var ps holdfast.Problems
	add := func(path, format string, args ...any) {
		ps = append(ps, holdfast.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if !c.Protocol.sasl() {
		if c.Mechanism != "" {
			add("Mechanism", "%q is set, but protocol %s has no SASL", c.Mechanism, c.protocol())
		}
		if c.Username != "" || !c.Password.IsZero() {
			add("Password", "user name or password is set, but protocol %s has no SASL", c.protocol())
		}
		if !c.OAuth.ClientSecret.IsZero() {
			add("OAuth.ClientSecret", "set, but protocol %s has no SASL", c.protocol())
		}
		return ps
	}
	switch c.Mechanism {
	case Plain, ScramSHA256, ScramSHA512:
		if c.Username == "" {
			add("Username", "empty; %s needs it", c.Mechanism)
		}
		if c.Password.IsZero() || c.Password.Reveal() == "" {
			add("Password", "empty; %s needs it", c.Mechanism)
		}
		if c.DelegationToken && c.Mechanism == Plain {
			add("DelegationToken", "set, but mechanism PLAIN cannot use one; allowed: SCRAM-SHA-256, SCRAM-SHA-512")
		}
	case OAuthBearer:
		if msg := checkTokenURL(c.OAuth.TokenURL); msg != "" {
			add("OAuth.TokenURL", "%s", msg)
		}
		if c.OAuth.ClientID == "" {
			add("OAuth.ClientID", "empty; OAUTHBEARER needs it")
		}
		if c.OAuth.ClientSecret.IsZero() || c.OAuth.ClientSecret.Reveal() == "" {
			add("OAuth.ClientSecret", "empty; OAUTHBEARER needs it")
		}
	case "":
		add("Mechanism", "empty; protocol %s needs one of %s", c.protocol(), allowedMechanisms)
	default:
		add("Mechanism", "%q is not supported; allowed: %s", c.Mechanism, allowedMechanisms)
	}
	return ps
}

// checkTokenURL never repeats the URL: it may hold credentials.
func checkTokenURL(s string) string {
	if s == "" {
		return "empty; OAUTHBEARER needs the token endpoint"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "not a URL"
	case u.Scheme == "file":
		return "a file: URL, that is a token from a file, is not supported; allowed: http, https"
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("scheme %q; allowed: http, https", u.Scheme)
	case u.Host == "":
		return "no host in it"
	case u.User != nil:
		return "holds a user name; set the client id and secret instead"
	}
	return ""
}

// brokerAddr checks one bootstrap address and gives it without the listener
// name that Kafka's ClientUtils allows in front ("SASL_SSL://host:9093").
func brokerAddr(s string) (addr, problem string) {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return "", fmt.Sprintf("%q is not host:port (an IPv6 address goes in brackets)", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fmt.Sprintf("%q: port %q; allowed: 1 to 65535", s, port)
	}
	return net.JoinHostPort(host, port), ""
}

func (c Config) protocol() Protocol {
	if c.Protocol == "" {
		return Plaintext
	}
	return c.Protocol
}

// mechanism is what to say in errors: nothing where SASL is not used.
func (c Config) mechanism() Mechanism {
	if !c.Protocol.sasl() {
		return ""
	}
	return c.Mechanism
}

func (c Config) timeout() time.Duration {
	if c.Timeout == 0 {
		return 10 * time.Second
	}
	return c.Timeout
}
