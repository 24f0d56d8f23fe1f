package kafkasec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

type changeJSON struct {
	Action holdfast.Action `json:"action"`
	Kind   string          `json:"kind"`
	Name   string          `json:"name"`
	Reason string          `json:"reason"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// MarshalJSON writes before and after as objects or null.
func (c Change) MarshalJSON() ([]byte, error) {
	before, err := json.Marshal(c.Before)
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(c.After)
	if err != nil {
		return nil, err
	}
	return json.Marshal(changeJSON{c.Action, c.Kind, c.Name, c.Reason, before, after})
}

// UnmarshalJSON reads what MarshalJSON wrote and refuses everything else.
func (c *Change) UnmarshalJSON(data []byte) error {
	var j changeJSON
	if err := strictJSON(data, &j); err != nil {
		return err
	}
	*c = Change{Action: j.Action, Kind: j.Kind, Name: j.Name, Reason: j.Reason}
	var err error
	if c.Before, err = readObject(j.Kind, j.Before); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	if c.After, err = readObject(j.Kind, j.After); err != nil {
		return fmt.Errorf("after: %w", err)
	}
	return nil
}

func readObject(kind string, data json.RawMessage) (Object, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	if kind == KindACL {
		var b Binding
		err := strictJSON(data, &b)
		return b, err
	}
	if kind == KindScramUser {
		var c Credential
		err := strictJSON(data, &c)
		return c, err
	}
	if kind == KindQuota {
		var q QuotaData
		err := strictJSON(data, &q)
		return q, err
	}
	var t TopicData
	err := strictJSON(data, &t)
	return t, err
}

type bindingJSON struct {
	Principal  string     `json:"principal"`
	Host       string     `json:"host"`
	Operation  Operation  `json:"operation"`
	Permission Permission `json:"permission"`
	Resource   string     `json:"resource"`
	Pattern    Pattern    `json:"pattern"`
}

// MarshalJSON writes the binding with the names of specs, one operation at a time.
func (b Binding) MarshalJSON() ([]byte, error) {
	text, _ := b.Resource.Text()
	return json.Marshal(bindingJSON{b.Principal, b.Host, b.Operation, b.Permission, text, b.Resource.Pattern})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (b *Binding) UnmarshalJSON(data []byte) error {
	var j bindingJSON
	if err := strictJSON(data, &j); err != nil {
		return err
	}
	res, err := ParseResource(j.Resource, j.Pattern)
	if err != nil {
		return err
	}
	op, err := ParseOperation(string(j.Operation))
	if err != nil {
		return err
	}
	if j.Permission != Allow && j.Permission != Deny {
		return badPermission(j.Permission)
	}
	*b = Binding{j.Principal, j.Host, op, j.Permission, res}
	return nil
}

func badPermission(p Permission) error {
	return fmt.Errorf("permission %q: allowed are allow and deny", string(p))
}

// strictJSON reads one JSON value and refuses unknown fields and trailing data.
func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more data follows the value")
	}
	return nil
}

// ParsePlan reads a saved plan. A plan may have been edited or cut short since
// it was written, so it is judged like any other input: unknown fields, kinds
// and actions, illegal names, fields foreign to their kind, repeated changes and
// changes out of order are refused. The error holds every problem of the
// changes as [holdfast.Problems]. Field names are matched as encoding/json does,
// whatever their letter case.
//
// A plan carries no scope: who may edit the file decides what is changed, within
// what Apply protects anyway.
func ParsePlan(name string, data []byte) (Plan, error) {
	var p Plan
	if err := strictJSON(data, &p); err != nil {
		return Plan{}, fmt.Errorf("read plan: %s: not a whole plan as it was saved: %w", name, err)
	}
	if p.Changes == nil {
		return Plan{}, fmt.Errorf("read plan: %w", holdfast.Problems{{Source: name, Path: "changes", Message: "missing: an empty plan has an empty list"}})
	}
	if err := p.check(name); err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

func (p Plan) check(name string) error {
	var problems holdfast.Problems
	add := func(path, format string, args ...any) {
		problems = append(problems, holdfast.Problem{Source: name, Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if p.Plan != "kafkasec" {
		add("plan", "%q: allowed is kafkasec", p.Plan)
	}
	if p.Version != PlanVersion {
		add("version", "%d: this version reads %d", p.Version, PlanVersion)
	}
	seen := map[string]int{}
	for i, c := range p.Changes {
		at := index("changes", i)
		if err := c.check(); err != nil {
			add(at, "%v", err)
			continue
		}
		id := c.Kind + " " + c.Name
		if j, dup := seen[id]; dup {
			add(at, "%s stands at %s already", id, index("changes", j))
		}
		seen[id] = i
		if i > 0 && p.Changes[i-1].stage() > c.stage() {
			add(at, "%s %s is out of order: it comes before %s", c.Action, id, index("changes", i-1))
		}
	}
	return problems.Err()
}

// check refuses a change that Spec.Plan would never write.
func (c Change) check() error {
	_, beforeTopic := c.Before.(TopicData)
	_, afterTopic := c.After.(TopicData)
	if c.Action != holdfast.ActionCreate && c.Action != holdfast.ActionUpdate && c.Action != holdfast.ActionDelete {
		return fmt.Errorf("action %q: allowed are create, update and delete", string(c.Action))
	}
	shape := fmt.Errorf("%s %s has the wrong before or after", c.Action, c.Kind)
	switch c.Kind {
	case KindTopic, KindTopicPartitions, KindTopicConfig, KindTopicReplication:
		if err := kafkarules.TopicName(c.Name); err != nil {
			return err
		}
		switch {
		case c.Kind == KindTopic && c.Action == holdfast.ActionCreate && c.Before == nil && afterTopic:
		case c.Kind == KindTopic && c.Action == holdfast.ActionDelete && beforeTopic && c.After == nil:
		case c.Kind != KindTopic && c.Action == holdfast.ActionUpdate && beforeTopic && afterTopic:
		default:
			return shape
		}
		return c.checkTopicData()
	case KindACL:
		if (c.Action != holdfast.ActionCreate || c.Before != nil || c.After == nil) &&
			(c.Action != holdfast.ActionDelete || c.Before == nil || c.After != nil) {
			return shape
		}
		b := c.binding()
		if c.Name != b.String() {
			return fmt.Errorf("name %q does not say what the change does: %s", c.Name, b)
		}
		if b.Permission != Allow && b.Permission != Deny {
			return badPermission(b.Permission)
		}
		if err := kafkarules.Operation(string(b.Resource.Type), string(b.Operation)); err != nil {
			return err
		}
		for _, err := range []error{kafkarules.Principal(b.Principal), kafkarules.Host(b.Host), resourceName(b.Resource)} {
			if err != nil && (c.Action == holdfast.ActionCreate || !errors.Is(err, kafkarules.ErrMisleading)) {
				return err
			}
		}
		return nil
	case KindScramUser:
		return c.checkCredential()
	case KindQuota:
		return c.checkQuota()
	}
	return fmt.Errorf("kind %q: allowed are %s, %s, %s, %s, %s, %s and %s", c.Kind,
		KindTopic, KindTopicPartitions, KindTopicConfig, KindTopicReplication, KindACL, KindScramUser, KindQuota)
}

// checkTopicData makes sure that the fields are those of the kind.
func (c Change) checkTopicData() error {
	before, _ := c.Before.(TopicData)
	after, _ := c.After.(TopicData)
	bad := func(what string) error { return fmt.Errorf("%s %s: %s", c.Action, c.Kind, what) }
	for _, rest := range []TopicData{before, after} {
		switch c.Kind {
		case KindTopicPartitions:
			rest.Partitions = 0
		case KindTopicReplication:
			rest.ReplicationFactor = 0
		case KindTopicConfig:
			rest.Configs = nil
		default:
			continue
		}
		if rest.Partitions != 0 || rest.ReplicationFactor != 0 || len(rest.Configs) > 0 || rest.Records != "" {
			return bad("before and after must hold nothing else")
		}
	}
	switch c.Kind {
	case KindTopic:
		if c.Action == holdfast.ActionDelete && before.Partitions < 1 {
			return bad("needs the partitions before")
		}
		if r := before.Records; c.Action == holdfast.ActionDelete && r != RecordsNone && r != RecordsSome && r != RecordsUnknown {
			return bad(fmt.Sprintf("records before %q: allowed are %s, %s and %s", string(r), RecordsNone, RecordsSome, RecordsUnknown))
		}
		if after.Records != "" {
			return bad("records stand only before a delete")
		}
		if after.Partitions < 0 || after.ReplicationFactor < 0 {
			return bad("negative partitions or replication factor")
		}
		for k, v := range after.Configs {
			if v == nil {
				return bad("config " + k + " has no value")
			}
		}
	case KindTopicPartitions:
		if before.Partitions < 1 || after.Partitions <= before.Partitions {
			return bad("partitions can only grow")
		}
	case KindTopicReplication:
		if before.ReplicationFactor < 1 || after.ReplicationFactor < 1 {
			return bad("needs a replication factor before and after")
		}
	case KindTopicConfig:
		if len(after.Configs) == 0 || len(before.Configs) != len(after.Configs) {
			return bad("before and after must name the same configs")
		}
		for k, v := range after.Configs {
			if b, ok := before.Configs[k]; !ok || v == nil && b == nil {
				return bad("config " + k + " must stand in before and after, and have a value in one of them")
			}
		}
	}
	return nil
}
