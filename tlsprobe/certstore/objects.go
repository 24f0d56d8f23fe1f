package certstore

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Object is a Secret or a ConfigMap of a cluster.
type Object struct {
	// Kind is Secret or ConfigMap.
	Kind, Namespace, Name string
	// Type is that of a Secret, such as kubernetes.io/tls.
	Type string
	// Data is decoded from base64. Private keys may be left out of it: none is
	// looked at.
	Data map[string][]byte
}

// Lister yields the objects of a cluster, in whatever order the cluster has. It
// fetches them page by page as they are wanted, so that a large cluster is never in
// memory as a whole. An error is yielded beside an empty object and does not end the
// sequence by itself: one namespace that may not be listed hides no other.
type Lister interface {
	List(ctx context.Context) iter.Seq2[Object, error]
}

// ReadObjects yields the certificates of a cluster's Secrets and ConfigMaps, as
// [Read] does of files. Of the options it uses Passwords and Now.
func ReadObjects(ctx context.Context, l Lister, opts Options) iter.Seq[Found] {
	return func(yield func(Found) bool) {
		r := &reader{ctx: ctx, opts: opts, yield: yield, at: opts.now()}
		for o, err := range l.List(ctx) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				if !r.emit(Found{Path: o.path(), Format: Manifest, At: r.at, Err: fmt.Errorf("list objects: %w", err)}) || ctx.Err() != nil {
					return
				}
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(o.Data)) {
				at := place{path: o.path()}.in(Manifest, key, roleOf(key))
				if !r.emit(r.value(at, o.Type, key, o.Data[key])...) {
					return
				}
			}
		}
	}
}

func (o Object) path() string {
	if o.Kind == "" {
		return ""
	}
	return o.Kind + "/" + o.Namespace + "/" + o.Name
}
