package conform

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/holdfast-sec/holdfast"
)

// FakeCluster is a Cluster of embedded brokers. The kfake.Cluster is there for
// tests that make it fail.
type FakeCluster struct {
	*kfake.Cluster

	mu        sync.Mutex
	prefixes  map[testing.TB]string
	passwords map[string]holdfast.Secret
	admin     holdfast.Secret
}

const (
	fakeAdmin   = "admin"
	fakeBrokers = 3
)

// NewFake starts three embedded brokers that end with the test.
func NewFake(t testing.TB, opts ...kfake.Opt) *FakeCluster {
	t.Helper()
	return newFake(t, append([]kfake.Opt{kfake.EnableACLs()}, opts...)...)
}

func newFake(t testing.TB, opts ...kfake.Opt) *FakeCluster {
	t.Helper()
	f := &FakeCluster{prefixes: map[testing.TB]string{}, passwords: map[string]holdfast.Secret{}, admin: holdfast.NewSecret(rand.Text())}
	opts = append([]kfake.Opt{kfake.NumBrokers(fakeBrokers), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", fakeAdmin, f.admin.Reveal())}, opts...)
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatalf("start kfake: %v", err)
	}
	t.Cleanup(c.Close)
	f.Cluster = c
	return f
}

// Kind is Fake.
func (f *FakeCluster) Kind() Kind { return Fake }

// Brokers is three.
func (f *FakeCluster) Brokers() int { return fakeBrokers }

// Prefix numbers the tests, so that none is a prefix of another.
func (f *FakeCluster) Prefix(t testing.TB) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.prefixes[t]; !ok {
		f.prefixes[t] = fmt.Sprintf("f%d-", len(f.prefixes)+1)
	}
	return f.prefixes[t]
}

// Admin logs in with PLAIN.
func (f *FakeCluster) Admin(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	return f.client(t, append([]kgo.Opt{kgo.SASL(plain.Auth{User: fakeAdmin, Pass: f.admin.Reveal()}.AsMechanism())}, opts...)...)
}

// Impostor shows PLAIN a wrong password.
func (f *FakeCluster) Impostor(t testing.TB) *kgo.Client {
	t.Helper()
	return f.client(t, kgo.SASL(plain.Auth{User: fakeAdmin, Pass: "wrong"}.AsMechanism()), noRetries())
}

// AdminProperties logs in with PLAIN.
func (f *FakeCluster) AdminProperties(testing.TB) string {
	return "bootstrap.servers=" + strings.Join(f.ListenAddrs(), ",") + `
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="` + fakeAdmin + `" password="` + f.admin.Reveal() + `";
`
}

// User logs in with SCRAM-SHA-512.
func (f *FakeCluster) User(t testing.TB, name string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	f.mu.Lock()
	password, ok := f.passwords[name]
	if !ok {
		password = holdfast.NewSecret(rand.Text())
		f.passwords[name] = password
	}
	f.mu.Unlock()
	if !ok {
		// kfake tells every client 4096 iterations, whatever is stored.
		upsert := kadm.UpsertSCRAM{User: name, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: password.Reveal()}
		altered, err := kadm.NewClient(f.Admin(t)).AlterUserSCRAMs(context.Background(), nil, []kadm.UpsertSCRAM{upsert})
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			t.Fatalf("add user %q to kfake: %v", name, err)
		}
	}
	return f.client(t, append([]kgo.Opt{kgo.SASL(scram.Auth{User: name, Pass: password.Reveal()}.AsSha512Mechanism())}, opts...)...)
}

func (f *FakeCluster) client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(f.ListenAddrs()...)}, opts...)...)
	if err != nil {
		t.Fatalf("client of kfake: %v", err)
	}
	t.Cleanup(cl.Close)
	return cl
}
