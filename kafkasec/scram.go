package kafkasec

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/parallel"
)

// saltBytes is twice what NIST SP 800-132 asks for.
const saltBytes = 32

// salted is a credential as it goes to a broker, which learns no password from it.
type salted struct {
	salt, password []byte
}

// saltPassword computes SaltedPassword of RFC 5802 §3, Hi(Normalize(password),
// salt, i), with SHA-256 (RFC 7677) or SHA-512. Kafka's Normalize is plain UTF-8,
// without SASLprep (ScramFormatter.normalize, 0.10.2 to 4.4).
func saltPassword(m ScramMechanism, password holdfast.Secret, salt []byte, iterations int32) ([]byte, error) {
	if m == ScramSHA256 {
		return pbkdf2.Key(sha256.New, password.Reveal(), salt, int(iterations), sha256.Size)
	}
	return pbkdf2.Key(sha512.New, password.Reveal(), salt, int(iterations), sha512.Size)
}

var errNoResolver = errors.New("the Resolve of the Reconciler is not set, and a password is a reference")

// passwords are what this Apply needs to set credentials.
type passwords struct {
	secrets map[string]holdfast.Secret // by reference
	salted  map[Credential]salted      // for when a request is repeated
}

// resolvePasswords asks for every secret before anything is written, so that one
// which is missing shows at once. What cannot be set then fails by itself.
func (a *applier) resolvePasswords(ctx context.Context) {
	var refs []string
	for i, c := range a.plan.Changes {
		if after, ok := c.After.(Credential); ok && !a.settled[i] {
			refs = append(refs, after.Password)
		}
	}
	refs = distinct(refs)
	secrets, errs := parallel.Map(ctx, 0, refs, a.r.password)
	if ctx.Err() != nil {
		return // nothing will be written
	}
	failed := map[string]error{}
	a.passwords = passwords{map[string]holdfast.Secret{}, map[Credential]salted{}}
	for i, ref := range refs {
		a.passwords.secrets[ref], failed[ref] = secrets[i], errs[i]
	}
	for i, c := range a.plan.Changes {
		if after, ok := c.After.(Credential); ok && !a.settled[i] && failed[after.Password] != nil {
			a.settle(i, holdfast.Failed, "", failed[after.Password])
		}
	}
}

// password resolves one reference.
func (r *Reconciler) password(ctx context.Context, ref string) (holdfast.Secret, error) {
	if r.Resolve == nil {
		return holdfast.Secret{}, errNoResolver
	}
	secret, err := r.Resolve(ctx, ref)
	if err == nil {
		err = usablePassword(secret)
	}
	if err != nil {
		return holdfast.Secret{}, fmt.Errorf("password from %s: %w", word(ref), err)
	}
	return secret, nil
}

// usablePassword refuses what nobody can log in with, above all the line break
// that ends a file.
func usablePassword(s holdfast.Secret) error {
	switch {
	case s.Reveal() == "":
		return errors.New("it is empty")
	case !utf8.ValidString(s.Reveal()):
		return errors.New("it is not UTF-8")
	case strings.ContainsFunc(s.Reveal(), unicode.IsControl):
		return errors.New("it holds a control character, such as the line break at the end of a file")
	}
	return nil
}

// salt gives the credentials for a request, in order: those of an earlier
// attempt as they were. Salts are drawn one after the other; what takes time is
// done side by side.
func (a *applier) salt(ctx context.Context, creds []Credential) ([]salted, error) {
	type job struct {
		Credential
		salt []byte
	}
	var jobs []job
	for _, c := range creds {
		if _, done := a.passwords.salted[c]; !done {
			j := job{c, make([]byte, saltBytes)}
			if _, err := io.ReadFull(a.r.random(), j.salt); err != nil {
				return nil, fmt.Errorf("draw a salt: %w", err)
			}
			jobs = append(jobs, j)
		}
	}
	keys, errs := parallel.Map(ctx, runtime.GOMAXPROCS(0), jobs, func(_ context.Context, j job) ([]byte, error) {
		return saltPassword(j.Mechanism, a.passwords.secrets[j.Password], j.salt, j.Iterations)
	})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("salt passwords: %w", err)
	}
	for i, j := range jobs {
		a.passwords.salted[j.Credential] = salted{j.salt, keys[i]}
	}
	out := make([]salted, len(creds))
	for i, c := range creds {
		out[i] = a.passwords.salted[c]
	}
	return out, nil
}
