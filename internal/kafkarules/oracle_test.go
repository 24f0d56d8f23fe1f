package kafkarules_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

// question is a case of KafkaRulesOracle.java, which documents the fields.
type question struct {
	Ask       string            `json:"ask"`
	Name      string            `json:"name"`
	A         string            `json:"a"`
	B         string            `json:"b"`
	Before    map[string]string `json:"before,omitempty"`
	Set       map[string]string `json:"set,omitempty"`
	Defaults  map[string]string `json:"defaults,omitempty"`
	Key       string            `json:"key"`
	Text      string            `json:"text"`
	Type      string            `json:"type"`
	Pattern   string            `json:"pattern"`
	Principal string            `json:"principal"`
	Host      string            `json:"host"`
	Bytes     []byte            `json:"bytes"`
	Address   string            `json:"address"`
	Range     string            `json:"range"`
}

type answer struct {
	Error      string
	Yes        bool
	Text       string
	Type       string
	Name       string
	List       []string
	Keys       []string
	Operations map[string][]string
}

var (
	v39 = kafkarules.Version{Major: 3, Minor: 9}
	v44 = kafkarules.Version{Major: 4, Minor: 4}
)

// releases are those whose jars the real tests install.
var releases = []struct {
	kafka   string
	version kafkarules.Version
}{{"4.4.0", v44}, {"3.9.2", v39}}

func ask(t *testing.T, kafka string, questions []question) []answer {
	t.Helper()
	o := oracle.Start(t, oracle.Options{Main: "KafkaRulesOracle", Component: "kafka-" + kafka})
	var answers []answer
	o.Ask(t, questions, &answers)
	require.Len(t, answers, len(questions))
	return answers
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x4b61666b61)) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// mangle makes a near miss of a word: what people and tools get wrong.
func mangle(r *rand.Rand, s string) string {
	for range r.IntN(3) {
		runes := []rune(s)
		at := r.IntN(len(runes) + 1)
		piece := pick(r, []string{" ", "\t", "\v", "\u00a0", "\u2003", "\x00", "\x1f", ".", "_", "-", "+", ",", ":", "/", "%", "*", "0", "9", "e", "x",
			"f", "d", "L", "A", "ſ", "İ", "٣", "９", "𝟗", "é", "\ufeff", "::", "ffff", "1"})
		switch r.IntN(4) {
		case 0:
			s = string(runes[:at]) + string(runes[min(at+1, len(runes)):])
		case 1:
			s = string(runes[:at])
		default:
			s = string(runes[:at]) + piece + string(runes[at:])
		}
	}
	return s
}

func TestOracle_TopicNamesAndCollisions(t *testing.T) {
	r := random(1)
	words := []string{"", ".", "..", "...", "a", "metricbeat", "logs.app_1-x", "__consumer_offsets", "größe", strings.Repeat("x", 248),
		strings.Repeat("x", 249), strings.Repeat("x", 250), strings.Repeat("ä", 249), "a.b", "a_b", "A-b"}
	var questions []question
	for range oracle.Count(2_000, 20_000) {
		a := mangle(r, pick(r, words))
		b := mangle(r, pick(r, words))
		if r.IntN(2) == 0 {
			b = strings.Map(func(c rune) rune {
				if (c == '.' || c == '_') && r.IntN(2) == 0 {
					return pick(r, []rune("._"))
				}
				return c
			}, a)
		}
		questions = append(questions, question{Ask: "topic", Name: a}, question{Ask: "collide", A: a, B: b})
	}
	for i, got := range ask(t, "4.4.0", questions) {
		switch q := questions[i]; q.Ask {
		case "topic":
			require.Equal(t, got.Error == "", kafkarules.TopicName(q.Name) == nil, "%q: Kafka: %q, we: %v", q.Name, got.Error, kafkarules.TopicName(q.Name))
		case "collide":
			require.Equal(t, got.Yes, kafkarules.Collides(q.A, q.B), "%q %q", q.A, q.B)
		}
	}
}

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

// turnOff are the configs that the rule about turning tiered storage off reads.
var turnOff = map[string][]string{
	"remote.storage.enable":        {"true", "TRUE", " true", "false", "x"},
	"remote.log.delete.on.disable": {"true", "false", "x"},
	"cleanup.policy":               {"delete", "compact"},
}

