package kafkarules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/nearest"
)

// TopicConfigKeys lists every topic config that one of the known releases has,
// sorted.
func TopicConfigKeys() []string { return TopicConfigKeysIn(Version{}) }

// TopicConfigKeysIn lists the topic configs of one release, sorted.
func TopicConfigKeysIn(v Version) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(topicConfigs)) {
		if topicConfigs[key].existsIn(v) {
			keys = append(keys, key)
		}
	}
	return keys
}

// TopicConfig judges one topic config by all known releases together: it is
// wrong only if every one of them would refuse it.
func TopicConfig(key, value string) error { return TopicConfigIn(Version{}, key, value) }

// TopicConfigIn judges one topic config as a broker of one release does.
func TopicConfigIn(v Version, key, value string) error {
	_, err := readConfig(v, key, value)
	return err
}

// readConfig finds the value that the release reads.
func readConfig(v Version, key, raw string) (value, error) {
	c, ok := topicConfigs[key]
	if !ok {
		return value{}, unknownConfig(key)
	}
	var refusal error
	for _, r := range c.rules {
		if !r.has(v) {
			continue
		}
		parsed, err := r.judge(c.kind, raw)
		if err == nil {
			return parsed, nil
		}
		refusal = err
	}
	if refusal == nil {
		return value{}, fmt.Errorf("config %q exists %s, this is %s", key, c.exists(), v)
	}
	return value{}, fmt.Errorf("config %q: value %s %w: allowed is %s", key, quote(raw), refusal, c.allowed(v))
}

// allowed words what the rules of a release allow, or of all with their releases.
func (c config) allowed(v Version) string {
	var allowed []string
	for _, r := range c.rules {
		if !r.has(v) {
			continue
		}
		words := r.allowed
		if v == (Version{}) && len(c.rules) > 1 && r.span != (span{}) {
			words += " (" + r.span.String() + ")"
		}
		allowed = append(allowed, words)
	}
	return strings.Join(allowed, "; ")
}

// SameTopicConfig reports whether a broker treats two values of a config alike:
// numbers and truth values by what they mean, lists as sets. Values that do
// not parse, and those of unknown configs, are the same only if they are equal.
func SameTopicConfig(key, a, b string) bool {
	if a == b {
		return true
	}
	c, ok := topicConfigs[key]
	if !ok {
		return false
	}
	x, errX := parseValue(c.kind, a)
	y, errY := parseValue(c.kind, b)
	return errX == nil && errY == nil && x.same(y)
}

// unknownConfig says what could have been meant.
func unknownConfig(key string) error {
	if topicKey, ok := topicKeyOf(key); ok {
		return fmt.Errorf("config %q is a broker's, not a topic's: the topic config is %q", key, topicKey)
	}
	near := nearest.Names(key, TopicConfigKeys(), 3)
	if len(near) == 0 {
		return fmt.Errorf("config %s is unknown: allowed are the topic configs of Kafka, such as retention.ms", quote(key))
	}
	for i, n := range near {
		near[i] = fmt.Sprintf("%q", n)
	}
	return fmt.Errorf("config %s is unknown: did you mean %s?", quote(key), strings.Join(near, " or "))
}

// topicKeyOf finds the topic config whose broker-wide default has that name.
func topicKeyOf(brokerKey string) (string, bool) {
	if brokerKey == "" {
		return "", false
	}
	for _, key := range TopicConfigKeys() {
		if topicConfigs[key].broker == brokerKey {
			return key, true
		}
	}
	// The coarser spellings that a broker takes besides.
	switch brokerKey {
	case "log.retention.minutes", "log.retention.hours":
		return "retention.ms", true
	case "log.roll.hours":
		return "segment.ms", true
	case "log.roll.jitter.hours":
		return "segment.jitter.ms", true
	case "log.flush.scheduler.interval.ms":
		return "flush.ms", true
	}
	return "", false
}
