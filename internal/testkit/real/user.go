package real

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast"
)

// AddUser creates SCRAM credentials (both mechanisms) for a user and returns
// when every running node takes them. They are deleted with the test.
func (c *Cluster) AddUser(t testing.TB, name string, password holdfast.Secret) {
	t.Helper()
	u := User{Name: name, Password: password, Mechanisms: []Mechanism{SCRAM256, SCRAM512}}
	c.mu.Lock()
	_, taken := c.users[name]
	if !taken {
		c.users[name] = u
	}
	c.mu.Unlock()
	if taken {
		t.Fatalf("add user %q: the cluster has it already", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := c.createUsers(ctx, u); err != nil {
		t.Fatalf("add user %q: %v", name, err)
	}
	t.Cleanup(func() { c.removeUser(name) })
}

// removeUser does what it can: the test may have stopped the cluster, or
// deleted the user itself.
func (c *Cluster) removeUser(name string) {
	c.mu.Lock()
	delete(c.users, name)
	c.mu.Unlock()
	client, err := c.client(adminLogin(), kgo.SeedBrokers(c.runningBootstrap()...))
	if err != nil {
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, m := range scramMechanisms() {
		_, _ = kadm.NewClient(client).AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: name, Mechanism: m.kadm}}, nil)
	}
}

// scramMechanisms are handled one per request: KRaft answers DUPLICATE_RESOURCE
// to a request that names a user twice, also with different mechanisms
// (ScramControlManager of 4.4.0; brokers in ZooKeeper mode accept it).
func scramMechanisms() []scramMechanism {
	return []scramMechanism{{SCRAM256, kadm.ScramSha256}, {SCRAM512, kadm.ScramSha512}}
}

type scramMechanism struct {
	name Mechanism
	kadm kadm.ScramMechanism
}

// createUsers creates the SCRAM credentials of users, which also proves that
// the controller writes, and waits until each can log in to each running node:
// neither KRaft nor ZooKeeper tells all brokers at once.
func (c *Cluster) createUsers(ctx context.Context, users ...User) error {
	client, err := c.client(adminLogin(), kgo.SeedBrokers(c.runningBootstrap()...))
	if err != nil {
		return err
	}
	defer client.Close()
	for _, m := range scramMechanisms() {
		var upserts []kadm.UpsertSCRAM
		for _, u := range users {
			if u.has(m.name) {
				upserts = append(upserts, kadm.UpsertSCRAM{User: u.Name, Mechanism: m.kadm, Iterations: 4096, Password: u.Password.Reveal()})
			}
		}
		if len(upserts) == 0 {
			continue
		}
		altered, err := kadm.NewClient(client).AlterUserSCRAMs(ctx, nil, upserts)
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			return fmt.Errorf("create %s users: %w", m.name, err)
		}
		for _, u := range upserts {
			login := Login{Protocol: SASLPlaintext, Mechanism: m.name, User: u.User, Password: holdfast.NewSecret(u.Password)}
			if err := c.awaitLogin(ctx, login); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Cluster) awaitLogin(ctx context.Context, login Login) error {
	for _, n := range c.nodes {
		if !n.Running() {
			continue
		}
		if err := c.poll(ctx, n, login, answers); err != nil {
			return fmt.Errorf("log in to node %d as %s with %s: %w", n.ID, login.User, login.Mechanism, err)
		}
	}
	return nil
}

func (c *Cluster) runningBootstrap() []string {
	running := slices.DeleteFunc(slices.Clone(c.nodes), func(n *Node) bool { return !n.Running() })
	var addresses []string
	for _, n := range running {
		addresses = append(addresses, n.Address(SASLPlaintext))
	}
	return addresses
}
