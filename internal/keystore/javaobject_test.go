package keystore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestJavaObject_EndsWithClassesThatGoInCircles: a class has its handle before its
// superclass is read, so it may name itself.
func TestJavaObject_EndsWithClassesThatGoInCircles(t *testing.T) {
	class := "\x72\x00\x01A12345678\x02\x00\x00\x78" // flags, no fields, no annotation
	for name, tt := range map[string]struct{ stream, text string }{
		"itself":      {"\x73" + class + "\x71\x00\x7E\x00\x00", "not there yet"},
		"no class":    {"\x73\x71\x00\x7E\x00\x00", "reference to no class"},
		"one another": {"\x73" + class + class + "\x71\x00\x7E\x00\x00", "not there yet"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := javaObject([]byte("\xAC\xED\x00\x05" + tt.stream))
			require.ErrorIs(t, err, ErrUnsupported)
			require.ErrorContains(t, err, tt.text)
		})
	}
	tall := "\x73" + strings.Repeat(class, 20)
	_, err := javaObject([]byte("\xAC\xED\x00\x05" + tall))
	require.ErrorContains(t, err, "more than 16 levels")
	n, err := javaObject([]byte("\xAC\xED\x00\x05\x73" + class + "\x70" + "behind it"))
	require.NoError(t, err)
	require.Equal(t, 4+1+len(class)+1, n)
}
