package tlsprobe

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// negative makes the serial of a leaf negative, which x509 refuses to do. The
// signature is wrong then, and nobody gets as far as to look.
func negative(t testing.TB, leaf *mint) tls.Certificate {
	t.Helper()
	serial := leaf.cert.SerialNumber.Bytes()
	at := append([]byte{0xa0, 3, 2, 1, 2, 2, byte(len(serial))}, serial...)
	der := bytes.Clone(leaf.cert.Raw)
	i := bytes.Index(der, at)
	require.Positive(t, i)
	der[i+7] |= 0x80
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: leaf.key}
}

// A certificate that Go refuses is shown in TLS 1.3 too, where it is encrypted.
func TestProbe_UnparseableInTLS13(t *testing.T) {
	root := newMint(t, nil, ca("root"))
	leaf := newMint(t, root, as)
	for name, config := range map[string]*tls.Config{
		"plain":           {},
		"client wanted":   {ClientAuth: tls.RequireAnyClientCert},
		"hello retry":     {CurvePreferences: []tls.CurveID{tls.CurveP384}},
		"TLS 1.2 as well": {MinVersion: tls.VersionTLS12},
	} {
		config.Certificates = []tls.Certificate{negative(t, leaf)}
		if config.MinVersion == 0 {
			config.MinVersion = tls.VersionTLS13
		}
		for _, only := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", only), func(t *testing.T) {
				p := prober(root.cert)
				p.CertificateOnly = only
				r := p.Probe(t.Context(), serve(t, config))
				require.Equal(t, []Code{NegativeSerial, UnparseableCertificate}, codes(r), "%+v", r.Reasons)
				require.Len(t, r.Certificates, 1)
				require.Equal(t, leaf.cert.NotAfter, r.Certificates[0].NotAfter)
				require.Equal(t, []string{"localhost"}, r.Certificates[0].DNSNames)
			})
		}
	}
}

// sealed is a flight of TLS 1.3 with the messages in records of at most size
// bytes, padded.
func sealed(t testing.TB, k *flightKey, suite uint16, messages []byte, size int) []byte {
	t.Helper()
	hello := append([]byte{messageServerHello, 0, 0, 0, 3, 3}, make([]byte, 32)...)
	hello = binary.BigEndian.AppendUint16(append(hello, 2, 9, 9), suite)
	flight := append([]byte{recordHandshake, 3, 3, 0, byte(len(hello))}, hello...)
	flight = append(flight, 20, 3, 3, 0, 1, 1)
	protect, iv := k.protection(suite)
	require.NotNil(t, protect)
	for seq := uint64(0); len(messages) > 0; seq++ {
		n := min(size, len(messages))
		plain := append(bytes.Clone(messages[:n]), recordHandshake, 0, 0, 0)
		messages = messages[n:]
		head := binary.BigEndian.AppendUint16([]byte{recordApplication, 3, 3}, uint16(len(plain)+protect.Overhead()))
		flight = append(flight, head...)
		flight = protect.Seal(flight, nonce(iv, seq), plain, head)
	}
	return flight
}

// someMessages are EncryptedExtensions and a Certificate of two entries.
var someMessages = []byte("\x08\x00\x00\x02\x00\x00" + "\x0b\x00\x00\x15\x00\x00\x00\x11" + "\x00\x00\x03one\x00\x02ex" + "\x00\x00\x02tw\x00\x00")

func TestFlightKey_ReadsEverySuite(t *testing.T) {
	for _, suite := range []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256} {
		for _, size := range []int{1, 7, 1000} {
			k := flightKey{bytes.Repeat([]byte{7}, 48)}
			flight := sealed(t, &k, suite, someMessages, size)
			require.Equal(t, [][]byte{[]byte("one"), []byte("tw")}, k.certificates(flight))
			require.Nil(t, k.certificates(flight[:len(flight)-1]), "cut short")
			require.Nil(t, (&flightKey{bytes.Repeat([]byte{8}, 48)}).certificates(flight), "another key")
			require.Nil(t, (&flightKey{}).certificates(flight), "no key")
		}
	}
}

// Entries and extensions that end beyond the message are no certificates.
func TestFlightKey_RefusesWhatIsCut(t *testing.T) {
	k := flightKey{bytes.Repeat([]byte{7}, 32)}
	for _, message := range []string{
		"\x0b\x00\x00\x08\x00\x00\x00\x04\x00\x00\x01a",         // no extensions
		"\x0b\x00\x00\x08\x00\x00\x00\x04\x00\x00\x09a",         // an entry too long
		"\x0b\x00\x00\x0a\x00\x00\x00\x06\x00\x00\x01a\x00\x09", // extensions too long
		"\x0b\x00\x00\x0a\x01\x00\x00\x06\x00\x00\x01a\x00\x00", // a context
		"\x0b\x00\x00\x0a\x00\x00\x00\x05\x00\x00\x01a\x00\x00", // a list of another length
	} {
		require.Nil(t, k.certificates(sealed(t, &k, tls.TLS_AES_128_GCM_SHA256, []byte(message), 100)), "%q", message)
	}
}

func TestFlightKey_TakesTheServersHandshakeSecret(t *testing.T) {
	var k flightKey
	for _, line := range []string{
		"CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 01\n", "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 0203\n", "SERVER_TRAFFIC_SECRET_0 00 04\n", "nonsense\n",
	} {
		n, err := k.Write([]byte(line))
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	require.Equal(t, []byte{2, 3}, k.secret)
}

// Whatever a peer sends, reading it ends, and yields no more than it was.
func FuzzFlightKey(f *testing.F) {
	k := flightKey{bytes.Repeat([]byte{7}, 32)}
	f.Add(sealed(f, &k, tls.TLS_AES_128_GCM_SHA256, someMessages, 9), false)
	f.Add(someMessages, true)
	f.Add([]byte("\x0b\x00\x00\x04\x00\x00\x00\x00"), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		flight := data
		if seal {
			flight = sealed(t, &k, tls.TLS_AES_128_GCM_SHA256, data, 4096)
		}
		total := 0
		for _, der := range k.certificates(flight) {
			total += len(der)
			ParseCertificate(der)
		}
		require.LessOrEqual(t, total, len(flight))
	})
}
