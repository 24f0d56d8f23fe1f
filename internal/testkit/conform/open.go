package conform

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// open is the admin of a cluster of the same kind that has no authorizer, or
// nil where starting one more real cluster would show nothing new.
func (s *session) open() *kgo.Client {
	switch c := s.Cluster.(type) {
	case *FakeCluster:
		return newFake(s.T).Admin(s.T)
	case kafka:
		if c.Kind() == Kafka44 && c.Brokers() == 1 {
			without := real.NewKafka(s.T, real.Options{Properties: map[string]string{"authorizer.class.name": ""}})
			return Real(without).Admin(s.T)
		}
	}
	return nil
}
