package main

import (
	"reflect"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// Whatever a spec can own can be exported by a flag.
func TestScopeFlags_CoverEveryFieldOfAScope(t *testing.T) {
	var scope kafkasec.Scope
	cmd := &cobra.Command{}
	for _, name := range scopeFlags(cmd, &scope) {
		value := "CN=a, O=b"
		if cmd.Flags().Lookup(name).Value.Type() == "bool" {
			value = "true"
		}
		require.NoError(t, cmd.Flags().Set(name, value))
	}
	v := reflect.ValueOf(scope)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		require.False(t, v.Field(i).IsZero(), field.Name)
		if names, ok := v.Field(i).Interface().([]string); ok {
			require.Equal(t, []string{"CN=a, O=b"}, names, field.Name)
		}
	}
}
