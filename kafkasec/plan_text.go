package kafkasec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-sec/holdfast"
)

// String is the dry run: one line per change, "+" for create, "~" for update,
// "-" for delete, "!" for a difference that cannot be changed yet and "?" for
// what could not be read, and a line that counts them.
func (p Plan) String() string {
	var b strings.Builder
	for _, c := range p.Changes {
		b.WriteString(c.String())
		b.WriteByte('\n')
	}
	for _, u := range p.Unread {
		fmt.Fprintf(&b, "? %s %s: could not be read: %v\n", u.Kind, u.Name, u.Err)
	}
	b.WriteString(p.Summary())
	b.WriteByte('\n')
	return b.String()
}

// Summary counts the plan in one line: "2 to create, 1 to update, 0 to delete".
func (p Plan) Summary() string {
	if p.Empty() {
		return "no changes: the cluster is as declared"
	}
	n := map[holdfast.Action]int{}
	unsupported := 0
	for _, c := range p.Changes {
		if c.Kind == KindTopicReplication {
			unsupported++
			continue
		}
		n[c.Action]++
	}
	s := fmt.Sprintf("%d to create, %d to update, %d to delete", n[holdfast.ActionCreate], n[holdfast.ActionUpdate], n[holdfast.ActionDelete])
	if unsupported > 0 {
		s += fmt.Sprintf(", %d not supported yet", unsupported)
	}
	if len(p.Unread) > 0 {
		s += fmt.Sprintf(", %d unread", len(p.Unread))
	}
	return s
}

// String gives the change as one line of the plan.
func (c Change) String() string {
	mark := map[holdfast.Action]string{holdfast.ActionCreate: "+", holdfast.ActionUpdate: "~", holdfast.ActionDelete: "-"}[c.Action]
	if c.Kind == KindTopicReplication {
		mark = "!"
	}
	line := fmt.Sprintf("%s %s %s", mark, c.Kind, c.Name)
	if detail := c.detail(); detail != "" {
		line += ": " + detail
	}
	return line
}

func (c Change) detail() string {
	before, _ := c.Before.(TopicData)
	after, _ := c.After.(TopicData)
	var parts []string
	switch c.Kind {
	case KindTopic:
		if c.Action == holdfast.ActionDelete {
			parts = append(parts, map[Records]string{RecordsNone: "empty", RecordsSome: "with its records"}[before.Records])
			if parts[0] == "" {
				parts[0] = "with any records that it holds"
			}
			parts = append(parts, fmt.Sprintf("%d partitions", before.Partitions))
			break
		}
		parts = append(parts, orDefault("partitions", int(after.Partitions)), orDefault("replication factor", int(after.ReplicationFactor)))
		for _, k := range slices.Sorted(maps.Keys(after.Configs)) {
			parts = append(parts, k+"="+show(after.Configs[k]))
		}
	case KindTopicPartitions:
		parts = append(parts, fmt.Sprintf("%d -> %d (records with a key move to other partitions)", before.Partitions, after.Partitions))
	case KindTopicReplication:
		parts = append(parts, fmt.Sprintf("%d, declared %d: changing it is not supported yet", before.ReplicationFactor, after.ReplicationFactor))
	case KindTopicConfig:
		for _, k := range slices.Sorted(maps.Keys(after.Configs)) {
			parts = append(parts, k+": "+show(before.Configs[k])+" -> "+show(after.Configs[k]))
		}
	case KindScramUser:
		parts = c.credentialDetail()
	case KindQuota:
		parts = c.quotaDetail()
	}
	if c.Reason == reasonNotDeclared {
		parts = append(parts, c.Reason)
	}
	return strings.Join(parts, ", ")
}

func orDefault(what string, n int) string {
	if n == 0 {
		return "default " + what
	}
	return fmt.Sprintf("%s %d", what, n)
}

// show prints a config value on one line; a value may hold anything.
func show(v *string) string {
	switch {
	case v == nil:
		return "(not set)"
	case strings.Contains(*v, ","):
		return strconv.Quote(*v) // it stands in a list
	}
	return word(*v)
}
