package kafkasec

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// enums are the types that have their own words.
func enums() map[reflect.Type]object {
	states := obj("enum", []DesiredState{Present, Absent}, "default", Present)
	mechanisms := obj("enum", []ScramMechanism{ScramSHA512, ScramSHA256})
	permissions := obj("enum", []Permission{Allow, Deny}, "default", Allow)
	return map[reflect.Type]object{
		reflect.TypeFor[DesiredState]():   states,
		reflect.TypeFor[ScramMechanism](): mechanisms,
		reflect.TypeFor[Permission]():     permissions,
		reflect.TypeFor[Pattern]():        obj("enum", []Pattern{Literal, Prefixed}),
		reflect.TypeFor[MirrorEnd]():      obj("enum", []MirrorEnd{MirrorSource, MirrorTarget}),
		reflect.TypeFor[ExpansionName]():  obj("enum", []ExpansionName{ExpandLeastPrivilege, ExpandConsole}, "default", ExpandLeastPrivilege),
		reflect.TypeFor[RoleName]():       roleNamesEnum(),
		reflect.TypeFor[Operation]():      operationsOf(wireOperations[2:]),
	}
}

func roleNamesEnum() object {
	texts := make([]string, len(roleNames))
	for i, name := range roleNames {
		texts[i] = roleTexts[RoleName(name)]
	}
	return obj("enum", roleNames, "enumDescriptions", texts)
}

// operationsOf offers the canonical spelling, and takes every one that
// ParseOperation takes.
func operationsOf[T ~string](names []T) object {
	var spellings []string
	for _, name := range names {
		var any strings.Builder
		for _, r := range string(name) {
			fmt.Fprintf(&any, "_*[%s%s]", strings.ToUpper(string(r)), strings.ToLower(string(r)))
		}
		spellings = append(spellings, any.String())
	}
	return obj("anyOf", []object{
		obj("enum", names),
		obj("type", "string", "pattern", "^("+strings.Join(spellings, "|")+")_*$"),
	})
}

// text is a string by a pattern. The message is an extension of VS Code's
// language servers, which others leave out.
func text(pattern, message string) object {
	return obj("type", "string", "pattern", pattern, "patternErrorMessage", message)
}

func list(item object) object { return obj("type", "array", "items", item, "uniqueItems", true) }

const (
	anything  = `[\s\S]` // a dot is not a line break
	topicName = `[a-zA-Z0-9._-]{1,249}`
	control   = `\x00-\x1f\x7f-\x9f`

	principalMessage = `a principal is Type:name, such as "User:alice"; types are case-sensitive`
	hostMessage      = `allowed are "*", an IP address as the broker sees it or, from Kafka 4.4 on, a range such as 10.0.0.0/8`
	topicMessage     = `a name has 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-"`
	prefixMessage    = "a prefix is not empty, and written without a star"
	nameMessage      = `a name is not empty, and not "*"`
)

func topic() object {
	return text("^"+topicName+"$", topicMessage).with(obj("not", obj("enum", []string{".", ".."})))
}

// declaredTopic is one that a spec may declare: see protectedTopic.
func declaredTopic() object {
	return text(`^[a-zA-Z0-9.-][a-zA-Z0-9._-]{0,248}$`, topicMessage+", and does not begin with _").with(obj("not", obj("enum", []string{".", ".."})))
}

// topics are topics, or those with a prefix.
func topics() object {
	return text("^("+topicName+`\*?|\*)$`, topicMessage+"; a trailing * is every name with that prefix").with(obj("not", obj("enum", []string{".", ".."})))
}

func unstarred() object {
	return text("[^*]$", "one name is wanted here, not a prefix")
}

func prefix() object { return text("^("+anything+`*[^*])$`, prefixMessage) }

// named is a name that is not only a star.
func named() object { return text("^([^*]|"+anything+"{2,})$", nameMessage) }

// principal leaves out the types that are User in another case, which match no
// client: those of four letters that differ from it somewhere are allowed. It says
// so without "not", for which editors have no message.
func principal() object {
	const edge, inner = `[^:\s]`, `[^:]`
	types := []string{
		"User", edge, edge + inner + "?" + edge, edge + inner + "{3,}" + edge,
		`[^:\suU]` + inner + "{2}" + edge, "[uU][^:sS]" + inner + edge, "[uU][sS][^:eE]" + edge, `[uU][sS][eE][^:\srR]`,
	}
	return text("^("+strings.Join(types, "|")+"):"+anything+"+$", principalMessage)
}

func host() object {
	return text(`^(\*|([0-9]{1,3}\.){3}[0-9]{1,3}(/([12]?[0-9]|3[0-2]))?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%[^/]+)?(/(1[01][0-9]|12[0-8]|[1-9]?[0-9]))?)$`, hostMessage)
}

func login(reserved ...string) object {
	return text("^[^"+control+"]+$", "a name is not empty and has no control characters").with(obj("not", obj("enum", reserved)))
}

