package tlsprobe

import (
	"maps"
	"slices"
)

// Upgrade is how a connection gets from its own protocol to TLS.
type Upgrade string

// The upgrades. Kafka, Cassandra, MongoDB, Redis, etcd and the Kubernetes API
// speak TLS from the first byte: they need [Direct].
const (
	// Direct is TLS from the first byte. It is what the empty string means.
	Direct Upgrade = "tls"
	// Auto picks by the port, see [UpgradeOf].
	Auto       Upgrade = "auto"
	SMTP       Upgrade = "smtp"
	LMTP       Upgrade = "lmtp"
	IMAP       Upgrade = "imap"
	POP3       Upgrade = "pop3"
	FTP        Upgrade = "ftp"
	NNTP       Upgrade = "nntp"
	Sieve      Upgrade = "sieve"
	IRC        Upgrade = "irc"
	XMPP       Upgrade = "xmpp"
	XMPPServer Upgrade = "xmpp-server"
	LDAP       Upgrade = "ldap"
	Postgres   Upgrade = "postgres"
	MySQL      Upgrade = "mysql"
	MSSQL      Upgrade = "mssql"
	RDP        Upgrade = "rdp"
	NATS       Upgrade = "nats"
)

// dialogue is what an upgrade does before TLS begins.
type dialogue struct {
	// port is where the upgrade lives (IANA's registry, and what the servers
	// themselves ship with).
	port uint16
	run  func(*talk) error
}

var dialogues = map[Upgrade]dialogue{
	SMTP:       {25, smtp("EHLO")},
	LMTP:       {24, smtp("LHLO")},
	IMAP:       {143, imap},
	POP3:       {110, pop3},
	FTP:        {21, ftp},
	NNTP:       {119, nntp},
	Sieve:      {4190, sieve},
	IRC:        {6667, irc},
	XMPP:       {5222, xmpp("jabber:client")},
	XMPPServer: {5269, xmpp("jabber:server")},
	LDAP:       {389, ldap},
	Postgres:   {5432, postgres},
	MySQL:      {3306, mysql},
	MSSQL:      {1433, mssql},
	RDP:        {3389, rdp},
	NATS:       {4222, nats},
}

// alsoOn are further ports where an upgrade is usual.
var alsoOn = map[uint16]Upgrade{587: SMTP, 2525: SMTP, 3268: LDAP, 6432: Postgres}

// Upgrades returns every upgrade that has a dialogue, sorted.
func Upgrades() []Upgrade { return slices.Sorted(maps.Keys(dialogues)) }

// UpgradeOf returns the upgrade that is usual on port, or [Direct].
func UpgradeOf(port uint16) Upgrade {
	if u, ok := alsoOn[port]; ok {
		return u
	}
	for u, d := range dialogues {
		if d.port == port {
			return u
		}
	}
	return Direct
}

// Port returns the port where the upgrade lives, 443 for [Direct].
func (u Upgrade) Port() uint16 {
	if d, ok := dialogues[u]; ok {
		return d.port
	}
	return 443
}
