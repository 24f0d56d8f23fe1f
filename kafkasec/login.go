package kafkasec

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/parallel"
	"github.com/holdfast-sec/holdfast/internal/poll"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

// LoginState is how a login with the declared password went. That nobody knows is
// not one of them: it is unread.
type LoginState string

// The answers that prove something.
const (
	// LoginAccepted: the stored password is the declared one.
	LoginAccepted LoginState = "accepted"
	// LoginRefused: another one is stored.
	LoginRefused LoginState = "refused"
)

// readLogins tries the passwords of those credentials that are in the state.
func (r *Reconciler) readLogins(ctx context.Context, wanted []Credential, state *State) error {
	if r.Logins == nil {
		return nil
	}
	var creds []Credential
	var refs []string
	for _, c := range wanted {
		have, exists := state.Users[c.User][c.Mechanism]
		if !exists || c.Iterations != 0 && c.Iterations != have {
			continue // it is set anyway
		}
		c.Iterations = have
		creds, refs = append(creds, c), append(refs, c.Password)
	}
	refs = distinct(refs)
	resolved, failed := parallel.Map(ctx, 0, refs, r.password)
	type password struct {
		secret holdfast.Secret
		err    error
	}
	passwords := map[string]password{}
	for i, ref := range refs {
		passwords[ref] = password{resolved[i], failed[i]}
	}
	logins, errs := parallel.Map(ctx, 0, creds, func(ctx context.Context, c Credential) (LoginState, error) {
		if p := passwords[c.Password]; p.err != nil {
			return "", p.err
		}
		answer, err := r.tryLogin(ctx, c, passwords[c.Password].secret)
		if err != nil {
			return "", fmt.Errorf("try to log in: %w", err)
		}
		return loginState(c, answer)
	})
	if ctx.Err() != nil && len(creds) > 0 {
		return fmt.Errorf("try to log in: %w", context.Cause(ctx))
	}
	for i, c := range creds {
		if errs[i] != nil {
			state.Unread = append(state.Unread, Unread{KindScramPassword, c.String(), errs[i]})
			continue
		}
		if state.Logins == nil {
			state.Logins = map[string]map[ScramMechanism]LoginState{}
		}
		if state.Logins[c.User] == nil {
			state.Logins[c.User] = map[ScramMechanism]LoginState{}
		}
		state.Logins[c.User][c.Mechanism] = logins[i]
	}
	return nil
}

// tryLogin makes one connection.
func (r *Reconciler) tryLogin(ctx context.Context, c Credential, password holdfast.Secret) (dial.LoginAnswer, error) {
	cfg := *r.Logins
	cfg.Mechanism, cfg.DelegationToken, cfg.OAuth = dial.Mechanism(c.Mechanism), false, dial.OAuth{}
	cfg.Username, cfg.Password = c.User, password
	return dial.Login(ctx, cfg)
}

// loginState is what the answer proves about the credential. A broker which knows
// none, or another one, is of another cluster or has not heard of the latest change;
// its refusal says nothing.
func loginState(c Credential, answer dial.LoginAnswer) (LoginState, error) {
	switch {
	case answer.Iterations == 0:
		return "", errors.New("the listener's broker refused the user before it came to the password: it may know no such credential, because it is of another cluster or not up to date")
	case answer.Iterations != c.Iterations:
		return "", fmt.Errorf("the listener's broker knows the credential with %d iterations, and it has %d: the broker is of another cluster or not up to date", answer.Iterations, c.Iterations)
	case answer.Accepted:
		return LoginAccepted, nil
	}
	return LoginRefused, nil
}

// planLogin plans what a login has shown of a credential that is as declared
// otherwise.
func (p *Plan) planLogin(before, after Credential, state State, unread unreadIndex) {
	if why, ok := unread.find(KindScramPassword, after.String()); ok {
		p.Unread = append(p.Unread, Unread{KindScramPassword, after.String(), why.Err})
		return
	}
	if state.Logins[before.User][before.Mechanism] != LoginRefused {
		return
	}
	// Before 2.7 brokers took any number of iterations.
	after.Iterations = min(max(before.Iterations, minIterations), maxIterations)
	before.Login, after.Login = LoginRefused, LoginAccepted
	p.Changes = append(p.Changes, Change{holdfast.ActionUpdate, KindScramUser, after.String(),
		"another password is stored: a login with the declared one was refused", before, after})
}

func iterationsDetail(before, after Credential) []string {
	if before.Iterations == after.Iterations {
		return nil
	}
	return []string{fmt.Sprintf("iterations %d -> %d", before.Iterations, after.Iterations)}
}

var errNoLogins = errors.New("the change was planned from a login, and the Logins of the Reconciler are not set: nobody knows whether it is still needed")

// compareLogin is compareCredential for a change that was planned from a login.
func (l live) compareLogin(before, after Credential, have int32) (standing, error) {
	if u, ok := l.unread.find(KindScramPassword, after.String()); ok {
		return isOther, u.Err
	}
	switch l.state.Logins[after.User][after.Mechanism] {
	case "":
		return isOther, errNoLogins
	case LoginAccepted:
		if have == after.Iterations {
			return isAfter, nil
		}
	case LoginRefused:
		if have == before.Iterations {
			return isBefore, nil
		}
	}
	return isOther, nil
}

// withoutLogin leaves of a change what brokers describe.
func (c Change) withoutLogin() Change {
	if after, ok := c.After.(Credential); ok && after.Login != "" {
		before, _ := c.Before.(Credential)
		before.Login, after.Login = "", ""
		c.Before, c.After = before, after
	}
	return c
}

// waitLogin waits until the listener of Logins judges by the last password that
// was set. Brokers describe a credential a moment before they let it in: first the
// image of the metadata is published, then the cache that logins are checked against
// (BrokerMetadataPublisher, 4.4). Brokers follow the metadata log in order, so one
// login is enough. A listener without an answer is not waited for.
func (a *applier) waitLogin(ctx, wait context.Context, last []Change) error {
	if a.r.Logins == nil {
		return nil
	}
	for _, c := range last {
		after, set := c.After.(Credential)
		if !set {
			continue
		}
		err := poll.Until(wait, poll.Backoff{Initial: firstBackoff, Max: 4 * firstBackoff}, func(wait context.Context) (bool, error) {
			answer, err := a.r.tryLogin(wait, after, a.passwords.secrets[after.Password])
			switch {
			case wait.Err() != nil:
				return false, wait.Err() // cut off, it says less than what was found before
			case err != nil:
				return true, nil
			}
			state, err := loginState(after, answer)
			if state == LoginRefused {
				err = errors.New("a login with the password was refused")
			}
			if err != nil {
				return false, poll.NotYet{Reason: err}
			}
			return true, nil
		})
		switch {
		case ctx.Err() != nil && err != nil:
			return ErrNotVisible
		case err != nil:
			return fmt.Errorf("%w: the listener for logins does not show %s %s %s: %w", ErrNotVisible, c.Action, c.Kind, c.Name, err)
		}
	}
	return nil
}
