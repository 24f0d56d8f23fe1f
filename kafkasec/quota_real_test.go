package kafkasec

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// quotasOnEvery is what must hold of quotas on every real Kafka.
func quotasOnEvery(t *testing.T, c *real.Cluster, states int) {
	on := func(name string, f func(*site)) {
		t.Run(name, func(t *testing.T) { f(newSite(t, conform.Real(c))) })
	}
	on("lifecycle", quotaLifecycle)
	on("denied", deniedQuotas)
	on("lost answers", lostQuotaAnswers)
	on("stale", staleQuota)
	on("throttles", throttlesProducer)
	on("random states", func(s *site) { randomQuotas(s, states) })
}

func TestReal_QuotasOneNode(t *testing.T) { quotasOnEvery(t, real.NewKafka(t, real.Options{}), 40) }

func TestReal_QuotasZooKeeper(t *testing.T) {
	quotasOnEvery(t, real.NewKafka(t, real.Options{Version: "3.9.2"}), 20)
}

// throttlesProducer has a real producer slowed down by a quota, and not by
// one that has been lifted.
func throttlesProducer(s *site) {
	spec := s.spec(`
scope: {topic_prefixes: ["~"], principals: ["User:~slow"]}
topics:
  - {name: "~t", partitions: 1}
acls:
  - {principal: "User:~slow", operations: [Write], resource: "topic:~t"}
quotas:
  - {user: "~slow", producer_byte_rate: 2000}
`)
	s.apply(spec)
	throttle := func(records int) time.Duration {
		var seen throttles
		cl := s.User(s.T, s.prefix+"slow", kgo.WithHooks(&seen), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.DisableIdempotentWrite())
		defer cl.Close()
		for range records {
			r := &kgo.Record{Topic: s.prefix + "t", Value: make([]byte, 10_000)}
			ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
			err := cl.ProduceSync(ctx, r).FirstErr()
			cancel()
			require.NoError(s, err)
			if seen.longest.Load() > 0 {
				break
			}
		}
		return time.Duration(seen.longest.Load())
	}
	require.Greater(s, throttle(20), 100*time.Millisecond)
	spec.Quotas[0].ProducerByteRate, spec.Quotas[0].State = 0, Absent
	s.apply(spec)
	require.Zero(s, throttle(3))
}

// throttles remembers the longest one that a broker has asked for.
type throttles struct{ longest atomic.Int64 }

func (t *throttles) OnBrokerThrottle(_ kgo.BrokerMetadata, d time.Duration, _ bool) {
	if int64(d) > t.longest.Load() {
		t.longest.Store(int64(d))
	}
}
