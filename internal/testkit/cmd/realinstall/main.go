package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/holdfast-sec/holdfast/internal/testkit/real"
	"github.com/holdfast-sec/holdfast/internal/testkit/real/install"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "realinstall:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if err := install.Run(ctx, install.Options{Dir: real.CacheDir(), Out: os.Stdout}); err != nil {
		return err
	}
	for _, c := range install.Components() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.Kind != install.Broker {
			continue
		}
		// It only saves time, so a failure is a remark. It also shows at once,
		// and not in the first test, whether this machine can run a broker.
		start := time.Now()
		made, err := real.Archive(c.Version())
		switch {
		case err != nil:
			fmt.Printf("real: %s: no class archive, tests start slower: %v\n", c.Name, err)
		case made:
			fmt.Printf("real: %s: class archive made in %.1f s\n", c.Name, time.Since(start).Seconds())
		}
	}
	return nil
}
