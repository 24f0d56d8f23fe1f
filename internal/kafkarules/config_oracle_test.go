package kafkarules_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

func TestOracle_TopicConfigKeys(t *testing.T) {
	for _, release := range releases {
		want := ask(t, release.kafka, []question{{Ask: "keys"}})[0].Keys
		// Left out on purpose: it is for Kafka's own tests.
		want = slices.DeleteFunc(want, func(k string) bool { return k == "internal.segment.bytes" })
		slices.Sort(want)
		require.Equal(t, want, kafkarules.TopicConfigKeysIn(release.version), release.kafka)
	}
}

// someValues are legal somewhere, or nearly so.
var someValues = []string{"", " ", "0", "1", "-1", "-2", "-3", "2", "3", "4", "9", "10", "13", "14", "17", "18", "22", "23", "+5", "007", "-0", "1000", "1048575", "1048576",
	"604800000", "2147483639", "2147483640", "2147483647", "2147483648", "-2147483648", "-131072", "-131073", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", "1e3", "0x10", "1_000", "1,000", "1.0", "true", "false", "TRUE", "False", "yes", "falſe", "0.5", ".5", "5.", "1.", ".", "0.5f", "0.5d", "0.5L", "1e-400",
	"-1e-400", "1e400", "-0.0", "1.0000001", "NaN", "nan", "+NaN", "-Infinity", "Infinity", "inf", "0x1p-1", "0x.8p0", "0x1p0f", "0x1fp-9d", "0x1", "0x1.p-1", "0xfp-5", "1e", "e1", "5e-1D",
	"delete", "compact", "compact,delete", "delete , compact", "delete,", ",", ",delete", "delete,delete", "Delete", "delete\v,compact", "delete\u00a0",
	"gzip", "snappy", "lz4", "zstd", "uncompressed", "producer", "none", "GZIP", "CreateTime", "LogAppendTime", "createtime",
	"*", "*,", ",*", "**", "*,0:1", "0:1", "0:1,2:3", "0:1, 2:3", "0:1,", "0:", ":1", "0-1", "0:1:2", "٣:1", "0:1\n", "0: 1",
	"2.3", "3.0-IV1", "3.0-IV2", "0.10.0", "0.10", "0.8.2", "0.8.2-IV0", "2.8.1", "2.8.1-IV9", "2.8-IV1.2", "2.8.", "4.0-IV1", "4.1", "0.11.0-IV2", "0.", "2.8-IV01", "2.8-IV+1", "3.0-IV"}

func configValue(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return mangle(r, pick(r, someValues))
	case 1:
		return pick(r, []string{"", " ", "\n"}) + pick(r, someValues) + pick(r, []string{"", " ", "\x01"})
	default:
		return pick(r, someValues)
	}
}

func TestOracle_TopicConfig(t *testing.T) {
	for _, release := range releases {
		t.Run(release.kafka, func(t *testing.T) {
			r := random(2)
			keys := append(kafkarules.TopicConfigKeys(), "log.retention.ms", "retention_ms", "Retention.ms", "", " retention.ms", "min.isr")
			var questions []question
			for range oracle.Count(3_000, 40_000) {
				questions = append(questions, question{Ask: "configs", Set: map[string]string{pick(r, keys): configValue(r)}})
			}
			for _, key := range keys {
				for _, value := range someValues {
					questions = append(questions, question{Ask: "configs", Set: map[string]string{key: value}})
				}
			}
			for i, got := range ask(t, release.kafka, questions) {
				for key, value := range questions[i].Set {
					err := kafkarules.TopicConfigIn(release.version, key, value)
					require.Equal(t, got.Error == "", err == nil, "%s=%q: Kafka: %q, we: %v", key, value, got.Error, err)
					if err == nil {
						require.NoError(t, kafkarules.TopicConfig(key, value))
					}
				}
			}
		})
	}
}

// Every character is tried as a digit and as white space.
func TestOracle_EveryCharacterInANumber(t *testing.T) {
	var questions []question
	for c := rune(0); c <= 0x1FFFF; c += rune(oracle.Count(17, 1)) {
		if utf8.ValidRune(c) {
			questions = append(questions, question{Ask: "configs", Set: map[string]string{"retention.ms": "1" + string(c) + "0"}},
				question{Ask: "configs", Set: map[string]string{"cleanup.policy": "delete" + string(c) + ",compact"}})
		}
	}
	for i, got := range ask(t, "4.4.0", questions) {
		for key, value := range questions[i].Set {
			require.Equal(t, got.Error == "", kafkarules.TopicConfigIn(v44, key, value) == nil, "%s=%q: Kafka: %q", key, value, got.Error)
		}
	}
}

