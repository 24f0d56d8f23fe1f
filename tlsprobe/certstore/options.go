package certstore

import (
	"errors"
	"time"

	"github.com/holdfast-sec/holdfast"
)

// Options say what to read. The zero value reads every file that looks as if it
// held certificates, and opens keystores without a password.
type Options struct {
	// Globs pick files by their path from the root of the file system, in the
	// patterns of [path.Match] with ** for any number of directories:
	// "etc/ssl/**/*.pem". None means all; files that hold no certificate are then
	// passed over in silence, unless their name promises one.
	Globs []string
	// Base is where the root of the file system is on its host, such as /etc. It
	// stands before each path of a [Found], and lets absolute paths in kubeconfigs
	// be followed.
	Base string
	// Passwords returns those to try on a keystore, in order. The path is that of
	// the [Found]. Nil or none means without.
	Passwords func(path string) []holdfast.Secret
	// Now is the time at which certificates are judged. Nil means [time.Now].
	Now func() time.Time
}

// Limits of what is read of one tree.
const (
	// maxFile is the size of a file: that of keystores (internal/keystore).
	maxFile = 8 << 20
	// maxDepth is how deep directories may nest.
	maxDepth = 64
	// maxNested is how deep documents may stand in documents: a kubeconfig in a
	// ConfigMap in a List.
	maxNested = 3
)

// Validate returns every glob that is none.
func (o Options) Validate() error {
	var errs []error
	for _, pattern := range o.Globs {
		if _, err := parseGlob(pattern); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}
