package kafkarules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule is what one release range allows for a config.
type rule struct {
	span
	// check judges a parsed value; nil allows all that parse.
	check func(value) error
	// allowed words the rule for an error message.
	allowed string
	// names and low to high are what check allows, where that can be said so.
	names     []string
	low, high *int64
}

// judge parses and checks; both errors read "... is not a number".
func (r rule) judge(k kind, raw string) (value, error) {
	v, err := parseValue(k, raw)
	if err != nil {
		return value{}, err
	}
	if r.check != nil {
		if err := r.check(v); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

var errNotAllowed = errors.New("is not allowed")

// in limits a rule to a range of releases.
func (r rule) in(s span) rule {
	r.span = s
	return r
}

func truth() rule { return rule{allowed: "true or false"} }

func anyNumber() rule { return rule{allowed: "a whole number"} }

func atLeast(low int64) rule {
	return rule{
		allowed: fmt.Sprintf("a whole number of at least %d", low), low: &low,
		check: func(v value) error {
			if v.number < low {
				return errors.New("is too small")
			}
			return nil
		},
	}
}

func between(low, high int64) rule {
	return rule{
		allowed: fmt.Sprintf("a whole number from %d to %d", low, high), low: &low, high: &high,
		check: func(v value) error {
			if v.number < low || v.number > high {
				return errors.New("is out of range")
			}
			return nil
		},
	}
}

// gzipLevel is -1, which lets the library choose, or a real level.
func gzipLevel() rule {
	return rule{
		allowed: "a whole number from 1 to 9, or -1 for the default",
		check: func(v value) error {
			if v.number != -1 && (v.number < 1 || v.number > 9) {
				return errors.New("is out of range")
			}
			return nil
		},
	}
}

// ratio lets NaN pass, as ConfigDef.Range does.
func ratio() rule {
	return rule{
		allowed: "a number from 0 to 1", low: new(int64(0)), high: new(int64(1)),
		check: func(v value) error {
			if v.real < 0 || v.real > 1 {
				return errors.New("is out of range")
			}
			return nil
		},
	}
}

func oneOf(names ...string) rule {
	return rule{
		allowed: "one of " + strings.Join(names, ", "), names: names,
		check: func(v value) error {
			if !slices.Contains(names, v.text) {
				return errNotAllowed
			}
			return nil
		},
	}
}

// listOf is ConfigDef.ValidList: each element must be known. Since 4.2 (KIP-1161)
// a broker drops repeated elements before it looks; older ones let them pass.
func listOf(names ...string) rule {
	return rule{
		allowed: "a comma-separated list of " + strings.Join(names, ", ") + ", or nothing", names: names,
		check: func(v value) error {
			for _, item := range v.list {
				if !slices.Contains(names, item) {
					return fmt.Errorf("has the element %q", item)
				}
			}
			return nil
		},
	}
}

var throttledReplica = regexp.MustCompile(`^([0-9]+:[0-9]+)?$`)

// throttledReplicas is ThrottledReplicaListValidator: elements may be empty,
// and a "*" stands alone.
func throttledReplicas() rule {
	return rule{
		allowed: `a comma-separated list of partition:broker, "*" for all, or nothing`,
		check: func(v value) error {
			if strings.Join(v.list, "") == "*" {
				return nil
			}
			for _, item := range v.list {
				if !throttledReplica.MatchString(javaTrim(item)) {
					return fmt.Errorf("has the element %q", item)
				}
			}
			return nil
		},
	}
}
