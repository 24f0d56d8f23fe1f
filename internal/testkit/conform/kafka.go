package conform

import (
	"crypto/rand"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// Real is a Cluster of real brokers.
func Real(c *real.Cluster) Cluster { return kafka{c} }

type kafka struct{ *real.Cluster }

var kinds = map[string]Kind{"4.4.0": Kafka44, "4.3.1": Kafka43, "3.9.2": ZooKeeper}

func (k kafka) Kind() Kind   { return kinds[k.Version()] }
func (k kafka) Brokers() int { return len(k.Nodes()) }

func (k kafka) Admin(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	return k.Client(t, real.Login{Protocol: real.SASLPlaintext, User: real.Admin}, opts...)
}

func (k kafka) AdminProperties(t testing.TB) string {
	return k.ClientProperties(t, real.Login{Protocol: real.SASLPlaintext, User: real.Admin})
}

func (k kafka) Impostor(t testing.TB) *kgo.Client {
	return k.Client(t, real.Login{Protocol: real.SASLPlaintext, User: real.Admin, Password: holdfast.NewSecret("wrong")}, noRetries())
}

// noRetries: a client that may try again would take seconds to say that it is
// refused.
func noRetries() kgo.Opt { return kgo.RequestRetries(0) }

func (k kafka) User(t testing.TB, name string, opts ...kgo.Opt) *kgo.Client {
	if k.Password(name).IsZero() {
		k.AddUser(t, name, holdfast.NewSecret(rand.Text()))
	}
	return k.Client(t, real.Login{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM512, User: name}, opts...)
}
