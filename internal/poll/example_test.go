package poll_test

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-sec/holdfast/internal/poll"
)

func ExampleUntil() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	behind := 3
	err := poll.Until(ctx, poll.Backoff{Initial: time.Millisecond}, func(context.Context) (bool, error) {
		if behind == 0 {
			return true, nil
		}
		behind--
		return false, poll.NotYet{Reason: fmt.Errorf("%d partitions are under-replicated", behind+1)}
	})
	fmt.Println(err)
	// Output: <nil>
}
