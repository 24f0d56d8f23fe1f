package kafkarules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

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
