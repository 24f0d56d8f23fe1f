// Package keystore reads the keys and trusted certificates of Java clients:
// PEM, JKS and PKCS#12 files, as keytool and OpenSSL write them.
//
//	store, err := keystore.Load(data, keystore.Options{Password: password})
//	pool, err := store.Pool()           // for ssl.truststore.*
//	certs, err := store.Certificates()  // for ssl.keystore.*
//	listing, err := keystore.List(data, password) // certificates alone, of more types
//
// JKS goes through keystore-go, after a check of the frame that keeps hostile
// lengths away from it. PKCS#12 is decoded here, because go-pkcs12 reads at most
// one key, two safes, no mixture of keys and trusted certificates, and no
// aliases; it writes the files of our tests and is the peer they compare with.
// What cannot be read is an error that names the command to convert it; what a
// Java client would see differently is in [Store.Notes].
package keystore
