package kafkasec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// User is a name that logs in with SCRAM. An entry declares the credentials of
// the mechanisms that it names, and no others: a user who needs different
// iterations for each mechanism has two entries.
type User struct {
	// Name is owned when the principal "User:" + Name is in scope.principals.
	Name string `yaml:"name"`
	// Mechanisms are what the password is stored for; at least one.
	Mechanisms []ScramMechanism `yaml:"mechanisms"`
	// Iterations is the work that a guess of the password costs: 4096 to 16384,
	// which are Kafka's own limits. Zero means 4096 for a new credential, and to
	// leave those of an existing one alone.
	//
	// It is also how a new password is declared. A broker never tells a password
	// or anything made from it, so that a secret which has changed behind its
	// reference does not show, except with Reconciler.Logins; iterations do. Change
	// both, 4096 to 4097 say, and the plan sets the credential again.
	Iterations int32 `yaml:"iterations"`
	// Password is a reference to the secret, "env:NAME", "file:PATH" or one of
	// Spec.SecretSchemes; never the secret. Apply resolves it. Without it the
	// entry says only that the credential exists; creating one, and changing
	// iterations, needs it.
	Password string `yaml:"password,literal"`
	// State: Absent deletes the credentials of these mechanisms.
	State DesiredState `yaml:"state"`
}

// ScramMechanism is a SCRAM mechanism as clients name it in sasl.mechanism.
type ScramMechanism string

// The mechanisms that Kafka has.
const (
	ScramSHA256 ScramMechanism = "SCRAM-SHA-256"
	ScramSHA512 ScramMechanism = "SCRAM-SHA-512"
)

func (m ScramMechanism) wire() int8 {
	if m == ScramSHA256 {
		return 1
	}
	return 2
}

func mechanismFromWire(m int8) ScramMechanism {
	switch m {
	case 1:
		return ScramSHA256
	case 2:
		return ScramSHA512
	}
	return ScramMechanism(fmt.Sprintf("mechanism %d", m))
}

func (m ScramMechanism) check() error {
	if m != ScramSHA256 && m != ScramSHA512 {
		return fmt.Errorf("%q: allowed are %s and %s", string(m), ScramSHA512, ScramSHA256)
	}
	return nil
}

// Kafka's limits (ScramMechanism.minIterations, and MAX_ITERATIONS of
// ScramControlManager in KRaft and ZkAdminManager before, 2.7 to 4.4).
const (
	minIterations = 4096
	maxIterations = 16384
)

// Credential is what a broker stores so that a user can log in with one
// mechanism, as far as a plan is about it.
type Credential struct {
	User      string         `json:"user"`
	Mechanism ScramMechanism `json:"mechanism"`
	// Iterations are those that are stored, or are to be, never 0 in a plan that
	// [Spec.Plan] made.
	Iterations int32 `json:"iterations"`
	// Password is the reference to the secret; empty in what a plan starts from.
	Password string `json:"password,omitempty"`
	// Login is how a login with the declared password went, or is to go. It is set
	// only in a change that [Reconciler.Logins] has found: refused before, accepted
	// after.
	Login LoginState `json:"login,omitempty"`
}

func (Credential) object() {}

// String names the credential: the user and the mechanism.
func (c Credential) String() string { return word(c.User) + " " + string(c.Mechanism) }

// OwnsUser reports whether the principal of the SCRAM user is in scope.
func (s Scope) OwnsUser(name string) bool { return slices.Contains(s.Principals, userPrincipal(name)) }

func userPrincipal(name string) string { return "User:" + name }

// userName judges the name of somebody who logs in.
func userName(name string) error {
	switch {
	case name == "":
		return errors.New("empty: a user has a name")
	case name == "*":
		return errors.New(`"*" would log in as the principal User:*, to which everyone's grants are written: choose another name`)
	case name == "<default>":
		return errors.New(`"<default>" is how brokers in ZooKeeper mode store what holds for every user: choose another name`)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%q: allowed is UTF-8 without control characters", name)
	}
	return nil
}

