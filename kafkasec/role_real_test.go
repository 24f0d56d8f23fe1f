package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// Least privilege, with a real client on a real broker: with the bindings of the
// role it works, and without any one of them it is refused.
func TestReal_RolesAreWhatClientsNeed(t *testing.T) {
	c := real.Kafka(t)
	newSite(t, conform.Real(c)).awaitCoordinators()
	prove := func(name, roles string, work func(s *site) error) {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, conform.Real(c))
			spec := s.spec(`
scope: {topics: ["~t"], principals: ["User:~p"]}
topics: [{name: "~t", partitions: 1}]
roles: [{principal: "User:~p", ` + roles + `}]
`)
			s.provesLeastPrivilege(spec, work)
		})
	}

	for name, opts := range map[string][]kgo.Opt{"plain": {kgo.DisableIdempotentWrite()}, "idempotent": nil} {
		prove("producer/"+name, `role: producer, topics: ["~t"], idempotent: true`, func(s *site) error {
			return s.produces(s.User(s.T, s.prefix+"p", opts...), "t")
		})
	}
	prove("producer/transactional", `role: producer, topics: ["~t"], transactional_ids: ["~x"]`, (*site).transacts)
	prove("producer/prefixes", `role: producer, topics: ["~*"], transactional_ids: ["~*"]`, (*site).transacts)
	prove("consumer", `role: consumer, topics: ["~t"], groups: ["~g"]`, func(s *site) error {
		require.NoError(s, s.produces(s.Admin(s.T), "t")) // a record of its own for each
		return s.consumes("p", "g", "t")
	})
	prove("read-only-admin", `role: read-only-admin`, (*site).looksAround)

	java := func(do, properties string) func(*site) error {
		return func(s *site) error {
			s.User(s.T, s.prefix+"p") // who must exist
			if do == "consume" {
				require.NoError(s, s.produces(s.Admin(s.T), "t"))
			}
			login := real.Login{Protocol: real.SASLPlaintext, Mechanism: real.SCRAM256, User: s.prefix + "p"}
			text := c.ClientProperties(s.T, login) + strings.ReplaceAll(properties, "~", s.prefix) + "\n"
			var answers []struct{ Error string }
			oracle.Start(s.T, oracle.Options{Main: "ClientOracle"}).Ask(s.T, []map[string]string{{"properties": text, "do": do, "topic": s.prefix + "t"}}, &answers)
			return javaError(answers[0].Error)
		}
	}
	prove("java/producer/plain", `role: producer, topics: ["~t"]`, java("produce", "enable.idempotence=false"))
	prove("java/producer/idempotent", `role: producer, topics: ["~t"], idempotent: true`, java("produce", "enable.idempotence=true"))
	prove("java/producer/transactional", `role: producer, topics: ["~t"], transactional_ids: ["~x"]`, java("transact", "transactional.id=~x"))
	for _, protocol := range []string{"classic", "consumer"} {
		prove("java/consumer/"+protocol, `role: consumer, topics: ["~t"], groups: ["~g"]`, java("consume", "group.id=~g\ngroup.protocol="+protocol))
	}
}

// provesLeastPrivilege shows that work succeeds with the bindings of the spec's
// one role, and is refused without any one of them.
func (s *site) provesLeastPrivilege(spec Spec, work func(s *site) error) {
	s.apply(spec)
	require.NoError(s, work(s))
	for _, b := range spec.Roles[0].expand() {
		without := aclOf(b)
		without.State = Absent
		s.apply(Spec{Scope: spec.Scope, ACLs: []ACL{without}})
		require.ErrorContains(s, work(s), "AUTHORIZATION_FAILED", "without %s", b)
		s.apply(spec)
	}
	require.NoError(s, work(s))
}

// javaError is what a Java client threw, in Kafka's words:
// TopicAuthorizationException is Java's for TOPIC_AUTHORIZATION_FAILED. "" is nil.
func javaError(classes string) error {
	if classes == "" {
		return nil
	}
	return errors.New(strings.ReplaceAll(classes, "AuthorizationException", "_AUTHORIZATION_FAILED"))
}

// awaitCoordinators waits for the topics of groups and transactions, which a new
// cluster makes when they are first asked for.
func (s *site) awaitCoordinators() {
	adm := kadm.NewClient(s.Admin(s.T))
	require.NoError(s, poll.Until(s.Context(), poll.Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}, func(ctx context.Context) (bool, error) {
		_, groups := adm.DescribeGroups(ctx, "g")
		_, transactions := adm.DescribeTransactions(ctx, "x")
		return groups == nil && transactions == nil, nil
	}))
}

// transacts commits one record in a transaction.
func (s *site) transacts() error {
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	cl := s.User(s.T, s.prefix+"p", kgo.TransactionalID(s.prefix+"x"))
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	if err := s.produces(cl, "t"); err != nil {
		return err
	}
	return cl.EndTransaction(ctx, kgo.TryCommit)
}

// looksAround looks at everything that a read-only admin may see.
func (s *site) looksAround() error {
	cl := s.User(s.T, s.prefix+"p", kgo.MetadataMinAge(10*time.Millisecond))
	defer cl.Close()
	adm := kadm.NewClient(cl)
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()

	topics, err := adm.ListTopics(ctx, s.prefix+"t")
	if err == nil {
		err = topics.Error()
	}
	errs := []error{err}
	groups, err := adm.DescribeGroups(ctx, s.prefix+"g")
	if err == nil && !errors.Is(groups.Error(), kerr.GroupIDNotFound) {
		err = groups.Error()
	}
	errs = append(errs, err)
	txns, err := adm.DescribeTransactions(ctx, s.prefix+"x")
	for _, txn := range txns {
		if !errors.Is(txn.Err, kerr.TransactionalIDNotFound) {
			errs = append(errs, txn.Err)
		}
	}
	errs = append(errs, err)
	acls, err := adm.DescribeACLs(ctx, kadm.NewACLs().AnyResource().Allow().AllowHosts().Deny().DenyHosts().Operations().ResourcePatternType(kadm.ACLPatternAny))
	for _, a := range acls {
		errs = append(errs, a.Err)
	}
	errs = append(errs, err)
	_, err = adm.DescribeUserSCRAMs(ctx)
	errs = append(errs, err)
	_, err = adm.DescribeClientQuotas(ctx, false, nil)
	errs = append(errs, err)
	for typ, name := range map[kmsg.ConfigResourceType]string{
		kmsg.ConfigResourceTypeTopic: s.prefix + "t", kmsg.ConfigResourceTypeBroker: "1", kmsg.ConfigResourceTypeGroupConfig: s.prefix + "g",
	} {
		errs = append(errs, describesConfigs(ctx, cl, typ, name))
	}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}

func describesConfigs(ctx context.Context, cl *kgo.Client, typ kmsg.ConfigResourceType, name string) error {
	req := kmsg.NewPtrDescribeConfigsRequest()
	r := kmsg.NewDescribeConfigsRequestResource()
	r.ResourceType, r.ResourceName = typ, name
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	if len(resp.Resources) != 1 {
		return fmt.Errorf("configs of %s %s: %d answers", typ, name, len(resp.Resources))
	}
	return kerr.ErrorForCode(resp.Resources[0].ErrorCode)
}
