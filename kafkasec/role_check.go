package kafkasec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// roleFields are the fields that each role needs and those that it may have,
// beside the ones that all have.
var roleFields = map[RoleName]struct{ needs, has []string }{
	RoleProducer:       {[]string{"topics"}, []string{"transactional_ids", "idempotent"}},
	RoleConsumer:       {[]string{"topics"}, []string{"groups"}},
	RoleStreams:        {[]string{"application_id"}, []string{"input_topics", "output_topics", "exactly_once"}},
	RoleConnectWorker:  {[]string{"group", "config_topic", "offset_topic", "status_topic"}, []string{"exactly_once"}},
	RoleConnector:      {[]string{"connector"}, []string{"input_topics", "output_topics", "dead_letter_topic", "exactly_once", "group", "offset_topic"}},
	RoleMirrorMaker:    {[]string{"cluster"}, []string{"source_alias", "target_alias", "topics", "groups", "sync_acls", "heartbeats", "offset_syncs"}},
	RoleSchemaRegistry: {nil, []string{"schemas_topic", "group"}},
	RoleReadOnlyAdmin:  {},
}

// roleNames are all roles, in the order of their documentation.
var roleNames = []string{
	string(RoleProducer), string(RoleConsumer), string(RoleStreams), string(RoleConnectWorker), string(RoleConnector),
	string(RoleMirrorMaker), string(RoleSchemaRegistry), string(RoleReadOnlyAdmin),
}

// roleCheck collects what is wrong with one role. Its paths are below the role.
type roleCheck struct {
	role     Role
	problems holdfast.Problems
}

func (c *roleCheck) add(field, format string, args ...any) {
	c.problems = append(c.problems, holdfast.Problem{Path: field, Message: fmt.Sprintf(format, args...)})
}

// problems is everything wrong with the role by itself.
func (r Role) problems() holdfast.Problems {
	c := roleCheck{role: r}
	if err := kafkarules.Principal(r.Principal); err != nil {
		c.add("principal", "%v", err)
	}
	if r.Host != "" {
		if err := kafkarules.Host(r.Host); err != nil {
			c.add("host", "%v", err)
		}
	}
	if _, err := parseRelease(r.Kafka); err != nil {
		c.add("kafka", "%v", err)
	}
	fields, known := roleFields[r.Role]
	if !known {
		c.add("role", "%q: allowed are %s", string(r.Role), strings.Join(roleNames, ", "))
		return c.problems
	}
	scripted := r.Role == RoleProducer || r.Role == RoleConsumer
	switch {
	case r.Expansion == ExpandConsole && !scripted:
		c.add("expansion", "console: the console scripts have --producer and --consumer, and nothing for the role %s", r.Role)
	case r.Expansion != "" && r.Expansion != ExpandConsole && r.Expansion != ExpandLeastPrivilege:
		c.add("expansion", "%q: allowed are least-privilege (the default) and console", string(r.Expansion))
	}
	c.checkFields(fields.needs, fields.has)
	c.checkTogether()
	return c.problems
}

// checkFields checks that the role has its own fields and no others.
func (c *roleCheck) checkFields(needs, has []string) {
	v := reflect.ValueOf(c.role)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		f := v.Field(i)
		switch {
		case slices.Contains([]string{"principal", "host", "role", "expansion", "kafka"}, name):
			continue
		case !slices.Contains(needs, name) && !slices.Contains(has, name):
			if !empty(f) {
				c.add(name, "the role %s has none: its fields are %s", c.role.Role, orNone(slices.Concat(needs, has)))
			}
			continue
		case empty(f):
			if slices.Contains(needs, name) {
				c.add(name, "not given: the role %s needs it", c.role.Role)
			}
			continue
		}
		switch value := f.Interface().(type) {
		case []string:
			c.checkNames(name, value)
		case string:
			c.checkName(name, value)
		}
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "principal, host and kafka only"
	}
	return strings.Join(names, ", ")
}

// checkNames checks a list of names that may be prefixes.
func (c *roleCheck) checkNames(field string, names []string) {
	typ := ResourceTopic
	switch field {
	case "groups":
		typ = ResourceGroup
	case "transactional_ids":
		typ = ResourceTransactionalID
	}
	for i, n := range names {
		path := index(field, i)
		if slices.Contains(names[:i], n) {
			c.add(path, "%q stands in the list already", n)
			continue
		}
		res, err := ParseResource(string(typ)+":"+n, "")
		if err == nil {
			err = resourceName(res)
		}
		if err != nil {
			c.add(path, "%v", err)
		}
	}
}

