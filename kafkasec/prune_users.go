package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// KindBrokerConfig is the kind of an [Unread] that names a broker whose own
// configuration could not be read, so that nobody knows whether brokers log in
// with a credential that is to be pruned.
const KindBrokerConfig = "broker-config"

// scopeUsers are the SCRAM users in scope, sorted: the principals that can be one.
func (s Scope) scopeUsers() []string {
	var names []string
	for _, p := range s.Principals {
		if name, ok := strings.CutPrefix(p, userPrincipal("")); ok && userName(name) == nil {
			names = append(names, name)
		}
	}
	return distinct(names)
}

// undeclaredCredentials are those of the state that prune.users would delete,
// in order, and the number of all in scope.
func (s Spec) undeclaredCredentials(state State) (undeclared []Credential, total int) {
	declared := map[Credential]bool{}
	for _, u := range s.Users {
		for _, m := range u.Mechanisms {
			declared[Credential{User: u.Name, Mechanism: m}] = true
		}
	}
	for _, name := range s.Scope.scopeUsers() {
		for _, m := range slices.Sorted(maps.Keys(state.Users[name])) {
			total++
			if !declared[Credential{User: name, Mechanism: m}] {
				undeclared = append(undeclared, Credential{User: name, Mechanism: m, Iterations: state.Users[name][m]})
			}
		}
	}
	return undeclared, total
}

func (p *Plan) pruneUsers(s Spec, state State, v *validator, unread unreadIndex) {
	for _, name := range s.Scope.scopeUsers() {
		if u, ok := unread.find(KindScramUser, name); ok {
			p.Unread = append(p.Unread, Unread{KindScramUser, name, u.Err})
		}
	}
	for _, u := range state.Unread {
		if u.Kind == KindBrokerConfig {
			p.Unread = append(p.Unread, u)
		}
	}
	undeclared, total := s.undeclaredCredentials(state)
	var names, mine, brokers []string
	for _, cred := range undeclared {
		c := Change{holdfast.ActionDelete, KindScramUser, cred.String(), reasonNotDeclared, cred, nil}
		if err := c.check(); err != nil {
			p.Unread = append(p.Unread, Unread{KindScramUser, cred.String(), fmt.Errorf("not declared, and cannot be deleted: %w", err)})
			continue
		}
		names = append(names, cred.String())
		switch {
		case state.Self.keeps(c):
			mine = append(mine, cred.String())
		case !s.Prune.BrokerCredentials && slices.Contains(state.BrokerMechanisms, cred.Mechanism):
			brokers = append(brokers, cred.String())
		case s.Prune.BrokerCredentials || !unread.has(KindBrokerConfig):
			p.Changes = append(p.Changes, c)
		}
	}
	if len(mine) > 0 {
		v.add("prune.users", "%s not declared, of the user that this client logs in as: declare them, or take %s out of scope.principals: %s",
			count(len(mine), "credential is", "credentials are"), userPrincipal(state.Self.User), firstOf(mine))
	}
	if len(brokers) > 0 {
		v.add("prune.users", "%s not declared, of a mechanism with which brokers log in to each other, and they do not say as whom: declare those of the brokers, and set prune.broker_credentials: true to delete the others: %s",
			count(len(brokers), "credential is", "credentials are"), firstOf(brokers))
	}
	v.checkLimits(s.Prune, KindScramUser, names, total)
}

func (x unreadIndex) has(kind string) bool {
	for k := range x {
		if k.kind == kind {
			return true
		}
	}
	return false
}

// readBrokerMechanisms asks every broker for the SCRAM mechanisms with which
// nodes log in to each other. As whom is in their JAAS configuration, and who has
// the rights of a broker mostly in super.users; both are hidden as sensitive
// (ConfigHelper.createBrokerConfigEntry, 3.9 and 4.4).
func (r *Reconciler) readBrokerMechanisms(ctx context.Context, brokers []int32, state *State) error {
	if err := dial.Require(ctx, r.anyBroker(), reading{configs: map[string][]string{"": nil}}.needs()...); err != nil {
		return err
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	answered := map[string]error{}
	for _, b := range brokers {
		res := kmsg.NewDescribeConfigsRequestResource()
		res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(b))
		res.ConfigNames = []string{"sasl.mechanism.inter.broker.protocol", "sasl.mechanism.controller.protocol"}
		req.Resources = append(req.Resources, res)
		answered[res.ResourceName] = errors.New("describe configs: the broker did not answer")
	}
	shards, err := r.shards(ctx, req)
	if err != nil {
		return fmt.Errorf("read broker configs: %w", err)
	}
	found := map[ScramMechanism]bool{}
	for _, shard := range shards {
		if shard.Err != nil {
			for _, res := range shard.Req.(*kmsg.DescribeConfigsRequest).Resources {
				answered[res.ResourceName] = fmt.Errorf("describe configs: %w", shard.Err)
			}
			continue
		}
		for _, res := range shard.Resp.(*kmsg.DescribeConfigsResponse).Resources {
			answered[res.ResourceName] = nil
			if err := brokerError(res.ErrorCode, res.ErrorMessage, "DescribeConfigs on the cluster"); err != nil {
				answered[res.ResourceName] = fmt.Errorf("describe configs: %w", err)
			}
			for _, c := range res.Configs {
				if c.Value != nil && ScramMechanism(*c.Value).check() == nil {
					found[ScramMechanism(*c.Value)] = true
				}
			}
		}
	}
	state.BrokerMechanisms = slices.Sorted(maps.Keys(found))
	for _, b := range sortedKeys(answered) {
		if answered[b] != nil {
			state.Unread = append(state.Unread, Unread{KindBrokerConfig, b, answered[b]})
		}
	}
	return nil
}
