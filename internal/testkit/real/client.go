package real

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/properties"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// Login is a way to reach a cluster.
type Login struct {
	Protocol Protocol
	// Mechanism for the SASL protocols; empty means PLAIN.
	Mechanism Mechanism
	// User logs in with SASL; with SSL it is the common name of a certificate,
	// which makes the principal "User:CN=" + User, and empty means none.
	User string
	// Password; zero means the right one.
	Password holdfast.Secret
	// Token is shown with OAUTHBEARER in place of one from the token server. It
	// is for Client only: Java clients take no ready token.
	Token holdfast.Secret
}

// adminLogin is the one that the harness itself uses.
func adminLogin() Login { return Login{Protocol: SASLPlaintext, Mechanism: Plain, User: Admin} }

// Bootstrap returns the address of every node's listener for p, running or not.
func (c *Cluster) Bootstrap(p Protocol) []string {
	var addresses []string
	for _, n := range c.nodes {
		addresses = append(addresses, n.Address(p))
	}
	return addresses
}

// Password returns the password of Admin, of one of Options.Users or of a user
// made by AddUser, and the zero Secret for everyone else.
func (c *Cluster) Password(user string) holdfast.Secret {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.users[user].Password
}

// AdminClient is a client of the super user that is closed with the test.
func (c *Cluster) AdminClient(t testing.TB) *kgo.Client {
	t.Helper()
	return c.Client(t, adminLogin())
}

// Client is a client that is closed with the test. Nothing is connected yet:
// whether the login is good shows in the first request.
func (c *Cluster) Client(t testing.TB, login Login, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := c.client(login, append([]kgo.Opt{kgo.SeedBrokers(c.Bootstrap(login.Protocol)...)}, opts...)...)
	if err != nil {
		t.Fatalf("client of kafka: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

func (c *Cluster) client(login Login, opts ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{
		// New topics are a test's daily bread; the default would hold their
		// metadata back for seconds.
		kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.DialTimeout(5 * time.Second),
	}
	if login.Protocol.tls() {
		config := &tls.Config{RootCAs: c.ca.Pool(), MinVersion: tls.VersionTLS12}
		if login.Protocol == SSL && login.User != "" {
			cert, err := c.ca.Issue(pki.Leaf{CommonName: login.User, Client: true})
			if err != nil {
				return nil, err
			}
			config.Certificates = []tls.Certificate{cert.TLS()}
		}
		all = append(all, kgo.DialTLSConfig(config))
	}
	if login.Protocol.sasl() {
		all = append(all, kgo.SASL(c.mechanism(login)))
	}
	return kgo.NewClient(append(all, opts...)...)
}

func (c *Cluster) passwordOf(login Login) holdfast.Secret {
	if login.Password.IsZero() {
		return c.Password(login.User)
	}
	return login.Password
}

func (c *Cluster) mechanism(login Login) sasl.Mechanism {
	password := c.passwordOf(login)
	switch login.Mechanism {
	case SCRAM256:
		return scram.Auth{User: login.User, Pass: password.Reveal()}.AsSha256Mechanism()
	case SCRAM512:
		return scram.Auth{User: login.User, Pass: password.Reveal()}.AsSha512Mechanism()
	case OAuthBearer:
		if !login.Token.IsZero() {
			return oauth.Auth{Token: login.Token.Reveal()}.AsMechanism()
		}
		return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
			if c.opts.OAuth == nil {
				return oauth.Auth{}, fmt.Errorf("the cluster has no Options.OAuth")
			}
			grant := clientcredentials.Config{ClientID: login.User, ClientSecret: password.Reveal(), TokenURL: c.opts.OAuth.TokenURL}
			token, err := grant.Token(ctx)
			if err != nil {
				return oauth.Auth{}, err
			}
			return oauth.Auth{Token: token.AccessToken}, nil
		})
	default:
		return plain.Auth{User: login.User, Pass: password.Reveal()}.AsMechanism()
	}
}

// ClientProperties is a complete configuration of a Java client, with
// bootstrap.servers. The text holds the password; stores are named by path.
func (c *Cluster) ClientProperties(t testing.TB, login Login) string {
	t.Helper()
	return string(properties.Format(c.clientProperties(t, login)))
}

func (c *Cluster) clientProperties(t testing.TB, login Login) (entries []properties.Entry) {
	t.Helper()
	set := func(key, value string) { entries = append(entries, properties.Entry{Key: key, Value: value}) }

	set("bootstrap.servers", strings.Join(c.Bootstrap(login.Protocol), ","))
	set("security.protocol", string(login.Protocol))
	if login.Protocol.tls() {
		set("ssl.truststore.type", "PEM")
		set("ssl.truststore.location", c.truststore())
	}
	if login.Protocol == SSL && login.User != "" {
		path, err := c.clientKeystore(login.User)
		if err != nil {
			t.Fatalf("client properties: %v", err)
		}
		set("ssl.keystore.type", "PEM")
		set("ssl.keystore.location", path)
	}
	if login.Protocol.sasl() {
		if login.Mechanism == "" {
			login.Mechanism = Plain
		}
		set("sasl.mechanism", string(login.Mechanism))
		set("sasl.jaas.config", c.clientJAAS(login))
	}
	if login.Protocol.sasl() && login.Mechanism == OAuthBearer && c.opts.OAuth != nil {
		set("sasl.login.callback.handler.class", oauthPackage+"OAuthBearerLoginCallbackHandler")
		set("sasl.oauthbearer.token.endpoint.url", c.opts.OAuth.TokenURL)
	}
	return entries
}

// clientKeystore writes a user's keystore once, so that nobody reads one that
// is being written again.
func (c *Cluster) clientKeystore(user string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := c.path("clients/" + url.PathEscape(user) + ".pem")
	if fileExists(path) {
		return path, nil
	}
	return path, c.writeKeystore(path, pki.Leaf{CommonName: user, Client: true})
}

// ClientPropertiesFile is ClientProperties in a file of mode 0600, removed with
// the test.
func (c *Cluster) ClientPropertiesFile(t testing.TB, login Login) string {
	t.Helper()
	path := t.TempDir() + "/client.properties"
	if err := os.WriteFile(path, []byte(c.ClientProperties(t, login)), 0o600); err != nil {
		t.Fatalf("client properties: %v", err)
	}
	return path
}

func (c *Cluster) clientJAAS(login Login) string {
	module, user, secret := plainModule, "username", "password"
	switch login.Mechanism {
	case SCRAM256, SCRAM512:
		module = scramModule
	case OAuthBearer:
		module, user, secret = oauthModule, "clientId", "clientSecret"
	}
	password := c.passwordOf(login)
	return module + " required " + user + "=" + jaasQuote(login.User) + " " + secret + "=" + jaasQuote(password.Reveal()) + ";"
}
