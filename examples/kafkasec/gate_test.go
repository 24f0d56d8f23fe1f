package main

import (
	"context"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// minMetadataAge is the least that kgo allows: the tests' own client should see
// what was just written.
const minMetadataAge = 10 * time.Millisecond

// watchdog ends a test that would hang; no test waits for it to pass.
const watchdog = time.Minute

// gate holds requests back until it is opened.
type gate struct {
	held, opened chan struct{}
	once, first  sync.Once
}

func newGate() *gate { return &gate{held: make(chan struct{}), opened: make(chan struct{})} }

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

// broker SUBCOMMAND makes the brokers behave badly:
//
//	broker hold KEY       the next request of that key is not answered
//	broker wait-held      waits until it is there
//	broker release        lets it and all others through
//	broker refuse TOPIC   CreateTopics fails for the topic with POLICY_VIOLATION
//	broker one-revoke     DeleteAcls with more than one filter fails
func brokerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: broker SUBCOMMAND")
	}
	b := brokersOf(ts)
	switch args[0] {
	case "hold":
		key, ok := map[string]kmsg.Key{"CreateTopics": kmsg.CreateTopics, "CreateACLs": kmsg.CreateACLs}[args[1]]
		if !ok {
			ts.Fatalf("broker hold: %s is not one of the requests that can be held", args[1])
		}
		b.kfake.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.gate.first.Do(func() { close(b.gate.held) })
			b.kfake.SleepControl(func() { <-b.gate.opened })
			return nil, nil, false
		})
	case "wait-held":
		ctx, cancel := context.WithTimeout(context.Background(), watchdog)
		defer cancel()
		select {
		case <-b.gate.held:
		case <-ctx.Done():
			ts.Fatalf("the request never came")
		}
	case "release":
		b.gate.open()
	case "refuse":
		b.kfake.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
			return refuseTopic(req.(*kmsg.CreateTopicsRequest), args[1])
		})
	case "one-revoke":
		b.kfake.ControlKey(int16(kmsg.DeleteACLs), func(req kmsg.Request) (kmsg.Response, error, bool) {
			b.kfake.KeepControl()
			r := req.(*kmsg.DeleteACLsRequest)
			if len(r.Filters) < 2 {
				return nil, nil, false
			}
			resp := r.ResponseKind().(*kmsg.DeleteACLsResponse)
			for range r.Filters {
				refused := kmsg.NewDeleteACLsResponseResult()
				refused.ErrorCode = kerr.InvalidRequest.Code
				resp.Results = append(resp.Results, refused)
			}
			return resp, nil, true
		})
	default:
		ts.Fatalf("broker: unknown subcommand %s", args[0])
	}
}

// refuseTopic answers as a broker with a CreateTopicPolicy does. It takes the
// named topic out of the request; the others are created when the program asks
// again, for which the answer to them is a retriable error.
func refuseTopic(req *kmsg.CreateTopicsRequest, name string) (kmsg.Response, error, bool) {
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic, rt.ErrorCode = t.Topic, kerr.NotController.Code
		if t.Topic == name {
			message := "no more than 2 partitions\x1b[31m per topic"
			rt.ErrorCode, rt.ErrorMessage = kerr.PolicyViolation.Code, &message
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil, true
}
