package keystore_test

import (
	"crypto/x509"
	"encoding/base64"
	"os"
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

var (
	storePW = holdfast.NewSecret("store-pw")
	keyPW   = holdfast.NewSecret("key-pw")
	opened  = keystore.Options{Password: storePW}
)

// fixture reads a file of dir; .b64 is decoded.
func fixture(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	if strings.HasSuffix(name, ".b64") {
		data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(string(data), "\n", ""))
		require.NoError(t, err)
	}
	return data
}

// entry is what a test says of an Entry.
type entry struct {
	Alias string
	Key   bool
	Chain []string // common names
}

func entries(s *keystore.Store) []entry {
	var out []entry
	for _, e := range s.Entries {
		got := entry{Alias: e.Alias, Key: e.Key != nil}
		for _, c := range e.Chain {
			got.Chain = append(got.Chain, strings.TrimPrefix(c.Subject.CommonName, "fixture "))
		}
		out = append(out, got)
	}
	return out
}

func key(alias string, chain ...string) entry { return entry{Alias: alias, Key: true, Chain: chain} }
func trusted(alias, name string) entry        { return entry{Alias: alias, Chain: []string{name}} }

// written is what keytool and OpenSSL wrote and what is to be read in it.
var written = []struct {
	file  string
	opts  keystore.Options
	want  []entry
	notes []string // a part of each note
}{
	{"pem-pkcs8.pem", keystore.Options{}, []entry{key("", "ec", "intermediate")}, nil},
	{"pem-text-reverse.pem", keystore.Options{}, []entry{key("", "rsa", "intermediate", "root")}, nil},
	{"pem-pbes2.pem", keystore.Options{KeyPassword: keyPW}, []entry{key("", "ec")}, nil},
	{"pem-pbes2-des3-sha1.pem", keystore.Options{Password: keyPW}, []entry{key("", "ec")}, nil},
	{"pem-pbes1.pem", keystore.Options{KeyPassword: keyPW}, []entry{key("", "ec")}, nil},
	{"pem-pkcs1.pem", keystore.Options{}, []entry{key("", "rsa")}, []string{`"RSA PRIVATE KEY": Kafka`}},
	{"pem-sec1.pem", keystore.Options{}, []entry{key("", "ec")}, []string{`"EC PRIVATE KEY": Kafka`}},
	{"pem-ed25519.pem", keystore.Options{}, []entry{key("", "ed25519")}, nil},
	{"root.pem", keystore.Options{}, []entry{trusted("", "root")}, nil},

	{"p12-openssl-ec.b64", opened, []entry{key("ec", "ec", "intermediate", "root")}, nil},
	{"p12-openssl-rsa.b64", opened, []entry{key("rsa", "rsa", "intermediate", "root")}, nil},
	{"p12-openssl-ed25519.b64", opened, []entry{key("ed25519", "ed25519", "intermediate", "root")}, nil},
	{"p12-openssl-legacy.b64", opened, []entry{key("rsa", "rsa", "intermediate", "root")}, nil},
	{"p12-openssl-sha512.b64", opened, []entry{key("ec", "ec")}, nil},
	{"p12-openssl-rc2-128.b64", opened, []entry{key("ec", "ec")}, nil},
	{"p12-openssl-unicode.b64", keystore.Options{Password: holdfast.NewSecret("pässword-€")}, []entry{key("ec", "ec")}, nil},
	{"p12-openssl-empty-password.b64", keystore.Options{Password: holdfast.NewSecret("")}, []entry{key("1", "ec")}, nil},
	{"p12-openssl-plain.b64", keystore.Options{}, []entry{key("ec", "ec")}, nil},
	{"p12-openssl-plain.b64", opened, []entry{key("ec", "ec")}, nil},
	{"p12-openssl-truststore.b64", opened, []entry{trusted("1", "intermediate"), trusted("2", "root")}, []string{"2 certificates lack the mark"}},

	{"p12-keytool.b64", opened, []entry{
		key("key-ec", "ec", "intermediate", "root"), key("key-rsa", "rsa", "intermediate", "root"), trusted("root", "root")}, nil},
	{"p12-keytool-legacy.b64", opened, []entry{
		key("key-ec", "ec", "intermediate", "root"), key("key-rsa", "rsa", "intermediate", "root"),
		trusted("root", "root"), trusted("inter", "intermediate")}, nil},
	{"p12-keytool-truststore.b64", opened, []entry{trusted("root", "root"), trusted("inter", "intermediate")}, nil},
	{"p12-keytool-legacy-truststore.b64", opened, []entry{trusted("root", "root")}, nil},
	{"p12-keytool-secret.b64", opened, []entry{trusted("root", "root")}, []string{`secret "secret" was left out`}},
	{"p12-keytool-truststore.b64", keystore.Options{Type: "JKS", Password: storePW},
		[]entry{trusted("root", "root"), trusted("inter", "intermediate")}, []string{"JKS is declared, the content is PKCS12"}},

	{"jks-keytool.b64", keystore.Options{Password: storePW, KeyPassword: keyPW}, []entry{
		key("key-ec", "ec", "intermediate", "root"), key("key-rsa", "rsa", "intermediate", "root"), trusted("root", "root")}, nil},
	{"jks-keytool-truststore.b64", opened, []entry{trusted("root", "root"), trusted("inter", "intermediate")}, nil},
	{"jks-keytool-truststore.b64", keystore.Options{}, []entry{trusted("root", "root"), trusted("inter", "intermediate")}, nil},
	{"jks-keytool-truststore.b64", keystore.Options{Type: "pkcs12", Password: storePW},
		[]entry{trusted("root", "root"), trusted("inter", "intermediate")}, []string{"PKCS12 is declared, the content is JKS"}},
}

