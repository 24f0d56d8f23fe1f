package exporter

import (
	"context"

	"github.com/holdfast-sec/holdfast/tlsprobe"
)

// Source lists certificates at rest, for modules with the prober "file". An
// exporter without one refuses them.
type Source interface {
	// List reads what lies at the paths of a module, which may be files,
	// directories or patterns. Each store that was found is one entry; one that
	// cannot be read has an Error and the others are listed all the same. It may
	// be called concurrently, and returns by the deadline of ctx.
	List(ctx context.Context, paths []string) []Stored
}

// Stored is one file or keystore. Private keys are no part of it.
type Stored struct {
	// Path becomes a label.
	Path string
	// Certificates in the order of the store.
	Certificates []tlsprobe.Certificate
	// Error says why certificates are missing, without a secret. Empty for none.
	Error string
}
