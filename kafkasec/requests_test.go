package kafkasec

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Each request is one event, also one whose answer never comes and that the
// client then repeats; handshakes are none.
func TestOnRequest(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	var events []RequestEvent
	client := f.client("admin", "adminpw", kgo.WithHooks(OnRequest(func(e RequestEvent) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	})))
	f.once(kmsg.DescribeACLs, hangUp)
	r := &Reconciler{Client: client}
	spec := parse(t, `
kind: KafkaSecurity
version: 1
scope: {topics: [a], principals: ["User:x"]}
topics:
  - {name: a, partitions: 1}
acls:
  - {principal: "User:x", operations: [Read], resource: "topic:a"}
`)
	_, err := r.Observe(context.Background(), spec)
	require.NoError(t, err)

	client.Close() // so that all of them are in
	mu.Lock()
	defer mu.Unlock()
	byName := map[string][]RequestEvent{}
	for _, e := range events {
		require.Equal(t, e.Name, kmsg.NameForKey(e.Key))
		require.Positive(t, e.BytesWritten)
		require.Equal(t, e.Err == nil, e.BytesRead > 0)
		require.Positive(t, e.Duration)
		byName[e.Name] = append(byName[e.Name], e)
	}
	names := slices.Sorted(maps.Keys(byName))
	require.Equal(t, []string{"DescribeACLs", "Metadata"}, names)
	require.Len(t, byName["DescribeACLs"], 2)
	require.Error(t, byName["DescribeACLs"][0].Err)
	require.NoError(t, byName["DescribeACLs"][1].Err)
}

// hangUp closes the connection in place of an answer.
func hangUp(kmsg.Request) (kmsg.Response, error, bool) { return nil, errors.New("hung up"), true }
