package real

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast/internal/poll"
)

// errPortTaken: somebody took a port between our choice and the server's bind.
var errPortTaken = errors.New("a chosen port was taken meanwhile")

// awaitReady returns when every node that should run answers on each of its
// listeners, names all others that should run, and reaches the controller. A
// broker opens its listeners one after the other and ends if one cannot be
// bound, so an answer on the first says nothing about the rest.
func (c *Cluster) awaitReady(ctx context.Context) error {
	for _, n := range c.nodes {
		if !n.wanted {
			continue
		}
		for _, p := range protocols {
			login := Login{Protocol: p, User: Admin}
			err := c.poll(ctx, n, login, func(ctx context.Context, b *kgo.Broker) error { return c.sees(ctx, b, p) })
			if err != nil {
				return fmt.Errorf("node %d, %s: %w\n%s", n.ID, p, err, n.Log())
			}
		}
	}
	return nil
}

// poll asks the node until f is content, the node ends or ctx does.
func (c *Cluster) poll(ctx context.Context, n *Node, login Login, f func(context.Context, *kgo.Broker) error) error {
	client, err := c.client(login, kgo.SeedBrokers(n.Address(login.Protocol)))
	if err != nil {
		return err
	}
	defer client.Close()
	pace := poll.Backoff{Initial: 50 * time.Millisecond, Factor: 1}
	return poll.Until(ctx, pace, func(ctx context.Context) (bool, error) {
		if err := n.revive(c); err != nil {
			return false, err
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := f(ctx, client.SeedBrokers()[0]); err != nil {
			return false, poll.NotYet{Reason: err}
		}
		return true, nil
	})
}

// revive returns an error when the node has ended, except where starting it
// again is the answer: a killed broker's registration in ZooKeeper outlives it
// until the session times out, and its successor gives up over it.
func (n *Node) revive(c *Cluster) error {
	switch {
	case n.Running():
		return nil
	case c.zookeeper != nil && !c.zookeeper.process.alive():
		return c.zookeeper.ended()
	case n.log.contains("NodeExistsException"):
		return n.spawn()
	case n.log.contains("Address already in use"):
		return errPortTaken
	default:
		return fmt.Errorf("ended while starting: %v", n.process.err)
	}
}

func (z *zookeeper) ended() error {
	if z.log.contains("Address already in use") {
		return errPortTaken
	}
	return fmt.Errorf("zookeeper ended: %v\n%s", z.process.err, z.log.tail(0))
}

// sees asks a node what it knows. That it names our own addresses also shows
// that it is ours and no other broker that took the port.
func (c *Cluster) sees(ctx context.Context, b *kgo.Broker, p Protocol) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would be all
	resp, err := b.Request(ctx, req)
	if err != nil {
		return err
	}
	metadata := resp.(*kmsg.MetadataResponse)
	listed := make(map[int32]string)
	for _, b := range metadata.Brokers {
		listed[b.NodeID] = loopback(int(b.Port))
	}
	for _, n := range c.nodes {
		if n.wanted && listed[int32(n.ID)] != n.Address(p) {
			return fmt.Errorf("metadata has node %d at %q, want %s", n.ID, listed[int32(n.ID)], n.Address(p))
		}
	}
	if metadata.ControllerID < 0 {
		return errors.New("metadata without a controller")
	}
	if c.opts.zookeeper() || p == Plaintext { // where nobody may ask
		return nil
	}
	return quorum(ctx, b)
}

// answers is content with any answer after the login.
func answers(ctx context.Context, b *kgo.Broker) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	_, err := b.Request(ctx, req)
	return err
}

// quorum asks the leader of the controllers, to whom the node forwards the
// request. (The controller in a KRaft broker's metadata is any broker.)
func quorum(ctx context.Context, b *kgo.Broker) error {
	req := kmsg.NewPtrDescribeQuorumRequest()
	topic := kmsg.NewDescribeQuorumRequestTopic()
	topic.Topic = "__cluster_metadata"
	topic.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req.Topics = append(req.Topics, topic)
	resp, err := b.Request(ctx, req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.DescribeQuorumResponse).ErrorCode)
}
