package conform

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var topicCases = []Case{
	{"create topics", func(s *session) {
		a, b, c := s.prefix+"a", s.prefix+"b", s.prefix+"c"
		s.is("new ones, also by the broker's defaults", "ok ok ok",
			s.create(s.admin, createTopics(topic{name: a, partitions: 2, replicas: 1}, topic{name: b, partitions: 1}, topic{name: c})))
		s.becomes("has the size that was asked for", "2 partitions, 1 replicas", func() string { return s.metadata(s.admin, a) })
		s.is("one that exists, beside one that does not", "TOPIC_ALREADY_EXISTS ok",
			s.create(s.admin, createTopics(topic{name: a, partitions: 2}, topic{name: s.prefix + "d", partitions: 1})))
		s.is("one that exists with another size", "TOPIC_ALREADY_EXISTS", s.create(s.admin, createTopics(topic{name: a, partitions: 5})))
		s.is("the same name twice in a request", "INVALID_REQUEST INVALID_REQUEST",
			s.create(s.admin, createTopics(topic{name: s.prefix + "e"}, topic{name: s.prefix + "e"})))

		only := createTopics(topic{name: s.prefix + "f"})
		only.ValidateOnly = true
		s.is("validate only", ok, s.create(s.admin, only))
		s.settle()
		s.becomes("are listed", "a b c d", func() string { return s.listed(s.admin) })
	}},
	{"create topics with a bad size", func(s *session) {
		zero := createTopics(topic{name: s.prefix + "a"})
		zero.Topics[0].NumPartitions = 0
		s.is("no partitions", "INVALID_PARTITIONS", s.create(s.admin, zero))
		s.is("negative partitions", "INVALID_PARTITIONS", s.create(s.admin, createTopics(topic{name: s.prefix + "b", partitions: -2})))
		s.is("more replicas than brokers", "INVALID_REPLICATION_FACTOR",
			s.create(s.admin, createTopics(topic{name: s.prefix + "c", replicas: int16(s.Brokers() + 1)})))
		zero = createTopics(topic{name: s.prefix + "d"})
		zero.Topics[0].ReplicationFactor = 0
		s.is("no replicas", "INVALID_REPLICATION_FACTOR", s.create(s.admin, zero))

		// KRaft's limit on the records of one request (KAFKA-14996).
		large := createTopics(topic{name: s.prefix + "e", partitions: 10_001, replicas: 1})
		large.ValidateOnly = true
		s.is("more than 10,000 partitions", "POLICY_VIOLATION", s.create(s.admin, large))
	}},
	{"create topics with a bad name", func(s *session) {
		for _, bad := range []struct{ question, name string }{
			{"a space", s.prefix + "a b"},
			{"a slash", s.prefix + "a/b"},
			{"a colon", s.prefix + "a:b"},
			{"not ASCII", s.prefix + "ä"},
			{"250 characters", s.prefix + strings.Repeat("a", 250-len(s.prefix))},
			{"a dot", "."},
			{"two dots", ".."},
			{"empty", ""},
		} {
			s.is(bad.question, "INVALID_TOPIC_EXCEPTION", s.create(s.admin, createTopics(topic{name: bad.name, partitions: 1})))
		}
		s.is("249 characters", ok, s.create(s.admin, createTopics(topic{name: s.prefix + strings.Repeat("a", 249-len(s.prefix)), partitions: 1})))
		s.is("begins with an underscore", ok, s.create(s.admin, createTopics(topic{name: "_" + s.prefix, partitions: 1})))
		s.deleteTopics(s.admin, "_"+s.prefix)
	}},
	{"create topics whose names collide", func(s *session) {
		s.made(s.prefix+"a.b", nil)
		s.is("with one that exists", "INVALID_TOPIC_EXCEPTION", s.create(s.admin, createTopics(topic{name: s.prefix + "a_b"})))
		// KRaft looks at the topics that exist when the request comes, so that it
		// makes both; who wants to be safe looks for that itself.
		s.is("within a request", "ok ok",
			s.create(s.admin, createTopics(topic{name: s.prefix + "c.d"}, topic{name: s.prefix + "c_d"})))
	}},
	{"create topics with bad configs", func(s *session) {
		for _, bad := range []struct{ question, key, value string }{
			{"an unknown key", "retention", "1"},
			{"not a number", "retention.ms", "a week"},
			{"below the least", "retention.ms", "-2"},
			{"an unknown word", "cleanup.policy", "keep"},
		} {
			name := s.prefix + strings.ReplaceAll(bad.question, " ", "-")
			s.is(bad.question, "INVALID_CONFIG", s.create(s.admin, createTopics(topic{name: name, configs: map[string]string{bad.key: bad.value}})))
		}
	}},
	{"create topics at any broker", func(s *session) {
		if s.Brokers() == 1 {
			return
		}
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		resp, err := req.RequestWith(s.ctx, s.admin)
		if err != nil {
			s.Fatal(err)
		}
		for _, b := range resp.Brokers {
			if b.NodeID == resp.ControllerID {
				continue
			}
			req := createTopics(topic{name: s.prefix + "a", partitions: 1})
			kresp, err := s.admin.Broker(int(b.NodeID)).Request(s.ctx, req)
			if err != nil {
				s.Fatal(err)
			}
			// Brokers in KRaft mode forward it to the active controller (KIP-590).
			s.is("one that is not named as the controller", ok, createAnswer(req, kresp.(*kmsg.CreateTopicsResponse)))
			break
		}
	}},
	{"delete topics", func(s *session) {
		s.made(s.prefix+"a", nil)
		s.is("one that exists and one that does not", "ok UNKNOWN_TOPIC_OR_PARTITION", s.deleteTopics(s.admin, s.prefix+"a", s.prefix+"b"))
		s.becomes("are gone", "UNKNOWN_TOPIC_OR_PARTITION", func() string { return s.metadata(s.admin, s.prefix+"a") })
		s.settle()
		// In ZooKeeper mode a name is free some time after the topic is gone.
		s.becomes("can be made again", ok, func() string { return s.create(s.admin, createTopics(topic{name: s.prefix + "a", partitions: 3})) })
		s.becomes("are then new", "3 partitions", func() string { return strings.Split(s.metadata(s.admin, s.prefix+"a"), ",")[0] })
	}},
	{"add partitions", func(s *session) {
		s.made(s.prefix+"a", nil)
		s.is("more", ok, s.addPartitions(s.admin, s.prefix+"a", 4))
		s.becomes("are there", "4 partitions", func() string { return strings.Split(s.metadata(s.admin, s.prefix+"a"), ",")[0] })
		s.settle()
		s.is("fewer", "INVALID_PARTITIONS", s.addPartitions(s.admin, s.prefix+"a", 3))
		s.is("as many", "INVALID_PARTITIONS", s.addPartitions(s.admin, s.prefix+"a", 4))
		s.is("to no topic", "UNKNOWN_TOPIC_OR_PARTITION", s.addPartitions(s.admin, s.prefix+"b", 4))
	}},
	{"metadata", func(s *session) {
		s.is("of a missing topic", "UNKNOWN_TOPIC_OR_PARTITION", s.metadata(s.admin, s.prefix+"a"))
		s.is("of an illegal name", "INVALID_TOPIC_EXCEPTION", s.metadata(s.admin, s.prefix+"a b"))
		s.is("creates nothing", "", s.listed(s.admin))
	}},
}
