package kafkasec

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A reference to a secret is SCHEME:REST. Everything that is not surely one may
// be a password that somebody wrote into the spec, so no message repeats it, and
// only schemes that are known or declared count: "hunter2:x" is no reference.

var (
	secretScheme = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// usualSchemes are those that every resolver is expected to have.
var usualSchemes = []string{"env", "file"}

// secretRef judges a reference in a spec that declares further schemes.
func secretRef(ref string, declared []string) error {
	scheme, rest, found := strings.Cut(ref, ":")
	switch {
	case !found || !slices.Contains(usualSchemes, scheme) && !slices.Contains(declared, scheme):
		return errors.New("not a reference to a secret, and a secret itself never stands in a spec: allowed are env:NAME, file:PATH and the schemes that secret_schemes declares")
	case scheme == "env" && !variableName.MatchString(rest):
		return errors.New("what follows env: is not the name of an environment variable: allowed are letters, digits and _")
	case rest == "":
		return fmt.Errorf("nothing stands behind %q", scheme+":")
	}
	return nil
}

// savedSecretRef judges a reference in a plan, which does not say which schemes
// its spec declared.
func savedSecretRef(ref string) error {
	scheme, rest, _ := strings.Cut(ref, ":")
	if !secretScheme.MatchString(scheme) || rest == "" {
		return errors.New("the password is not a reference to a secret: allowed is SCHEME:REST, such as env:NAME")
	}
	return nil
}

func (v *validator) checkSecretSchemes(schemes []string) {
	for i, s := range schemes {
		at := index("secret_schemes", i)
		switch {
		case slices.Contains(usualSchemes, s):
			v.add(at, "%q is always allowed: declare only others", s)
		case !secretScheme.MatchString(s):
			v.add(at, "%q: a scheme is what stands before the colon of a reference: allowed are a-z, 0-9 and -", s)
		case slices.Contains(schemes[:i], s):
			v.add(at, "%q stands there already", s)
		}
	}
}
