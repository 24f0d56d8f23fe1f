package playbook

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

const canary = "correct-horse-battery"

// A variable file holds passwords. Nothing of what means nothing here may come
// out, whatever else is wrong.
func TestRead_ShowsNoSecret(t *testing.T) {
	secrets := strings.ReplaceAll(`
admin_user_password: C
kafka_sasl_users: [{name: user1, password: C}]
list: [C, {C: C}]
vault: !vault C
jinja: "{{ 'C' }}"
topics_acl_users:
- topic: t
  password: C
  producers: [user1]
  consumers: [{username: c, group: g, password: C}]
`, "C", canary)
	result, err := Read("vars.yml", []byte(secrets), Options{})
	require.NoError(t, err)
	require.Len(t, result.Untranslated, 7)
	require.NotContains(t, fmt.Sprintf("%#v %v", result, result), canary)
	for _, more := range []string{
		"  operations: [{status: remove, username: user1, operation: --producer}]\n", "  operations: 1\n", "kafka_version: x\n", "kafka_version: 1\nkafka_version: 2\n",
		"  operations: [\n", "  operations: [{status: add, username: u, operation: --x}]\n", "%\n", "\tx: y\n",
	} {
		_, err := Read("vars.yml", []byte(secrets+more), Options{})
		require.Error(t, err)
		require.NotContains(t, err.Error(), canary)
	}
}

func TestRead_ErrorsAreTyped(t *testing.T) {
	_, err := Read("vars.yml", []byte(fixture(t, "reject/conflicts-and-problems")), Options{})
	var problems holdfast.Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 1)
	require.Equal(t, 8, problems[0].Line)
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Len(t, conflict.Conflicts, 4)
	require.Equal(t, "User:eve", conflict.Conflicts[3].User)
	require.Len(t, conflict.Conflicts[3].Bindings, 2, "topic and group, each once")
	require.Equal(t, kafkasec.Deny, conflict.Conflicts[3].Bindings[0].Permission)

	_, err = Read("vars.yml", []byte("topics_acl_users: []"), Options{Conflicts: "both"})
	require.EqualError(t, err, `read playbook variables: conflicts "both": allowed are grant and revoke`)
	require.False(t, errors.As(err, &problems))
}

// What would take the memory of the machine is a problem instead.
func TestRead_Bounds(t *testing.T) {
	one := func(flags string) string {
		return "configure_topics: false\ntopics_acl_users:\n- topic: t\n  operations:\n  - {status: add, username: u, operation: '" + flags + "'}\n"
	}
	many := func(flag string) string { return strings.Repeat(" --"+flag+" x", 10_000) }
	_, err := Read("vars.yml", []byte(one(many("allow-principal")+many("allow-host")+many("group"))), Options{})
	require.EqualError(t, err, "read playbook variables: vars.yml:5:43: topics_acl_users[0].operations[0].operation: "+
		"the flags multiply to 4001200080000 bindings: allowed are 100000")

	var b strings.Builder
	b.WriteString("topics_acl_users:\n- topic: t\n  operations:\n")
	for range 2_000 {
		b.WriteString("  - {status: remove, username: u, operation: --resource-pattern-type match --group " + strings.Repeat("g", 200) + "}\n")
	}
	_, err = Read("vars.yml", []byte(b.String()), Options{})
	require.ErrorContains(t, err, "the file stands for more than 300000 bindings")

	b.Reset()
	b.WriteString("topics_acl_users:\n- topic: t\n  producers: [" + strings.Repeat("a,", 2000) + "]\n  operations:\n")
	b.WriteString(strings.Repeat("  - {status: remove, username: a, operation: --producer}\n", 2000))
	_, err = Read("vars.yml", []byte(b.String()), Options{})
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Len(t, conflict.Conflicts, 2000)
	require.Len(t, conflict.Conflicts[1999].Granted, 10)
}

// Bindings stand in a spec as text. None may come back as another.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"reject/conflict", "translate/flags", "translate/ignored", "translate/jinja", "translate/odd-indentation", "reject/types", "reject/flags", "reject/shell"} {
		f.Add(fixture(f, name), true)
	}
	f.Fuzz(func(t *testing.T, vars string, revoke bool) {
		opts := Options{LeastPrivilege: len(vars)%2 == 0}
		if revoke {
			opts.Conflicts = Revoke
		}
		result, err := Read("vars.yml", []byte(vars), opts)
		if err != nil {
			require.Zero(t, result)
			var problems holdfast.Problems
			var conflict *ConflictError
			hasConflict := errors.As(err, &conflict)
			require.True(t, errors.As(err, &problems) || hasConflict, "%v", err)
			for _, p := range problems {
				require.Positive(t, p.Line, "%v", p)
			}
			require.False(t, hasConflict && revoke)
			return
		}
		require.NoError(t, result.Spec.Validate())
		for _, u := range result.Untranslated {
			require.Positive(t, u.Line)
			require.NotEmpty(t, u.Reason)
		}
		again, err := Read("vars.yml", []byte(vars), opts)
		require.NoError(t, err)
		require.Equal(t, result, again)
	})
}

// A resource comes back from its text as itself, whatever its name.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"--topic a*", "--group * --resource-pattern-type prefixed", "--group a** --operation Read", "--producer --idempotent",
		"--remove --resource-pattern-type match --topic abc", "--allow-host 10.0.0.1", "--cluster", "-operation Read", "--consumer --group x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := splitWords(text)
		if err != nil {
			return
		}
		cmd, errs := parseCommand(append(words, "--allow-principal", "User:u", "--topic", "t"))
		if errs == nil {
			errs = cmd.check()
		}
		if errs != nil || cmd.size() > 1000 {
			return
		}
		cmd.ignored()
		bindings := cmd.bindings(kafkasec.Expansion{})
		require.NotEmpty(t, bindings)
		require.LessOrEqual(t, float64(len(bindings)), cmd.size())
		for _, b := range bindings {
			text, pattern := b.Resource.Text()
			back, err := kafkasec.ParseResource(text, pattern)
			require.NoError(t, err)
			require.Equal(t, b.Resource, back)
			require.NotEmpty(t, b.Host)
		}
	})
}
