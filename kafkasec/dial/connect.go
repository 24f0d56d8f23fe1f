package dial

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Connect gives a client that works: a bootstrap broker has answered Metadata,
// and one of the addresses that the cluster advertises has answered too. All
// bootstrap brokers are tried at once, and the first good one wins. The caller
// closes the client.
//
// It returns within [Config.Timeout], with an [*Error] per broker, joined, or
// [holdfast.Problems] for a config that [Config.Validate] refuses.
func Connect(ctx context.Context, cfg Config) (*kgo.Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, cfg.timeout())
	defer cancel()

	d := dialer{cfg: cfg, limit: cfg.attempt(), seen: new(witness)}
	cl, err := kgo.NewClient(append(cfg.options(d), kgo.WithHooks(d.seen))...)
	if err != nil {
		return nil, err
	}
	p := prover{dialer: d, cl: cl}
	failed := p.prove(within)
	if len(failed) == 0 {
		d.seen.stop()
		return cl, nil
	}
	// Closing ends what is still waiting, so that a second look finds the port as
	// free as the first did.
	cl.Close()
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, &Error{
			Addr: strings.Join(cfg.addrs(), ", "), Protocol: cfg.protocol(), Mechanism: cfg.mechanism(),
			Cause: CauseCanceled, Err: context.Cause(ctx),
		}
	}
	each(failed, func(e *Error) { p.look(within, innermost(e)) })
	errs := make([]error, len(failed))
	for i, e := range failed {
		errs[i] = e
	}
	if len(errs) == 1 {
		return nil, errs[0]
	}
	return nil, errors.Join(errs...)
}

type prover struct {
	dialer
	cl *kgo.Client
}

// prove returns nothing where the client works, else an error per broker.
func (p prover) prove(ctx context.Context) []*Error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.attempt())
	defer cancel()

	addrs := p.cfg.addrs()
	seeds := p.cl.SeedBrokers() // in the order of addrs
	metas := make([]*kmsg.MetadataResponse, len(seeds))
	good, failed := p.first(ctx, addrs, func(ctx context.Context, i int) (err error) {
		metas[i], err = metadata(ctx, seeds[i])
		return err
	})
	if good < 0 {
		return failed
	}
	// From here on only the seed that answered is used: kgo now and then asks a
	// seed although it knows brokers, and would wait RequestTimeout for one that
	// accepts connections and is silent.
	if len(addrs) > 1 {
		if err := p.cl.UpdateSeedBrokers(addrs[good]); err != nil {
			return []*Error{p.cfg.classify(addrs[good], err, unknown())}
		}
	}

	seed := addrs[good]
	// The seed may be a load balancer, or a name that only resolves here. What
	// every later request uses are the addresses in the metadata.
	nodes := someBrokers(metas[good])
	if len(nodes) == 0 {
		return nil
	}
	advertised := make([]string, len(nodes))
	for i, n := range nodes {
		advertised[i] = net.JoinHostPort(n.Host, strconv.Itoa(int(n.Port)))
	}
	good, failed = p.first(ctx, advertised, func(ctx context.Context, i int) error {
		_, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, p.cl.Broker(int(nodes[i].NodeID)))
		return err
	})
	if good >= 0 {
		return nil
	}
	for i, e := range failed {
		failed[i] = &Error{
			Addr: seed, Protocol: e.Protocol, Mechanism: e.Mechanism, Cause: CauseAdvertised,
			Detail: "broker " + strconv.Itoa(int(nodes[i].NodeID)) + " is advertised as " + advertised[i], Err: e,
		}
	}
	return failed
}

// first runs try for all addresses at once and returns the index of the first
// that succeeds, ending the others, or -1 and an error for each.
func (p prover) first(ctx context.Context, addrs []string, try func(context.Context, int) error) (int, []*Error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		once sync.Once
		wg   sync.WaitGroup
		good = -1
		errs = make([]error, len(addrs))
	)
	for i := range addrs {
		wg.Go(func() {
			if errs[i] = try(ctx, i); errs[i] == nil {
				once.Do(func() { good = i; cancel() })
			}
		})
	}
	wg.Wait()
	if good >= 0 {
		return good, nil
	}
	failed := make([]*Error, len(addrs))
	for i, addr := range addrs {
		failed[i] = p.cfg.classify(addr, errs[i], p.seen.facts(addr))
	}
	return -1, failed
}

// each runs f for all errors at once and waits.
func each(errs []*Error, f func(*Error)) {
	var wg sync.WaitGroup
	for _, e := range errs {
		wg.Go(func() { f(e) })
	}
	wg.Wait()
}

// innermost is the error about a connection, below one about what the cluster
// advertises.
func innermost(e *Error) *Error {
	if inner, ok := e.Err.(*Error); ok {
		return inner
	}
	return e
}

// metadata asks for the brokers and for no topic. Unlike ApiVersions it is only
// answered after the login.
func metadata(ctx context.Context, b *kgo.Broker) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // nil would mean all
	resp, err := req.RequestWith(ctx, b)
	if err != nil {
		return nil, err
	}
	return resp, kerr.ErrorForCode(resp.ErrorCode)
}

// someBrokers picks three brokers at most, the controller first: it is the one
// that gets requests which change something.
func someBrokers(meta *kmsg.MetadataResponse) []kmsg.MetadataResponseBroker {
	all := slices.Clone(meta.Brokers)
	rank := func(b kmsg.MetadataResponseBroker) int {
		if b.NodeID == meta.ControllerID {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b kmsg.MetadataResponseBroker) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.NodeID, b.NodeID))
	})
	return all[:min(len(all), 3)]
}

// Explain turns an error of a client that [Connect] or [Config.Options] made
// into an [*Error] with its cause, where it is about reaching or convincing a
// broker: one may go away, or a password change, after Connect has succeeded.
// Any other error, and nil, it returns as it is.
func Explain(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := Config{}.classify("", err, unknown())
	e.Protocol = ""
	if e.Cause == CauseUnknown {
		return err
	}
	return e
}
