package dial

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Of a large cluster a few addresses are proof enough, and no topic is asked for.
func TestConnect_AsksLittle(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(5))
	require.NoError(t, err)
	defer c.Close()
	var asked atomic.Int32
	c.ControlKey(kmsg.Metadata.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if topics := req.(*kmsg.MetadataRequest).Topics; topics == nil || len(topics) > 0 {
			asked.Add(1) // nil is all
		}
		return nil, nil, false
	})
	require.NoError(t, connect(t, Config{Brokers: c.ListenAddrs()[:1]}))
	require.Zero(t, asked.Load())

	meta := &kmsg.MetadataResponse{ControllerID: 4}
	for _, id := range []int32{5, 3, 4, 1, 2} {
		meta.Brokers = append(meta.Brokers, kmsg.MetadataResponseBroker{NodeID: id})
	}
	var ids []int32
	for _, b := range someBrokers(meta) {
		ids = append(ids, b.NodeID)
	}
	require.Equal(t, []int32{4, 1, 2}, ids, "the controller first")
}

func TestConnect_OneGoodBrokerIsEnough(t *testing.T) {
	silent := listen(t, func(net.Conn) {})
	require.NoError(t, connect(t, Config{Brokers: []string{closedPort(t), silent, fake(t)}}))
}

func TestConnect_NamesEveryBroker(t *testing.T) {
	refused, closing := closedPort(t), listen(t, func(c net.Conn) { _ = c.Close() })
	err := connect(t, Config{Brokers: []string{refused, closing}})
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], refused)
	require.Contains(t, lines[1], closing)
}

func TestConnect_FindsAnAdvertisedAddressThatDoesNotWork(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer c.Close()
	gone := closedPort(t)
	host, port, err := net.SplitHostPort(gone)
	require.NoError(t, err)
	c.ControlKey(kmsg.Metadata.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.Host = host
		p, _ := net.LookupPort("tcp", port)
		b.Port = int32(p)
		resp.Brokers, resp.ControllerID = []kmsg.MetadataResponseBroker{b}, 0
		return resp, nil, true
	})
	seed := c.ListenAddrs()[0]
	err = connect(t, Config{Brokers: []string{closedPort(t), seed}})
	t.Log(err)
	e := asError(t, err)
	require.Equal(t, CauseAdvertised, e.Cause)
	require.Equal(t, seed, e.Addr, "the one that answered")
	require.Equal(t, CauseRefused, asError(t, e.Err).Cause)
	require.Contains(t, err.Error(), "broker 0 is advertised as "+gone)
}
