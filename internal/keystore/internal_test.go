package keystore

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRC2 has the vectors of RFC 2268 §5 whose effective length is the key's.
func TestRC2(t *testing.T) {
	for _, tt := range []struct{ key, plain, cipher string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(tt.key)
		in, _ := hex.DecodeString(tt.cipher)
		out := make([]byte, 8)
		newRC2(key).Decrypt(out, in)
		require.Equal(t, tt.plain, hex.EncodeToString(out))
	}
}