// fieldRules are what validation says of one field.
func fieldRules() map[string]object {
	least := func(n int) object { return obj("minimum", n) }
	addr := text(`^((0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}|[0-9a-f:]*:[0-9a-f:.]*)$`, "allowed is an IP address in its shortest spelling")
	rules := map[string]object{
		"Spec.kind":           obj("const", SpecKind, "default", SpecKind),
		"Spec.version":        obj("const", SpecVersion, "default", SpecVersion),
		"Spec.secret_schemes": list(obj("type", "string", "pattern", secretScheme.String(), "not", obj("enum", usualSchemes))),

		"Scope.topics":                    list(topic()),
		"Scope.topic_prefixes":            list(prefix()),
		"Scope.groups":                    list(named()),
		"Scope.group_prefixes":            list(prefix()),
		"Scope.transactional_ids":         list(named()),
		"Scope.transactional_id_prefixes": list(prefix()),
		"Scope.tokens":                    list(named()),
		"Scope.users":                     list(principal()),
		"Scope.principals":                list(principal()),
		"Scope.client_ids":                list(login("<default>")),
		"Scope.ips":                       list(addr),
		"Scope.quota_defaults":            list(obj("enum", slices.Sorted(maps.Keys(wireQuotaTypes)))),

		"Prune.max_count":   least(1).with(obj("default", defaultMaxCount)),
		"Prune.max_percent": least(1).with(obj("maximum", 100, "default", defaultMaxPercent)),

		"Topic.name":               declaredTopic(),
		"Topic.partitions":         least(1),
		"Topic.replication_factor": least(1),
		"Topic.configs":            topicConfigs(),

		// Who is revoked may be nobody, as far as a colon goes.
		"ACL.principal":  text(`^[^:]*:`, principalMessage),
		"ACL.operations": obj("items", obj("type", "string"), "minItems", 1), // which depend on the resource
		"ACL.resource":   text("^(cluster|("+strings.Join(namedTypes(), "|")+"):"+anything+"+)$", "allowed are "+strings.Join(namedTypes(), ":NAME, ")+":NAME and cluster"),
		"ACL.host":       obj("minLength", 1, "default", "*"),

		"Role.principal":         principal(),
		"Role.host":              host().with(obj("default", "*")),
		"Role.kafka":             obj("pattern", `^[0-9]+\.[0-9]+$`, "patternErrorMessage", "a release is two numbers, like 2.8 or 4.4"),
		"Role.topics":            list(topics()),
		"Role.input_topics":      list(topics()),
		"Role.output_topics":     list(topics()),
		"Role.groups":            list(obj("type", "string", "minLength", 1)),
		"Role.transactional_ids": list(obj("type", "string", "minLength", 1)),
		"Role.group":             unstarred(),
		"Role.connector":         unstarred(),

		"User.name":       login("*", "<default>"),
		"User.mechanisms": obj("minItems", 1, "uniqueItems", true),
		"User.iterations": least(minIterations).with(obj("maximum", maxIterations)),
		"User.password":   obj("type", "string", "anyOf", []object{envReference(), fileReference(), otherReference()}, "examples", []string{"env:NAME", "file:PATH"}),

		"Quota.user":          login("*", "<default>"),
		"Quota.client_id":     login("<default>"),
		"Quota.ip":            addr,
		"Quota.absent_limits": list(obj("enum", quotaKeys)),
	}
	// Application IDs and aliases are parts of topic names.
	for _, k := range []string{"application_id", "config_topic", "offset_topic", "status_topic", "dead_letter_topic", "source_alias", "target_alias", "schemas_topic"} {
		rules["Role."+k] = topic()
	}
	for _, k := range quotaKeys {
		rules["Quota."+k] = obj("exclusiveMinimum", 0)
	}
	for _, k := range []string{"producer_byte_rate", "consumer_byte_rate"} {
		rules["Quota."+k] = rules["Quota."+k].with(obj("maximum", int64(maxByteRate)))
	}
	return rules
}

// namedTypes are the resource types that have names.
func namedTypes() []string {
	return slices.DeleteFunc(kafkarules.ResourceTypes(), func(t string) bool { return t == string(ResourceCluster) })
}

const referenceMessage = "a reference to a secret is env:NAME, file:PATH or one with a scheme of secret_schemes; a secret itself never stands in a spec"

func envReference() object {
	return text("^env:"+strings.Trim(variableName.String(), "^$")+"$", referenceMessage)
}

func fileReference() object { return text("^file:"+anything+"+$", referenceMessage) }

func otherReference() object {
	return text("^"+strings.Trim(secretScheme.String(), "^$")+":"+anything+"+$", referenceMessage).
		with(obj("not", obj("pattern", "^("+strings.Join(usualSchemes, "|")+"):")))
}

// topicConfigs are the configs that some release of Kafka has. Their values are
// kept as they are written, so that text and numbers say the same.
func topicConfigs() object {
	var props object
	for _, key := range kafkarules.TopicConfigKeys() {
		shape, _ := kafkarules.TopicConfigShape(key)
		p := obj("description", strings.ToUpper(shape.Allowed[:1])+shape.Allowed[1:]+".")
		number := obj("type", shape.Kind)
		if shape.Low != nil {
			number = number.with(obj("minimum", *shape.Low))
		}
		if shape.High != nil {
			number = number.with(obj("maximum", *shape.High))
		}
		const space = `[\x00- ]*`
		spelled := func(pattern string) object {
			return obj("type", "string", "pattern", "^"+space+"("+pattern+")"+space+"$")
		}
		switch {
		case shape.Kind == "boolean":
			p = p.with(obj("anyOf", []object{number, spelled("[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]")}))
		case shape.Kind == "integer":
			p = p.with(obj("anyOf", []object{number, spelled(`[+-]?[0-9]+`)}))
		case shape.Kind == "number":
			p = p.with(obj("anyOf", []object{number, spelled(`[+-]?(NaN|Infinity|\.?[0-9]` + anything + `*)`)}))
		case shape.Names == nil:
			p = p.with(obj("type", []string{"string", "number"}))
		default:
			var quoted []string
			for _, name := range shape.Names {
				quoted = append(quoted, regexp.QuoteMeta(name))
			}
			one := "(" + strings.Join(quoted, "|") + ")"
			if shape.Kind == "list" {
				one = "(" + one + `(\s*,\s*` + one + ")*)?"
			}
			p = p.with(obj("anyOf", []object{obj("enum", shape.Names), spelled(one)}))
		}
		props = append(props, member{key, p})
	}
	return obj("properties", props, "additionalProperties", false)
}
