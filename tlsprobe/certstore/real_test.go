package certstore_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
)

// stores makes every kind of store that people have, with the writers that they
// have: two keys and trusted certificates in each of Java's types, and what only
// OpenSSL writes.
const stores = `set -eu
keytool() { command keytool -J-Duser.language=en "$@" 2>/dev/null; }
for name in one two; do
  keytool -genkeypair -keyalg EC -groupname secp256r1 -dname "CN=$name" -validity 36500 -alias $name -keystore keys.PKCS12 -storetype PKCS12 -storepass store-pw
done
keytool -exportcert -alias one -file one.der -keystore keys.PKCS12 -storepass store-pw
for type in JKS JCEKS; do
  keytool -importkeystore -noprompt -srckeystore keys.PKCS12 -srcstorepass store-pw -destkeystore keys.$type -deststoretype $type -deststorepass store-pw
done
for type in JKS JCEKS PKCS12; do
  keytool -importcert -noprompt -alias ca -file one.der -keystore trust.$type -storetype $type -storepass store-pw
done
keytool -genseckey -keyalg AES -keysize 128 -alias secret -keystore keys.JCEKS -storetype JCEKS -storepass store-pw
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=openssl" -keyout key.pem -out cert.pem 2>/dev/null
openssl pkcs12 -export -nokeys -in cert.pem -passout pass:store-pw -out certs-only.p12
openssl pkcs12 -export -in cert.pem -inkey key.pem -name one -passout pass:store-pw -out one-key.p12
openssl crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out chain.p7b
`

// TestRead_ListsWhatRealWritersWrite is the table of stores that other readers fail
// at: JCEKS, PKCS#12 of two keys, and certificates only.
func TestRead_ListsWhatRealWritersWrite(t *testing.T) {
	real.Enabled(t)
	for _, tool := range []string{"keytool", "openssl", "sh"} {
		_, err := exec.LookPath(tool)
		real.Need(t, tool, err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "stores.sh")
	require.NoError(t, os.WriteFile(script, []byte(stores), 0o600))
	cmd := exec.CommandContext(t.Context(), "sh", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	require.ElementsMatch(t, []string{
		"keys.JKS jks [one] key verified one", "keys.JKS jks [two] key verified two",
		"keys.JCEKS jceks [] verified", // the note on the secret key
		"keys.JCEKS jceks [one] key verified one", "keys.JCEKS jceks [two] key verified two",
		"keys.PKCS12 pkcs12 [one] key verified one", "keys.PKCS12 pkcs12 [two] key verified two",
		"trust.JKS jks [ca] trusted verified one", "trust.JCEKS jceks [ca] trusted verified one", "trust.PKCS12 pkcs12 [ca] trusted verified one",
		"certs-only.p12 pkcs12 [1] verified openssl", "one-key.p12 pkcs12 [one] key verified openssl",
		"cert.pem pem [] openssl", "one.der der [] one", "chain.p7b der [] openssl",
	}, read(t, os.DirFS(dir), options(wrong, right)))
}
