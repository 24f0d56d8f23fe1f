package keystore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
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

func TestChain_IsBounded(t *testing.T) {
	var all []*x509.Certificate
	for i := range byte(2 * maxChain) {
		all = append(all, &x509.Certificate{RawSubject: []byte{i}, RawIssuer: []byte{i + 1}})
	}
	require.Equal(t, all[:maxChain], newCertSet(all).chain(all[0]))
}

func TestPickLeaf_PrefersTheLocalKeyID(t *testing.T) {
	first, second := &x509.Certificate{}, &x509.Certificate{}
	ids := map[*x509.Certificate]string{first: "1", second: "2"}
	own := []*x509.Certificate{first, second}
	require.Same(t, second, pickLeaf("2", own, ids))
	require.Same(t, first, pickLeaf("", own, ids))
	require.Nil(t, pickLeaf("2", nil, ids))
}

// TestLoad_JKSEntriesThatTheLibraryWouldNotRefuse: of a key too short for its
// digest keystore-go would slice out of range; of two entries with one name it
// would keep the last; and it does not look at the name of the cipher.
func TestLoad_JKSEntriesThatTheLibraryWouldNotRefuse(t *testing.T) {
	encrypted := func(last int, size int) []byte {
		der, err := asn1.Marshal(encryptedPKCS8{
			Algorithm: pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, last}},
			Data:      make([]byte, size),
		})
		require.NoError(t, err)
		return der
	}
	load := func(keys ...[]byte) error {
		var b bytes.Buffer
		put := func(values ...any) {
			for _, v := range values {
				require.NoError(t, binary.Write(&b, binary.BigEndian, v))
			}
		}
		put(uint32(jksMagic), uint32(2), uint32(len(keys)))
		for _, der := range keys {
			put(uint32(1), uint16(1), []byte("k"), uint64(0), uint32(len(der)), der, uint32(0))
		}
		put(jksDigest(b.Bytes(), "pw"))
		_, err := Load(b.Bytes(), Options{Password: holdfast.NewSecret("pw")})
		return err
	}
	err := load(encrypted(1, 39))
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, `key "k": corrupt: expected at least 40 bytes of salt and digest, found 39`)
	err = load(encrypted(2, 40))
	require.ErrorIs(t, err, ErrUnsupported)
	require.ErrorContains(t, err, `key protection 1.3.6.1.4.1.42.2.17.1.2, a JKS has 1.3.6.1.4.1.42.2.17.1.1`)
	err = load(encrypted(1, 40), encrypted(1, 40))
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, `two entries are called "k"`)
}

// TestMAC_TakesBothEncodingsOfTheEmptyPassword: openssl writes the terminator,
// with a NULL password it does not, and neither does Java.
func TestMAC_TakesBothEncodingsOfTheEmptyPassword(t *testing.T) {
	content := []byte("safes")
	for _, bare := range []bool{false, true} {
		m := macData{Salt: []byte("salt"), Iterations: 2}
		m.MAC.Algorithm.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
		empty := passphrase{secret: holdfast.NewSecret("")}
		var err error
		m.MAC.Digest, err = m.compute(content, passphrase{secret: empty.secret, bare: bare}, &budget{left: 100})
		require.NoError(t, err)
		found, err := m.verify(content, empty, &budget{left: 100})
		require.NoError(t, err)
		require.Equal(t, bare, found.bare, "the rest of the file is encrypted with the same")
		_, err = m.verify([]byte("other"), empty, &budget{left: 100})
		require.ErrorIs(t, err, ErrPassword)
	}
}

// TestDecryptCBC_RefusesWhatCannotBe: crypto/cipher panics at a wrong vector.
func TestDecryptCBC_RefusesWhatCannotBe(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 16))
	require.NoError(t, err)
	encrypt := func(plain ...byte) []byte {
		out := make([]byte, len(plain))
		cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(out, plain)
		return out
	}
	ended := func(last ...byte) []byte { return append(make([]byte, 16-len(last)), last...) }
	for name, tt := range map[string]struct {
		iv, data []byte
		want     error
	}{
		"sound":                {make([]byte, 16), encrypt(ended(3, 3, 3)...), nil},
		"a short vector":       {make([]byte, 8), encrypt(ended(1)...), ErrCorrupt},
		"no vector":            {nil, encrypt(ended(1)...), ErrCorrupt},
		"no data":              {make([]byte, 16), nil, ErrCorrupt},
		"half a block":         {make([]byte, 16), make([]byte, 8), ErrCorrupt},
		"no padding":           {make([]byte, 16), encrypt(ended(0)...), ErrPassword},
		"padding of two kinds": {make([]byte, 16), encrypt(ended(2, 3, 3)...), ErrPassword},
		"more than there is":   {make([]byte, 16), encrypt(ended(17)...), ErrPassword},
	} {
		plain, err := decryptCBC(block, tt.iv, tt.data)
		require.ErrorIs(t, err, tt.want, name)
		if tt.want == nil {
			require.Equal(t, make([]byte, 13), plain)
		}
	}
}

// TestPBKDF2_RefusesAKeyOfAnotherLength: it would be cut, or end in zeros.
func TestPBKDF2_RefusesAKeyOfAnotherLength(t *testing.T) {
	for length, want := range map[int]error{0: nil, 32: nil, 16: ErrCorrupt, 64: ErrCorrupt} {
		params, err := asn1.Marshal(struct {
			Salt       []byte
			Iterations int
			KeyLength  int `asn1:"optional"`
		}{[]byte("salt"), 2, length})
		require.NoError(t, err)
		alg := pkix.AlgorithmIdentifier{
			Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, Parameters: asn1.RawValue{FullBytes: params},
		}
		key, err := derivePBKDF2(alg, 32, passphrase{secret: holdfast.NewSecret("pw")}, &budget{left: 100})
		require.ErrorIs(t, err, want, length)
		require.True(t, err != nil || len(key) == 32)
	}
}

// TestBags_EndTheDepthOfSafesWithinSafes: the collector recurses.
func TestBags_EndTheDepthOfSafesWithinSafes(t *testing.T) {
	content, err := asn1.Marshal([]safeBag{})
	require.NoError(t, err)
	for depth := range maxBagDepth + 2 {
		c := &bagCollector{store: &Store{}}
		if err := c.collect(content, 0); depth <= maxBagDepth {
			require.NoError(t, err, depth)
		} else {
			require.ErrorIs(t, err, ErrLimit)
		}
		content, err = asn1.Marshal([]safeBag{{
			ID:    asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 6},
			Value: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content},
		}})
		require.NoError(t, err)
	}
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
