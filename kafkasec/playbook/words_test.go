package playbook

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                          nil,
		" \t ":                      nil,
		"a b\tc":                    {"a", "b", "c"},
		"--operation  Read ":        {"--operation", "Read"},
		"''":                        {""},
		`"" a`:                      {"", "a"},
		`'a b'"c d"e\ f`:            {"a bc de f"},
		`'$x' '"' "'"`:              {"$x", `"`, "'"},
		`"\$\"\\\a"`:                {`$"\\a`},
		`\'\"\$\\\*`:                {`'"$\*`},
		"a#b a~b":                   {"a#b", "a~b"},
		"'a\nb'":                    {"a\nb"},
		"a\\\nb":                    {"ab"},
		"\"a\\\nb\"":                {"ab"},
		"a \\\n b":                  {"a", "b"},
		"* User:* a? [x]":           {"*", "User:*", "a?", "[x]"},
		"é '\u3000'":                {"é", "\u3000"},
		"}":                         {"}"},
		"--a=b=c %x @y ^ ! , . : /": {"--a=b=c", "%x", "@y", "^", "!", ",", ".", ":", "/"},
	} {
		words, err := splitWords(text)
		require.NoError(t, err, "%q", text)
		require.Equal(t, want, words, "%q", text)
	}
}

// Everything up to six characters of what matters to quoting, asked of sh.
func TestSplitWords_AsSh(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	var script, want strings.Builder
	count := 0
	var extend func(text string)
	extend = func(text string) {
		if words, err := splitWords(text); err == nil {
			count++
			script.WriteString("p " + text + "\n")
			for _, w := range words {
				want.WriteString("[" + w + "]")
			}
			want.WriteString("\x00")
		}
		if len(text) < 6 {
			for _, c := range `a '"\` {
				extend(text + string(c))
			}
		}
	}
	extend("")
	extend("'\n")
	extend("\"\\\n")
	extend("a\\\n")
	cmd := exec.Command(sh, "-f", "-s")
	cmd.Stdin = strings.NewReader(`p() { [ $# -eq 0 ] || printf '[%s]' "$@"; printf '\0'; }` + "\n" + script.String())
	got, err := cmd.Output()
	require.NoError(t, err)
	require.Greater(t, count, 5000)
	require.Equal(t, want.String(), string(got))
}

func FuzzSplitWords(f *testing.F) {
	for _, s := range []string{"", `a 'b' "c" d\ e`, "'", `"`, `\`, "$x", "a\nb", "#", "a\\\nb", "\xff'\xfe'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := splitWords(text)
		if err != nil {
			require.Nil(t, words)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		// Quoted again, the words come back, and no byte came from elsewhere.
		var quoted []string
		length := 0
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
			length += len(w)
		}
		require.LessOrEqual(t, length, len(text))
		again, err := splitWords(strings.Join(quoted, " "))
		require.NoError(t, err)
		require.Equal(t, words, again)
	})
}
