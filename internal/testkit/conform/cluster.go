package conform

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Cluster is a Kafka under test with SASL and ACLs.
type Cluster interface {
	Kind() Kind
	// Brokers is how many it was started with.
	Brokers() int
	// Prefix begins every name that the test may use: topics, groups, users.
	// It is the same for each call with the same t.
	Prefix(t testing.TB) string
	// Admin is a new client of the super user, closed with the test.
	Admin(t testing.TB, opts ...kgo.Opt) *kgo.Client
	// AdminProperties is the super user's Java client configuration, with
	// bootstrap.servers. It holds the password.
	AdminProperties(t testing.TB) string
	// Impostor is a new client of the super user with a wrong password.
	Impostor(t testing.TB) *kgo.Client
	// User is a new client of a user, closed with the test. The first call
	// makes the user; its principal is "User:" + name.
	User(t testing.TB, name string, opts ...kgo.Opt) *kgo.Client
}

// Kind is what sort of Kafka answers.
type Kind string

// The kinds. What Kafka44 does is what the others are measured by.
const (
	Kafka44   Kind = "kafka 4.4"           // KRaft, StandardAuthorizer
	Kafka43   Kind = "kafka 4.3"           // likewise
	ZooKeeper Kind = "kafka 3.9/zookeeper" // AclAuthorizer
	Fake      Kind = "kfake"
)
