package jaas_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/kafkasec/jaas"
)

func TestParseFile_Contexts(t *testing.T) {
	f, err := jaas.ParseFile([]byte(`
// brokers
KafkaServer {
    org.apache.kafka.common.security.plain.PlainLoginModule required
    username="admin"
    user_admin="x";
    org.apache.kafka.common.security.scram.ScramLoginModule optional;
};
"sasl_ssl.KafkaServer" { };
'Client' { a.B REQUISITE; };
@ { ignored.By.Java required; };
`), jaas.FileOptions{})
	require.NoError(t, err)
	var got []string
	for _, c := range f.Contexts {
		got = append(got, c.Name)
		for _, m := range c.Modules {
			got = append(got, fmt.Sprintf("  %s %s %d", m.Class, m.Flag, len(m.Options)))
		}
	}
	require.Equal(t, []string{
		"KafkaServer",
		"  org.apache.kafka.common.security.plain.PlainLoginModule required 2",
		"  org.apache.kafka.common.security.scram.ScramLoginModule optional 0",
		"sasl_ssl.KafkaServer",
		"Client",
		"  a.B requisite 0",
	}, got)
	c, ok := f.Get("Client")
	require.True(t, ok)
	require.Equal(t, "Client", c.Name)
	_, ok = f.Get("KafkaClient")
	require.False(t, ok)

	f, err = jaas.ParseFile(nil, jaas.FileOptions{})
	require.NoError(t, err)
	require.Empty(t, f.Contexts)
}

// expandCases are values and what they expand to; see also oracle_test.go.
var expandCases = []struct{ value, want string }{
	{"", ""},
	{"a${user.home}b${user.home}", "a/home/kafkab/home/kafka"},
	{"${nested}", "${user.home}"},
	{"${/}${/}", "//"},
	{"${empty}x", "x"},
	{"${empty}", rejected},
	{"${empty}${empty}", rejected},
	{"${}", rejected},
	{"${no.such}", rejected},
	{"${user.home", "${user.home"},
	{"$user.home} $ {user.home} $${user.home}", "$user.home} $ {user.home} $/home/kafka"},
	{"${{user.home}}", "${{user.home}}"},
	{"${{user.home}}${user.home}", "${{user.home}}/home/kafka"},
	{"${{no.such}} ${{no.such}}${user.home}", "${{no.such}} ${{no.such}}/home/kafka"},
	{"${{no.such} ${user.home}", "${{no.such} ${user.home}"},
	{"${user.home}${{x ${no.such}}}", "/home/kafka${{x ${no.such}}}"},
	{"${user.home}${{x", "/home/kafka${{x"},
	{"${user.home}${x", "/home/kafka${x"},
	{"${${user.home}}", rejected},
	{"${", "${"},
	{"${{", "${{"},
	{"${{}}x", "${{}}x"},
	{"${{}}}x", "${{}}}x"},
	{"${ user.home}", rejected},
}

