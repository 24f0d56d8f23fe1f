package keystore_test

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/keystore"
)

// FuzzLoad: no input panics or hangs, and each error is of a kind that callers
// know. Without a password the integrity checks are off, so that changed bytes
// reach the parsers behind them.
func FuzzLoad(f *testing.F) {
	dir, err := os.ReadDir("testdata")
	require.NoError(f, err)
	for _, e := range dir {
		if !e.IsDir() {
			f.Add(fixture(f, "testdata", e.Name()), true)
			f.Add(fixture(f, "testdata", e.Name()), false)
		}
	}
	kinds := []error{keystore.ErrPassword, keystore.ErrCorrupt, keystore.ErrUnsupported, keystore.ErrType, keystore.ErrLimit}
	f.Fuzz(func(t *testing.T, data []byte, open bool) {
		var opts keystore.Options
		if open {
			opts.KeyPassword = keyPW
		}
		store, err := keystore.Load(data, opts)
		if err != nil {
			n := 0
			for _, kind := range kinds {
				if errors.Is(err, kind) {
					n++
				}
			}
			require.Equal(t, 1, n, "%v", err)
			return
		}
		require.NotEmpty(t, store.Type)
		for _, e := range store.Entries {
			require.True(t, e.Key != nil || len(e.Chain) == 1)
		}
		_, _ = store.Pool()
		_, _ = store.Certificates()
		_, _ = store.Certificate("")
	})
}
