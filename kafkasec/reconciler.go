package kafkasec

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Reconciler reads a cluster and applies plans to it. Only Client is needed.
// It keeps no state between calls, so one value may be used concurrently.
type Reconciler struct {
	// Client talks to the cluster; package dial makes one from a Java client
	// properties file. It stays the caller's to close.
	Client *kgo.Client
	// Logger gets debug lines about requests and retries. Nil discards them.
	Logger *slog.Logger
	// OnEvent gets progress of Apply, in the goroutine that called it. It may be
	// nil.
	OnEvent func(holdfast.Event)
	// RequestTimeout is how long a broker may take for one request. Zero means
	// 30 seconds.
	RequestTimeout time.Duration
	// RetryFor is how long Apply keeps trying without any progress when brokers
	// are away or answer with a retriable error. Zero means one minute. Waiting
	// out a throttle that a broker asked for does not count, so that only the
	// context ends an Apply that is throttled again and again.
	RetryFor time.Duration
	// VisibleFor is how long Apply waits, after the last write, until every
	// live broker knows what was written. Zero means 30 seconds. What is missing
	// for a tenth of that on brokers that know what was written after it counts as
	// overwritten.
	VisibleFor time.Duration
	// BroadRevokes lets Apply revoke with one filter all that a principal has, or
	// that stands on a resource, where every binding that the filter matches is in
	// the plan, as seen right before. It is for revoking thousands: a controller walks
	// all bindings once for each filter, so that of 50,000 bindings 10,000 took it
	// 5 minutes one by one, and 0.2 s with one filter (Kafka 4.4.0). What somebody
	// grants in that very moment is caught as well; Apply puts it back at once and
	// returns a [*SweptError]. Only the broker's answer tells of it: where that is
	// lost, or the process ends before it comes, what was caught is gone and nobody is
	// told. False names each binding in full, which touches nothing else.
	BroadRevokes bool
	// Resolve answers a reference to a secret as it stands in a spec:
	// "env:KAFKA_ALICE". Only Apply calls it, before it writes anything, and with
	// Logins also Observe; at most eight times at once. Its errors must not hold the
	// secret. It may be nil where no password is set.
	Resolve func(ctx context.Context, ref string) (holdfast.Secret, error)
	// Logins is a listener with SASL where Observe tries the passwords that the spec
	// declares, so that one which is not the stored one is a change; nil tries none.
	// Its Mechanism, Username and Password are replaced. Each credential that exists
	// and is not set anyway costs one connection, eight at once, with
	// [dial.Login]. A listener that gives no answer, or that knows another credential
	// than Client's brokers describe, proves nothing: that is in State.Unread.
	//
	// To the broker a wrong password is one of the user's failed logins. Apply tries
	// again what was planned from a login, and after the last password that it set.
	Logins *dial.Config
	// Principal is whom brokers take the client for, "User:CN=ops", where it logs
	// in with a certificate or a token; with SCRAM and PLAIN it may be empty. No
	// plan prunes what belongs to it.
	Principal string
	// Rand is where the salts of passwords are drawn from. Nil means
	// crypto/rand.Reader, and anything else belongs into a test.
	Rand io.Reader
}

func (r *Reconciler) random() io.Reader {
	if r.Rand == nil {
		return rand.Reader
	}
	return r.Rand
}

func (r *Reconciler) requestTimeout() time.Duration { return orElse(r.RequestTimeout, 30*time.Second) }
func (r *Reconciler) retryFor() time.Duration       { return orElse(r.RetryFor, time.Minute) }
func (r *Reconciler) visibleFor() time.Duration     { return orElse(r.VisibleFor, 30*time.Second) }
func (r *Reconciler) settleFor() time.Duration      { return r.visibleFor() / 10 }

func orElse(d, zero time.Duration) time.Duration {
	if d == 0 {
		return zero
	}
	return d
}

func (r *Reconciler) log() *slog.Logger {
	if r.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Logger
}

func (r *Reconciler) event(e holdfast.Event) {
	if r.OnEvent != nil {
		r.OnEvent(e)
	}
}

// members is who the brokers are, from the latest metadata answer.
type members struct {
	cluster    string
	controller int32
	brokers    []int32
}

// metadata asks for the named topics (none when empty, all when nil) and always
// goes to a broker: kadm's calls may answer from the client's cache, which can
// be seconds old and has hidden a topic that was just created.
func (r *Reconciler) metadata(ctx context.Context, topics []string) (*kmsg.MetadataResponse, members, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	if topics != nil {
		req.Topics = make([]kmsg.MetadataRequestTopic, len(topics))
		for i := range topics {
			req.Topics[i] = kmsg.NewMetadataRequestTopic()
			req.Topics[i].Topic = &topics[i]
		}
	}
	resp, err := req.RequestWith(ctx, r.anyBroker())
	if err != nil {
		return nil, members{}, err
	}
	m := members{controller: resp.ControllerID}
	if resp.ClusterID != nil {
		m.cluster = *resp.ClusterID
	}
	for _, b := range resp.Brokers {
		m.brokers = append(m.brokers, b.NodeID)
	}
	return resp, m, nil
}

// anyBroker sends to whichever broker the client has, and returns when the
// context ends. The client alone does not while it opens a connection to a broker
// that accepts it and is silent (kgo 1.22, brokerCxn.requestAPIVersions): what it
// then still waits for ends with its own request timeout, or with Close.
func (r *Reconciler) anyBroker() kmsg.Requestor { return prompt{r.Client} }

type prompt struct{ client *kgo.Client }

// Request implements kmsg.Requestor.
func (p prompt) Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	if p.client == nil {
		return nil, errors.New("the Client of the Reconciler is not set")
	}
	type result struct {
		resp kmsg.Response
		err  error
	}
	done := make(chan result, 1)
	go func() {
		resp, err := p.client.Request(ctx, req)
		done <- result{resp, err}
	}()
	select {
	case got := <-done:
		return got.resp, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// shards sends a request that is split among brokers, and returns when the
// context ends, as anyBroker does.
func (r *Reconciler) shards(ctx context.Context, req kmsg.Request) ([]kgo.ResponseShard, error) {
	if r.Client == nil {
		return nil, errors.New("the Client of the Reconciler is not set")
	}
	done := make(chan []kgo.ResponseShard, 1)
	go func() { done <- r.Client.RequestSharded(ctx, req) }()
	select {
	case shards := <-done:
		return shards, ctx.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask sends one request to one broker, once, and gives up after the request
// timeout even where the connection hangs. Retrying is left to Apply, which
// must know whether a write may have happened.
func (r *Reconciler) ask(ctx context.Context, broker int32, req kmsg.Request) (kmsg.Response, error) {
	if t, ok := req.(kmsg.SetTimeoutRequest); ok {
		t.SetTimeout(int32(r.requestTimeout().Milliseconds()))
	}
	// The broker answers at its timeout; the margin is for the way back.
	ctx, cancel := context.WithTimeout(ctx, r.requestTimeout()+r.requestTimeout()/2)
	defer cancel()
	resp, err := r.Client.Broker(int(broker)).Request(ctx, req)
	r.log().DebugContext(ctx, "request", "broker", broker, "key", kmsg.Key(req.Key()).Name(), "error", err)
	return resp, err
}
