#!/bin/sh
# Writes the fixtures of this directory with keytool and OpenSSL. Each binary
# store is base64, so that the repository holds text. See README.md.
set -eu
cd "${1:-$(dirname "$0")}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
days=36500
keytool() { command keytool -J-Duser.language=en "$@" 2>/dev/null; }

# Certificates: root -> intermediate -> leaf, and the keys of each kind.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days \
  -subj "/CN=fixture root" -keyout "$tmp/root.key" -out "$tmp/root.pem" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
  -subj "/CN=fixture intermediate" -keyout "$tmp/inter.key" -out "$tmp/inter.csr" 2>/dev/null
printf 'basicConstraints=critical,CA:TRUE\n' > "$tmp/ca.ext"
openssl x509 -req -in "$tmp/inter.csr" -CA "$tmp/root.pem" -CAkey "$tmp/root.key" -days $days \
  -extfile "$tmp/ca.ext" -out "$tmp/inter.pem" 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$tmp/ec.key"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$tmp/rsa.key" 2>/dev/null
openssl genpkey -algorithm ED25519 -out "$tmp/ed25519.key"
for k in ec rsa ed25519; do
  openssl req -new -key "$tmp/$k.key" -subj "/CN=fixture $k" -out "$tmp/$k.csr"
  openssl x509 -req -in "$tmp/$k.csr" -CA "$tmp/inter.pem" -CAkey "$tmp/inter.key" -days $days -out "$tmp/$k.pem" 2>/dev/null
done
cat "$tmp/inter.pem" "$tmp/root.pem" > "$tmp/cas.pem"
cp "$tmp/root.pem" root.pem

# PEM: every form of a key, chain in file order and not.
cat "$tmp/ec.key" "$tmp/ec.pem" "$tmp/inter.pem" > pem-pkcs8.pem
{ echo "Bag Attributes"; echo "    friendlyName: text before a block"; cat "$tmp/root.pem" "$tmp/inter.pem" "$tmp/rsa.pem" "$tmp/rsa.key"; } > pem-text-reverse.pem
{ openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:key-pw -in "$tmp/ec.key"; cat "$tmp/ec.pem"; } > pem-pbes2.pem
{ openssl pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1 -passout pass:key-pw -in "$tmp/ec.key"; cat "$tmp/ec.pem"; } > pem-pbes2-des3-sha1.pem
{ openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:key-pw -in "$tmp/ec.key"; cat "$tmp/ec.pem"; } > pem-pbes1.pem
{ openssl rsa -traditional -in "$tmp/rsa.key" 2>/dev/null; cat "$tmp/rsa.pem"; } > pem-pkcs1.pem
{ openssl ecparam -name prime256v1; openssl ec -in "$tmp/ec.key" 2>/dev/null; cat "$tmp/ec.pem"; } > pem-sec1.pem
{ cat "$tmp/ed25519.key" "$tmp/ed25519.pem"; } > pem-ed25519.pem
{ openssl rsa -traditional -aes256 -passout pass:key-pw -in "$tmp/rsa.key" 2>/dev/null; cat "$tmp/rsa.pem"; } > pem-old-encryption.pem
{ openssl pkcs8 -topk8 -scrypt -passout pass:key-pw -in "$tmp/ec.key"; } > pem-scrypt.pem
{ openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1; } > pem-secp256k1.pem
{ openssl genpkey -algorithm X25519; } > pem-x25519.pem

# PKCS#12 of OpenSSL 3: default and -legacy, with alias and without.
for k in ec rsa ed25519; do
  openssl pkcs12 -export -inkey "$tmp/$k.key" -in "$tmp/$k.pem" -certfile "$tmp/cas.pem" -name "$k" -passout pass:store-pw -out "$tmp/p12-openssl-$k.bin"
done
openssl pkcs12 -export -legacy -inkey "$tmp/rsa.key" -in "$tmp/rsa.pem" -certfile "$tmp/cas.pem" -name rsa -passout pass:store-pw -out "$tmp/p12-openssl-legacy.bin"
openssl pkcs12 -export -inkey "$tmp/ec.key" -in "$tmp/ec.pem" -passout pass: -out "$tmp/p12-openssl-empty-password.bin"
openssl pkcs12 -export -nomac -keypbe NONE -certpbe NONE -inkey "$tmp/ec.key" -in "$tmp/ec.pem" -name ec -passout pass: -out "$tmp/p12-openssl-plain.bin"
openssl pkcs12 -export -nokeys -in "$tmp/cas.pem" -passout pass:store-pw -out "$tmp/p12-openssl-truststore.bin"
openssl pkcs12 -export -keypbe aes-128-cbc -certpbe aes-192-cbc -macalg sha512 -inkey "$tmp/ec.key" -in "$tmp/ec.pem" -name ec -passout pass:store-pw -out "$tmp/p12-openssl-sha512.bin"
openssl pkcs12 -export -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128 -legacy -inkey "$tmp/ec.key" -in "$tmp/ec.pem" -name ec -passout pass:store-pw -out "$tmp/p12-openssl-rc2-128.bin"
openssl pkcs12 -export -inkey "$tmp/ec.key" -in "$tmp/ec.pem" -name ec -passout "pass:pässword-€" -out "$tmp/p12-openssl-unicode.bin"

