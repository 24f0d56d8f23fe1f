package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/holdfast-sec/holdfast/examples/internal/cli"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// The least and the most that --timeout can be; franz-go has the same limits.
const (
	minTimeout = 100 * time.Millisecond
	maxTimeout = 15 * time.Minute
)

// connect gives a reconciler for the cluster. The caller closes its client.
func (a *app) connect(ctx context.Context, cfg dial.Config) (*kafkasec.Reconciler, error) {
	if a.passwords && cfg.Protocol != dial.SASLSSL && cfg.Protocol != dial.SASLPlaintext {
		return nil, fmt.Errorf("--check-passwords: users log in with SASL, and --command-config says %q: allowed are %s and %s",
			cmp.Or(cfg.Protocol, dial.Plaintext), dial.SASLSSL, dial.SASLPlaintext)
	}
	cl, err := dial.Connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	// Zero leaves each at its own default.
	r := &kafkasec.Reconciler{Client: cl, RequestTimeout: a.timeout, RetryFor: a.timeout, VisibleFor: a.timeout, Resolve: cli.ResolveSecret}
	if a.passwords {
		r.Logins = &cfg
	}
	return r, nil
}

// dialConfig reads the properties and lets the flags override them.
func (a *app) dialConfig(ctx context.Context) (dial.Config, error) {
	return a.propertiesConfig(ctx, "--command-config", a.config)
}

// propertiesConfig reads the properties that a flag names; no name is none.
func (a *app) propertiesConfig(ctx context.Context, flag, path string) (dial.Config, error) {
	var cfg dial.Config
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("%s: %w", flag, err)
		}
		if cfg, err = dial.ParseProperties(ctx, path, data, dial.ParseOptions{Resolve: cli.ResolveSecret}); err != nil {
			return cfg, err
		}
		for _, i := range cfg.Ignored {
			if i.Security { // the rest (serializers, linger.ms) is not about connecting
				fmt.Fprintf(a.stderr, "%s:%d: warning: %s has no effect: %s\n", path, i.Line, i.Key, cli.OneLine(i.Reason))
			}
		}
	}
	if len(a.brokers) > 0 {
		cfg.Brokers = a.brokers
	}
	if len(cfg.Brokers) == 0 {
		return cfg, errors.New("no brokers given: --brokers HOST:PORT is needed, or bootstrap.servers in the " + flag + " file")
	}
	if a.timeout != 0 {
		if a.timeout < minTimeout || a.timeout > maxTimeout {
			return cfg, fmt.Errorf("--timeout %s: allowed are %s to %s", a.timeout, minTimeout, maxTimeout)
		}
		cfg.Timeout, cfg.RequestTimeout = a.timeout, a.timeout
	}
	return cfg, brokersError(cfg.Validate())
}

// brokersError names the flag where the library names its field; everything
// else in the config has been checked when the properties were read.
func brokersError(err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for _, p := range cli.Problems(err) {
		if strings.HasPrefix(p.Path, "Brokers") {
			p.Path = "--brokers"
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}
