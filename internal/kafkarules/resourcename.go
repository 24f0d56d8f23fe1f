package kafkarules

import (
	"fmt"
	"slices"
	"strings"
)

// ClusterName is the only name that a cluster resource has.
const ClusterName = "kafka-cluster"

// Pattern is how a binding's resource name is compared.
type Pattern string

const (
	// Literal names one resource, or all of the type with "*".
	Literal Pattern = "literal"
	// Prefixed names those whose name begins so.
	Prefixed Pattern = "prefixed"
)

// ResourceName judges the resource name of a binding. A broker takes any name
// that is not empty, except for the cluster; names that no resource of the
// type can have are [ErrMisleading].
func ResourceName(resourceType string, pattern Pattern, name string) error {
	if !slices.Contains(ResourceTypes(), resourceType) {
		return fmt.Errorf("resource type %q is unknown: allowed are %s", resourceType, strings.Join(ResourceTypes(), ", "))
	}
	if pattern != Literal && pattern != Prefixed {
		return fmt.Errorf("pattern %q is unknown: allowed are literal and prefixed", string(pattern))
	}
	if name == "" {
		return fmt.Errorf("%s resource has an empty name: allowed is a name, or \"*\" for all", resourceType)
	}
	if resourceType == "cluster" {
		return clusterName(pattern, name)
	}
	if pattern == Literal && name == "*" {
		return nil
	}
	switch resourceType {
	case "topic":
		return topicResource(pattern, name)
	case "user":
		if err := userResource(pattern, name); err != nil {
			return err
		}
	}
	return hangingName(resourceType, name)
}

// hangingName: StandardAuthorizerData.checkSection walks names downwards, past
// "*", and from a name that sorts below it never finds its way out again (seen
// live with 4.4.0; 4.3.1 and 3.9.2 have the same code). Each client that asks for
// another name with the same first character then takes a request thread for
// good. No topic can have such a name.
func hangingName(resourceType, name string) error {
	if name[0] >= '*' {
		return nil
	}
	return misleadingf("%s resource %s begins with %q: with a binding on such a name a broker of Kafka 3.9 to 4.4 hangs when a client asks for "+
		"another name that begins so: allowed is a first character that sorts behind \"*\", such as a letter, a digit or one of \"-./:_\"",
		resourceType, quote(name), name[:1])
}

func clusterName(pattern Pattern, name string) error {
	if name != ClusterName {
		return fmt.Errorf("cluster resource is named %s: the only one is %q", quote(name), ClusterName)
	}
	if pattern != Literal {
		return misleadingf("cluster resource has the pattern prefixed, but there is only one: write literal")
	}
	return nil
}

func topicResource(pattern Pattern, name string) error {
	if pattern == Literal {
		if err := TopicName(name); err != nil {
			return misleadingf("matches no topic: %s", err)
		}
		return nil
	}
	if r, ok := illegalTopicRune(name); ok {
		return misleadingf("prefix %s matches no topic, because of the character %q: %s", quote(name), r, topicNameAllowed)
	}
	if len(name) > maxTopicName {
		return misleadingf("prefix %s matches no topic, because it has %d characters: %s", quote(name), len(name), topicNameAllowed)
	}
	return nil
}

// userResource: the name is the whole principal on whose behalf a token is made
// (KIP-373).
func userResource(pattern Pattern, name string) error {
	if pattern == Prefixed {
		return nil // "Us" is a prefix of every principal of the usual type
	}
	if err := Principal(name); err != nil {
		return misleadingf("user resource is named by a whole principal: %s", err)
	}
	return nil
}
