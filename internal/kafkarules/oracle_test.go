package kafkarules_test

import (
	"math/rand/v2"
	"testing"

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
