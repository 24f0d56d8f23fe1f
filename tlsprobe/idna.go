package tlsprobe

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// asciiName converts a name of other letters for the resolver, SNI and the
// certificate (RFC 5891). A name of ASCII stays as it is, because underscores
// and other liberties resolve.
func asciiName(name string) (string, error) {
	ascii := true
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			ascii = false
		}
	}
	if ascii {
		return name, nil
	}
	converted, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return "", fmt.Errorf("host %q cannot be an internationalised name: %w", name, err)
	}
	return converted, nil
}