func TestOracle_TopicConfigChange(t *testing.T) {
	for _, release := range releases {
		r := random(9)
		some := func() map[string]string {
			set := map[string]string{"retention.ms": "5"}
			for _, key := range []string{"remote.storage.enable", "remote.log.delete.on.disable", "cleanup.policy"} {
				if r.IntN(2) == 0 {
					set[key] = pick(r, turnOff[key])
				}
			}
			return set
		}
		var questions []question
		for range oracle.Count(1_000, 5_000) {
			questions = append(questions, question{Ask: "configs", Before: some(), Set: some(),
				Defaults: map[string]string{"cleanup.policy": "delete", "local.retention.ms": "-2"}})
		}
		for i, got := range ask(t, release.kafka, questions) {
			q := questions[i]
			errs := kafkarules.TopicConfigChangeIn(release.version, q.Before, q.Set)
			require.Equal(t, got.Error == "", len(errs) == 0, "%s: %v to %v: Kafka: %q, we: %v", release.kafka, q.Before, q.Set, got.Error, errs)
		}
	}
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

func TestOracle_Operations(t *testing.T) {
	for _, release := range releases {
		want := ask(t, release.kafka, []question{{Ask: "operations"}})[0].Operations
		require.Len(t, want, len(kafkarules.ResourceTypes()))
		for _, resourceType := range kafkarules.ResourceTypes() {
			var have []string
			for _, op := range kafkarules.Operations(resourceType) {
				if op != kafkarules.OperationAll && kafkarules.OperationIn(release.version, resourceType, op) == nil {
					have = append(have, op)
				}
			}
			require.ElementsMatch(t, want[javaResourceTypes[resourceType]], have, "%s of %s", resourceType, release.kafka)
		}
	}
}

// oddIPv6 is what Java's parser of IPv6 takes beyond RFC 4291: brackets, zones,
// signs, digits of other scripts, more than four digits, leading zeros in IPv4
// tails and in the prefix length. Kafka stores such a range. We refuse it: no
// other tool reads it, and nothing is lost, since each has a plain spelling.
var oddIPv6 = regexp.MustCompile(`[\[\]%+]|[^\x00-\x7f]|[0-9a-fA-F]{5}|/-?0[0-9]|\.0[0-9]|:0[0-9]+\.`)

func TestOracle_Bindings(t *testing.T) {
	r := random(5)
	names := []string{"", "*", "kafka-cluster", "Kafka-Cluster", "metricbeat", "logs.", "a b", "User:alice", "alice", ".", strings.Repeat("x", 300)}
	principals := []string{"", ":", "User:alice", "User:*", "user:alice", "User", "User:", ":alice", "User:CN=a,O=b:c", " User:x", "Group:g", "*", "User:größe"}
	hosts := []string{"", "*", "**", "127.0.0.1", "10.0.0.01", "::1", "0:0:0:0:0:0:0:1", "broker1.example", "localhost", "10.0.0.0/8", "10.1.2.3/8", "10.0.0.0/33", "010.0.0.0/8",
		"256.0.0.0/8", "10.0.0/8", "10.0.0.0/", "/8", "0.0.0.0/0", "::/0", "fd00::/8", "FD00::/8", "fd00::/129", "::ffff:10.0.0.0/104", "1:2:3:4:5:6:7:8/64", "1:2:3:4:5:6:7::/64",
		"::10.0.0.0/104", "1::2::3/64", "00001::/16", "fe80::1%1/64", "[::1]/128", "::/+8", "10.0.0.0/-1", "1.2.3.4/5/6", "::/5/6", "10.0.0.0/08", "*/8", "10.*", "٣.0.0.0/8", "::/-1", "10.0.0.0/8:"}
	var questions []question
	for range oracle.Count(4_000, 40_000) {
		q := question{Ask: "binding", Type: pick(r, kafkarules.ResourceTypes()), Pattern: pick(r, []string{"literal", "prefixed"}),
			Name: mangle(r, pick(r, names)), Principal: mangle(r, pick(r, principals)), Host: mangle(r, pick(r, hosts))}
		if looksUpNames(q.Host) {
			q.Host = "*"
		}
		questions = append(questions, q)
	}
	sent := slices.Clone(questions)
	for i := range sent {
		sent[i].Type = javaResourceTypes[sent[i].Type]
		sent[i].Pattern = strings.ToUpper(sent[i].Pattern)
	}
	for _, release := range releases {
		accepted, odd := 0, 0
		for i, got := range ask(t, release.kafka, sent) {
			q := questions[i]
			errs := []error{kafkarules.ResourceName(q.Type, kafkarules.Pattern(q.Pattern), q.Name), kafkarules.Principal(q.Principal),
				kafkarules.HostIn(release.version, q.Host)}
			legal := !slices.ContainsFunc(errs, refuses)
			if got.Error == "" && !legal && strings.Contains(q.Host, ":") && oddIPv6.MatchString(q.Host) {
				odd++
				continue
			}
			require.Equal(t, got.Error == "", legal, "%s: %+v: Kafka: %q, we: %v", release.kafka, q, got.Error, errs)
			if legal {
				accepted++
				require.False(t, refuses(kafkarules.Host(q.Host)), "what a release stores, we let a caller name: %q", q.Host)
			}
		}
		require.Greater(t, accepted, len(questions)/20)
		require.Less(t, odd, len(questions)/20)
	}
}

func refuses(err error) bool { return err != nil && !errors.Is(err, kafkarules.ErrMisleading) }

// looksUpNames: what holds a colon and a slash but does not begin as an IPv6
// address, a broker hands to DNS. The answer would be the network's.
func looksUpNames(host string) bool {
	return strings.Contains(host, "/") && strings.Contains(host, ":") &&
		(strings.HasPrefix(host, "/") || !strings.ContainsAny(host[:1], ":[0123456789abcdefABCDEF")) || strings.Contains(host, "%")
}

func TestOracle_Principals(t *testing.T) {
	r := random(6)
	var questions []question
	for range oracle.Count(1_000, 10_000) {
		questions = append(questions, question{Ask: "principal",
			Text: mangle(r, pick(r, []string{"", ":", "User:alice", "User:*", "User:", ":alice", "User:CN=a,O=b:c", "Group:g", "a:b:c:", "::"}))})
	}
	for i, got := range ask(t, "4.4.0", questions) {
		err := kafkarules.Principal(questions[i].Text)
		require.Equal(t, got.Error == "", !refuses(err), "%q: Kafka: %q, we: %v", questions[i].Text, got.Error, err)
		if err == nil {
			require.Equal(t, questions[i].Text, got.Type+":"+got.Name)
			require.NotEmpty(t, got.Type)
			require.NotEmpty(t, got.Name)
		}
	}
}

// A host without an error is the text that a broker sees for that address, and
// the message about any other spelling gives that text.
func TestOracle_HostsAreSpelledAsABrokerSeesThem(t *testing.T) {
	r := random(7)
	var questions []question
	for range oracle.Count(2_000, 20_000) {
		size := 4
		if r.IntN(3) > 0 {
			size = 16
		}
		b := make([]byte, size)
		for i := range b {
			if r.IntN(3) == 0 {
				b[i] = byte(r.UintN(256))
			}
		}
		if size == 16 && r.IntN(5) == 0 {
			copy(b, netip.MustParseAddr("::ffff:0:0").AsSlice()[:12])
		}
		questions = append(questions, question{Ask: "address", Bytes: b})
	}
	for i, got := range ask(t, "4.4.0", questions) {
		addr, _ := netip.AddrFromSlice(questions[i].Bytes)
		require.NoError(t, kafkarules.Host(got.Text))
		for _, spelling := range []string{addr.String(), addr.StringExpanded(), strings.ToUpper(addr.StringExpanded())} {
			if spelling == got.Text {
				continue
			}
			err := kafkarules.Host(spelling)
			require.ErrorIs(t, err, kafkarules.ErrMisleading, spelling)
			require.ErrorContains(t, err, `"`+got.Text+`"`, spelling)
		}
	}
}

// A range without an error matches the addresses that it says.
func TestOracle_Ranges(t *testing.T) {
	r := random(8)
	var questions []question
	var want []bool
	for range oracle.Count(1_000, 10_000) {
		b, c := make([]byte, pick(r, []int{4, 16})), []byte(nil)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		addr, _ := netip.AddrFromSlice(b)
		prefix := netip.PrefixFrom(addr, r.IntN(len(b)*8+1))
		c = slices.Clone(b)
		c[r.IntN(len(c))] ^= 1 << r.UintN(8)
		client, _ := netip.AddrFromSlice(c)
		if addr.Is4In6() || client.Is4In6() {
			continue
		}
		require.NoError(t, kafkarules.Host(prefix.String()))
		questions = append(questions, question{Ask: "inRange", Range: prefix.String(), Address: client.String()})
		want = append(want, prefix.Masked().Contains(client))
	}
	for i, got := range ask(t, "4.4.0", questions) {
		require.Equal(t, want[i], got.Yes, "%+v", questions[i])
	}
}
