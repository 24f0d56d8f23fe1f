package keystore_test

import (
	"bytes"
	"crypto/x509"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// listed is what a test says of a Listed.
func listed(t *testing.T, l keystore.Listing) []entry {
	t.Helper()
	var out []entry
	for _, e := range l.Entries {
		got := entry{Alias: e.Alias, Key: e.Key}
		for _, der := range e.Certificates {
			cert, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			got.Chain = append(got.Chain, strings.TrimPrefix(cert.Subject.CommonName, "fixture "))
		}
		out = append(out, got)
	}
	return out
}

// listings is what List reads in what keytool and OpenSSL wrote: with a right
// password (want), and where that differs with none (bare).
var listings = []struct {
	file      string
	typ       keystore.Type
	password  holdfast.Secret
	integrity keystore.Integrity
	want      []entry
	notes     int
	bare      []entry
	bareErr   error
}{
	{file: "jks-keytool.b64", typ: "JKS", password: storePW, integrity: keystore.Verified, want: []entry{
		key("key-ec", "ec", "intermediate", "root"), key("key-rsa", "rsa", "intermediate", "root"), trusted("root", "root")}},
	{file: "jks-keytool-truststore.b64", typ: "JKS", password: storePW, integrity: keystore.Verified,
		want: []entry{trusted("root", "root"), trusted("inter", "intermediate")}},
	{file: "jceks-keytool.b64", typ: "JCEKS", password: storePW, integrity: keystore.Verified, want: []entry{trusted("root", "root")}},
	{file: "jceks-keytool-kinds.b64", typ: "JCEKS", password: storePW, integrity: keystore.Verified, notes: 2,
		want: []entry{key("ec", "ec"), trusted("root", "root")}},
	{file: "p12-keytool.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified, want: []entry{
		key("key-ec", "ec", "intermediate", "root"), key("key-rsa", "rsa", "intermediate", "root"), trusted("root", "root")},
		bare: []entry{key("key-ec"), key("key-rsa")}, bareErr: keystore.ErrPassword},
	{file: "p12-keytool-legacy.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified, want: []entry{
		key("key-ec", "ec", "intermediate", "root"), key("key-rsa", "rsa", "intermediate", "root"),
		trusted("root", "root"), trusted("inter", "intermediate")}, bare: []entry{key("key-ec"), key("key-rsa")}, bareErr: keystore.ErrPassword},
	{file: "p12-keytool-truststore.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified,
		want: []entry{trusted("root", "root"), trusted("inter", "intermediate")}, bare: []entry{}, bareErr: keystore.ErrPassword},
	{file: "p12-keytool-secret.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified, notes: 1,
		want: []entry{trusted("root", "root")}, bare: []entry{}, bareErr: keystore.ErrPassword},
	{file: "p12-openssl-truststore.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified,
		want: []entry{trusted("1", "intermediate"), trusted("2", "root")}, bare: []entry{}, bareErr: keystore.ErrPassword},
	{file: "p12-openssl-rsa.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified,
		want: []entry{key("rsa", "rsa", "intermediate", "root")}, bare: []entry{key("rsa")}, bareErr: keystore.ErrPassword},
	{file: "p12-openssl-legacy.b64", typ: "PKCS12", password: storePW, integrity: keystore.Verified,
		want: []entry{key("rsa", "rsa", "intermediate", "root")}, bare: []entry{key("rsa")}, bareErr: keystore.ErrPassword},
	{file: "p12-openssl-empty-password.b64", typ: "PKCS12", password: holdfast.NewSecret(""), integrity: keystore.Verified,
		want: []entry{key("1", "ec")}, bare: []entry{key("1")}, bareErr: keystore.ErrPassword},
	{file: "p12-openssl-plain.b64", typ: "PKCS12", password: storePW, integrity: keystore.Unchecked, want: []entry{key("ec", "ec")}, notes: 1},
	{file: "pem-pkcs8.pem", typ: "PEM", want: []entry{key("", "ec", "intermediate")}},
	{file: "pem-text-reverse.pem", typ: "PEM", want: []entry{key("", "root", "intermediate", "rsa")}},
	{file: "pem-pbes2.pem", typ: "PEM", want: []entry{key("", "ec")}},
	{file: "pem-old-encryption.pem", typ: "PEM", want: []entry{key("", "rsa")}},
	{file: "pem-scrypt.pem", typ: "PEM", want: []entry{key("")}},
	{file: "pem-pkcs7.pem", typ: "PEM", want: []entry{{Chain: []string{"intermediate", "root"}}}},
	{file: "pem-trusted.pem", typ: "PEM", want: []entry{{Chain: []string{"root"}}}},
	{file: "der-cert.b64", typ: "DER", want: []entry{{Chain: []string{"root"}}}},
	{file: "der-pkcs7.b64", typ: "DER", want: []entry{{Chain: []string{"intermediate", "root"}}}},
}

