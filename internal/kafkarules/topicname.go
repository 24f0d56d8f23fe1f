package kafkarules

import (
	"errors"
	"fmt"
	"strings"
)

// maxTopicName is the longest topic name: a partition's directory is the name,
// a dash and the number, and file systems end at 255 bytes (KAFKA-4893).
const maxTopicName = 249

const topicNameAllowed = `a name has 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-", and is not "." or ".."`

// TopicName judges a topic name as org.apache.kafka.common.internals.Topic
// does. It is the same from 2.3 to 4.4.
func TopicName(name string) error {
	switch {
	case name == "":
		return errors.New("topic name is empty: " + topicNameAllowed)
	case name == "." || name == "..":
		return fmt.Errorf("topic name %q is reserved: %s", name, topicNameAllowed)
	}
	if r, ok := illegalTopicRune(name); ok {
		return fmt.Errorf("topic name %s has the illegal character %q: %s", quote(name), r, topicNameAllowed)
	}
	if len(name) > maxTopicName {
		return fmt.Errorf("topic name %s has %d characters: %s", quote(name), len(name), topicNameAllowed)
	}
	return nil
}

// Collides reports whether two topic names differ at most in "." and "_",
// which metric names cannot tell apart. A broker refuses to create the second.
func Collides(a, b string) bool { return CollisionKey(a) == CollisionKey(b) }

// CollisionKey is the same for exactly those topic names that collide.
func CollisionKey(name string) string { return strings.ReplaceAll(name, ".", "_") }

// illegalTopicRune finds the first character that no topic name may have.
func illegalTopicRune(s string) (rune, bool) {
	for _, r := range s {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
		default:
			return r, true
		}
	}
	return 0, false
}

// quote is %q for messages: it cuts what is too long to read.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q...", strings.ToValidUTF8(s[:most], ""))
	}
	return fmt.Sprintf("%q", s)
}
