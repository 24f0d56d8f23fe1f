package conform

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var accessCases = []Case{
	{"login", func(s *session) {
		s.is("a wrong password", "SASL_AUTHENTICATION_FAILED", s.metadata(s.Impostor(s.T), s.prefix+"a"))
	}},
	{"no rights", func(s *session) {
		a, missing := s.prefix+"a", s.prefix+"missing"
		s.made(a, nil)
		user := s.User(s.T, s.prefix+"u")
		s.is("metadata of a topic", "TOPIC_AUTHORIZATION_FAILED", s.metadata(user, a))
		s.is("metadata of a missing topic", "TOPIC_AUTHORIZATION_FAILED", s.metadata(user, missing))
		s.is("list topics", "", s.listed(user))
		s.is("describe configs", "TOPIC_AUTHORIZATION_FAILED", s.configs(user, a, "retention.ms"))
		s.is("set configs", "TOPIC_AUTHORIZATION_FAILED", s.alter(user, a, kmsg.IncrementalAlterConfigOpSet, map[string]string{"retention.ms": "1"}))
		s.is("create topics", "TOPIC_AUTHORIZATION_FAILED", s.create(user, createTopics(topic{name: s.prefix + "b"})))
		s.is("add partitions", "TOPIC_AUTHORIZATION_FAILED", s.addPartitions(user, a, 5))
		s.is("delete topics", "TOPIC_AUTHORIZATION_FAILED", s.deleteTopics(user, a))
		s.is("delete missing topics", "TOPIC_AUTHORIZATION_FAILED", s.deleteTopics(user, missing))
		s.is("describe acls", "CLUSTER_AUTHORIZATION_FAILED", s.bindings(user, ofPrincipal("User:x")))
		s.is("create acls", "CLUSTER_AUTHORIZATION_FAILED", s.grant(user, allow("User:"+s.prefix+"u", kmsg.ACLOperationRead, a)))
		s.is("delete acls", "CLUSTER_AUTHORIZATION_FAILED", s.revoke(s.ctx, user, ofPrincipal("User:x")))
	}},
	{"some rights", func(s *session) {
		a, b, name := s.prefix+"a", s.prefix+"b", s.prefix+"u"
		p := "User:" + name
		s.made(a, nil)
		s.made(b, nil)
		user := s.User(s.T, name)
		s.granted(allow(p, kmsg.ACLOperationDescribe, a), allow(p, kmsg.ACLOperationDescribeConfigs, b),
			allow(p, kmsg.ACLOperationCreate, s.prefix+"new"), allow(p, kmsg.ACLOperationWrite, s.prefix+"missing"), onCluster(p, kmsg.ACLOperationDescribe))
		size := func(name string) func() string {
			return func() string { return strings.Split(s.metadata(user, name), ",")[0] }
		}
		s.becomes("describe shows the topic", "1 partitions", size(a))
		s.is("describe does not show configs", "TOPIC_AUTHORIZATION_FAILED", s.configs(user, a, "retention.ms"))
		s.becomes("describe configs does not show the topic", "TOPIC_AUTHORIZATION_FAILED", size(b))
		s.becomes("describe configs shows configs", "delete.retention.ms=86400000:DEFAULT_CONFIG", func() string { return s.configs(user, b, "delete.retention.ms") })
		s.becomes("write shows that a topic is missing", "UNKNOWN_TOPIC_OR_PARTITION", size(s.prefix+"missing"))
		s.becomes("list topics", "a", func() string { return s.listed(user) })
		s.is("create one of two topics", "ok TOPIC_AUTHORIZATION_FAILED",
			s.create(user, createTopics(topic{name: s.prefix + "new", partitions: 1}, topic{name: s.prefix + "newer", partitions: 1})))
		s.becomes("describe on the cluster shows acls", "5", func() string { return count(s.bindings(user, ofPrincipal(p))) })
		s.is("describe on the cluster makes none", "CLUSTER_AUTHORIZATION_FAILED", s.grant(user, allow(p, kmsg.ACLOperationRead, a)))
	}},
	{"produce", func(s *session) {
		for _, name := range []string{"lit", "pre-a", "open", "refused", "away"} {
			if got := s.create(s.admin, createTopics(topic{name: s.prefix + name, partitions: 1})); got != ok {
				s.Fatal(got)
			}
		}
		name := s.prefix + "u"
		p, write := "User:"+name, kmsg.ACLOperationWrite
		allowed := allow(p, write, s.prefix+"refused")
		denied := allowed
		denied.deny = true
		away := allow(p, write, s.prefix+"away")
		away.host = "10.0.0.1"
		user := s.User(s.T, name)
		write2 := func(topic string) func() string {
			return func() string { return s.produce(user, s.prefix+topic) }
		}
		s.becomes("without a binding", "TOPIC_AUTHORIZATION_FAILED", write2("lit"))
		s.granted(allow(p, write, s.prefix+"lit"),
			binding{resourceTopic, s.prefix + "pre-", prefixed, p, "127.0.0.1", int8(write), false},
			allow("User:*", write, s.prefix+"open"), allowed, denied, away)
		s.becomes("with a literal binding", ok, write2("lit"))
		s.becomes("with a prefixed binding from this host", ok, write2("pre-a"))
		s.becomes("with everyone's binding", ok, write2("open"))
		s.becomes("allowed and denied", "TOPIC_AUTHORIZATION_FAILED", write2("refused"))
		s.becomes("allowed from another host", "TOPIC_AUTHORIZATION_FAILED", write2("away"))
		s.revoke(s.ctx, s.admin, exactly(denied))
		s.becomes("after the deny is lifted", ok, write2("refused"))
	}},
	{"produce from a block of addresses", func(s *session) {
		s.made(s.prefix+"a", nil)
		name := s.prefix + "u"
		user := s.User(s.T, name)
		block := allow("User:"+name, kmsg.ACLOperationWrite, s.prefix+"a")
		block.host = "127.0.0.0/8"
		s.granted(block)
		// CIDR hosts are KAFKA-20088, from metadata.version 4.4-IV1 on.
		s.becomes("the client's", ok, func() string { return s.produce(user, s.prefix+"a") })
	}},
	{"consume", func(s *session) {
		a, name := s.prefix+"a", s.prefix+"u"
		p := "User:" + name
		s.made(a, nil)
		s.becomes("a record is there", ok, func() string { return s.produce(s.admin, a) })
		user := s.User(s.T, name, kgo.ConsumeTopics(a), kgo.ConsumerGroup(s.prefix+"g"), kgo.KeepRetryableFetchErrors())
		s.becomes("without a binding", "TOPIC_AUTHORIZATION_FAILED", func() string { return s.consume(user) })
		user.Close() // else it would become a member of the group, and take the partition
		s.granted(allow(p, kmsg.ACLOperationRead, a))
		user = s.User(s.T, name, kgo.ConsumeTopics(a), kgo.ConsumerGroup(s.prefix+"g"))
		s.becomes("with the topic only", "GROUP_AUTHORIZATION_FAILED", func() string { return s.consume(user) })
		user.Close()
		s.granted(binding{int8(kmsg.ACLResourceTypeGroup), s.prefix + "g", literal, p, "*", int8(kmsg.ACLOperationRead), false})
		user = s.User(s.T, name, kgo.ConsumeTopics(a), kgo.ConsumerGroup(s.prefix+"g"))
		s.becomes("with topic and group", "1 records", func() string { return s.consume(user) })
	}},
}

func (s *session) produce(cl *kgo.Client, topic string) string {
	if err := cl.ProduceSync(s.ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
		return failure(err)
	}
	return ok
}

func (s *session) consume(cl *kgo.Client) string {
	ctx, cancel := context.WithTimeout(s.ctx, 3*patience)
	defer cancel()
	fetches := cl.PollRecords(ctx, 1)
	if err := fetches.Err0(); err != nil {
		return failure(err)
	}
	for _, e := range fetches.Errors() {
		return failure(e.Err)
	}
	return fmt.Sprintf("%d records", fetches.NumRecords())
}
