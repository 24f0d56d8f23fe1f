package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// kafka is an embedded cluster of three brokers on which clients log in and
// nobody but admin may do anything without an ACL.
type kafka struct {
	*kfake.Cluster
	brokers   []string
	passwords map[string]holdfast.Secret // by user
}

// The team next door, whose topic and binding are there from the start.
const (
	foreignUser  = "erp"
	foreignTopic = "billing"
)

const mechanism = "SCRAM-SHA-512"

func startKafka(s *stage) (*kafka, error) {
	k := &kafka{passwords: map[string]holdfast.Secret{}}
	opts := []kfake.Opt{
		kfake.NumBrokers(3), kfake.EnableSASL(), kfake.EnableACLs(), kfake.ClusterID("quickstart"), kfake.ListenFn(s.listen),
		kfake.SeedTopics(1, foreignTopic),
	}
	for _, user := range []string{"admin", "user1", "user2", "user3", "user4", foreignUser} {
		password := s.secret()
		k.passwords[user] = password
		switch user {
		case "admin":
			opts = append(opts, kfake.Superuser(mechanism, user, password.Reveal()))
		case foreignUser:
			opts = append(opts, kfake.User(mechanism, user, password.Reveal(), kfake.ACL{
				Resource: kmsg.ACLResourceTypeTopic, Name: foreignTopic, Pattern: kmsg.ACLResourcePatternTypeLiteral,
				Operation: kmsg.ACLOperationWrite, Allow: true,
			}))
		default:
			opts = append(opts, kfake.User(mechanism, user, password.Reveal()))
		}
	}
	var err error
	if k.Cluster, err = kfake.NewCluster(opts...); err != nil {
		return nil, fmt.Errorf("start kafka: %w", err)
	}
	k.brokers = k.ListenAddrs()
	for _, addr := range k.brokers {
		if at, err := netip.ParseAddrPort(addr); err != nil || !at.Addr().IsLoopback() {
			k.Close()
			return nil, notSo("embedded servers listen on a loopback address; found %s", addr)
		}
	}
	return k, nil
}

// clientProperties is the file of a user, for Java and for dial.
func clientProperties(user string) string {
	return `security.protocol=SASL_PLAINTEXT
sasl.mechanism=` + mechanism + `
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
  username="` + user + `" password="${env:KAFKA_PASSWORD}";
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
`
}

// config reads the user's file. The reference in it is answered with the
// password that was made up for this run.
func (k *kafka) config(ctx context.Context, user string) (dial.Config, error) {
	cfg, err := dial.ParseProperties(ctx, user+".properties", []byte(clientProperties(user)), dial.ParseOptions{
		Resolve: func(_ context.Context, ref string) (holdfast.Secret, error) {
			if ref != "env:KAFKA_PASSWORD" {
				return holdfast.Secret{}, fmt.Errorf("found a reference to %q: allowed is env:KAFKA_PASSWORD", ref)
			}
			return k.passwords[user], nil
		},
	})
	cfg.Brokers = k.brokers
	return cfg, err
}

// client is an ordinary client, logged in as the user.
func (k *kafka) client(ctx context.Context, user string, more ...kgo.Opt) (*kgo.Client, error) {
	cfg, err := k.config(ctx, user)
	if err != nil {
		return nil, err
	}
	opts, err := cfg.Options()
	if err != nil {
		return nil, err
	}
	return kgo.NewClient(append(opts, more...)...)
}

// guess tries to log in with a password that is not the user's.
func (k *kafka) guess(ctx context.Context, user string, password holdfast.Secret) error {
	cfg, err := k.config(ctx, user)
	if err != nil {
		return err
	}
	cfg.Password = password
	cl, err := dial.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	cl.Close()
	return nil
}

// patience is for one try of a client, which takes milliseconds: what hangs
// should end as an error that says where.
const patience = 20 * time.Second

// produce sends one record. The error holds the broker's code, if it refused.
func (k *kafka) produce(ctx context.Context, user, topic, value string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// An idempotent producer asks for an id first, which a broker grants to whoever
	// may write to any topic (KIP-679); without, the refusal is that of the topic.
	cl, err := k.client(ctx, user, kgo.DisableIdempotentWrite())
	if err != nil {
		return err
	}
	defer cl.Close()
	return cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr()
}

// consume reads n records of a topic from its start, as a member of the group.
func (k *kafka) consume(ctx context.Context, user, group, topic string, n int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cl, err := k.client(ctx, user, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	var values []string
	for len(values) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return values, err
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values, nil
}

// refusal says why a broker refused a login or an operation, "" if it did not.
func refusal(err error) string {
	var login *dial.Error
	if errors.As(err, &login) && login.Cause == dial.CauseCredentials {
		return string(login.Cause)
	}
	var code *kerr.Error
	if errors.As(err, &code) && strings.HasSuffix(code.Message, "_AUTHORIZATION_FAILED") {
		return code.Message
	}
	return ""
}
