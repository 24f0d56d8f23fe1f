package cli

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion_NamesModuleAndGo(t *testing.T) {
	module, toolchain, found := strings.Cut(Version(), " ")
	require.True(t, found)
	require.NotEmpty(t, module)
	require.Equal(t, runtime.Version(), toolchain)
}
