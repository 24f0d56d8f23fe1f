package kafkasec

import (
	"context"
	"fmt"
	"slices"

	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Bindings reads all ACL bindings of the cluster, sorted, for [NewAuthorizer].
// An error that says that the client may not read them, or that the brokers
// have no authorizer, is not an empty list.
func (r *Reconciler) Bindings(ctx context.Context) ([]Binding, error) {
	need := reading{acls: true}
	if err := dial.Require(ctx, r.anyBroker(), need.needs()...); err != nil {
		return nil, fmt.Errorf("read bindings: %w", err)
	}
	state, _, err := r.read(ctx, need)
	if err != nil {
		return nil, fmt.Errorf("read bindings: %w", err)
	}
	if u, unread := state.unreadIndex().find(KindACL, "*"); unread {
		return nil, fmt.Errorf("read bindings: %w", u.Err)
	}
	return state.ACLs, nil
}

// Bindings returns the bindings that the spec wants present, by its ACLs and by
// its roles, each once and sorted, for [NewAuthorizer]. The error is that of
// [Spec.Validate].
func (s Spec) Bindings() ([]Binding, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	var bindings []Binding
	for _, d := range s.declared() {
		if d.state == Present {
			bindings = append(bindings, d.binding)
		}
	}
	slices.SortFunc(bindings, Binding.Compare)
	return slices.Compact(bindings), nil
}