func TestParseFile_Expands(t *testing.T) {
	for _, tt := range expandCases {
		t.Run(tt.value, func(t *testing.T) {
			f, err := jaas.ParseFile([]byte(fileText(`password="`+tt.value+`"`)), jaas.FileOptions{Expand: systemProperty})
			if tt.want == rejected {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			v, _ := f.Contexts[0].Modules[0].Get("password")
			require.Equal(t, tt.want, v.Reveal())
		})
	}
}

func TestParseFile_ExpandsOnlyValues(t *testing.T) {
	f, err := jaas.ParseFile([]byte(`"${a}" { "${b}" required "${c}"="d"; };`), jaas.FileOptions{})
	require.NoError(t, err)
	require.Equal(t, "${a}", f.Contexts[0].Name)
	require.Equal(t, "${b}", f.Contexts[0].Modules[0].Class)
	require.Equal(t, "${c}", f.Contexts[0].Modules[0].Options[0].Key)
}

func TestParseFile_Errors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"no brace", "A\nB", `j.conf:2: expected "{" behind the name of a context, found an unquoted word`},
		{"line ends", "/*\r\n\r\n\r*/ \r\r\n // \r\nA\nB", `j.conf:8: expected "{" behind the name of a context, found an unquoted word`},
		{"no closing brace", "A {", `j.conf:1: expected the class of a login module or "}", found the end`},
		{"no semicolon behind the brace", "A { };\nB { }", `j.conf:2: expected ";" behind the "}" of a context, found the end`},
		{"no semicolon behind the module", "A {\nM required\n};", `j.conf:3: expected the key of an option or ";", found "}"`},
		{"class in single quotes", "A { 'M' required; };", `j.conf:1: expected the class of a login module or "}", found a string in single quotes`},
		{"class is empty", `A { "" required; };`, `j.conf:1: expected the class of a login module or "}", found a quoted string`},
		{"no flag", "A { M ; };", `j.conf:1: expected required, requisite, sufficient or optional behind the class, found ";"`},
		{"no equals", "A { M required p;};", `j.conf:1: expected "=" behind the key of an option, found ";"`},
		{"single quotes", "A { M required p='" + canary + "';};", `j.conf:1: expected the value of an option, in double quotes, found a string in single quotes`},
		{"quote inside", "A {\n M required p=\"" + canary + "\"" + canary + "\";\n};",
			`j.conf:2: expected "=" behind the key of an option, found a quoted string (the quoted string of line 2 has no closing quote on its line)`},
		{"property value", canary + ` required p="` + canary + `";`, `j.conf:1: expected "{" behind the name of a context, found an unquoted word`},
		{"not UTF-8", "A { M required p=\"" + canary + "\xe9\"; };", "j.conf:1: found a byte that is not UTF-8; Java would put another character in its place"},
		{"a password that looks like a property", "A { M required p=\"a${" + canary + "}\"; };",
			"j.conf:1: expected a system property in ${...}, found one that is not set; the JDK takes every ${...} in a file for one"},
		{"all at once", "A {\n M " + canary + " p=\"${no.such}" + canary + "${nor.this}\"\n q=\"${empty}\"\n r=\"${}\";\n};\nA { };\n1 { }; 2 { };",
			`j.conf:2: expected required, requisite, sufficient or optional, found another word
j.conf:2: expected a system property in ${...}, found one that is not set; the JDK takes every ${...} in a file for one
j.conf:2: expected a system property in ${...}, found one that is not set; the JDK takes every ${...} in a file for one
j.conf:3: expected a value, found only properties that are empty
j.conf:4: expected the name of a system property in ${}, found nothing
j.conf:6: expected a new context, found a second one called "A"
j.conf:7: expected a new context, found a second one called ""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := jaas.ParseFile([]byte(tt.in), jaas.FileOptions{Source: "j.conf", Expand: systemProperty})
			require.EqualError(t, err, tt.want)
			require.NotContains(t, err.Error(), canary)
			require.Empty(t, f)
		})
	}
}

func TestParseFile_IgnoresOtherEncodingsInComments(t *testing.T) {
	_, err := jaas.ParseFile([]byte("// Andr\xe9\n/* \xe9 */ A { };"), jaas.FileOptions{})
	require.NoError(t, err)
}

func ExampleParseFile() {
	text := `
KafkaServer {
    org.apache.kafka.common.security.plain.PlainLoginModule required
    username="admin"
    password="${admin.password}"
    user_admin="${admin.password}";
};
`
	f, err := jaas.ParseFile([]byte(text), jaas.FileOptions{
		Source: "kafka_server_jaas.conf",
		Expand: func(name string) (string, bool) { return "s3cret", name == "admin.password" },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, _ := f.Get("KafkaServer")
	for _, o := range server.Modules[0].Options {
		fmt.Println(o.Key, o.Value)
	}
	// Output:
	// username [secret]
	// password [secret]
	// user_admin [secret]
}
