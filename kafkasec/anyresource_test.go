package kafkasec

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

// Few bindings, so that the answer hangs on how an Allow and a Deny lie to each
// other, and on the name that StandardAuthorizer looks at first.
func TestOracle_StandardAndAclAuthorizerAny(t *testing.T) {
	for _, release := range []struct {
		main, kafka string
		engine      Engine
	}{
		{"StandardAuthorizerOracle", "4.4.0", Standard},
		{"StandardAuthorizerOracle", "3.9.2", Standard30},
		{"AclAuthorizerOracle", "3.9.2", ZooKeeper},
	} {
		r := rand.New(rand.NewPCG(11, 11))
		var all []world
		for range oracle.Count(1_000, 10_000) {
			w := world{everyone: r.IntN(5) == 0}
			for range 1 + r.IntN(4) {
				w.bindings = append(w.bindings, Binding{
					choose(r, []string{"User:a", "User:a", everyone}), choose(r, []string{everyHost, everyHost, "10.0.0.0/8", "10.0.0.1"}),
					choose(r, []Operation{Write, Write, All, Describe}), choose(r, []Permission{Allow, Allow, Deny}),
					Resource{ResourceTopic, choose(r, []string{"a", "ab", "abc", "hard", "hardcode", "*"}), choose(r, []Pattern{Literal, Prefixed})},
				})
			}
			for _, op := range []Operation{Write, Describe} {
				w.questions = append(w.questions, Question{"User:a", netip.MustParseAddr("10.0.0.1"), op, Resource{ResourceTopic, "", Literal}})
				w.any = append(w.any, true)
			}
			all = append(all, w)
		}
		yes := 0
		for i, answers := range askAuthorizer(t, release.main, release.kafka, all) {
			w := all[i]
			a := w.authorizer(t, release.engine)
			for j, q := range w.questions {
				require.Equal(t, answers[j].Allowed, a.DecideAny(q.Principal, q.Host, q.Operation, q.Resource.Type), "%s %+v\n%+v", release.main, q, w)
				if answers[j].Allowed {
					yes++
				}
			}
		}
		require.InDelta(t, 0.5, float64(yes)/float64(2*len(all)), 0.3)
	}
}
