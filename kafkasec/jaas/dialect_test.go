package jaas_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/jaas"
)

const rejected = "\x00rejected"

// dialectCases are single options, as written, and what each parser makes of
// them. Every row was seen with JDK 17 and Kafka 4.4.0; oracle_test.go asks them
// again.
var dialectCases = []struct {
	name string
	// option is the text between the flag and the semicolon.
	option         string
	key            string
	property, file string
}{
	{"semicolon", `password="a;b"`, "password", "a;b", "a;b"},
	{"two slashes", `password="a//b"`, "password", "a//b", "a//b"},
	{"block comment", `password="a/*b*/"`, "password", "a/*b*/", "a/*b*/"},
	{"hash", `password="a#b"`, "password", "a#b", "a#b"},
	{"equals", `password="a=b"`, "password", "a=b", "a=b"},
	{"braces", `password="a{b}"`, "password", "a{b}", "a{b}"},
	{"single quote inside", `password="a'b"`, "password", "a'b", "a'b"},
	{"tab", "password=\"a\tb\"", "password", "a\tb", "a\tb"},
	{"outside ASCII", `password="pä€😀"`, "password", "pä€😀", "pä€😀"},
	{"empty", `password=""`, "password", "", ""},
	{"escaped quote", `password="a\"b"`, "password", `a"b`, `a"b`},
	{"escaped backslash", `password="a\\b"`, "password", `a\b`, `a\b`},
	{"control escapes", `password="\b\n\t\f\r\a\v"`, "password", "\b\n\t\f\r\a\v", "\b\n\t\f\r\a\v"},
	{"octal", `password="\101\1011\4011\7x\0"`, "password", "AA1 11\x07x\x00", "AA1 11\x07x\x00"},
	{"octal up to 377", `password="\377\400"`, "password", "\u00ff 0", "\u00ff 0"},
	{"no unicode escape", `password="\u0041"`, "password", "u0041", "u0041"},
	{"other escapes lose the backslash", `password="\p\8\$"`, "password", "p8$", "p8$"},
	{"escaped newline", "password=\"a\\\nb\"", "password", "a\nb", "a\nb"},
	{"quote inside", `password="a"b"`, "password", rejected, rejected},
	{"newline inside", "password=\"a\nb\"", "password", rejected, rejected},
	{"string without a closing quote ends with its line", "password=\"a\n", "password", "a", "a"},
	{"string without a closing quote ends with CR", "password=\"a\r", "password", "a", "a"},
	{"system property", `password="${user.home}"`, "password", "${user.home}", "/home/kafka"},
	{"unknown system property", `password="${unknown}"`, "password", "${unknown}", rejected},
	{"system property unquoted", `password=${user.home}`, "password", rejected, rejected},
	{"single quoted value", `password='a;b'`, "password", "a;b", rejected},
	{"single quoted key", `'password'="a"`, "password", "a", rejected},
	{"double quote in single quotes", `password='a"b'`, "password", `a"b`, rejected},
	{"digits first", `password=1abc`, "password", rejected, rejected},
	{"number", `password=12`, "password", rejected, rejected},
	{"negative number", `password=-1`, "password", rejected, rejected},
	{"dash first", `password=-a`, "password", rejected, rejected},
	{"dot first", `password=.a`, "password", rejected, rejected},
	{"at sign", `password=a@b`, "password", rejected, rejected},
	{"equals unquoted", `password=a=b`, "password", rejected, rejected},
	{"hash unquoted", `password=a#b`, "password", rejected, rejected},
	{"slash is a comment", `password=a/b`, "password", rejected, rejected},
	{"slash is a comment to the end of the line", "password=a/b\n", "password", "a", "a"},
	{"slash that ends a line takes the next along", "password=a /\n password=\"y\" \n", "password", "a", "a"},
	{"slash that ends a line with CR LF does not", "password=a /\r\n password=\"y\" \n", "password", "y", "y"},
	{"comments", "// a = \"b\n/* ; \n*/ password /**/ = //\n a", "password", "a", "a"},
	{"dot inside", `password=a.b`, "password", "a.b", "a.b"},
	{"dollar", `password=$x`, "password", "$x", "$x"},
	{"digit inside", `password=a1`, "password", "a1", "a1"},
	{"star unquoted", `password=*`, "password", rejected, "*"},
	{"no-break space is a letter", "password=a\u00a0b", "password", "a\u00a0b", "a\u00a0b"},
	{"C1 control is not", "password=a\u0085b", "password", rejected, rejected},
	{"key with a dot", `user_a.b="x"`, "user_a.b", "x", "x"},
	{"key with a dash", `user_a-b="x"`, "user_a-b", "x", "x"},
	{"key with a digit", `user_1="x"`, "user_1", "x", "x"},
	{"key with an accent", `user_é="x"`, "user_é", "x", "x"},
	{"key with an at sign", `user_a@b="x"`, "user_a@b", rejected, rejected},
	{"key with a colon", `user_a:b="x"`, "user_a:b", rejected, rejected},
	{"key with a slash", `user_a/b="x"`, "user_a/b", rejected, rejected},
	{"key with a plus", `user_a+b="x"`, "user_a+b", rejected, rejected},
	{"key with an equals sign", `user_a=b="x"`, "user_a=b", rejected, rejected},
	{"key with a backslash", `user_a\b="x"`, "user_a\\b", rejected, rejected},
	{"key with a space", `user_a b="x"`, "user_a b", rejected, rejected},
	{"quoted key", `"user_a@b"="x"`, "user_a@b", "x", "x"},
	{"quoted key with everything", `"user_@:/+=\\ "="x"`, `user_@:/+=\ `, "x", "x"},
	{"empty key", `""="x"`, "", "x", "x"},
	{"duplicate key", `password="a" password="b"`, "password", "b", "b"},
	{"no value", `password=`, "password", rejected, rejected},
	{"no equals", `password`, "password", rejected, rejected},
	{"comma between options", `user="a", password="b"`, "password", rejected, rejected},
	{"number as key is ignored by Kafka", `12="x" password="a"`, "password", "a", rejected},
	{"number with a dot as key", `1.2="x" password="a"`, "password", "a", rejected},
	{"two dots make two numbers", `1.2.3="x" password="a"`, "password", rejected, rejected},
	{"symbol as key is ignored by Kafka", `= = "x" password="a"`, "password", "a", rejected},
}

