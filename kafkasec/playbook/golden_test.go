package playbook

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestRead_Golden reads vars.yml of each file with its options. What comes of it
// is under want: the spec in the form of its YAML and what is untranslated, or
// the error.
func TestRead_Golden(t *testing.T) {
	for _, kind := range []string{"translate", "reject"} {
		files, err := filepath.Glob("testdata/" + kind + "/*.txtar")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				ar, err := txtar.ParseFile(file)
				require.NoError(t, err)
				in := map[string]string{}
				kept := ar.Files[:0]
				for _, f := range ar.Files {
					in[f.Name] = string(f.Data)
					if f.Name != "want" {
						kept = append(kept, f)
					}
				}
				result, err := Read("vars.yml", []byte(in["vars.yml"]), options(t, in["options"]))
				require.Equal(t, kind == "reject", err != nil, "%v", err)
				got := listing(result)
				if err != nil {
					require.Zero(t, result)
					got = err.Error() + "\n"
				}
				require.Zero(t, result.Spec.Prune, "what a file does not say is never deleted for it")
				require.NotContains(t, got, "hunter2")
				if *update {
					ar.Files = append(kept, txtar.File{Name: "want", Data: []byte(got)})
					require.NoError(t, os.WriteFile(file, txtar.Format(ar), 0o644))
					return
				}
				require.Equal(t, in["want"], got, "run with -update, then read the result")
			})
		}
	}
}

func options(t *testing.T, text string) Options {
	t.Helper()
	var opts Options
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); line {
		case "conflicts grant":
			opts.Conflicts = Grant
		case "conflicts revoke":
			opts.Conflicts = Revoke
		case "least privilege":
			opts.LeastPrivilege = true
		default:
			require.Fail(t, "unknown option", line)
		}
	}
	return opts
}

// listing is the result as text, one line per item.
func listing(r Result) string {
	var b strings.Builder
	names := func(field string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(&b, "%s: %q\n", field, list)
		}
	}
	names("scope.topics", r.Spec.Scope.Topics)
	names("scope.groups", r.Spec.Scope.Groups)
	names("scope.principals", r.Spec.Scope.Principals)
	for _, t := range r.Spec.Topics {
		fmt.Fprintf(&b, "topic %s", t.Name)
		if t.Partitions > 0 {
			fmt.Fprintf(&b, " partitions %d", t.Partitions)
		}
		if t.ReplicationFactor > 0 {
			fmt.Fprintf(&b, " replication %d", t.ReplicationFactor)
		}
		b.WriteString("\n")
	}
	for _, a := range r.Spec.ACLs {
		operations := make([]string, len(a.Operations))
		for i, op := range a.Operations {
			operations[i] = string(op)
		}
		fmt.Fprintf(&b, "acl %q %s on %q", a.Principal, strings.Join(operations, ","), a.Resource)
		for _, word := range []string{string(a.Pattern), a.Host, string(a.Permission), string(a.State)} {
			if word != "" {
				b.WriteString(" " + word)
			}
		}
		b.WriteString("\n")
	}
	for _, u := range r.Untranslated {
		b.WriteString(u.String() + "\n")
	}
	return b.String()
}

// The file that the project ships says of itself what the fixture does.
func TestRead_TheOriginal(t *testing.T) {
	data, err := os.ReadFile("../../../shared/seeds/kafka/all.yml")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the data beside the project is not here")
	}
	require.NoError(t, err)

	_, err = Read("all.yml", data, Options{})
	var conflict *ConflictError
	require.ErrorAs(t, err, &conflict)
	var problems holdfast.Problems
	require.False(t, errors.As(err, &problems))
	topic := func(name string, user string, op kafkasec.Operation) kafkasec.Binding {
		return kafkasec.Binding{
			Principal: user, Host: "*", Operation: op, Permission: kafkasec.Allow,
			Resource: kafkasec.Resource{Type: kafkasec.ResourceTopic, Name: name, Pattern: kafkasec.Literal},
		}
	}
	conflictOf := func(name, user string, entry, consumer, producer, removal int) Conflict {
		path := fmt.Sprintf("topics_acl_users[%d].", entry)
		return Conflict{
			Topic: name, User: user, Operations: []kafkasec.Operation{kafkasec.Describe, kafkasec.Read, kafkasec.Write},
			Bindings: []kafkasec.Binding{topic(name, user, kafkasec.Describe), topic(name, user, kafkasec.Read), topic(name, user, kafkasec.Write)},
			Granted:  []Place{{path + "consumers[1]", consumer}, {path + "producers[1]", producer}},
			Removed:  Place{path + "operations[1].operation", removal},
		}
	}
	require.Equal(t, &ConflictError{Source: "all.yml", Conflicts: []Conflict{
		conflictOf("metricbeat", "User:user2", 0, 52, 56, 62),
		conflictOf("packetbeat", "User:user4", 1, 68, 72, 78),
	}}, conflict)

	result, err := Read("all.yml", data, Options{Conflicts: Revoke})
	require.NoError(t, err)
	require.Equal(t, kafkasec.Scope{
		Topics:     []string{"metricbeat", "packetbeat"},
		Groups:     []string{"metricbeatCon1", "metricbeatCon2", "packetbeatCon1", "packetbeatCon2"},
		Principals: []string{"User:user1", "User:user2", "User:user3", "User:user4"},
	}, result.Spec.Scope)
	require.Equal(t, []kafkasec.Topic{
		{Name: "metricbeat", Partitions: 3, ReplicationFactor: 2}, {Name: "packetbeat", Partitions: 3, ReplicationFactor: 2},
	}, result.Spec.Topics)
	require.Len(t, result.Untranslated, 16)
	require.Equal(t, 41, result.Untranslated[15].Line)
}

// fixture is the input of a golden file.
func fixture(t testing.TB, name string) string {
	t.Helper()
	ar, err := txtar.ParseFile("testdata/" + name + ".txtar")
	require.NoError(t, err)
	return string(ar.Files[0].Data)
}