func TestList_ReadsWhatOpenSSLAndKeytoolWrite(t *testing.T) { listWritten(t, "testdata") }

// TestList_ReadsTheWritersOfThisMachine writes the same stores anew.
func TestList_ReadsTheWritersOfThisMachine(t *testing.T) {
	real.Enabled(t)
	for _, tool := range []string{"keytool", "openssl", "sh", "base64"} {
		_, err := exec.LookPath(tool)
		real.Need(t, tool, err)
	}
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "sh", filepath.Join("testdata", "generate.sh"), dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	listWritten(t, dir)
}

func listWritten(t *testing.T, dir string) {
	// A JKS is a hash table, so its order is not the writer's.
	byAlias := cmp.Transformer("set", func(in []entry) map[string]entry {
		out := map[string]entry{}
		for _, e := range in {
			out[e.Alias] = e
		}
		return out
	})
	equal := func(t *testing.T, want []entry, got keystore.Listing) {
		t.Helper()
		require.Len(t, got.Entries, len(want))
		require.Empty(t, cmp.Diff(want, listed(t, got), byAlias))
	}
	for _, tt := range listings {
		t.Run(tt.file, func(t *testing.T) {
			data := fixture(t, dir, tt.file)
			l, err := keystore.List(data, tt.password)
			require.NoError(t, err)
			require.Equal(t, tt.typ, l.Type)
			require.Equal(t, tt.integrity, l.Integrity)
			require.Len(t, l.Notes, tt.notes, "%q", l.Notes)
			equal(t, tt.want, l)

			bare := tt.want
			if tt.bareErr != nil {
				bare = tt.bare
			}
			l, err = keystore.List(data, holdfast.Secret{})
			require.ErrorIs(t, err, tt.bareErr)
			require.NotEqual(t, keystore.Verified, l.Integrity)
			equal(t, bare, l)

			l, err = keystore.List(data, holdfast.NewSecret("canary-password"))
			if tt.integrity != keystore.Verified {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, keystore.ErrPassword)
			require.NotContains(t, err.Error(), "canary")
			require.Equal(t, keystore.WrongPassword, l.Integrity)
			equal(t, bare, l)
		})
	}
}

