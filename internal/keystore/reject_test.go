package keystore_test

import (
	"bytes"
	"encoding/binary"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
)

func TestLoad_SaysWhatIsWrong(t *testing.T) {
	read := func(name string) []byte { return fixture(t, "testdata", name) }
	cut := func(data []byte, n int) []byte { return data[:len(data)-n] }
	edit := func(data []byte, at int, b ...byte) []byte {
		data = bytes.Clone(data)
		copy(data[at:], b)
		return data
	}
	wrong := holdfast.NewSecret("canary-password")
	rootDER, _ := pem.Decode(read("root.pem"))

	for _, tt := range []struct {
		name string
		data []byte
		opts keystore.Options
		is   error
		text string
	}{
		{"empty", nil, opened, keystore.ErrCorrupt, "empty, expected PEM, JKS or PKCS12"},
		{"blank", []byte(" \n"), opened, keystore.ErrCorrupt, "empty"},
		{"other text", []byte("hello"), opened, keystore.ErrCorrupt, "neither PEM"},
		{"too large", make([]byte, 8<<20+1), opened, keystore.ErrLimit, "8388609 bytes, at most 8388608"},
		{"DER certificate", rootDER.Bytes, opened, keystore.ErrUnsupported, "openssl x509 -inform DER"},
		{"DER header only", []byte{0x30, 0x82}, opened, keystore.ErrCorrupt, "ends within its first header"},
		{"JCEKS", read("jceks-keytool.b64"), opened, keystore.ErrUnsupported, "keytool -importkeystore"},
		{"unknown type", read("root.pem"), keystore.Options{Type: "BKS"}, keystore.ErrType, `"BKS" is declared; PEM, JKS and PKCS12 are read`},
		{"PEM declared JKS", read("root.pem"), keystore.Options{Type: "JKS"}, keystore.ErrType, "JKS is declared, the content is PEM"},
		{"JKS declared PEM", read("jks-keytool.b64"), keystore.Options{Type: "PEM"}, keystore.ErrType, "PEM is declared, the content is JKS"},

		{"PEM wrong password", read("pem-pbes2.pem"), keystore.Options{KeyPassword: wrong}, keystore.ErrPassword, "PEM keystore: block 1 (ENCRYPTED PRIVATE KEY)"},
		{"PEM no password", read("pem-pbes2.pem"), keystore.Options{}, keystore.ErrPassword, "no password was given"},
		{"PEM old encryption", read("pem-old-encryption.pem"), keystore.Options{KeyPassword: keyPW}, keystore.ErrUnsupported, "openssl pkcs8 -topk8"},
		{"PEM scrypt", read("pem-scrypt.pem"), keystore.Options{KeyPassword: keyPW}, keystore.ErrUnsupported, "1.3.6.1.4.1.11591.4.11 (key derivation)"},
		{"PEM secp256k1", read("pem-secp256k1.pem"), keystore.Options{}, keystore.ErrUnsupported, "curve is not P-224, P-256"},
		{"PEM X25519", read("pem-x25519.pem"), keystore.Options{}, keystore.ErrUnsupported, "cannot sign"},
		{"PEM truncated", cut(read("root.pem"), 30), keystore.Options{}, keystore.ErrCorrupt, "block 1 (CERTIFICATE): no END line"},
		{"PEM second block truncated", append(read("root.pem"), "-----BEGIN CERTIFICATE-----\nMII"...), keystore.Options{}, keystore.ErrCorrupt, "block 2 (CERTIFICATE): no END line"},
		{"PEM without base64", []byte("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"), keystore.Options{}, keystore.ErrCorrupt, "expected base64"},
		{"PEM not a certificate", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), keystore.Options{}, keystore.ErrCorrupt, "expected a certificate"},
		{"PEM END of another", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----"), keystore.Options{}, keystore.ErrCorrupt, "END line has another name"},
		{"PEM open BEGIN", []byte("-----BEGIN CERTIFICATE\nAAAA\n-----END CERTIFICATE-----"), keystore.Options{}, keystore.ErrCorrupt, "BEGIN line"},
		{"PEM nothing useful", []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), keystore.Options{}, keystore.ErrCorrupt, "expected a certificate or a private key"},
		{"PEM huge key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: make([]byte, 7000)}), keystore.Options{}, keystore.ErrLimit, "7000 bytes"},
		{"PEM huge old key", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: make([]byte, 7000)}), keystore.Options{}, keystore.ErrLimit, "7000 bytes"},
		{"PEM many keys", bytes.Repeat(read("pem-ed25519.pem"), 257), keystore.Options{}, keystore.ErrLimit, "more than 256 private keys"},

		{"JKS wrong password", read("jks-keytool.b64"), keystore.Options{Password: wrong}, keystore.ErrPassword, "JKS keystore: wrong password of the store"},
		{"JKS wrong key password", read("jks-keytool.b64"), opened, keystore.ErrPassword, `wrong password of the key`},
		{"JKS no password for a key", read("jks-keytool.b64"), keystore.Options{}, keystore.ErrPassword, "no password was given"},
		{"JKS key password above U+00FF", read("jks-keytool.b64"), keystore.Options{Password: storePW, KeyPassword: holdfast.NewSecret("€")}, keystore.ErrUnsupported, "keytool -keypasswd"},
		{"JKS truncated", cut(read("jks-keytool.b64"), 1), opened, keystore.ErrCorrupt, "expected the digest of 20 bytes"},
		{"JKS half", cut(read("jks-keytool.b64"), 2000), opened, keystore.ErrCorrupt, "found"},
		{"JKS header only", read("jks-keytool.b64")[:6], opened, keystore.ErrCorrupt, "expected the version of 4 bytes at offset 4, found 2"},
		{"JKS version 3", edit(read("jks-keytool.b64"), 7, 3), opened, keystore.ErrUnsupported, "JKS version 3"},
		{"JKS altered", edit(read("jks-keytool-truststore.b64"), 18, 'X'), opened, keystore.ErrPassword, "or the file was altered"},
		{"JKS huge count", edit(read("jks-keytool-truststore.b64"), 8, 0xFF, 0xFF, 0xFF, 0xFF), opened, keystore.ErrCorrupt, "expected "},

		{"PKCS12 wrong password", read("p12-keytool.b64"), keystore.Options{Password: wrong}, keystore.ErrPassword, "PKCS12 keystore: wrong password of the store"},
		{"PKCS12 wrong key password", read("p12-keytool.b64"), keystore.Options{Password: storePW, KeyPassword: wrong}, keystore.ErrPassword, `key "key-`},
		{"PKCS12 no password", read("p12-keytool-truststore.b64"), keystore.Options{}, keystore.ErrPassword, "no password was given"},
		{"PKCS12 truncated", cut(read("p12-keytool.b64"), 1), opened, keystore.ErrCorrupt, "expected one DER value of type PFX"},
		{"PKCS12 altered", edit(read("p12-keytool.b64"), 200, 'X', 'X', 'X'), opened, keystore.ErrPassword, "the MAC does not match"},
		{"PKCS12 in BER", []byte{0x30, 0x80, 0x02, 0x01, 0x03, 0, 0}, opened, keystore.ErrUnsupported, "indefinite length"},
		{"PKCS12 header only", []byte{0x30, 0x03, 0x02, 0x01, 0x03}, opened, keystore.ErrCorrupt, "PFX"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := keystore.Load(tt.data, tt.opts)
			require.ErrorIs(t, err, tt.is)
			require.ErrorContains(t, err, tt.text)
			require.NotContains(t, err.Error(), "canary")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestLoad_BoundsIterations(t *testing.T) {
	// keytool of JDK 17 writes 10,000 iterations: INTEGER of two bytes 27 10.
	data := fixture(t, "testdata", "p12-keytool-truststore.b64")
	at := bytes.LastIndex(data, []byte{0x02, 0x02, 0x27, 0x10})
	require.Positive(t, at)
	require.Equal(t, len(data)-4, at, "the MAC's iterations end the file")
	grown := append(bytes.Clone(data[:at]), 0x02, 0x05, 0x00, 0x80, 0x00, 0x00, 0x00) // 2^31
	// The file is SEQUENCE, length in two bytes, and ends in the MAC's SEQUENCE.
	mac := bytes.LastIndex(grown, []byte{0x30, 0x31, 0x30, 0x0D}) - 2
	require.Equal(t, byte(0x30), grown[mac])
	grown[mac+1] += 3
	binary.BigEndian.PutUint16(grown[2:], binary.BigEndian.Uint16(grown[2:])+3)
	_, err := keystore.Load(grown, opened)
	require.ErrorIs(t, err, keystore.ErrLimit)
	require.ErrorContains(t, err, "2147483648 iterations of key derivation, at most 5000000 are done")
}

func TestLoad_ReadsPEMOnOneLine(t *testing.T) {
	// What java.util.Properties makes of a PEM value with continuation lines.
	data := strings.ReplaceAll(string(fixture(t, "testdata", "pem-pkcs8.pem")), "\n", " ")
	store, err := keystore.Load([]byte(data), keystore.Options{})
	require.NoError(t, err)
	require.Equal(t, []entry{key("", "ec", "intermediate")}, entries(store))
}

func TestCertificate_ByAlias(t *testing.T) {
	store, err := keystore.Load(fixture(t, "testdata", "p12-keytool.b64"), opened)
	require.NoError(t, err)
	cert, err := store.Certificate("KEY-EC")
	require.NoError(t, err)
	require.Equal(t, "fixture ec", cert.Leaf.Subject.CommonName)
	_, err = store.Certificate("")
	require.ErrorContains(t, err, `2 private keys, name one of "key-`)
	_, err = store.Certificate("root")
	require.ErrorContains(t, err, `no private key "root"; there are "key-`)
	certs, err := store.Certificates()
	require.NoError(t, err)
	require.Len(t, certs, 2)
}

func TestCertificate_WithoutOne(t *testing.T) {
	load := func(data []byte) *keystore.Store {
		store, err := keystore.Load(data, keystore.Options{})
		require.NoError(t, err)
		return store
	}
	block, rest := pem.Decode(fixture(t, "testdata", "pem-pkcs8.pem"))
	alone := load(pem.EncodeToMemory(block))
	_, err := alone.Certificates()
	require.ErrorContains(t, err, "PEM keystore: key: the file has no certificate of this key")
	_, err = alone.Pool()
	require.ErrorContains(t, err, "no certificate in it")

	_, err = load(rest).Certificates()
	require.ErrorContains(t, err, "no private key in it")

	foreign := load(append(pem.EncodeToMemory(block), fixture(t, "testdata", "root.pem")...))
	require.Contains(t, foreign.Notes[0], "belongs to none of the 1 certificates")
	_, err = foreign.Certificate("")
	require.ErrorContains(t, err, "no certificate of this key")
}

// TestPool_TrustsWhatJavaTrusts: trusted certificates and the leaf of each key of
// a Java store, all certificates of a PEM file.
func TestPool_TrustsWhatJavaTrusts(t *testing.T) {
	for file, want := range map[string]int{"p12-keytool.b64": 3, "p12-openssl-ec.b64": 1, "pem-text-reverse.pem": 3} {
		store, err := keystore.Load(fixture(t, "testdata", file), opened)
		require.NoError(t, err)
		pool, err := store.Pool()
		require.NoError(t, err)
		//lint:ignore SA1019 this pool has no system roots, which Subjects would leave out
		require.Len(t, pool.Subjects(), want, file)
	}
}
