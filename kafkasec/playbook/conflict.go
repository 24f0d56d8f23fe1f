package playbook

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// ConflictError says that a file grants and removes the same bindings. Run as a
// playbook, it takes rights away and gives them back on every run.
type ConflictError struct {
	// Source is the name of the file.
	Source    string
	Conflicts []Conflict
}

// Conflict is one line that removes what others grant one user.
type Conflict struct {
	// Topic is that of the entry in topics_acl_users.
	Topic string
	// User is the principal, "User:user2".
	User string
	// Operations and Bindings are what is granted and removed, sorted.
	Operations []kafkasec.Operation
	Bindings   []kafkasec.Binding
	// Granted and Removed are where. Of many lines that grant the same, the first
	// ten are listed.
	Granted []Place
	Removed Place
}

// Error names every conflict, a line each.
func (e *ConflictError) Error() string {
	var b strings.Builder
	for _, c := range e.Conflicts {
		fmt.Fprintf(&b, "%s:%d: %s\n", e.Source, c.Removed.Line, c)
	}
	b.WriteString("choose how to resolve conflicts: grant drops these remove lines, revoke makes what they name absent, " +
		"which is what the playbook ends with")
	return b.String()
}

// String names the topic, the user, the operations and both places.
func (c Conflict) String() string {
	operations := make([]string, len(c.Operations))
	for i, op := range c.Operations {
		operations[i] = string(op)
	}
	granted := make([]string, len(c.Granted))
	for i, p := range c.Granted {
		granted[i] = p.String()
	}
	return fmt.Sprintf("topic %q: %s of %s is removed on %s and granted on %s",
		c.Topic, strings.Join(operations, ", "), c.User, c.Removed, strings.Join(granted, ", "))
}

func (p Place) compare(o Place) int {
	return cmp.Or(cmp.Compare(p.Line, o.Line), cmp.Compare(p.Path, o.Path))
}
