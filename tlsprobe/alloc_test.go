//go:build !race

package tlsprobe

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a probe allocates once the chain is known.
func TestProbe_Budget(t *testing.T) {
	target, p := otherProcess(t)
	only := prober()
	only.Roots, only.CertificateOnly = p.Roots, true
	for name, tc := range map[string]struct {
		p    *Prober
		most uint64
	}{"full": {p, 45 << 10}, "certificate only": {only, 20 << 10}} {
		probe := func() {
			r := tc.p.Probe(t.Context(), target)
			require.Empty(t, r.Reasons)
		}
		for range 20 {
			probe()
		}
		const n = 200
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			probe()
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / n
		t.Logf("%s: %d bytes in %d allocations", name, each, (after.Mallocs-before.Mallocs)/n)
		require.Less(t, each, tc.most, name)
	}
}