func TestLoad_ReadsWhatOpenSSLAndKeytoolWrite(t *testing.T) { loadWritten(t, "testdata") }

// TestLoad_ReadsTheWritersOfThisMachine writes the same stores anew.
func TestLoad_ReadsTheWritersOfThisMachine(t *testing.T) {
	real.Enabled(t)
	for _, tool := range []string{"keytool", "openssl", "sh", "base64"} {
		_, err := exec.LookPath(tool)
		real.Need(t, tool, err)
	}
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "sh", filepath.Join("testdata", "generate.sh"), dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	loadWritten(t, dir)
}

func loadWritten(t *testing.T, dir string) {
	for _, tt := range written {
		t.Run(tt.file+"/"+string(tt.opts.Type), func(t *testing.T) {
			store, err := keystore.Load(fixture(t, dir, tt.file), tt.opts)
			require.NoError(t, err)
			// keytool keeps entries in a hash table: JKS has no order of its own.
			sortByAlias := cmp.Transformer("set", func(in []entry) map[string]entry {
				out := map[string]entry{}
				for _, e := range in {
					out[e.Alias+"/"+e.Chain[0]] = e
				}
				return out
			})
			require.Empty(t, cmp.Diff(tt.want, entries(store), sortByAlias))
			require.Len(t, store.Notes, len(tt.notes))
			for i, part := range tt.notes {
				require.Contains(t, store.Notes[i], part)
			}
			verifyChains(t, dir, store)
		})
	}
}

// verifyChains proves that each key signs for its leaf, and that chains end at
// the root of the fixtures.
func verifyChains(t *testing.T, dir string, store *keystore.Store) {
	roots, err := keystore.Load(fixture(t, dir, "root.pem"), keystore.Options{})
	require.NoError(t, err)
	pool, err := roots.Pool()
	require.NoError(t, err)
	for _, e := range store.Entries {
		if e.Key == nil {
			continue
		}
		cert, err := store.Certificate(e.Alias)
		require.NoError(t, err)
		require.NotNil(t, cert.Leaf)
		if len(e.Chain) < 2 {
			continue
		}
		inters := x509.NewCertPool()
		inters.AddCert(e.Chain[1])
		_, err = e.Chain[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: inters,
			CurrentTime: e.Chain[0].NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		require.NoError(t, err)
	}
}
