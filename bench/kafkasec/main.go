package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

// result is what the program prints.
type result struct {
	First  pass `json:"first"`  // on an empty cluster
	Second pass `json:"second"` // when there is nothing left to do
	// Can is asking 10,000 questions, and Index making the Authorizer for them.
	Index, Can step
	// PeakKB is the peak resident set of the process after both passes and the
	// questions; -1 where the system does not tell.
	PeakKB int64 `json:"peak_kb"`
}

// pass is one time through observe, plan and apply.
type pass struct {
	Observe, Plan, Apply step
	Requests             int64
	Changes              int
}

// step is what one call took.
type step struct{ Wall, CPU time.Duration }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kafkasec:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("kafkasec", flag.ContinueOnError)
	brokers := flags.String("brokers", "", "addresses of a plaintext listener")
	prefix := flags.String("prefix", "t", "what the names begin with")
	topics := flags.Int("topics", 10_000, "number of topics")
	acls := flags.Int("acls", 50_000, "number of bindings")
	replicas := flags.Int("replicas", 1, "replication factor")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx := context.Background()
	var requests atomic.Int64
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(*brokers, ",")...),
		kgo.WithHooks(kafkasec.OnRequest(func(kafkasec.RequestEvent) { requests.Add(1) })))
	if err != nil {
		return err
	}
	defer client.Close()
	r := &kafkasec.Reconciler{Client: client}
	spec := largeSpec(*prefix, *topics, *acls, int16(*replicas))

	var res result
	for _, p := range []*pass{&res.First, &res.Second} {
		requests.Store(0)
		if err := p.run(ctx, r, spec); err != nil {
			return err
		}
		p.Requests = requests.Load()
	}
	if res.Second.Changes > 0 {
		return fmt.Errorf("the second plan has %d changes", res.Second.Changes)
	}
	if err := res.ask(ctx, r, spec); err != nil {
		return err
	}
	res.PeakKB = peakKB()
	return json.NewEncoder(os.Stdout).Encode(res)
}

func (p *pass) run(ctx context.Context, r *kafkasec.Reconciler, spec kafkasec.Spec) error {
	var state kafkasec.State
	var plan kafkasec.Plan
	var report holdfast.Report
	var err error
	if p.Observe = timed(func() { state, err = r.Observe(ctx, spec) }); err != nil {
		return err
	}
	if p.Plan = timed(func() { plan, err = spec.Plan(state) }); err != nil {
		return err
	}
	if len(plan.Unread) > 0 {
		return fmt.Errorf("unread: %v", plan.Unread[0])
	}
	p.Changes = len(plan.Changes)
	if p.Apply = timed(func() { report, err = r.Apply(ctx, plan) }); err != nil {
		return err
	}
	if n := report.Count(holdfast.Applied); n != p.Changes {
		return fmt.Errorf("applied %d of %d changes", n, p.Changes)
	}
	return nil
}

// ask puts 10,000 questions to the bindings of the cluster.
func (res *result) ask(ctx context.Context, r *kafkasec.Reconciler, spec kafkasec.Spec) error {
	state, err := r.Observe(ctx, kafkasec.Spec{Scope: spec.Scope, ACLs: spec.ACLs[:1]})
	if err != nil {
		return err
	}
	var a *kafkasec.Authorizer
	res.Index = timed(func() { a = kafkasec.NewAuthorizer(state.ACLs, kafkasec.AuthorizerOptions{}) })
	questions := make([]kafkasec.Question, 10_000)
	for i := range questions {
		resource, _ := kafkasec.ParseResource(spec.ACLs[i%len(spec.ACLs)].Resource, "")
		questions[i] = kafkasec.Question{Principal: spec.ACLs[i*(1+i%2)%len(spec.ACLs)].Principal, Host: netip.AddrFrom4([4]byte{10, 0, 0, 1}),
			Operation: kafkasec.Describe, Resource: resource}
	}
	allowed := 0
	res.Can = timed(func() {
		for _, q := range questions {
			if a.Decide(q).Allowed {
				allowed++
			}
		}
	})
	if allowed == 0 || allowed == len(questions) {
		return fmt.Errorf("%d of %d questions are allowed, which shows little", allowed, len(questions))
	}
	return nil
}

// largeSpec has topics of three partitions and one config, and two bindings for
// each of many principals.
func largeSpec(prefix string, topics, acls int, replicas int16) kafkasec.Spec {
	s := kafkasec.Spec{Scope: kafkasec.Scope{TopicPrefixes: []string{prefix}}}
	for i := range topics {
		s.Topics = append(s.Topics, kafkasec.Topic{Name: fmt.Sprintf("%s%05d", prefix, i), Partitions: 3, ReplicationFactor: replicas,
			Configs: map[string]string{"retention.ms": "86400000"}})
	}
	for i := range acls / 2 {
		s.ACLs = append(s.ACLs, kafkasec.ACL{Principal: fmt.Sprintf("User:%s%05d", prefix, i), Operations: []kafkasec.Operation{kafkasec.Read, kafkasec.Write},
			Resource: fmt.Sprintf("topic:%s%05d", prefix, i%topics)})
	}
	return s
}

func timed(f func()) step {
	start, cpu := time.Now(), cpuTime()
	f()
	return step{time.Since(start), cpuTime() - cpu}
}

// cpuTime is that of all threads of the process, so the collector's too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakKB reads VmHWM. The maximum of getrusage(2) would start with the size of
// the process that started this one.
func peakKB() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(status)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return kb
		}
	}
	return -1
}