func TestOracle_SameTopicConfig(t *testing.T) {
	r := random(3)
	keys := kafkarules.TopicConfigKeysIn(v44)
	var questions []question
	for range oracle.Count(2_000, 20_000) {
		key, a := pick(r, keys), configValue(r)
		b := a
		if r.IntN(3) == 0 {
			b = mangle(r, a)
		} else if r.IntN(2) == 0 {
			b = configValue(r)
		}
		questions = append(questions, question{Ask: "value", Key: key, Text: a}, question{Ask: "value", Key: key, Text: b})
	}
	answers := ask(t, "4.4.0", questions)
	// meaning is what a broker keeps of a value: there is one zero, and lists
	// are sets.
	meaning := func(a answer) string {
		if a.Text == "-0.0" {
			return "0.0"
		}
		list := slices.DeleteFunc(slices.Clone(a.List), func(s string) bool { return s == "" })
		slices.Sort(list)
		return a.Text + strings.Join(slices.Compact(list), ",")
	}
	for i := 0; i < len(answers); i += 2 {
		qa, qb, a, b := questions[i], questions[i+1], answers[i], answers[i+1]
		want := qa.Text == qb.Text || a.Error == "" && b.Error == "" && meaning(a) == meaning(b)
		require.Equal(t, want, kafkarules.SameTopicConfig(qa.Key, qa.Text, qb.Text), "%s: %q and %q: %v %v", qa.Key, qa.Text, qb.Text, a, b)
		require.Equal(t, want, kafkarules.SameTopicConfig(qa.Key, qb.Text, qa.Text))
	}
}

// crossing are the configs that rules compare, with values around each other.
var crossing = map[string][]string{
	"cleanup.policy":               {"delete", "compact", "compact,delete", "", "delete,delete"},
	"min.compaction.lag.ms":        {"0", "5", "10", "9223372036854775807"},
	"max.compaction.lag.ms":        {"1", "5", "10", "9223372036854775807"},
	"remote.storage.enable":        {"true", "true", "true", "false", "TRUE "},
	"remote.log.copy.disable":      {"true", "false"},
	"remote.log.delete.on.disable": {"true", "false"},
	"retention.ms":                 {"-1", "0", "5", "10"},
	"local.retention.ms":           {"-2", "-1", "0", "5", "10"},
	"retention.bytes":              {"-2", "-1", "0", "5", "10"},
	"local.retention.bytes":        {"-2", "-1", "0", "5", "10"},
	"remote.copy.lag.ms":           {"-1", "0", "5", "10"},
	"remote.copy.lag.bytes":        {"-1", "0", "5", "10"},
}

// noDefault are the topic configs for which a broker has no setting.
var noDefault = []string{"remote.storage.enable", "remote.log.copy.disable", "remote.log.delete.on.disable"}

func crossingSet(r *rand.Rand, v kafkarules.Version, density int) map[string]string {
	known := kafkarules.TopicConfigKeysIn(v)
	set := map[string]string{}
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for k := range crossing {
			if !yield(k) {
				return
			}
		}
	}) {
		if r.IntN(100) < density && slices.Contains(known, key) {
			set[key] = pick(r, crossing[key])
		}
	}
	return set
}

func TestOracle_TopicConfigs(t *testing.T) {
	for _, release := range releases {
		t.Run(release.kafka, func(t *testing.T) {
			r := random(4)
			var questions []question
			for range oracle.Count(3_000, 40_000) {
				defaults := crossingSet(r, release.version, 100)
				for _, key := range noDefault {
					delete(defaults, key)
				}
				questions = append(questions, question{Ask: "configs", Set: crossingSet(r, release.version, pick(r, []int{20, 60, 100})), Defaults: defaults})
			}
			decided := 0
			for i, got := range ask(t, release.kafka, questions) {
				q := questions[i]
				errs := kafkarules.TopicConfigsIn(release.version, q.Set)
				needs := kafkarules.TopicConfigNeedsIn(release.version, q.Set)
				needs = slices.DeleteFunc(needs, func(s string) bool { return s == "remote.log.storage.system.enable" }) // the oracle has it on
				if len(errs) > 0 {
					require.NotEmpty(t, got.Error, "%v with defaults %v: we: %v", q.Set, q.Defaults, errs)
				} else if len(needs) == 0 && sound(release.version, q.Defaults) {
					require.Empty(t, got.Error, "%v with defaults %v: we see no need of the defaults", q.Set, q.Defaults)
				}
				if len(errs) > 0 || len(needs) == 0 {
					decided++
				}
				all := kafkarules.TopicConfigsIn(release.version, overlay(q.Defaults, q.Set))
				require.Equal(t, got.Error == "", len(all) == 0, "%v over %v: Kafka: %q, we: %v", q.Set, q.Defaults, got.Error, all)
			}
			require.Greater(t, decided, len(questions)/4)
		})
	}
}

// sound reports whether a broker could run with these defaults: tiered storage
// is on, and then it checks them at the start.
func sound(v kafkarules.Version, defaults map[string]string) bool {
	tiered := overlay(defaults, map[string]string{"remote.storage.enable": "true", "cleanup.policy": "delete"})
	return len(kafkarules.TopicConfigsIn(v, tiered)) == 0
}

func overlay(under, over map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{under, over} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

var javaResourceTypes = map[string]string{"topic": "TOPIC", "group": "GROUP", "cluster": "CLUSTER", "transactional-id": "TRANSACTIONAL_ID",
	"token": "DELEGATION_TOKEN", "user": "USER"}
