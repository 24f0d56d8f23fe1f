package kafkarules

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A shape refuses nothing that some release takes, and its bounds are the last
// values that one does.
func TestTopicConfigShape_AgreesWithTopicConfig(t *testing.T) {
	for _, key := range TopicConfigKeys() {
		shape, ok := TopicConfigShape(key)
		require.True(t, ok, key)
		require.NotEmpty(t, shape.Kind, key)
		require.NotEmpty(t, shape.Allowed, key)
		for _, name := range shape.Names {
			require.NoError(t, TopicConfig(key, name))
		}
		if shape.Names != nil {
			require.Error(t, TopicConfig(key, "x"+shape.Names[0]), key)
		}
		if shape.Low != nil {
			require.NoError(t, TopicConfig(key, strconv.FormatInt(*shape.Low, 10)))
			require.Error(t, TopicConfig(key, strconv.FormatInt(*shape.Low-1, 10)), key)
		}
		if shape.High != nil {
			require.NoError(t, TopicConfig(key, strconv.FormatInt(*shape.High, 10)))
			require.Error(t, TopicConfig(key, strconv.FormatInt(*shape.High+1, 10)), key)
		}
	}
	_, ok := TopicConfigShape("retention")
	require.False(t, ok)
}

func TestTopicConfigShape_KnowsTheReleases(t *testing.T) {
	segment, _ := TopicConfigShape("segment.bytes")
	require.EqualValues(t, 14, *segment.Low, "up to 4.0")
	require.True(t, strings.HasSuffix(segment.Allowed, "1048576 (since 4.1)"), segment.Allowed)
	copyLag, _ := TopicConfigShape("remote.copy.lag.ms")
	require.Equal(t, "a whole number of at least -1 (exists since 4.4)", copyLag.Allowed)
	gzip, _ := TopicConfigShape("compression.gzip.level")
	require.Nil(t, gzip.Low, "-1 and 1 to 9 are no range")
}
