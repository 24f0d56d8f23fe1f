package kafkasec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/poll"
)

// waitVisible waits until every live broker knows what was written, so that
// the next Observe, whichever broker answers it, sees it. Brokers follow the
// metadata log (in ZooKeeper mode: change notifications) in order, so it is
// enough to look for the last of each kind.
func (a *applier) waitVisible(ctx context.Context, last []int) error {
	for _, i := range last {
		c := a.plan.Changes[i].withoutLogin() // brokers describe the rest
		for _, broker := range a.who.brokers {
			err := poll.Until(ctx, poll.Backoff{Initial: firstBackoff, Max: 4 * firstBackoff}, func(wait context.Context) (bool, error) {
				err := a.r.visible(wait, broker, c)
				if err == nil || wait.Err() != nil {
					return err == nil, err // cut off, it says less than what was found before
				}
				a.findController(wait)
				if !slices.Contains(a.who.brokers, broker) {
					return true, nil // it left; nobody will be answered by it
				}
				return false, poll.NotYet{Reason: err}
			})
			if err != nil {
				return fmt.Errorf("%w: broker %d does not show %s %s %s: %w", ErrNotVisible, broker, c.Action, c.Kind, c.Name, err)
			}
		}
	}
	return nil
}

// lastOf returns the last change of each stage's kind of object among the items,
// which are in plan order.
func (a *applier) lastOf(items []int) []int {
	of := map[string]int{}
	for _, i := range items {
		switch c := a.plan.Changes[i]; c.Kind {
		case KindACL, KindScramUser, KindQuota, KindTopicConfig:
			of[c.Kind] = i
		default:
			of[KindTopic] = i
		}
	}
	return slices.Sorted(maps.Values(of))
}

var errNotThere = errors.New("not there yet")

// visible asks one broker whether the change shows. A broker that is away is
// asked again until the time is up, because it may come back with an old view.
func (r *Reconciler) visible(ctx context.Context, broker int32, c Change) error {
	var state State
	if c.Kind == KindScramUser {
		if err := r.visibleUser(ctx, broker, c, &state); err != nil {
			return err
		}
	} else if c.Kind == KindQuota {
		if err := r.visibleQuota(ctx, broker, c, &state); err != nil {
			return err
		}
	} else if c.Kind == KindACL {
		b := c.binding()
		req := kmsg.NewPtrDescribeACLsRequest()
		req.ResourceType, req.ResourcePatternType = b.Resource.wire()
		req.ResourceName, req.Principal, req.Host = &b.Resource.Name, &b.Principal, &b.Host
		req.Operation, req.PermissionType = b.Operation.wire(), b.Permission.wire()
		kresp, err := r.ask(ctx, broker, req)
		if err != nil {
			return err
		}
		resp := kresp.(*kmsg.DescribeACLsResponse)
		if err := brokerError(resp.ErrorCode, resp.ErrorMessage, "Describe on the cluster"); err != nil {
			return err
		}
		state.ACLs = bindingsOf(resp)
	} else {
		req := kmsg.NewPtrMetadataRequest()
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &c.Name
		req.Topics, req.AllowAutoTopicCreation = []kmsg.MetadataRequestTopic{t}, false
		kresp, err := r.ask(ctx, broker, req)
		if err != nil {
			return err
		}
		state.Topics = map[string]TopicState{}
		r.readTopics(kresp.(*kmsg.MetadataResponse), &state)
		if c.Kind == KindTopicConfig {
			if err := r.visibleConfigs(ctx, broker, c, &state); err != nil {
				return err
			}
		} else if after, ok := c.After.(TopicData); ok {
			after.Configs = nil // configs stand before the topic in the log
			c.After = after
		}
	}
	standing, err := newLive(state).compare(c)
	if err != nil {
		return err
	}
	if standing != isAfter {
		return errNotThere
	}
	return nil
}

func (r *Reconciler) visibleConfigs(ctx context.Context, broker int32, c Change, state *State) error {
	after, _ := c.After.(TopicData)
	req := kmsg.NewPtrDescribeConfigsRequest()
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, c.Name
	for k := range after.Configs {
		res.ConfigNames = append(res.ConfigNames, k)
	}
	req.Resources = append(req.Resources, res)
	kresp, err := r.ask(ctx, broker, req)
	if err != nil {
		return err
	}
	resp := kresp.(*kmsg.DescribeConfigsResponse)
	for _, res := range resp.Resources {
		if err := brokerError(res.ErrorCode, res.ErrorMessage, "DescribeConfigs on the topic"); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
		if _, exists := state.Topics[res.ResourceName]; exists {
			state.setConfigs(res)
		}
	}
	return nil
}
