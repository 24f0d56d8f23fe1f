package nearest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	names := []string{"topics", "topic_prefixes", "principals", "name", "retention.ms", "retention.bytes", "segment.ms"}
	for typed, want := range map[string][]string{
		"topic": {"topics"}, "topicPrefixes": {"topic_prefixes"}, "TOPICS": {"topics"}, "nmae": {"name"}, "pirncipals": {"principals"},
		"x": nil, "": nil, "groups": nil, strings.Repeat("topics", 20): nil,
		"retention.mss": {"retention.ms"}, "retention-ms": {"retention.ms"}, "retention.millis": {"retention.ms", "retention.bytes"},
	} {
		require.Equal(t, want, Names(typed, names, 3), typed)
	}
	require.Equal(t, []string{"retention.ms"}, Names("retention.millis", names, 1))
}

func ExampleNames() {
	fmt.Println(Names("partition", []string{"name", "partitions", "configs"}, 1))
	// Output: [partitions]
}
