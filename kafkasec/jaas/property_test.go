package jaas_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/jaas"
)

func TestParseProperty_KeepsOrderAndDuplicates(t *testing.T) {
	m, err := jaas.ParseProperty(holdfast.NewSecret(`"a.B" suFFicient
		z="1" a='2'
		z=three ;`))
	require.NoError(t, err)
	require.Equal(t, "a.B", m.Class)
	require.Equal(t, jaas.Sufficient, m.Flag)
	var got []string
	for _, o := range m.Options {
		got = append(got, o.Key+"="+o.Value.Reveal())
	}
	require.Equal(t, []string{"z=1", "a=2", "z=three"}, got)
	_, ok := m.Get("nothing")
	require.False(t, ok)
}

func TestParseProperty_LeavesOutOptionsThatKafkaCannotFind(t *testing.T) {
	m, err := jaas.ParseProperty(holdfast.NewSecret(`M required 12="x" = = "y" -="z" password="a";`))
	require.NoError(t, err)
	require.Empty(t, cmp.Diff([]jaas.Option{{Key: "password", Value: holdfast.NewSecret("a")}}, m.Options))
}

func TestParseProperty_Flags(t *testing.T) {
	for text, want := range map[string]jaas.Flag{
		"required": jaas.Required, "REQUISITE": jaas.Requisite, `"Sufficient"`: jaas.Sufficient, "'optional'": jaas.Optional,
		"requıred": jaas.Required, // Java upper-cases the dotless i to I
	} {
		m, err := jaas.ParseProperty(holdfast.NewSecret("M " + text + ";"))
		require.NoError(t, err, text)
		require.Equal(t, want, m.Flag, text)
	}
}

// canary stands where passwords stand; no error may hold it or its parts.
const canary = "c4nary"

func TestParseProperty_Errors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", "line 1: expected a login module, found the end"},
		{"only a comment", "/* " + canary, "line 1: expected a login module, found the end"},
		{"only white space", "\n\n", "line 3: expected a login module, found the end"},
		{"class is a number", "12 required;", "line 1: expected the class of a login module, found an unquoted number"},
		{"class is empty", `"" required;`, "line 1: expected the class of a login module, found a quoted string"},
		{"no flag", "M", "line 1: expected required, requisite, sufficient or optional behind the class, found the end"},
		{"flag is a symbol", "M ;", `line 1: expected required, requisite, sufficient or optional behind the class, found ";"`},
		{"unknown flag", "M\n" + canary + ";", "line 2: expected required, requisite, sufficient or optional, found another word"},
		{"no semicolon", `M required p="` + canary + `"`, `line 1: expected ";" at the end of the login module, found the end`},
		{"no equals", "M required\nuser pass;", `line 2: expected "=" behind the key of an option, found an unquoted word`},
		{"no value", "M required p=;", `line 1: expected the value of an option, in quotes, found ";"`},
		{"unquoted at sign", "M required p=" + canary + "@" + canary + ";", `line 1: expected "=" behind the key of an option, found an unquoted word`},
		{"unquoted percent", "M required p=%;", `line 1: expected the value of an option, in quotes, found a character that must stand inside quotes`},
		{"quote inside", `M required p="` + canary + `"` + canary + `";`,
			`line 1: expected "=" behind the key of an option, found a quoted string (the quoted string of line 1 has no closing quote on its line)`},
		{"two modules", "M required;\nN required p=\"" + canary + "\";", "line 2: expected the end, found more than one login module"},
		{"a file", "KafkaClient {\nM required;\n};", `line 1: expected required, requisite, sufficient or optional behind the class, found "{"`},
		{"not UTF-8", "M required p=\"" + canary + "\xe9\";", "line 1: found a byte that is not UTF-8; Java would put another character in its place"},
		{"two problems", "M " + canary + " p='" + canary + "';\nN required;",
			"line 1: expected required, requisite, sufficient or optional, found another word\nline 2: expected the end, found more than one login module"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := jaas.ParseProperty(holdfast.NewSecret(tt.in))
			require.EqualError(t, err, tt.want)
			require.NotContains(t, err.Error(), canary)
			require.Empty(t, m)
			var problems holdfast.Problems
			require.True(t, errors.As(err, &problems))
		})
	}
	_, err := jaas.ParseProperty(holdfast.Secret{})
	require.Error(t, err)
}

func TestParseProperty_PrintsNoValue(t *testing.T) {
	m, err := jaas.ParseProperty(holdfast.NewSecret(`M required password="` + canary + `";`))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, m), canary)
	}
}

// What people have in client.properties.
func ExampleParseProperty() {
	m, err := jaas.ParseProperty(holdfast.NewSecret(
		`org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="a;b";`))
	if err != nil {
		fmt.Println(err)
		return
	}
	user, _ := m.Get("username")
	password, _ := m.Get("password")
	fmt.Println(m.Class)
	fmt.Println(user.Reveal(), password)

	_, err = jaas.ParseProperty(holdfast.NewSecret(
		`org.apache.kafka.common.security.plain.PlainLoginModule required username=alice password=1abc;`))
	fmt.Println(err)
	// Output:
	// org.apache.kafka.common.security.plain.PlainLoginModule
	// alice [secret]
	// line 1: expected the value of an option, in quotes, found an unquoted number
}
