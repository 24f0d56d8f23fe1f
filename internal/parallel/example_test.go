package parallel_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-sec/holdfast/internal/parallel"
)

func ExampleMap() {
	hosts := []string{"a", "bb", ""}
	lengths, errs := parallel.Map(context.Background(), 2, hosts, func(_ context.Context, host string) (int, error) {
		if host == "" {
			return 0, errors.New("empty name")
		}
		return len(host), nil
	})
	fmt.Println(lengths, errors.Join(errs...))
	// Output: [1 2 0] empty name
}
