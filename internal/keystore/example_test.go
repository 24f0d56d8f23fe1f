package keystore_test

import (
	"crypto/tls"
	"fmt"
	"os"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/keystore"
)

func Example() {
	data, err := os.ReadFile("testdata/pem-pbes2.pem")
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := keystore.Load(data, keystore.Options{KeyPassword: holdfast.NewSecret("key-pw")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range store.Entries {
		fmt.Printf("%T, %d certificates\n", e.Key, len(e.Chain))
	}
	certs, err := store.Certificates()
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := tls.Config{Certificates: certs}
	fmt.Println(cfg.Certificates[0].Leaf.Subject)
	// Output:
	// *ecdsa.PrivateKey, 1 certificates
	// CN=fixture ec
}
