// Command realinstall installs what the real tests need into the cache outside
// the tree. `make real` runs it first.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

func main() {
	dir := flag.String("dir", install.CacheDir(), "directory to install into")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := install.Run(ctx, install.Options{Dir: *dir, Out: os.Stdout}); err != nil {
		fmt.Fprintln(os.Stderr, "realinstall:", err)
		os.Exit(1)
	}
}
