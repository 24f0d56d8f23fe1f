package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Options say where to install and whom to tell.
type Options struct {
	// Dir is the cache; see real.CacheDir.
	Dir string
	// Out gets a line per step. Nil means nobody.
	Out io.Writer
	// Components to install. Nil means [Components] and [Servers].
	Components []Component
}

type installer struct {
	dir  string
	out  io.Writer
	root bool // may install packages
	// policy says whether packages may start what they install.
	policy string
}

// Run installs what is missing. One component that cannot be installed does
// not keep the others away; the error names each.
func Run(ctx context.Context, opts Options) error {
	i := &installer{dir: opts.Dir, out: opts.Out, root: os.Geteuid() == 0, policy: "/usr/sbin/policy-rc.d"}
	if i.out == nil {
		i.out = io.Discard
	}
	components := opts.Components
	var servers []Server
	if components == nil {
		components, servers = Components(), Servers()
	}

	var missing []Component
	for _, c := range components {
		if c.Installed(i.dir) {
			i.say("%s: in place", c.Name)
		} else {
			missing = append(missing, c)
		}
	}
	// The JDK is needed to run what is installed, Maven only to install.
	if err := i.ensureTools(ctx, len(missing) > 0); err != nil {
		return err
	}
	errs := []error{i.ensureServers(ctx, servers)}
	for _, c := range missing {
		start := time.Now()
		i.say("%s: copying jars to %s", c.Name, i.dir)
		if err := i.install(ctx, c); err != nil {
			errs = append(errs, fmt.Errorf("install %s: %w", c.Name, err))
			continue
		}
		i.say("%s: installed in %.1f s", c.Name, time.Since(start).Seconds())
	}
	return errors.Join(errs...)
}

func (i *installer) say(format string, args ...any) {
	fmt.Fprintf(i.out, "real: "+format+"\n", args...)
}