// checkName checks a field that is one name, or what names are made of.
func (c *roleCheck) checkName(field, name string) {
	if strings.HasSuffix(name, "*") {
		c.add(field, "%q: one name is wanted here, not a prefix", name)
		return
	}
	typ := ResourceTopic // application IDs and aliases are parts of topic names
	if field == "group" || field == "connector" {
		typ = ResourceGroup
	}
	if err := resourceName(literal(typ, name)); err != nil {
		c.add(field, "%v", err)
	}
}

// checkTogether checks the fields that depend on each other.
func (c *roleCheck) checkTogether() {
	r := c.role
	need := func(why, field string, given bool) {
		if !given {
			c.add(field, "not given: %s needs it", why)
		}
	}
	switch r.Role {
	case RoleConnector:
		if len(r.InputTopics)+len(r.OutputTopics) == 0 {
			c.add("connector", "%q: neither input_topics, for a sink, nor output_topics, for a source, are given", r.Connector)
		}
		if len(r.InputTopics) > 0 && len(r.OutputTopics) > 0 {
			c.add("output_topics", "a connector is a sink or a source: input_topics are given, too")
		}
		if r.DeadLetterTopic != "" && len(r.InputTopics) == 0 {
			c.add("dead_letter_topic", "only a sink has one, and no input_topics are given")
		}
		if !r.ExactlyOnce {
			if r.Group != "" || r.OffsetTopic != "" {
				c.add("exactly_once", "false: group and offset_topic of a connector are for exactly_once only")
			}
			break
		}
		if len(r.OutputTopics) == 0 {
			c.add("exactly_once", "it is for sources, and no output_topics are given")
		}
		need("exactly_once", "group", r.Group != "")
		need("exactly_once", "offset_topic", r.OffsetTopic != "")
	case RoleMirrorMaker:
		if r.OffsetSyncs != "" && r.OffsetSyncs != MirrorSource && r.OffsetSyncs != MirrorTarget {
			c.add("offset_syncs", "%q: allowed are source (the default) and target", string(r.OffsetSyncs))
		}
		switch r.Cluster {
		case MirrorSource:
			need("the source", "target_alias", r.TargetAlias != "")
			need("the source", "topics", len(r.Topics) > 0)
			if r.SourceAlias != "" {
				c.add("source_alias", "%q: names on the source do not have it; leave it out", r.SourceAlias)
			}
		case MirrorTarget:
			need("the target", "source_alias", r.SourceAlias != "")
			if r.TargetAlias != "" {
				c.add("target_alias", "%q: names on the target do not have it; leave it out", r.TargetAlias)
			}
			if len(r.Topics) > 0 {
				c.add("topics", "on the target they are all those that begin with source_alias; leave them out")
			}
		case "":
		default:
			c.add("cluster", "%q: allowed are source and target", string(r.Cluster))
		}
	}
}

// checkRoles reports what is wrong with roles, and where one grants what an
// entry of acls wants absent.
func (v *validator) checkRoles(s Spec) {
	if len(s.Roles) == 0 {
		return
	}
	type place struct{ acl, operation int }
	absent := map[Binding]place{}
	for i, a := range s.ACLs {
		bindings, err := a.Bindings()
		if a.State != Absent || err != nil {
			continue // what is wrong with it is said elsewhere
		}
		for j, b := range bindings {
			absent[b] = place{i, j}
		}
	}
	for i, r := range s.Roles {
		at := index("roles", i)
		problems := r.problems()
		for _, p := range problems {
			v.add(at+"."+p.Path, "%s", p.Message)
		}
		if len(problems) > 0 {
			continue
		}
		outside := map[Resource]bool{}
		for _, b := range r.expand() {
			if !v.scopeUnread && !v.scope.ownsBinding(b) && !outside[b.Resource] {
				outside[b.Resource] = true
				v.add(at, "%s of %s is outside the scope: its resource or its principal must stand there", b.Resource, r.Principal)
			}
			if p, ok := absent[b]; ok {
				v.add(at, "%s: wanted by the role %s here and absent at %s: a binding cannot be both demanded and forbidden",
					b, r.Role, index(index("acls", p.acl)+".operations", p.operation))
			}
		}
	}
}
