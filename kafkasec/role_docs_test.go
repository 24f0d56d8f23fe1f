package kafkasec

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The guide's table of roles says what roles expand to, each row a role as a
// spec has it and its bindings.
func TestDocs_TableOfRoles(t *testing.T) {
	guide, err := os.ReadFile("../docs/kafkasec.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `\\{(role: .*)\\}` \\| (.*) \\|$").FindAllStringSubmatch(string(guide), -1)
	shown := map[RoleName]bool{}
	for _, row := range rows {
		spec := parse(t, "kind: KafkaSecurity\nversion: 1\nscope: {principals: ['User:p']}\nroles: [{principal: 'User:p', "+row[1]+"}]\n")
		bindings := spec.Roles[0].expand()
		var want []string
		for i, b := range bindings {
			if i > 0 && bindings[i-1].Resource == b.Resource {
				want[len(want)-1] += ", " + string(b.Operation)
			} else {
				want = append(want, "`"+b.Resource.String()+"` "+string(b.Operation))
			}
		}
		require.Equal(t, strings.Join(want, "; "), row[2], row[1])
		shown[spec.Roles[0].Role] = true
	}
	require.Len(t, shown, len(roleNames), "every role has a row")
}
