package dial_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

func kafka22() *kversion.Versions { return kversion.V2_2_0() }

func client(t *testing.T, opts ...kfake.Opt) *kgo.Client {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func TestRequire_AllIsThere(t *testing.T) {
	require.NoError(t, dial.Require(t.Context(), client(t),
		dial.Need{Key: kmsg.IncrementalAlterConfigs}, dial.Need{Key: kmsg.CreateTopics, Version: 5}, dial.Need{Key: kmsg.DescribeACLs, Version: 1}))
}

func TestRequire_NamesTheReleaseThatHasIt(t *testing.T) {
	cl := client(t, kfake.MaxVersions(kafka22()))
	err := dial.Require(t.Context(), cl,
		dial.Need{Key: kmsg.CreateTopics, Version: 3},     // has it
		dial.Need{Key: kmsg.IncrementalAlterConfigs},      // KIP-339
		dial.Need{Key: kmsg.CreateTopics, Version: 4},     // KIP-464
		dial.Need{Key: kmsg.DescribeUserSCRAMCredentials}, // KIP-554
		dial.Need{Key: kmsg.CreateTopics, Version: 99},    // nobody
	)
	require.EqualError(t, err, `needs IncrementalAlterConfigs, Kafka 2.3 or newer; this broker is about 2.2
needs CreateTopics version 4, Kafka 2.4 or newer; this broker is about 2.2
needs DescribeUserSCRAMCredentials, Kafka 2.7 or newer; this broker is about 2.2
needs CreateTopics version 99; this broker is about 2.2`)
	var old *dial.TooOldError
	require.True(t, errors.As(err, &old))
	require.Equal(t, "2.3", old.Since)
}

func TestRequire_GuessesTheReleaseOfEveryKafka(t *testing.T) {
	for _, name := range []string{"v2.3", "v2.8", "v3.4", "v3.9", "v4.0", "v4.3"} {
		t.Run(name, func(t *testing.T) {
			err := dial.Require(t.Context(), client(t, kfake.MaxVersions(kversion.FromString(name))), dial.Need{Key: kmsg.CreateTopics, Version: 99})
			t.Log(err)
			require.Error(t, err)
		})
	}
}

func TestRequire_SaysThatTheBrokerIsAway(t *testing.T) {
	cl, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.RequestRetries(0))
	require.NoError(t, err)
	defer cl.Close()
	err = dial.Require(t.Context(), cl, dial.Need{Key: kmsg.CreateTopics})
	require.ErrorContains(t, err, "ask which requests the broker knows: ")
}
