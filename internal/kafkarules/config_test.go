package kafkarules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

func release(major, minor int) kafkarules.Version {
	return kafkarules.Version{Major: major, Minor: minor}
}

func TestTopicConfig_SaysWhatIsWrongAndAllowed(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"retention.ms", "604800000", ""},
		{"retention.ms", " -1\n", ""},
		{"retention.ms", "+7", ""},
		{"retention.ms", "٣٣", ""},
		{"retention.bytes", "-5", ""},
		{"min.cleanable.dirty.ratio", ".5", ""},
		{"min.cleanable.dirty.ratio", "5e-1d", ""},
		{"cleanup.policy", "compact , delete", ""},
		{"cleanup.policy", "", ""},
		{"preallocate", "TRUE", ""},
		{"segment.bytes", "14", ""}, // up to 4.0
		{"leader.replication.throttled.replicas", "*", ""},
		{"leader.replication.throttled.replicas", "0:1, 1:2,", ""},
		{"message.format.version", "2.8-IV1", ""},
		{"compression.gzip.level", "-1", ""},

		{"retention.ms", "1d", `config "retention.ms": value "1d" is not a whole number: allowed is a whole number of at least -1`},
		{"retention.ms", "-2", `config "retention.ms": value "-2" is too small: allowed is a whole number of at least -1`},
		{"retention.ms", "𝟗", "is not a whole number"}, // outside of the basic plane
		{"retention.ms", "1e3", "is not a whole number"},
		{"retention.ms", "9223372036854775808", "does not fit in 64 bits"},
		{"max.message.bytes", "2147483648", "does not fit in 32 bits"},
		{"min.insync.replicas", "0", "is too small: allowed is a whole number of at least 1"},
		{"min.cleanable.dirty.ratio", "1.1", "is out of range: allowed is a number from 0 to 1"},
		{"min.cleanable.dirty.ratio", "-0.1", "is out of range"},
		{"min.cleanable.dirty.ratio", "half", "is not a number"},
		{"min.cleanable.dirty.ratio", "0_5", "is not a number"},
		{"cleanup.policy", "compact,Delete", `has the element "Delete": allowed is a comma-separated list of compact, delete`},
		{"cleanup.policy", "compact,", `has the element ""`},
		{"preallocate", "yes", "is neither true nor false: allowed is true or false"},
		{"compression.type", "GZIP", "is not allowed: allowed is one of uncompressed, zstd"},
		{"compression.gzip.level", "0", "is out of range: allowed is a whole number from 1 to 9, or -1"},
		{"compression.zstd.level", "23", "allowed is a whole number from -131072 to 22"},
		{"segment.bytes", "13", "at least 14 (up to 4.0); a whole number of at least 1048576 (since 4.1)"},
		{"leader.replication.throttled.replicas", "*,0:1", `has the element "*"`},
		{"message.format.version", "0.10.0-IV2", "allowed is a release such as 2.8 or 3.0-IV1"},

		{"retention", "1", `config "retention" is unknown`},
		{"retention_ms", "1", `config "retention_ms" is unknown: did you mean "retention.ms"?`},
		{"Cleanup.Policy", "delete", `did you mean "cleanup.policy"?`},
		{"min.insync.replica", "1", `did you mean "min.insync.replicas"?`},
		{"max.mesage.byte", "1", `did you mean "max.message.bytes"`},
		{"log.retention.ms", "1", `config "log.retention.ms" is a broker's, not a topic's: the topic config is "retention.ms"`},
		{"log.retention.hours", "1", `the topic config is "retention.ms"`},
		{"message.max.bytes", "1", `the topic config is "max.message.bytes"`},
		{"", "1", `config "" is unknown: allowed are the topic configs of Kafka`},
		{"internal.segment.bytes", "1", "is unknown"},
		{strings.Repeat("retention.", 1000), "1", "is unknown"},
	} {
		err := kafkarules.TopicConfig(c.key, c.value)
		if c.want == "" {
			require.NoError(t, err, "%s=%q", c.key, c.value)
			continue
		}
		require.ErrorContains(t, err, c.want, "%s=%q", c.key, c.value)
		require.Less(t, len(err.Error()), 300)
	}
}

