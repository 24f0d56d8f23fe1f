package kafkarules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

func TestTopicName_SaysWhatIsWrongAndAllowed(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"metricbeat", ""},
		{"a", ""},
		{"...", ""},
		{"-", ""},
		{"logs.app_1-x", ""},
		{strings.Repeat("x", 249), ""},
		{"", "topic name is empty"},
		{".", `topic name "." is reserved`},
		{"..", `topic name ".." is reserved`},
		{strings.Repeat("x", 250), "has 250 characters"},
		{"a b", `has the illegal character ' '`},
		{"a/b", `has the illegal character '/'`},
		{"größe", `has the illegal character 'ö'`},
		{"logs.*", `has the illegal character '*'`},
		{"a\x00", `has the illegal character '\x00'`},
		{"a\xff", `has the illegal character '�'`},
		{strings.Repeat("ä", 10_000), `has the illegal character 'ä'`},
	} {
		err := kafkarules.TopicName(c.name)
		if c.want == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "1 to 249 of the characters")
		require.Less(t, len(err.Error()), 300)
	}
}

func TestCollides(t *testing.T) {
	require.True(t, kafkarules.Collides("a.b", "a_b"))
	require.True(t, kafkarules.Collides("a._b", "a_.b"))
	require.True(t, kafkarules.Collides("same", "same"))
	require.False(t, kafkarules.Collides("a.b", "a-b"))
	require.False(t, kafkarules.Collides("ab", "a.b"))
}