func propertyText(option string) string { return "org.example.Module required " + option + ";" }

func fileText(option string) string {
	return "KafkaServer {\n org.example.Module required " + option + ";\n};\n"
}

func systemProperty(name string) (string, bool) {
	switch name {
	case "user.home":
		return "/home/kafka", true
	case "empty":
		return "", true
	case "nested":
		return "${user.home}", true
	}
	return "", false
}

func TestParseProperty_Dialect(t *testing.T) {
	for _, tt := range dialectCases {
		t.Run(tt.name, func(t *testing.T) {
			m, err := jaas.ParseProperty(holdfast.NewSecret(propertyText(tt.option)))
			if tt.property == rejected {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			checkModule(t, m, tt.key, tt.property)
		})
	}
}

func TestParseFile_Dialect(t *testing.T) {
	for _, tt := range dialectCases {
		t.Run(tt.name, func(t *testing.T) {
			f, err := jaas.ParseFile([]byte(fileText(tt.option)), jaas.FileOptions{Expand: systemProperty})
			if tt.file == rejected {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Len(t, f.Contexts, 1)
			require.Equal(t, "KafkaServer", f.Contexts[0].Name)
			require.Len(t, f.Contexts[0].Modules, 1)
			checkModule(t, f.Contexts[0].Modules[0], tt.key, tt.file)
		})
	}
}

func checkModule(t *testing.T, m jaas.LoginModule, key, want string) {
	t.Helper()
	require.Equal(t, "org.example.Module", m.Class)
	require.Equal(t, jaas.Required, m.Flag)
	v, ok := m.Get(key)
	require.True(t, ok)
	require.Equal(t, want, v.Reveal())
}
