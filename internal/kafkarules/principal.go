package kafkarules

import (
	"fmt"
	"strings"
)

const principalAllowed = `a principal is Type:name, such as "User:alice", or "User:*" for everyone`

// Principal judges the principal of a binding: a type, a colon, a name that may
// hold anything, colons too (SecurityUtils.parseKafkaPrincipal).
func Principal(s string) error {
	kind, name, found := strings.Cut(s, ":")
	switch {
	case s == "":
		return fmt.Errorf("principal is empty: %s", principalAllowed)
	case !found:
		return fmt.Errorf("principal %s has no type: %s", quote(s), principalAllowed)
	case kind == "":
		return misleadingf("principal %s has an empty type and matches no client: %s", quote(s), principalAllowed)
	case strings.TrimSpace(kind) != kind:
		return misleadingf("principal %s has white space around its type and matches no client: %s", quote(s), principalAllowed)
	case kind != "User" && strings.EqualFold(kind, "User"):
		// Kafka compares the type exactly. Types of a custom
		// principal.builder.class are left alone.
		return misleadingf("principal %s matches no client, because types are case-sensitive: write %q", quote(s), "User:"+name)
	case name == "":
		// A certificate with an empty subject, which those that carry only
		// alternative names have, becomes "User:".
		return misleadingf("principal %s has an empty name and matches every client whose certificate has an empty subject: %s",
			quote(s), principalAllowed)
	}
	return nil
}
