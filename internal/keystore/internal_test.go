package keystore

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/testkit/pki"
)

// TestRC2 has the vectors of RFC 2268 §5 whose effective length is the key's.
func TestRC2(t *testing.T) {
	for _, tt := range []struct{ key, plain, cipher string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(tt.key)
		in, _ := hex.DecodeString(tt.cipher)
		out := make([]byte, 8)
		newRC2(key).Decrypt(out, in)
		require.Equal(t, tt.plain, hex.EncodeToString(out))
	}
}

func TestBudget_EndsAcrossDerivations(t *testing.T) {
	b := &budget{left: maxTotalIterations}
	for range maxTotalIterations / maxIterations {
		require.NoError(t, b.charge(maxIterations))
	}
	require.ErrorIs(t, b.charge(1), ErrLimit)
	require.ErrorIs(t, (&budget{left: 1}).charge(0), ErrCorrupt)
	require.ErrorIs(t, (&budget{left: 1}).charge(-1), ErrCorrupt)
}

// TestChain_TellsARenewedCAByItsKey has two CAs of one name, in both orders.
func TestChain_TellsARenewedCAByItsKey(t *testing.T) {
	old, err := pki.NewCA("same name")
	require.NoError(t, err)
	renewed, err := pki.NewCA("same name")
	require.NoError(t, err)
	leaf, err := renewed.Issue(pki.Leaf{CommonName: "leaf"})
	require.NoError(t, err)
	cert := leaf.Chain[0]
	for _, cas := range [][]*x509.Certificate{{old.Cert, renewed.Cert}, {renewed.Cert, old.Cert}} {
		require.Equal(t, []*x509.Certificate{cert, renewed.Cert}, newCertSet(append(cas, cert)).chain(cert))
	}
	require.Equal(t, []*x509.Certificate{cert}, newCertSet([]*x509.Certificate{cert}).chain(cert))
}

// TestChain_EndsInALoop has two names that issue each other.
func TestChain_EndsInALoop(t *testing.T) {
	a := &x509.Certificate{RawSubject: []byte("a"), RawIssuer: []byte("b")}
	b := &x509.Certificate{RawSubject: []byte("b"), RawIssuer: []byte("a")}
	require.Equal(t, []*x509.Certificate{a, b}, newCertSet([]*x509.Certificate{a, b}).chain(a))
}

func TestPickLeaf_PrefersTheLocalKeyID(t *testing.T) {
	first, second := &x509.Certificate{}, &x509.Certificate{}
	ids := map[*x509.Certificate]string{first: "1", second: "2"}
	own := []*x509.Certificate{first, second}
	require.Same(t, second, pickLeaf("2", own, ids))
	require.Same(t, first, pickLeaf("", own, ids))
	require.Nil(t, pickLeaf("2", nil, ids))
}

// TestLoad_JKSKeyTooShortForItsDigest: keystore-go would slice out of range.
func TestLoad_JKSKeyTooShortForItsDigest(t *testing.T) {
	der, err := asn1.Marshal(encryptedPKCS8{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}},
		Data:      make([]byte, 39),
	})
	require.NoError(t, err)
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			require.NoError(t, binary.Write(&b, binary.BigEndian, v))
		}
	}
	put(uint32(jksMagic), uint32(2), uint32(1), uint32(1), uint16(1), []byte("k"), uint64(0), uint32(len(der)), der, uint32(0))
	put(jksDigest(b.Bytes(), "pw"))
	_, err = Load(b.Bytes(), Options{Password: holdfast.NewSecret("pw")})
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, `key "k": corrupt: expected at least 40 bytes of salt and digest, found 39`)
}

// TestJKSDigest_HashesUTF16: keystore-go could not check such a password.
func TestJKSDigest_HashesUTF16(t *testing.T) {
	require.NotEqual(t, jksDigest(nil, "€"), jksDigest(nil, "\u00AC"))
	root, err := pki.NewCA("root")
	require.NoError(t, err)
	data, err := root.TruststoreJKS("ca", holdfast.NewSecret("x"))
	require.NoError(t, err)
	end := len(data) - 20
	data = append(data[:end:end], jksDigest(data[:end], "€")...)
	_, err = Load(data, Options{Password: holdfast.NewSecret("€")})
	require.NoError(t, err)
}
