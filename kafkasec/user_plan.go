package kafkasec

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/holdfast-sec/holdfast"
)

func (p *Plan) planUser(u User, state State, unread unreadIndex) {
	if why, ok := unread.find(KindScramUser, u.Name); ok {
		p.Unread = append(p.Unread, Unread{KindScramUser, u.Name, why.Err})
		return
	}
	for _, m := range u.Mechanisms {
		have, exists := state.Users[u.Name][m]
		before := Credential{User: u.Name, Mechanism: m, Iterations: have}
		after := Credential{User: u.Name, Mechanism: m, Iterations: cmp.Or(u.Iterations, minIterations), Password: u.Password}
		switch {
		case u.State == Absent && exists:
			p.Changes = append(p.Changes, Change{holdfast.ActionDelete, KindScramUser, before.String(), "declared absent", before, nil})
		case u.State == Absent:
		case !exists:
			p.Changes = append(p.Changes, Change{holdfast.ActionCreate, KindScramUser, after.String(), "does not exist", nil, after})
		case u.Iterations != 0 && u.Iterations != have:
			p.Changes = append(p.Changes, Change{holdfast.ActionUpdate, KindScramUser, after.String(), "other iterations are declared; the password is set with them", before, after})
		case u.Password != "":
			p.planLogin(before, after, state, unread)
		}
	}
}

func (c Change) credential() Credential { return subject[Credential](c) }

func (c Change) scramStage() stage {
	switch drop, sha256 := c.After == nil, c.credential().Mechanism == ScramSHA256; {
	case drop && sha256:
		return stageDropScram256
	case drop:
		return stageDropScram512
	case sha256:
		return stageScram256
	}
	return stageScram512
}

// checkCredential refuses a scram-user change that Spec.Plan would never write.
func (c Change) checkCredential() error {
	before, after, err := objectsOf[Credential](c)
	if err != nil {
		return err
	}
	hasBefore, hasAfter := c.Before != nil, c.After != nil
	cred := c.credential()
	if err := userName(cred.User); err != nil {
		return fmt.Errorf("user %w", err)
	}
	if err := cred.Mechanism.check(); err != nil {
		return fmt.Errorf("mechanism %w", err)
	}
	if hasAfter {
		if after.Iterations < minIterations || after.Iterations > maxIterations {
			return fmt.Errorf("iterations "+badIterations, after.Iterations, minIterations, maxIterations)
		}
		if err := savedSecretRef(after.Password); err != nil {
			return err
		}
	}
	switch {
	case hasBefore && (before.Iterations < 1 || before.Password != ""):
		return errors.New("before must hold iterations, and no password")
	case hasBefore && hasAfter && (before.User != after.User || before.Mechanism != after.Mechanism):
		return errors.New("before and after must be the same credential")
	case before.Login != "" || after.Login != "":
		if c.Action != holdfast.ActionUpdate || before.Login != LoginRefused || after.Login != LoginAccepted {
			return fmt.Errorf("login must be %s before and %s after an update, or stand in neither", LoginRefused, LoginAccepted)
		}
	case hasBefore && hasAfter && before.Iterations == after.Iterations:
		// Whether it has been made could not be told.
		return errors.New("before and after must have different iterations")
	}
	if c.Name != cred.String() {
		return fmt.Errorf("name %q does not say what the change does: %s", c.Name, cred)
	}
	return nil
}

func (c Change) credentialDetail() []string {
	before, _ := c.Before.(Credential)
	after, _ := c.After.(Credential)
	switch c.Action {
	case holdfast.ActionCreate:
		return []string{fmt.Sprintf("iterations %d", after.Iterations), "password from " + word(after.Password)}
	case holdfast.ActionUpdate:
		if before.Login != "" {
			return append(iterationsDetail(before, after), "another password is stored", "password from "+word(after.Password))
		}
		return []string{fmt.Sprintf("iterations %d -> %d", before.Iterations, after.Iterations), "password from " + word(after.Password)}
	}
	return []string{"no more logins with it"}
}

// compareCredential is compare for a scram-user change. Passwords cannot be
// compared; a credential is as planned when its iterations are, and where the
// plan is from a login, when another one goes as planned too.
func (l live) compareCredential(c Change) (standing, error) {
	cred := c.credential()
	if u, ok := l.unread.find(KindScramUser, cred.User); ok {
		return isOther, u.Err
	}
	have := l.state.Users[cred.User][cred.Mechanism] // 0: none
	before, _ := c.Before.(Credential)
	after, _ := c.After.(Credential)
	if before.Login != "" && have != 0 {
		return l.compareLogin(before, after, have)
	}
	switch have {
	case after.Iterations:
		return isAfter, nil
	case before.Iterations:
		return isBefore, nil
	}
	return isOther, nil
}

func (l live) describeCredential(c Change) string {
	cred := c.credential()
	if have, exists := l.state.Users[cred.User][cred.Mechanism]; exists {
		if login := l.state.Logins[cred.User][cred.Mechanism]; login != "" {
			return fmt.Sprintf("iterations %d, login %s", have, login)
		}
		return fmt.Sprintf("iterations %d", have)
	}
	return "no such credential"
}
