package kafkasec

import (
	"slices"

	"github.com/holdfast-sec/holdfast/internal/kafkarules"
)

// has is a field that stands there and fits the rule. A condition needs the
// first part, because what is not there fits every rule.
func has(field string, rule object) object {
	return required(field).with(maybe(field, rule))
}

func is(field string, value any) object { return has(field, obj("const", value)) }

// never are fields that must not stand there.
func never(fields ...string) object {
	var o object
	for _, f := range fields {
		o = append(o, member{f, false})
	}
	return o
}

func properties(fields object) object { return obj("properties", fields) }

func when(condition, then object) object { return obj("if", condition, "then", then) }

func unless(condition, otherwise object) object { return obj("if", condition, "else", otherwise) }

func allOf(rules ...object) object { return obj("allOf", rules) }

func anyOf(rules ...object) object { return obj("anyOf", rules) }

func required(fields ...string) object { return obj("required", fields) }

// maybe is a field that fits the rule where it stands.
func maybe(field string, rule object) object { return properties(obj(field, rule)) }

// typeRules are what validation says of the fields of one item together.
func typeRules() map[string]object {
	return map[string]object{
		"Spec": specRules(),
		"Prune": allOf(
			unless(is("topics", true), maybe("delete_records", obj("const", false))),
			unless(is("users", true), maybe("broker_credentials", obj("const", false)))),
		"Topic": required("name").with(allOf(obj(
			"if", is("state", Absent),
			"then", properties(never("partitions", "replication_factor").with(obj("configs", obj("maxProperties", 0)))),
			"else", maybe("delete_records", obj("const", false))))),
		"ACL":   aclRules(),
		"User":  required("name", "mechanisms").with(allOf(when(is("state", Absent), properties(never("iterations", "password"))))),
		"Quota": quotaRules(),
	}
}

// specRules need kind and version, and take a reference with a scheme of
// somebody's own only where schemes are declared: what looks like one may be
// the password.
func specRules() object {
	usual := anyOf(envReference(), fileReference())
	return required("kind", "version").with(allOf(unless(
		has("secret_schemes", obj("minItems", 1)),
		maybe("users", obj("items", maybe("password", usual))))))
}

func aclRules() object {
	var rules []object
	var known []object
	for _, typ := range kafkarules.ResourceTypes() {
		of := "^" + typ + ":"
		if typ == string(ResourceCluster) {
			of = "^" + typ + "$"
		}
		condition := has("resource", obj("type", "string", "pattern", of))
		known = append(known, condition)
		rules = append(rules, when(condition, maybe("operations", obj("items", operationsOf(kafkarules.Operations(typ))))))
	}
	// Before the resource is written, every operation is offered.
	rules = append(rules, unless(anyOf(known...), maybe("operations", obj("items", operationsOf(wireOperations[2:])))))

	star := `^[^:]+:` + anything + `+\*$`
	rules = append(rules, when(is("pattern", Prefixed), maybe("resource", text(star, "a prefixed resource is written with a trailing *, and its prefix is not empty"))))
	// What matches nobody may be revoked, and not be granted.
	granted := properties(obj(
		"principal", principal(),
		"host", host(),
		"resource", text(`^(topic:(`+topicName+`\*?|\*)|user:([^:\s]+:`+anything+`+|`+anything+`*\*)|(group|transactional-id|token):`+anything+`+|cluster)$`,
			"topic names have 1 to 249 of the characters a-z, A-Z, 0-9, \".\", \"_\" and \"-\"; a user is a whole principal"),
	))
	rules = append(rules, unless(is("state", Absent), granted))
	return required("principal", "operations", "resource").with(allOf(rules...))
}

func quotaRules() object {
	ofAddress := anyOf(required("ip"), is("ip_default", true))
	ofOthers := anyOf(required("user"), is("user_default", true), required("client_id"), is("client_id_default", true))
	isFalse, lifted := obj("const", false), func(item object) object { return obj("absent_limits", obj("items", item)) }
	others := slices.DeleteFunc(slices.Clone(quotaKeys), func(k string) bool { return k == connectionRate })

	var someLimit []object
	rules := []object{
		anyOf(slices.Concat(ofOthers[0].value.([]object), ofAddress[0].value.([]object))...),
		when(required("user"), maybe("user_default", isFalse)),
		when(required("client_id"), maybe("client_id_default", isFalse)),
		when(required("ip"), maybe("ip_default", isFalse)),
		obj("if", ofAddress,
			"then", properties(never(others...).with(lifted(obj("const", connectionRate))).
				with(never("user", "client_id")).with(obj("user_default", isFalse, "client_id_default", isFalse))),
			"else", when(ofOthers, properties(never(connectionRate).with(lifted(obj("enum", others)))))),
	}
	for _, k := range quotaKeys {
		someLimit = append(someLimit, required(k))
		rules = append(rules, when(required(k), properties(lifted(obj("not", obj("const", k))))))
	}
	return allOf(append(rules, obj(
		"if", is("state", Absent),
		"then", properties(never(quotaKeys...).with(obj("absent_limits", obj("maxItems", 0)))),
		"else", anyOf(append(someLimit, has("absent_limits", obj("minItems", 1)))...),
	))...)
}

// roleSchema is that of a role, by the properties that all roles have between
// them. Those of one role are offered once role says which.
func roleSchema(all object) object {
	common := []string{"principal", "host", "role", "expansion", "kafka"}
	of := func(name string) any {
		return all[slices.IndexFunc(all, func(m member) bool { return m.key == name })].value
	}
	var shared object
	for _, name := range common {
		shared = append(shared, member{name, of(name)})
	}
	var rules []object
	for _, name := range roleNames {
		fields := roleFields[RoleName(name)]
		own := obj("principal", true, "host", true, "role", true, "expansion", true, "kafka", true)
		if name != string(RoleProducer) && name != string(RoleConsumer) {
			own = own.with(obj("expansion", obj("const", ExpandLeastPrivilege)))
		}
		for _, field := range fields.needs {
			p := of(field).(object)
			if slices.Contains(p, member{"type", "array"}) {
				p = p.with(obj("minItems", 1))
			}
			own = append(own, member{field, p})
		}
		for _, field := range fields.has {
			own = append(own, member{field, of(field)})
		}
		then := properties(own).with(obj("additionalProperties", false))
		if fields.needs != nil {
			then = then.with(required(fields.needs...))
		}
		rules = append(rules, when(is("role", name), then.with(roleTogether(RoleName(name)))))
	}
	return properties(shared).with(required("principal", "role")).with(allOf(rules...))
}

// roleTogether are the rules for fields that depend on each other.
func roleTogether(name RoleName) object {
	some, none := obj("minItems", 1), obj("maxItems", 0)
	switch name {
	case RoleConnector:
		sink, source := has("input_topics", some), has("output_topics", some)
		return allOf(
			anyOf(sink, source),
			when(sink, maybe("output_topics", none)),
			unless(sink, properties(never("dead_letter_topic"))),
			obj("if", is("exactly_once", true),
				"then", required("group", "offset_topic", "output_topics").with(maybe("output_topics", some)),
				"else", properties(never("group", "offset_topic"))),
		)
	case RoleMirrorMaker:
		return allOf(
			when(is("cluster", MirrorSource), required("target_alias", "topics").with(properties(never("source_alias").with(obj("topics", some))))),
			when(is("cluster", MirrorTarget), required("source_alias").with(properties(never("target_alias").with(obj("topics", none))))),
		)
	}
	return nil
}
