package strictyaml

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/holdfast-sec/holdfast/internal/nearest"
)

// entries calls f for each entry of a mapping whose key may stand there, with
// the path set to the key.
func (d *decoder) entries(n *yaml.Node, f func(key, value *yaml.Node)) {
	var seen keys
	seen.init(len(n.Content) / 2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if message := refuseKey(key); message != "" {
			d.problem(key, message)
			continue
		}
		d.path.pushKey(key.Value)
		if first := seen.add(key); first != nil {
			d.problem(key, fmt.Sprintf("the key is given a second time, first on line %d", first.Line))
		} else {
			f(key, value)
		}
		d.path.pop()
	}
}

// refuseKey says what is wrong with a key whatever the mapping is, or nothing.
func refuseKey(key *yaml.Node) string {
	switch {
	case key.Kind == yaml.AliasNode:
		return "a key cannot be an alias: text that begins with * needs quotes"
	case tagged(key):
		return tagMessage
	case key.Kind != yaml.ScalarNode:
		return "a key has to be text, found " + foundKind(key)
	case key.Tag == mergeTag:
		// Merge keys are a draft for YAML 1.1 that 1.2 left out, and readers
		// differ on which of two merged mappings wins. Who reviews a security
		// spec must see what an entry says where it stands.
		return "merge keys (<<) are not allowed: repeat the keys, or use an alias for the whole value"
	case isNull(key) && key.Value == "":
		return "a key has to be text, found none"
	case !isText(key):
		return "a key has to be text, found " + foundValue(key) + ": put it in quotes"
	case len(key.Value) > maxKeyBytes:
		return fmt.Sprintf("the key has %d bytes, allowed are %d", len(key.Value), maxKeyBytes)
	}
	return ""
}

// UnknownKey is a key that a struct with a field `yaml:",unknown"` took although
// it has no field for it. What stands under it was parsed, but not looked at.
type UnknownKey struct {
	Path string
	// Text is the value where it is a scalar, as written. It may be a secret:
	// nobody said what the key is.
	Text string
}

func newUnknownKey(at path, value *yaml.Node) UnknownKey {
	k := UnknownKey{Path: at.String()}
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	if value.Kind == yaml.ScalarNode {
		k.Text = value.Value
	}
	return k
}

// keys finds duplicates. Most mappings are small, and for them looking through
// a short list costs less than a map.
type keys struct {
	list []*yaml.Node
	set  map[string]*yaml.Node
}

func (k *keys) init(n int) {
	if n > 16 {
		k.set = make(map[string]*yaml.Node, n)
	} else {
		k.list = make([]*yaml.Node, 0, n)
	}
}

// add returns the earlier key of the same name, if there is one.
func (k *keys) add(key *yaml.Node) *yaml.Node {
	if k.set != nil {
		if first, ok := k.set[key.Value]; ok {
			return first
		}
		k.set[key.Value] = key
		return nil
	}
	for _, first := range k.list {
		if first.Value == key.Value {
			return first
		}
	}
	k.list = append(k.list, key)
	return nil
}

// unknownKey reports a key that the struct does not have, at the path of the
// struct.
func (d *decoder) unknownKey(key *yaml.Node, s *shape) {
	if len(d.problems) >= maxProblems {
		d.problem(key, "") // counts it; the guess below is not worth its time
		return
	}
	var b strings.Builder
	// {password:hunter2} is one key: the part behind the colon is not echoed.
	name, _, colon := strings.Cut(key.Value, ":")
	fmt.Fprintf(&b, "unknown key %s", strconv.Quote(clip(name)))
	if colon {
		b.WriteString(" and more behind a colon, which needs a space after it")
	} else if guess := nearest.Names(name, s.names, 1); guess != nil {
		fmt.Fprintf(&b, ", did you mean %q?", guess[0])
	}
	if len(s.names) == 0 {
		b.WriteString(" (no keys are allowed here)")
	} else {
		fmt.Fprintf(&b, " (allowed: %s)", strings.Join(s.names, ", "))
	}
	last := d.path.pop()
	d.problem(key, b.String())
	d.path.push(last)
}
