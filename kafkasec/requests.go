package kafkasec

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OnRequest is a hook that sees every request which a client sends, also those
// that the client repeats by itself, and not the handshakes of its connections
// (ApiVersions and SASL). Give it to the client that the Reconciler gets, which
// has it besides its other hooks:
//
//	opts, err := config.Options() // of a dial.Config, or your own
//	client, err := kgo.NewClient(append(opts, kgo.WithHooks(kafkasec.OnRequest(count)))...)
//
// It is called when the answer is there or will not come, from goroutines of the
// client, so it must be safe for concurrent use, and what it takes the client
// waits for.
type OnRequest func(RequestEvent)

// RequestEvent is one request that went to a broker.
type RequestEvent struct {
	// Key is Kafka's API key, and Name the name of it: 30 and "CreateACLs".
	Key  int16
	Name string
	// Broker is the node id. A seed address whose id the client does not know yet
	// has one below 0.
	Broker int32
	// BytesWritten and BytesRead are the sizes of the request and of its answer,
	// as far as they got.
	BytesWritten, BytesRead int
	// Duration is from the first byte written to the last byte read.
	Duration time.Duration
	// Err is why there is no answer. What the broker refuses is an answer.
	Err error
}

var _ kgo.HookBrokerE2E = OnRequest(nil)

// OnBrokerE2E is for the client to call.
func (f OnRequest) OnBrokerE2E(broker kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	switch kmsg.Key(key) {
	case kmsg.ApiVersions, kmsg.SASLHandshake, kmsg.SASLAuthenticate:
		return
	}
	f(RequestEvent{
		Key: key, Name: kmsg.NameForKey(key), Broker: broker.NodeID,
		BytesWritten: e2e.BytesWritten, BytesRead: e2e.BytesRead, Duration: e2e.DurationE2E(), Err: e2e.Err(),
	})
}