# keytool: two keys and a trusted certificate in one store, as PKCS#12 of JDK 17,
# as PKCS#12 of JDK 8 (keystore.pkcs12.legacy), as JKS with own key passwords.
mixed() { # FILE TYPE EXTRA...
  f=$1; t=$2; shift 2
  for k in ec rsa; do
    keytool -importkeystore -noprompt -srckeystore "$tmp/p12-openssl-$k.bin" -srcstoretype PKCS12 -srcstorepass store-pw -srcalias $k \
      -destkeystore "$f" -deststoretype "$t" -deststorepass store-pw -destalias "Key-$k" "$@"
  done
  keytool -importcert -noprompt -file "$tmp/root.pem" -alias root -keystore "$f" -storetype "$t" -storepass store-pw
}
mixed "$tmp/p12-keytool.bin" PKCS12
mixed "$tmp/jks-keytool.bin" JKS -destkeypass key-pw
# The last keytool run writes the whole file, so it alone needs the property.
cp "$tmp/p12-keytool.bin" "$tmp/p12-keytool-legacy.bin"
keytool -J-Dkeystore.pkcs12.legacy -importcert -noprompt -file "$tmp/inter.pem" -alias inter -keystore "$tmp/p12-keytool-legacy.bin" -storetype PKCS12 -storepass store-pw
for t in JKS PKCS12; do
  f=$(echo $t | tr A-Z a-z | sed s/pkcs/p/)
  keytool -importcert -noprompt -file "$tmp/root.pem" -alias root -keystore "$tmp/$f-keytool-truststore.bin" -storetype $t -storepass store-pw
  keytool -importcert -noprompt -file "$tmp/inter.pem" -alias inter -keystore "$tmp/$f-keytool-truststore.bin" -storetype $t -storepass store-pw
done
keytool -J-Dkeystore.pkcs12.legacy -importcert -noprompt -file "$tmp/root.pem" -alias root -keystore "$tmp/p12-keytool-legacy-truststore.bin" -storetype PKCS12 -storepass store-pw
keytool -genseckey -keyalg AES -keysize 128 -alias secret -keystore "$tmp/p12-keytool-secret.bin" -storetype PKCS12 -storepass store-pw
keytool -importcert -noprompt -file "$tmp/root.pem" -alias root -keystore "$tmp/p12-keytool-secret.bin" -storetype PKCS12 -storepass store-pw
keytool -importcert -noprompt -file "$tmp/root.pem" -alias root -keystore "$tmp/jceks-keytool.bin" -storetype JCEKS -storepass store-pw
# A JCEKS with all kinds of entries: the secret key is a serialized Java object.
f=$tmp/jceks-keytool-kinds.bin
keytool -genkeypair -keyalg EC -groupname secp256r1 -dname "CN=fixture ec" -validity $days -alias ec -keystore "$f" -storetype JCEKS -storepass store-pw -keypass store-pw
keytool -genseckey -keyalg AES -keysize 128 -alias secret -keystore "$f" -storetype JCEKS -storepass store-pw
keytool -genseckey -keyalg DESede -keysize 168 -alias secret2 -keystore "$f" -storetype JCEKS -storepass store-pw
keytool -importcert -noprompt -file "$tmp/root.pem" -alias root -keystore "$f" -storetype JCEKS -storepass store-pw
# What List reads beside these.
openssl x509 -in "$tmp/root.pem" -outform DER -out "$tmp/der-cert.bin"
openssl crl2pkcs7 -nocrl -certfile "$tmp/cas.pem" -outform DER -out "$tmp/der-pkcs7.bin"
openssl crl2pkcs7 -nocrl -certfile "$tmp/cas.pem" -out pem-pkcs7.pem
openssl x509 -in "$tmp/root.pem" -trustout -addtrust serverAuth -out pem-trusted.pem

for f in "$tmp"/*.bin; do
  base64 -w 76 "$f" > "$(basename "${f%.bin}").b64"
done
