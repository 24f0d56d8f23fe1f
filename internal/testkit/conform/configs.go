package conform

import "github.com/twmb/franz-go/pkg/kmsg"

var configCases = []Case{
	{"topic configs", func(s *session) {
		a := s.prefix + "a"
		s.made(a, map[string]string{"retention.ms": "1000"})
		read := func(keys ...string) func() string { return func() string { return s.configs(s.admin, a, keys...) } }
		s.becomes("of the creation", "retention.ms=1000:DYNAMIC_TOPIC_CONFIG", read("retention.ms"))
		s.becomes("that nobody set", "delete.retention.ms=86400000:DEFAULT_CONFIG", read("delete.retention.ms"))
		s.becomes("of no such key", "", read("retention"))

		s.is("are set", ok, s.alter(s.admin, a, kmsg.IncrementalAlterConfigOpSet, map[string]string{"retention.ms": "2000", "delete.retention.ms": "86400000"}))
		s.becomes("as they were set", "retention.ms=2000:DYNAMIC_TOPIC_CONFIG", read("retention.ms"))
		s.becomes("equal to the default are set nevertheless", "delete.retention.ms=86400000:DYNAMIC_TOPIC_CONFIG", read("delete.retention.ms"))
		s.is("set again", ok, s.alter(s.admin, a, kmsg.IncrementalAlterConfigOpSet, map[string]string{"retention.ms": "2000"}))
		s.becomes("keep what is not named", "delete.retention.ms=86400000:DYNAMIC_TOPIC_CONFIG retention.ms=2000:DYNAMIC_TOPIC_CONFIG",
			read("retention.ms", "delete.retention.ms"))
		s.is("are unset", ok, s.alter(s.admin, a, kmsg.IncrementalAlterConfigOpDelete, map[string]string{"delete.retention.ms": ""}))
		s.becomes("unset have their default", "delete.retention.ms=86400000:DEFAULT_CONFIG", func() string { return s.configs(s.admin, a, "delete.retention.ms") })

		s.is("appended to a list", ok, s.alter(s.admin, a, kmsg.IncrementalAlterConfigOpAppend, map[string]string{"cleanup.policy": "compact"}))
		s.becomes("appended to a list that nobody set, keep its default", "cleanup.policy=delete,compact:DYNAMIC_TOPIC_CONFIG", read("cleanup.policy"))
		s.is("of no topic", "UNKNOWN_TOPIC_OR_PARTITION", s.configs(s.admin, s.prefix+"b", "retention.ms"))
		s.is("set on no topic", "UNKNOWN_TOPIC_OR_PARTITION", s.alter(s.admin, s.prefix+"b", kmsg.IncrementalAlterConfigOpSet, map[string]string{"retention.ms": "1"}))
	}},
	{"bad topic configs", func(s *session) {
		a := s.prefix + "a"
		s.made(a, nil)
		set := func(configs map[string]string) string {
			return s.alter(s.admin, a, kmsg.IncrementalAlterConfigOpSet, configs)
		}
		s.is("an unknown key", "INVALID_CONFIG", set(map[string]string{"retention": "1"}))
		s.is("not a number", "INVALID_CONFIG", set(map[string]string{"retention.ms": "a week"}))
		s.is("one of two", "INVALID_CONFIG", set(map[string]string{"segment.ms": "-1", "retention.bytes": "5"}))
		s.settle()
		s.becomes("one of two leaves the other", "retention.bytes=-1:DEFAULT_CONFIG", func() string { return s.configs(s.admin, a, "retention.bytes") })
	}},
}
