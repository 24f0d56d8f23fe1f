package oracle_test

import (
	"bytes"
	"fmt"

	"github.com/holdfast-sec/holdfast/internal/testkit/oracle"
)

// A parser that chokes on a "!" behind a quote: what a random input comes to.
func ExampleShrink() {
	small := oracle.Shrink([]byte(`user="alice" password="s3cret!" x=1`), func(candidates [][]byte) []bool {
		fails := make([]bool, len(candidates))
		for i, c := range candidates {
			_, behind, _ := bytes.Cut(c, []byte(`"`))
			fails[i] = bytes.Contains(behind, []byte("!"))
		}
		return fails
	})
	fmt.Printf("%s\n", small)
	// Output: "!
}
