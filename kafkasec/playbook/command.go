package playbook

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// command is one call of kafka-acls (org.apache.kafka.tools.AclCommand, before
// 4.0 kafka.admin.AclCommand), without what says which cluster.
type command struct {
	values map[string][]string // of flags that take one
	set    map[string]bool     // every flag that was given
	extra  []string            // words that belong to no flag
}

// flags of kafka-acls that say what to add or remove, and whether they take a
// value. Those that say where (--bootstrap-server, --authorizer-properties) are
// the playbook's own, and --list and --help change nothing.
var flags = map[string]bool{
	"add": false, "remove": false, "force": false,
	"allow-principal": true, "deny-principal": true, "allow-host": true, "deny-host": true,
	"operation": true, "producer": false, "consumer": false, "idempotent": false,
	"topic": true, "group": true, "cluster": false, "transactional-id": true, "delegation-token": true, "user-principal": true,
	"resource-pattern-type": true,
}

// flagOrder is how messages list them.
var flagOrder = []string{
	"add", "remove", "force", "allow-principal", "deny-principal", "allow-host", "deny-host", "operation", "producer", "consumer", "idempotent",
	"topic", "group", "cluster", "transactional-id", "delegation-token", "user-principal", "resource-pattern-type",
}

// parseCommand reads arguments as jopt-simple does for AclCommand: --flag VALUE,
// --flag=VALUE, also with one dash; words that belong to no flag are skipped,
// and all words behind "--". It reports every flag that is unknown.
func parseCommand(args []string) (command, []error) {
	c := command{values: map[string][]string{}, set: map[string]bool{}}
	var errs []error
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			c.extra = append(c.extra, args[i:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			c.extra = append(c.extra, arg)
			continue
		}
		name, value, inline := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		takesValue, known := flags[name]
		if !known {
			errs = append(errs, fmt.Errorf("flag %q: allowed are --%s", clip(arg), strings.Join(flagOrder, ", --")))
			continue
		}
		c.set[name] = true
		if !takesValue {
			continue // as does jopt-simple, with --add=false too
		}
		if !inline {
			if i++; i == len(args) || strings.HasPrefix(args[i], "--") {
				// jopt-simple would take the next flag for the value.
				errs = append(errs, fmt.Errorf("flag --%s has no value", name))
				i--
				continue
			}
			value = args[i]
		}
		if name != "transactional-id" { // which AclCommand alone takes as it is
			value = trim(value)
		}
		c.values[name] = append(c.values[name], value)
	}
	return c, errs
}

// trim is java.lang.String.trim.
func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

// check refuses what AclCommand refuses, after which it would have done nothing.
func (c command) check() []error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.set["add"] == c.set["remove"] {
		add("--add and --remove exclude each other: the status says which it is")
	}
	for _, role := range []string{"producer", "consumer"} {
		for _, other := range []string{"operation", "deny-principal", "deny-host"} {
			if c.set[role] && c.set[other] {
				add("--%s and --%s exclude each other: the role says which operations are allowed", role, other)
			}
		}
	}
	if c.set["idempotent"] && !c.set["producer"] {
		add("--idempotent needs --producer")
	}
	if c.set["consumer"] && !c.set["group"] {
		add("--consumer needs --group")
	}
	if c.set["consumer"] && !c.set["producer"] && (c.set["cluster"] || c.set["transactional-id"]) {
		add("--consumer allows no --cluster and no --transactional-id")
	}
	if !c.set["topic"] {
		add("the playbook's --topic is lost behind the word \"--\"")
	}
	for _, flag := range flagOrder {
		// An empty host or name would be taken for the default or for a wildcard.
		if slices.Contains(c.values[flag], "") {
			add("flag --%s has an empty value", flag)
		}
	}
	for _, op := range c.values["operation"] {
		if op == "" {
			continue
		}
		if _, err := operation(op); err != nil {
			errs = append(errs, err)
		}
	}
	if len(c.values["resource-pattern-type"]) > 1 {
		add("--resource-pattern-type is given twice")
	}
	switch p := c.pattern(); p {
	case "literal", "prefixed":
	case "any", "match":
		if !c.set["remove"] {
			add("--resource-pattern-type %s is for removing only: allowed are literal and prefixed", p)
		}
	default:
		add("--resource-pattern-type %q: allowed are literal and prefixed, and for removing any and match", clip(p))
	}
	for _, flag := range resourceFlags {
		if c.pattern() == "match" && slices.ContainsFunc(c.values[flag], func(name string) bool { return len(name) > maxMatch }) {
			add("--resource-pattern-type match with a --%s of more than %d bytes: each of its prefixes would be a binding", flag, maxMatch)
		}
	}
	if len(errs) == 0 && c.size() > maxBindings {
		add("the flags multiply to %.0f bindings: allowed are %d", c.size(), maxBindings)
	}
	return errs
}

const (
	maxMatch    = 249 // the longest topic name
	maxBindings = 100_000
)

// size is how many bindings the command stands for, at most. It is a float
// because four lists multiply.
func (c command) size() float64 {
	per := func(flag string) float64 { return float64(max(1, len(c.values[flag]))) }
	resources := 1.0 // the cluster
	for _, flag := range resourceFlags {
		for _, name := range c.values[flag] {
			switch c.pattern() {
			case "any":
				resources += 2
			case "match":
				resources += float64(len(name) + 2)
			default:
				resources++
			}
		}
	}
	entries := float64(len(c.values["allow-principal"]))*per("allow-host") + float64(len(c.values["deny-principal"]))*per("deny-host")
	return resources * entries * max(4, per("operation"))
}

