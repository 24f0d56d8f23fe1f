package dial

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A broker that goes away while it is being asked: whichever connection is the
// first to fail, the answer is an error and no more than that.
func TestConnect_SurvivesAPortThatGoesAwayAtAnyTime(t *testing.T) {
	ca := authority(t)
	kafka := fake(t, append(withSASL(), kfake.TLS(serverTLS(t, ca)))...)
	for served := range int32(5) {
		var n atomic.Int32
		addr := listen(t, func(c net.Conn) {
			defer c.Close()
			if n.Add(1) > served {
				return
			}
			up, err := net.Dial("tcp", kafka)
			if err != nil {
				return
			}
			defer up.Close()
			go func() {
				_, _ = io.Copy(up, c)
				_ = up.Close()
			}()
			_, _ = io.Copy(c, up)
		})
		for _, cfg := range []Config{
			{Protocol: SSL},
			{Protocol: SASLSSL, Mechanism: OAuthBearer, OAuth: OAuth{TokenURL: "http://127.0.0.1:1/", ClientID: "x", ClientSecret: secret(canary)}},
		} {
			n.Store(0)
			cfg.Brokers, cfg.TLS = []string{addr}, &tls.Config{RootCAs: ca.Pool()}
			require.NotEqual(t, CauseCanceled, asError(t, connect(t, cfg)).Cause)
		}
	}
}

// What answers the second look may be anything; its idea of a length would be
// as many bytes of memory.
func TestAsk_BelievesNoLength(t *testing.T) {
	for name, answer := range map[string][]byte{
		"too much":       {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1},
		"less than none": {0, 0, 0, 3, 0, 0, 0, 1},
		"another's":      {0, 0, 0, 10, 0, 0, 0, 2},
	} {
		here, there := net.Pipe()
		go func() {
			_, _ = there.Read(make([]byte, 1024))
			_, _ = there.Write(answer)
		}()
		err := ask(t.Context(), here, kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrApiVersionsResponse())
		require.ErrorContains(t, err, "not a Kafka answer", name)
		require.NoError(t, here.Close())
	}
}

// A broker without SASL that closes for a reason of its own is not told to want
// SASL, although the conversation looks the same up to there.
func TestConnect_DoesNotBlameSASLWhereThereIsNone(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer c.Close()
	c.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		switch resp := req.ResponseKind().(type) {
		case *kmsg.MetadataResponse:
			return nil, io.ErrUnexpectedEOF, true // closes
		case *kmsg.SASLHandshakeResponse:
			resp.ErrorCode = kerr.IllegalSaslState.Code
			return resp, nil, true
		}
		return nil, nil, false
	})
	e := asError(t, connect(t, Config{Brokers: c.ListenAddrs()}))
	require.Equal(t, CauseClosed, e.Cause)
	require.Contains(t, e.Error(), "after Metadata; SASL is not what it misses")
}

// scramServer answers logins with what answer makes of the client's message.
func scramServer(t *testing.T, answer func(client string) string) string {
	t.Helper()
	c, err := kfake.NewCluster(append(withSASL(), kfake.NumBrokers(1))...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.ControlKey(kmsg.SASLAuthenticate.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.SASLAuthBytes = []byte(answer(string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes)))
		return resp, nil, true
	})
	return c.ListenAddrs()[0]
}

// KIP-48: without this a token's id is looked up among the users.
func TestConnect_SaysThatItHasADelegationToken(t *testing.T) {
	for _, token := range []bool{true, false} {
		said := make(chan string, 16)
		addr := scramServer(t, func(client string) string {
			said <- client
			return "e=other-error"
		})
		require.Error(t, connect(t, Config{
			Brokers: []string{addr}, Protocol: SASLPlaintext, Mechanism: ScramSHA256, Username: "alice", Password: secret(canary), DelegationToken: token,
		}))
		require.Equal(t, token, strings.HasSuffix(<-said, ",tokenauth=true"))
	}
}

func TestConnect_HoldsSCRAMServersToTheirPart(t *testing.T) {
	const begin = "n,,n=alice,r="
	first := func(client string, iterations int) string {
		return fmt.Sprintf("r=%sserver,s=c2FsdA==,i=%d", client[len(begin):], iterations)
	}
	tests := map[string]struct {
		answer func(client string) string
		want   string
	}{
		"work without end": {
			func(client string) string { return first(client, 2_000_000_000) },
			"the broker asks for 2000000000 SCRAM iterations; at most 1000000 are done",
		},
		"hardly any work, which would make the password easy to guess": {
			func(client string) string { return first(client, 1) }, "less than minimum 4096",
		},
		"a nonce of its own": {
			func(string) string { return "r=server,s=c2FsdA==,i=4096" }, "nonce",
		},
		"no proof that it knows the password": {
			func(client string) string {
				if len(client) > len(begin) && client[:len(begin)] == begin {
					return first(client, 4096)
				}
				return "v=AAAA"
			},
			"(SASL_PLAINTEXT, SCRAM-SHA-512): the broker did not prove that it knows the password; it may be another than it says",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := connect(t, Config{
				Brokers: []string{scramServer(t, tt.answer)}, Protocol: SASLPlaintext, Mechanism: ScramSHA512, Username: "alice", Password: secret(canary),
			})
			t.Log(err)
			require.ErrorContains(t, err, tt.want)
			noCanary(t, err.Error())
		})
	}
}
