package kafkasec

import (
	"cmp"
	"context"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// Self is whom the client that reads and writes is to the brokers, as far as it
// is known: who plans must not saw off the branch that they sit on.
type Self struct {
	// Principal is "User:alice"; of a login with a certificate or a token it is
	// Reconciler.Principal.
	Principal string `json:"principal,omitempty"`
	// User is the name that it logs in with, with SCRAM or PLAIN.
	User string `json:"user,omitempty"`
	// Mechanism is the mechanism of the credential that it logs in with; empty
	// where that is none.
	Mechanism ScramMechanism `json:"mechanism,omitempty"`
}

// self asks the client, and sends nothing.
func (r *Reconciler) self(ctx context.Context) (Self, error) {
	me := Self{Principal: r.Principal}
	if r.Client == nil {
		return me, nil
	}
	mechanism, name, err := dial.Username(ctx, r.Client)
	if err != nil || name == "" {
		return me, err
	}
	me.User, me.Principal = name, cmp.Or(me.Principal, userPrincipal(name))
	if mechanism != dial.Plain {
		me.Mechanism = ScramMechanism(mechanism)
	}
	return me, nil
}

// logsInWith reports whether it is the credential that the client logs in with.
func (me Self) logsInWith(c Credential) bool {
	return me.User != "" && me.User == c.User && me.Mechanism == c.Mechanism
}

// keeps reports whether a change would take from this client its credential, or
// by pruning, which is not spelled out for it, any credential or binding. A plan
// is not made with one; but somebody else may have made it.
func (me Self) keeps(c Change) bool {
	switch {
	case c.Action != holdfast.ActionDelete:
		return false
	case c.Kind == KindScramUser:
		return me.logsInWith(c.credential()) || c.Reason == reasonNotDeclared && me.User != "" && me.User == c.credential().User
	case c.Kind == KindACL:
		return c.Reason == reasonNotDeclared && me.Principal != "" && me.Principal == c.binding().Principal
	}
	return false
}
