package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/holdfast-sec/holdfast/internal/testkit/aclstore"
)

func main() {
	c, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake:", err)
		os.Exit(1)
	}
	var wrong atomic.Bool
	aclstore.New(func(format string, args ...any) {
		wrong.Store(true)
		fmt.Fprintf(os.Stderr, "fake: "+format+"\n", args...)
	}).Install(c)
	fmt.Println(strings.Join(c.ListenAddrs(), ","))
	_, _ = io.Copy(io.Discard, os.Stdin)
	c.Close()
	if wrong.Load() {
		os.Exit(1)
	}
}
