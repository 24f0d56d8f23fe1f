package kafkasec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/internal/testkit/conform"
	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// The expansion console is, to the letter, what kafka-acls makes.
func TestReal_ConsoleRolesAreWhatTheScriptsMake(t *testing.T) {
	c := real.Kafka(t)
	s := newSite(t, conform.Real(c))
	script := oracle.Start(t, oracle.Options{Main: "AclCommandOracle", Component: "kafka-4.3.1"})
	login := real.Login{Protocol: real.SASLPlaintext, User: real.Admin}
	where := []string{
		"--bootstrap-server", strings.Join(c.Bootstrap(real.SASLPlaintext), ","), "--command-config", c.ClientPropertiesFile(t, login),
		"--add", "--allow-principal",
	}
	for i, both := range []struct{ role, flags string }{
		{`role: producer, topics: ["~t", "~u"]`, "--producer --topic ~t --topic ~u"},
		{`role: producer, topics: ["~t"], idempotent: true, transactional_ids: ["~x"]`, "--producer --topic ~t --idempotent --transactional-id ~x"},
		{`role: producer, topics: ["~*"], host: 10.0.0.1`, "--allow-host 10.0.0.1 --producer --topic ~ --resource-pattern-type prefixed"},
		{`role: consumer, topics: ["~t"], groups: ["~g"]`, "--consumer --topic ~t --group ~g"},
		{`role: consumer, topics: ["~*"], groups: ["~*"]`, "--consumer --topic ~ --group ~ --resource-pattern-type prefixed"},
	} {
		principal := fmt.Sprintf("User:%sp%d", s.prefix, i)
		spec := s.spec(`
scope: {principals: ["` + principal + `"]}
roles: [{principal: "` + principal + `", expansion: console, ` + both.role + `}]
`)
		flags := strings.Fields(strings.ReplaceAll(both.flags, "~", s.prefix))
		var answers []struct {
			Exit   int
			Output string
		}
		script.Ask(t, [][]string{slices.Concat(where, []string{principal}, flags)}, &answers)
		require.Zero(t, answers[0].Exit, answers[0].Output)

		want := spec.Roles[0].expand()
		var got []Binding
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := poll.Until(ctx, poll.Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}, func(ctx context.Context) (bool, error) {
			state, err := s.r.Observe(ctx, spec)
			got = slices.DeleteFunc(state.ACLs, func(b Binding) bool { return b.Principal != principal })
			slices.SortFunc(got, Binding.Compare)
			return len(got) >= len(want), err
		})
		cancel()
		require.NoError(t, err, "%s", got)
		require.Equal(t, want, got, both.role)
	}
}
