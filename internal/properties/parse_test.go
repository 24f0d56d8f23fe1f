package properties_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/properties"
)

type entry = properties.Entry

func TestParse(t *testing.T) {
	tests := []struct {
		name, in string
		want     []entry
	}{
		{"empty", "", nil},
		{"separators", "a=1\nb:2\nc 3\nd\t=\f4\ne = = 5\nf", []entry{
			{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "4", 4}, {"e", "= 5", 5}, {"f", "", 6}}},
		{"comments and blank lines", "# a\n\n ! b\r\n \t\f\nc=#d\n", []entry{{"c", "#d", 5}}},
		{"a backslash does not continue a comment", "# a \\\nb=c", []entry{{"b", "c", 2}}},
		{"line ends", "a=1\rb=2\r\nc=3\n\rd=4", []entry{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", "4", 5}}},
		{"continuation", "a = 1,\\\n   2,\\\r\n\t3\nb=4", []entry{{"a", "1,2,3", 1}, {"b", "4", 4}}},
		{"continuation in the key", "ab\\\n  c=1", []entry{{"abc", "1", 1}}},
		{"continuation keeps # and !", "a=1\\\n#2\\\n!3", []entry{{"a", "1#2!3", 1}}},
		{"continuation without text yet, then a comment", "\\\n#a\nb=1", []entry{{"b", "1", 3}}},
		{"continuation without text yet, then a blank line", "\\\n\nb=1", []entry{{"b", "1", 3}}},
		{"blank continuation line ends the line", "a=1\\\n\nb=2", []entry{{"a", "1", 1}, {"b", "2", 3}}},
		{"even backslashes do not continue", "a=1\\\\\nb=2", []entry{{"a", `1\`, 1}, {"b", "2", 2}}},
		{"backslash at the end of the file", `a=1\`, []entry{{"a", "1", 1}}},
		{"file of one backslash", `\`, []entry{{"", "", 1}}},
		{"file of one backslash and newline", "\\\n", []entry{{"", "", 1}}},
		{"file of one backslash and CR LF", "\\\r\n", nil},
		{"escapes", `a=\t\n\r\f\\\=\:\#\!\z\"\b\0`, []entry{{"a", "\t\n\r\f\\=:#!z\"b0", 1}}},
		{"escapes in the key", `a\ b\=c\:d\\=1`, []entry{{`a b=c:d\`, "1", 1}}},
		{"unicode escapes", `\u0061=\u00e9\u20AC\uD83D\uDE00\\u0041`, []entry{{"a", "é€😀" + `\u0041`, 1}}},
		{"input is ISO-8859-1", "a=\xe9\xc3\xa9", []entry{{"a", "éÃ©", 1}}},
		{"trailing blanks belong to the value", "a=1 \t\n", []entry{{"a", "1 \t", 1}}},
		{"vertical tab is no blank", "\va\v=\vb", []entry{{"\va\v", "\vb", 1}}},
		{"duplicates are kept", "a=1\na=2", []entry{{"a", "1", 1}, {"a", "2", 2}}},
		{"empty key", "=1", []entry{{"", "1", 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := properties.Parse([]byte(tt.in))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(tt.want, f.Entries))
		})
	}
}

func TestParse_ReportsEveryMalformedEscapeWithItsLine(t *testing.T) {
	const canary = "c4nary"
	tests := []struct {
		name, in string
		lines    []int
	}{
		{"too short", `a=` + canary + `\u12`, []int{1}},
		{"one short", `\u123=` + canary, []int{1}},
		{"not hexadecimal", "a=1\nb=" + canary + `\u12g4`, []int{2}},
		{"in a key", `\u00=` + canary, []int{1}},
		{"two u", `a=\uu0041` + canary, []int{1}},
		{"on a continuation line", "a=1\\\n 2\\\n " + canary + `\uXXXX`, []int{3}},
		{"several", "a=\\u1\nb=2\nc=\\u2 " + canary, []int{1, 3}},
		{"high surrogate alone", `a=` + canary + `\ud83dx`, []int{1}},
		{"low surrogate alone", `a=` + canary + `\ude00`, []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := properties.Parse([]byte(tt.in))
			var problems holdfast.Problems
			require.True(t, errors.As(err, &problems), "%v", err)
			var lines []int
			for _, p := range problems {
				lines = append(lines, p.Line)
			}
			require.Equal(t, tt.lines, lines)
			require.NotContains(t, err.Error(), canary)
		})
	}
}

func TestFile_LastDuplicateWins(t *testing.T) {
	f, err := properties.Parse([]byte("a=1\nb=2\na=3"))
	require.NoError(t, err)
	v, ok := f.Get("a")
	require.True(t, ok)
	require.Equal(t, "3", v)
	_, ok = f.Get("c")
	require.False(t, ok)
	require.Equal(t, map[string]string{"a": "3", "b": "2"}, f.Map())
}

func TestEntry_PrintsNoValue(t *testing.T) {
	f := properties.File{Entries: []entry{{Key: "k", Value: "c4nary"}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, f), "c4nary", verb)
		require.NotContains(t, fmt.Sprintf(verb, f.Entries[0]), fmt.Sprintf("%x", "c4nary"), verb)
	}
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "file", f) // by encoding/json
	require.Contains(t, b.String(), `"Key":"k"`)
	require.NotContains(t, b.String(), "c4nary")
}