func TestTopicConfigIn_KnowsTheReleases(t *testing.T) {
	for _, c := range []struct {
		version    kafkarules.Version
		key, value string
		want       string
	}{
		{release(4, 0), "segment.bytes", "1024", ""},
		{release(4, 1), "segment.bytes", "1024", "allowed is a whole number of at least 1048576"},
		{release(3, 2), "flush.messages", "0", ""},
		{release(3, 3), "flush.messages", "0", "at least 1"},
		{release(2, 8), "segment.index.bytes", "0", ""},
		{release(3, 3), "segment.index.bytes", "3", "at least 4"},
		{release(3, 9), "message.downconversion.enable", "true", ""},
		{release(4, 0), "message.downconversion.enable", "true", `config "message.downconversion.enable" exists up to 3.9, this is 4.0`},
		{release(4, 3), "remote.copy.lag.ms", "1", "exists since 4.4, this is 4.3"},
		{release(3, 7), "compression.lz4.level", "1", "exists since 3.8, this is 3.7"},
		{release(2, 8), "remote.storage.enable", "true", "exists since 3.0"},
		{release(3, 5), "message.timestamp.after.max.ms", "1", "exists since 3.6"},
		{release(9, 0), "retention.ms", "1", ""},
	} {
		err := kafkarules.TopicConfigIn(c.version, c.key, c.value)
		if c.want == "" {
			require.NoError(t, err, "%v", c)
			continue
		}
		require.ErrorContains(t, err, c.want, "%v", c)
	}
}

func TestTopicConfigKeys(t *testing.T) {
	require.True(t, slices.IsSorted(kafkarules.TopicConfigKeys()))
	// As many as the LogConfig of these releases defines.
	for _, c := range []struct {
		version kafkarules.Version
		want    int
	}{{release(2, 3), 26}, {release(2, 8), 26}, {release(3, 0), 29}, {release(3, 4), 29}, {release(3, 6), 31}, {release(3, 9), 36},
		{release(4, 0), 33}, {release(4, 1), 33}, {release(4, 3), 33}, {release(4, 4), 37}, {kafkarules.Version{}, 40}} {
		require.Len(t, kafkarules.TopicConfigKeysIn(c.version), c.want, c.version)
	}
}

func TestSameTopicConfig(t *testing.T) {
	for _, c := range []struct {
		key, a, b string
		want      bool
	}{
		{"retention.ms", "1000", " 1000", true},
		{"retention.ms", "1000", "+01000", true},
		{"retention.ms", "1000", "1001", false},
		{"retention.ms", "x", "x", true},
		{"retention.ms", "x", "y", false},
		{"retention.ms", "x", "1", false},
		{"min.cleanable.dirty.ratio", "0.5", ".5", true},
		{"min.cleanable.dirty.ratio", "0.5", "5e-1", true},
		{"min.cleanable.dirty.ratio", "NaN", " NaN", true},
		{"min.cleanable.dirty.ratio", "0", "-0.0", true},
		{"preallocate", "true", "TRUE ", true},
		{"preallocate", "true", "false", false},
		{"cleanup.policy", "delete,compact", "compact, delete", true},
		{"cleanup.policy", "delete,delete", "delete", true},
		{"cleanup.policy", "", " ", true},
		{"cleanup.policy", "delete", "delete,compact", false},
		{"compression.type", "gzip", "gzip ", true},
		{"compression.type", "gzip", "GZIP", false},
		{"leader.replication.throttled.replicas", "0:1,1:2", "1:2, 0:1,", true},
		{"unknown", "1", " 1", false},
		{"unknown", "1", "1", true},
	} {
		require.Equal(t, c.want, kafkarules.SameTopicConfig(c.key, c.a, c.b), "%v", c)
		require.Equal(t, c.want, kafkarules.SameTopicConfig(c.key, c.b, c.a), "%v", c)
	}
}

func FuzzTopicConfig(f *testing.F) {
	for _, key := range []string{"retention.ms", "min.cleanable.dirty.ratio", "cleanup.policy", "leader.replication.throttled.replicas",
		"message.format.version", "log.retention.ms", "retention_ms"} {
		for _, value := range []string{"1", " .5f", "delete,compact", "0:1,*", "0x1p-3", "0.10.0-IV1", "٣\xff"} {
			f.Add(key, value, value+" ")
		}
	}
	f.Fuzz(func(t *testing.T, key, a, b string) {
		anyRelease := kafkarules.TopicConfig(key, a)
		some := false
		for _, v := range []kafkarules.Version{release(2, 3), release(3, 2), release(3, 3), release(3, 9), release(4, 0), release(4, 1), release(4, 4)} {
			err := kafkarules.TopicConfigIn(v, key, a)
			some = some || err == nil
			require.Equal(t, err == nil, len(kafkarules.TopicConfigsIn(v, map[string]string{key: a})) == 0)
		}
		require.Equal(t, some, anyRelease == nil, "%s=%q: %v", key, a, anyRelease)
		if anyRelease != nil {
			require.Less(t, len(anyRelease.Error()), 600)
		}
		require.True(t, kafkarules.SameTopicConfig(key, a, a))
		if !isList(key) && kafkarules.SameTopicConfig(key, a, b) {
			require.True(t, kafkarules.SameTopicConfig(key, b, a))
			require.Equal(t, anyRelease == nil, kafkarules.TopicConfig(key, b) == nil, "%s: %q is the same as %q", key, a, b)
		}
	})
}

// isList: empty elements count when a list is judged, not when it is compared.
func isList(key string) bool {
	return key == "cleanup.policy" || strings.HasSuffix(key, ".throttled.replicas")
}