func (v *validator) checkUsers(s Spec) {
	type place struct {
		user, mechanism int
		state           DesiredState
	}
	path := func(p place) string { return index(index("users", p.user)+".mechanisms", p.mechanism) }
	seen := map[Credential]place{}
	for i, u := range s.Users {
		at := index("users", i)
		if err := userName(u.Name); err != nil {
			v.add(at+".name", "%v", err)
		} else if !v.scopeUnread && !v.scope.principals[userPrincipal(u.Name)] {
			v.add(at+".name", "%q is outside the scope: add %q to scope.principals", u.Name, userPrincipal(u.Name))
		}
		v.checkUserFields(at, u, s.SecretSchemes)
		for j, m := range u.Mechanisms {
			if err := m.check(); err != nil {
				v.add(index(at+".mechanisms", j), "%v", err)
				continue
			}
			c, here := Credential{User: u.Name, Mechanism: m}, place{i, j, u.State.orPresent()}
			there, dup := seen[c]
			switch {
			case !dup:
				seen[c] = here
			case there.state == here.state:
				v.add(path(here), "%s is declared at %s already", c, path(there))
			default:
				v.add(path(here), "%s: wanted %s here and %s at %s: a credential cannot be both demanded and forbidden",
					c, here.state, there.state, path(there))
			}
		}
	}
}

func (v *validator) checkUserFields(at string, u User, schemes []string) {
	if len(u.Mechanisms) == 0 {
		v.add(at+".mechanisms", "none given: name at least one of %s and %s", ScramSHA512, ScramSHA256)
	}
	if u.State != "" && u.State != Present && u.State != Absent {
		v.add(at+".state", badState, string(u.State))
	}
	if u.State == Absent && (u.Iterations != 0 || u.Password != "") {
		v.add(at+".state", "absent: an absent user has only a name and mechanisms")
		return
	}
	if u.Iterations != 0 && (u.Iterations < minIterations || u.Iterations > maxIterations) {
		v.add(at+".iterations", badIterations, u.Iterations, minIterations, maxIterations)
	}
	if u.Password != "" {
		if err := secretRef(u.Password, schemes); err != nil {
			v.add(at+".password", "%v", err)
		}
	}
}

const badIterations = "%d: allowed are %d to %d, as brokers do"

// checkUsersWritten refuses empty values that stand in the YAML.
func (v *validator) checkUsersWritten(users []User, written func(parent, field string) bool) {
	for i, u := range users {
		at := index("users", i)
		if u.Iterations == 0 && written(at, "iterations") {
			v.add(at+".iterations", badIterations+"; leave it out for %d", 0, minIterations, maxIterations, minIterations)
		}
		if u.Password == "" && written(at, "password") {
			v.add(at+".password", "empty: leave it out to manage only that the credential exists")
		}
		if u.State == "" && written(at, "state") {
			v.add(at+".state", "empty: leave it out for the default, %s", Present)
		}
	}
}

// checkUsersAgainst reports what cannot be done without a password.
func (v *validator) checkUsersAgainst(s State, unread unreadIndex, users []User) {
	for i, u := range users {
		for _, m := range u.Mechanisms {
			if cred := (Credential{User: u.Name, Mechanism: m}); u.State == Absent && s.Self.logsInWith(cred) {
				v.add(index("users", i)+".state", "absent: %s is what this client logs in with: log in as somebody else to delete it", cred)
			}
		}
		if u.State == Absent || u.Password != "" {
			continue
		}
		if _, ok := unread.find(KindScramUser, u.Name); ok {
			continue
		}
		for _, m := range u.Mechanisms {
			have, exists := s.Users[u.Name][m]
			switch {
			case !exists:
				v.add(index("users", i)+".password", "not given: %s has no %s credential yet, and creating one needs a password reference", word(u.Name), m)
			case u.Iterations != 0 && u.Iterations != have:
				v.add(index("users", i)+".password", "not given: the %s credential of %s has %d iterations, and changing them needs a password reference", m, word(u.Name), have)
			}
		}
	}
}