// TestList_KeepsWhatStandsBesideDamage: each loses its own certificate and no
// other.
func TestList_KeepsWhatStandsBesideDamage(t *testing.T) {
	read := func(name string) []byte { return fixture(t, "testdata", name) }
	cut := func(data []byte, n int) []byte { return data[:len(data)-n] }
	root := read("root.pem")
	edit := func(data []byte, at int, b ...byte) []byte {
		data = bytes.Clone(data)
		copy(data[at:], b)
		return data
	}
	for _, tt := range []struct {
		name string
		data []byte
		is   error
		text string
		want []entry
	}{
		{"empty", nil, keystore.ErrCorrupt, "empty", nil},
		{"text", []byte("hello"), keystore.ErrCorrupt, "neither PEM", nil},
		{"digit", []byte("0123"), keystore.ErrCorrupt, "DER", nil},
		{"too large", make([]byte, 8<<20+1), keystore.ErrLimit, "at most 8388608", nil},
		{"PEM behind a damaged block", append([]byte("-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n"), root...),
			keystore.ErrCorrupt, "block 1 (CERTIFICATE): expected base64", []entry{{Chain: []string{"root"}}}},
		{"PEM behind an open block", append([]byte("-----BEGIN CERTIFICATE-----\nMII\n"), root...),
			keystore.ErrCorrupt, "block 1 (CERTIFICATE): no END line", []entry{{Chain: []string{"root"}}}},
		{"PEM before an open block", append(bytes.Clone(root), "-----BEGIN CERTIFICATE-----\nMII"...),
			keystore.ErrCorrupt, "block 2 (CERTIFICATE): no END line", []entry{{Chain: []string{"root"}}}},
		{"PEM that never ends", bytes.Repeat([]byte("-----BEGIN "), 400_000), keystore.ErrCorrupt, "what follows is not read", nil},
		{"PEM of a key's public half", []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), keystore.ErrCorrupt, "found none in 1 blocks", nil},
		{"PEM certificate of no DER", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), keystore.ErrCorrupt, "block 1 (CERTIFICATE): corrupt: expected a certificate", nil},
		{"JKS without its end", cut(read("jks-keytool-truststore.b64"), 1), keystore.ErrCorrupt, "expected the digest of 20 bytes",
			[]entry{trusted("root", "root"), trusted("inter", "intermediate")}},
		{"JKS half", cut(read("jks-keytool-truststore.b64"), 300), keystore.ErrCorrupt, "expected a certificate of", []entry{trusted("inter", "intermediate")}},
		{"JKS version 3", edit(read("jks-keytool.b64"), 7, 3), keystore.ErrUnsupported, "version 3", nil},
		{"JKS huge count", edit(read("jks-keytool-truststore.b64"), 8, 0xFF, 0xFF, 0xFF, 0xFF), keystore.ErrCorrupt, "expected ",
			[]entry{trusted("root", "root"), trusted("inter", "intermediate")}},
		{"JKS with a secret key", edit(read("jceks-keytool-kinds.b64"), 0, 0xFE, 0xED, 0xFE, 0xED), keystore.ErrCorrupt, "tag 3, expected 1 (key) or 2 (certificate)", nil},
		{"JCEKS half", cut(read("jceks-keytool-kinds.b64"), 40), keystore.ErrCorrupt, "expected ", nil},
		{"DER cut", cut(read("der-cert.b64"), 1), keystore.ErrCorrupt, "expected one DER value", nil},
		{"DER of something else", []byte{0x30, 0x03, 0x02, 0x01, 0x07}, keystore.ErrUnsupported, "sequence of something else", nil},
		{"PKCS12 cut", cut(read("p12-keytool.b64"), 1), keystore.ErrCorrupt, "PFX", nil},
		{"PKCS12 in BER", []byte{0x30, 0x80, 0x02, 0x01, 0x03, 0, 0}, keystore.ErrUnsupported, "indefinite length", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := keystore.List(tt.data, holdfast.Secret{})
			require.ErrorIs(t, err, tt.is)
			require.ErrorContains(t, err, tt.text)
			if tt.want != nil {
				require.ElementsMatch(t, tt.want, listed(t, l))
			}
		})
	}
}

// TestList_PassesOverTheSecretKeysOfJCEKS: what stands behind one is listed
// wherever in the file it is, because the walk finds its end.
func TestList_PassesOverTheSecretKeysOfJCEKS(t *testing.T) {
	data := fixture(t, "testdata", "jceks-keytool-kinds.b64")
	require.Equal(t, 2, bytes.Count(data, []byte{0xAC, 0xED, 0, 5}))
	// No damage of the objects goes unnoticed or does harm.
	at := bytes.Index(data, []byte{0xAC, 0xED, 0, 5})
	for i := at; i < at+220; i++ {
		for _, b := range []byte{0, 0x70, 0x73, 0xFF} {
			damaged := bytes.Clone(data)
			damaged[i] = b
			_, err := keystore.List(damaged, storePW)
			if damaged[i] != data[i] {
				require.Error(t, err, "byte %d", i) // the digest at least
			}
		}
	}
}

// FuzzList: no input panics or hangs, whatever is listed came from the input, and
// a digest is not taken for granted.
func FuzzList(f *testing.F) {
	for _, tt := range listings {
		f.Add(fixture(f, "testdata", tt.file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := keystore.List(data, holdfast.Secret{})
		n := 0
		for _, e := range l.Entries {
			for _, der := range e.Certificates {
				n += len(der)
			}
		}
		require.True(t, err != nil || len(l.Entries) > 0 || l.Type != keystore.PEM && l.Type != keystore.DER, "nothing found, nothing said")
		require.NotEqual(t, keystore.Verified, l.Integrity)
		if l.Type == keystore.JKS || l.Type == keystore.JCEKS {
			require.LessOrEqual(t, n, len(data))
		}
	})
}
