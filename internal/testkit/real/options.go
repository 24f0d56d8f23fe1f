package real

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// Protocol is Kafka's security.protocol. Every cluster has a listener for each.
type Protocol string

// The protocols. SSL asks for a client certificate and takes its subject as the
// principal, "User:CN=alice"; Plaintext makes everybody "User:ANONYMOUS".
const (
	Plaintext     Protocol = "PLAINTEXT"
	SASLPlaintext Protocol = "SASL_PLAINTEXT"
	SSL           Protocol = "SSL"
	SASLSSL       Protocol = "SASL_SSL"
)

var protocols = []Protocol{Plaintext, SASLPlaintext, SSL, SASLSSL}

func (p Protocol) sasl() bool { return strings.HasPrefix(string(p), "SASL") }
func (p Protocol) tls() bool  { return strings.HasSuffix(string(p), "SSL") }

// Mechanism is Kafka's sasl.mechanism.
type Mechanism string

// The mechanisms. OAuthBearer needs [Options.OAuth].
const (
	Plain       Mechanism = "PLAIN"
	SCRAM256    Mechanism = "SCRAM-SHA-256"
	SCRAM512    Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

// Admin is the super user that every cluster has, with a certificate, for PLAIN
// and for SCRAM.
const Admin = "admin"

// User is someone who may log in with a password. Certificates are issued to
// any name.
type User struct {
	Name     string
	Password holdfast.Secret // zero means a random one
	// Mechanisms are where the password is known to the brokers. Nil means
	// PLAIN and both SCRAM ones. With OAUTHBEARER the password is the secret
	// that the client shows to the token server; brokers do not know it.
	Mechanisms []Mechanism
}

func (u User) has(m Mechanism) bool { return slices.Contains(u.Mechanisms, m) }

// OAuth says whose tokens the brokers accept. The key set must be served before
// the cluster starts; see internal/testkit/tokenserver.
type OAuth struct {
	TokenURL string // where clients ask; brokers do not
	JWKSURL  string
	Issuer   string
	Audience string
}

// Options describe an exclusive cluster.
type Options struct {
	// Version is "4.4.0", "4.3.1" or, with ZooKeeper and AclAuthorizer, "3.9.2".
	// Empty means "4.4.0".
	Version string
	// Nodes is 1 or 3; zero means 1. In KRaft mode each is broker and
	// controller. Three have replication factor 3 and min.insync.replicas 2 for
	// internal topics.
	Nodes int
	// Users beside Admin. Nil means alice and bob.
	Users []User
	// SuperUsers are principals like "User:CN=root", beside those of Admin.
	SuperUsers []string
	// AllowEveryone sets allow.everyone.if.no.acl.found.
	AllowEveryone bool
	// ClientAuth is ssl.client.auth of the SSL listener; empty means "required".
	ClientAuth string
	// OAuth enables OAUTHBEARER on the SASL listeners.
	OAuth *OAuth
	// ClassPath is a directory or jar behind Kafka's own, with classes that
	// Properties name.
	ClassPath string
	// Properties are added to every node's server.properties and win over the
	// harness's own.
	Properties map[string]string

	archiveTo string // see Archive
}

// withDefaults fills in what was left out, or says what is wrong.
func (o Options) withDefaults() (Options, error) {
	if o.Version == "" {
		o.Version = "4.4.0"
	}
	if _, err := componentOf(o.Version); err != nil {
		return o, err
	}
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Nodes != 1 && o.Nodes != 3 {
		return o, fmt.Errorf("options: %d nodes, want 1 or 3", o.Nodes)
	}
	if o.ClientAuth == "" {
		o.ClientAuth = "required"
	}
	if o.Users == nil {
		o.Users = []User{{Name: "alice"}, {Name: "bob"}}
	}
	users := []User{{Name: Admin}}
	for _, u := range o.Users {
		if slices.ContainsFunc(users, func(v User) bool { return v.Name == u.Name }) {
			return o, fmt.Errorf("options: user %q twice", u.Name)
		}
		users = append(users, u)
	}
	for i := range users {
		if users[i].Password.IsZero() {
			users[i].Password = holdfast.NewSecret(rand.Text())
		}
		if users[i].Mechanisms == nil {
			users[i].Mechanisms = []Mechanism{Plain, SCRAM256, SCRAM512}
		}
	}
	o.Users = users
	return o, nil
}

// zookeeper reports whether this version runs in ZooKeeper mode here.
func (o Options) zookeeper() bool { return strings.HasPrefix(o.Version, "3.") }

// mechanisms of the SASL listeners.
func (o Options) mechanisms() []Mechanism {
	all := []Mechanism{Plain, SCRAM256, SCRAM512}
	if o.OAuth != nil {
		all = append(all, OAuthBearer)
	}
	return all
}
