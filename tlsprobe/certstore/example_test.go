package certstore_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/holdfast-sec/holdfast/tlsprobe"
	"github.com/holdfast-sec/holdfast/tlsprobe/certstore"
)

func Example() {
	opts := certstore.Options{
		Globs: []string{"**/*.pem"},
		Now:   func() time.Time { return time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC) },
	}
	for found := range certstore.Read(context.Background(), os.DirFS("testdata"), opts) {
		fmt.Println(found.Path, found.Format)
		for _, finding := range found.Check(tlsprobe.Policy{}) {
			fmt.Println(finding.Status, finding.Message)
		}
	}
	// Output:
	// example.pem pem
	// pass "CN=example root" is valid for 27384 days more
}