func (c command) pattern() string {
	if p := c.values["resource-pattern-type"]; len(p) > 0 {
		return strings.ToLower(p[0])
	}
	return "literal"
}

// operation reads one as SecurityUtils.operation does: in any case, but not in
// the spelling of Kafka's constants (DESCRIBE_CONFIGS).
func operation(text string) (kafkasec.Operation, error) {
	op, err := kafkasec.ParseOperation(text)
	if err == nil && strings.Contains(text, "_") {
		err = fmt.Errorf("operation %q: kafka-acls writes it %s", text, op)
	}
	return op, err
}

// idle is a word without effect.
type idle struct{ word, reason string }

// ignored lists what AclCommand takes and makes nothing of.
func (c command) ignored() []idle {
	var notes []idle
	for _, w := range c.extra {
		notes = append(notes, idle{w, "kafka-acls ignores a word that belongs to no flag"})
	}
	without := func(flag, reason string) {
		if c.set[flag] {
			notes = append(notes, idle{"--" + flag, reason})
		}
	}
	role := c.set["producer"] || c.set["consumer"]
	if !c.set["deny-principal"] {
		without("deny-host", "kafka-acls ignores it without --deny-principal")
	}
	if role {
		const reason = "kafka-acls ignores it beside --producer and --consumer"
		without("cluster", reason)
		without("delegation-token", reason)
		without("user-principal", reason)
		if !c.set["consumer"] {
			without("group", "kafka-acls ignores it beside --producer")
		}
	} else if c.pattern() != "literal" {
		without("cluster", "kafka-acls ignores it beside a --resource-pattern-type other than literal")
	}
	return notes
}

// bindings are what the command adds or, with any and match, could find to
// remove.
func (c command) bindings(e kafkasec.Expansion) []kafkasec.Binding {
	var bindings []kafkasec.Binding
	for _, g := range c.grants(e) {
		for _, op := range g.Operations {
			b := kafkasec.Binding{Operation: op, Resource: g.Resource}
			bindings = append(bindings, c.entries(b, kafkasec.Allow, "allow")...)
			bindings = append(bindings, c.entries(b, kafkasec.Deny, "deny")...)
		}
	}
	slices.SortFunc(bindings, kafkasec.Binding.Compare)
	return slices.Compact(bindings)
}

// entries are the binding for every principal and host of one permission.
func (c command) entries(b kafkasec.Binding, permission kafkasec.Permission, prefix string) []kafkasec.Binding {
	hosts := c.values[prefix+"-host"]
	if len(hosts) == 0 {
		hosts = []string{"*"}
	}
	var bindings []kafkasec.Binding
	for _, b.Principal = range c.values[prefix+"-principal"] {
		for _, b.Host = range hosts {
			b.Permission = permission
			bindings = append(bindings, b)
		}
	}
	return bindings
}

func (c command) grants(e kafkasec.Expansion) []kafkasec.Grant {
	topics, groups, txns := c.resources("topic"), c.resources("group"), c.resources("transactional-id")
	var grants []kafkasec.Grant
	if c.set["producer"] {
		p := kafkasec.Producer{Topics: topics, TransactionalIDs: txns, Idempotent: c.set["idempotent"]}
		grants = append(grants, p.Grants(e)...)
	}
	if c.set["consumer"] {
		grants = append(grants, kafkasec.Consumer{Topics: topics, Groups: groups}.Grants(e)...)
	}
	if c.set["producer"] || c.set["consumer"] {
		return grants
	}
	operations := []kafkasec.Operation{kafkasec.All} // the default of --operation
	if texts := c.values["operation"]; len(texts) > 0 {
		operations = nil
		for _, text := range texts {
			op, _ := operation(text) // checked by check
			operations = append(operations, op)
		}
	}
	resources := slices.Concat(topics, groups, txns, c.resources("delegation-token"), c.resources("user-principal"))
	if c.set["cluster"] && c.pattern() == "literal" {
		cluster, _ := kafkasec.ParseResource("cluster", "")
		resources = append(resources, cluster)
	}
	for _, r := range resources {
		grants = append(grants, kafkasec.Grant{Resource: r, Operations: operations})
	}
	return grants
}

var resourceFlags = []string{"topic", "group", "transactional-id", "delegation-token", "user-principal"}

var resourceTypes = map[string]kafkasec.ResourceType{
	"topic": kafkasec.ResourceTopic, "group": kafkasec.ResourceGroup, "transactional-id": kafkasec.ResourceTransactionalID,
	"delegation-token": kafkasec.ResourceToken, "user-principal": kafkasec.ResourceUser,
}

// resources are those that a flag names, each pattern that the pattern type
// reaches (ResourcePatternFilter.matches): any takes the name literally and as
// a prefix, match whatever covers the name.
func (c command) resources(flag string) []kafkasec.Resource {
	var resources []kafkasec.Resource
	for _, name := range c.values[flag] {
		put := func(name string, p kafkasec.Pattern) {
			resources = append(resources, kafkasec.Resource{Type: resourceTypes[flag], Name: name, Pattern: p})
		}
		pattern := c.pattern()
		if pattern != "prefixed" {
			put(name, kafkasec.Literal)
		}
		if pattern == "prefixed" || pattern == "any" {
			put(name, kafkasec.Prefixed)
		}
		if pattern == "match" {
			put("*", kafkasec.Literal)
			for i := range name {
				if i > 0 {
					put(name[:i], kafkasec.Prefixed)
				}
			}
			put(name, kafkasec.Prefixed)
		}
	}
	return resources
}
