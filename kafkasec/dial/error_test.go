package dial

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A broker's words, a certificate's names and a token endpoint's answer end on
// somebody's terminal.
func TestError_IsOneLineWhateverTheNetworkSaid(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\tc":            "a b c",
		"\x1b[31mred\x07\x7f.": "[31mred .",
		"\u009b31mred":         "31mred",
		"a\u2028b\u2029c":      "a b c",
		"zażółć":               "zażółć",
	} {
		require.Equal(t, "connect to broker: "+want, (&Error{Err: errors.New(in)}).Error())
	}
	long := (&Error{Err: errors.New(strings.Repeat("ż", 1000))}).Error()
	require.Less(t, len(long), 700)
	require.True(t, strings.HasSuffix(long, "ż…"), "cut between characters")
}

func TestConnect_TellsAHostThatCannotBeReached(t *testing.T) {
	for _, code := range []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		err := connect(t, Config{Brokers: []string{"kafka:9092"}, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: code}
		}})
		require.Equal(t, CauseUnreachable, asError(t, err).Cause)
	}
}

// Of the alerts (RFC 8446 §6.2) those about certificates are the client's.
func TestByAlert(t *testing.T) {
	for alert, want := range map[uint8]Cause{
		40: CauseTLS, 42: CauseClientCertificate, 45: CauseClientCertificate, 46: CauseClientCertificate, 47: CauseTLS,
		48: CauseClientCertificate, 49: CauseClientCertificate, 50: CauseTLS, 70: CauseTLS, 116: CauseClientCertificate,
	} {
		var e Error
		byAlert(&e, alert, facts{})
		require.Equal(t, want, e.Cause, alert)
	}
	var e Error
	byAlert(&e, 40, facts{certAsked: true})
	require.Equal(t, CauseClientCertificate, e.Cause, "OpenSSL's answer to a certificate that is missing")
}

func TestFirstFew(t *testing.T) {
	require.Equal(t, "a, b, c, d, e", firstFew([]string{"a", "b", "c", "d", "e"}))
	require.Equal(t, "a, b, c, d, e and 2 more", firstFew([]string{"a", "b", "c", "d", "e", "f", "g"}))
}

// Notes are of the conversation that gave the error, and end with the proof.
func TestWitness_ForgetsAndStops(t *testing.T) {
	var w witness
	w.connected("a:1")
	w.firstBytes("a:1", []byte("HTTP"))
	w.begin("a:1")
	require.Equal(t, unknown(), w.facts("a:1"))
	w.stop()
	w.connected("a:1")
	require.Empty(t, w.by)
}
