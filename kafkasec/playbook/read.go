package playbook

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
	"github.com/holdfast-sec/holdfast/kafkasec"
)

// Options of [Read]. The zero Options translate to the letter and resolve no
// conflict.
type Options struct {
	// Conflicts decides about bindings that one line of the file grants and
	// another removes. Empty means that there must be none.
	Conflicts Resolution
	// LeastPrivilege gives producers and consumers only what they need, and not
	// all that kafka-acls --producer and --consumer make; see
	// [kafkasec.Expansion]. What a line removes is always what the scripts would.
	LeastPrivilege bool
}

// Resolution is how a conflict is resolved.
type Resolution string

const (
	// Grant drops every remove line that has a conflict.
	Grant Resolution = "grant"
	// Revoke makes the bindings that the remove line names absent, and leaves
	// what else is granted. It is what the playbook ends with, because it runs
	// operations last, after it has granted and removed on every run.
	Revoke Resolution = "revoke"
)

// Result is what became of a file.
type Result struct {
	// Spec owns exactly the topics, principals and groups that the file names.
	Spec kafkasec.Spec
	// Untranslated is the rest, in the order of the file.
	Untranslated []Untranslated
}

// Untranslated is something in the file that has no part in the spec.
type Untranslated struct {
	// Path leads there, for example topics_acl_users[0].topic.
	Path string
	Line int
	// Text is what was found: a Jinja expression, a word. It is empty for keys
	// that mean nothing here, because their values may be passwords.
	Text   string
	Reason string
}

// String gives it as one line.
func (u Untranslated) String() string {
	text := ""
	if u.Text != "" {
		text = fmt.Sprintf(" %q", u.Text)
	}
	return fmt.Sprintf("line %d: %s%s: %s", u.Line, u.Path, text, u.Reason)
}

// Read translates one variable file. The name is for messages. The error holds,
// for errors.As, everything that is wrong as holdfast.Problems, each with its
// line and path, and all contradictions as a *[ConflictError].
//
// These variables count, and are optional except for topics_acl_users:
// kafka_partition_count and kafka_replication_count (else the broker's
// defaults); configure_topics, configure_acl, set_producer_consumer and
// set_principal_direct (else true); kafka_listener_protocol, where PLAINTEXT
// means topics only, as it has no users; kafka_version, whose console scripts
// decide what a producer gets (else the newest). Jinja expressions are never
// guessed: what depends on one is untranslated.
//
// Names and operation strings pass through a shell in the playbook, and are
// read so. File name patterns (*, ?, [) are taken as written, which is what a
// shell does where no file has such a name.
func Read(name string, data []byte, opts Options) (Result, error) {
	switch opts.Conflicts {
	case "", Grant, Revoke:
	default:
		return Result{}, fmt.Errorf("read playbook variables: conflicts %q: allowed are %s and %s", string(opts.Conflicts), Grant, Revoke)
	}
	var vars variables
	at, err := strictyaml.Decode(name, data, &vars)
	var problems holdfast.Problems
	if err != nil && !errors.As(err, &problems) {
		return Result{}, fmt.Errorf("read playbook variables: %w", err)
	}
	r := &reader{at: at}
	lines := newLines(opts)
	if len(problems) == 0 {
		r.read(vars, lines)
		problems = at.Locate(r.problems)
	}
	conflicts := lines.resolve(name, opts.Conflicts)
	var spec kafkasec.Spec
	if len(problems) == 0 && conflicts == nil {
		spec, problems = lines.spec(at)
	}
	if len(problems) > 0 || conflicts != nil {
		err := problems.Err()
		if conflicts != nil {
			err = errors.Join(err, conflicts)
		}
		return Result{}, fmt.Errorf("read playbook variables: %w", err)
	}
	slices.SortStableFunc(r.untranslated, func(a, b Untranslated) int { return cmp.Compare(a.Line, b.Line) })
	return Result{Spec: spec, Untranslated: r.untranslated}, nil
}

// variables are those that count. Each may be a Jinja expression in place of
// what it should be, so the types are checked while reading.
type variables struct {
	TopicsACLUsers      any                     `yaml:"topics_acl_users"`
	Partitions          any                     `yaml:"kafka_partition_count"`
	Replication         any                     `yaml:"kafka_replication_count"`
	ConfigureTopics     any                     `yaml:"configure_topics"`
	ConfigureACL        any                     `yaml:"configure_acl"`
	SetProducerConsumer any                     `yaml:"set_producer_consumer"`
	SetPrincipalDirect  any                     `yaml:"set_principal_direct"`
	ListenerProtocol    any                     `yaml:"kafka_listener_protocol"`
	Version             any                     `yaml:"kafka_version"`
	Others              []strictyaml.UnknownKey `yaml:",unknown"`
}

// reader collects while it reads.
type reader struct {
	at           strictyaml.Positions
	problems     holdfast.Problems
	untranslated []Untranslated
}

func (r *reader) read(vars variables, lines *lines) {
	for _, k := range vars.Others {
		reason := noMeaning
		if isJinja(k.Text) {
			reason = "it holds a Jinja expression, and " + noMeaning
		}
		r.untranslate(r.at.Key(k.Path), k.Path, "", reason)
	}
	lines.partitions = int32(r.number("kafka_partition_count", vars.Partitions, 1<<31-1))
	lines.replicas = int16(r.number("kafka_replication_count", vars.Replication, 1<<15-1))
	lines.scripts.Kafka = r.release("kafka_version", vars.Version)

	do := parts{topics: r.toggle("configure_topics", vars.ConfigureTopics)}
	acl := r.toggle("configure_acl", vars.ConfigureACL)
	users := r.usersKnown("kafka_listener_protocol", vars.ListenerProtocol)
	do.acl = acl && users
	do.roles = r.toggle("set_producer_consumer", vars.SetProducerConsumer)
	do.direct = r.toggle("set_principal_direct", vars.SetPrincipalDirect)
	if !r.written("topics_acl_users") {
		r.problem("", "no topics_acl_users: want the list that says which topics there are and who uses them")
		return
	}
	if vars.TopicsACLUsers == nil {
		r.problem("topics_acl_users", "no value: want a list, which is [] where there are no topics")
		return
	}
	entries, ok := r.list("topics_acl_users", vars.TopicsACLUsers)
	if !ok {
		return
	}
	for i, e := range entries {
		r.entry(fmt.Sprintf("topics_acl_users[%d]", i), e, do, lines)
	}
}

const noMeaning = "the key says nothing about topics or ACLs"

// parts are what the toggles leave of the playbook.
type parts struct{ topics, acl, roles, direct bool }

// entry reads one topic with its users.
func (r *reader) entry(path string, value any, do parts, lines *lines) {
	fields, ok := r.fields(path, value, "topic", "producers", "consumers", "operations")
	if !ok {
		return
	}
	if r.jinja(path+".topic", fields["topic"], ", so neither the topic nor its users are translated") {
		return
	}
	topic, ok := r.name(path+".topic", fields, "topic")
	if !ok {
		return
	}
	place := r.place(path + ".topic")
	note(lines.topics, topic, place)
	switch {
	case !do.topics:
	case strings.HasPrefix(topic, "_"):
		r.untranslate(r.at.At(place.Path), place.Path, topic, "names that start with _ are the brokers' and platform components' own: the topic is not created")
	default:
		note(lines.created, topic, place)
	}
	r.producers(path+".producers", fields, topic, do, lines)
	r.consumers(path+".consumers", fields, topic, do, lines)
	r.operations(path+".operations", fields, topic, do, lines)
}

func (r *reader) producers(path string, fields map[string]any, topic string, do parts, lines *lines) {
	list, _ := r.optionalList(path, fields, "producers")
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		user, ok := r.word(at, item)
		if ok && do.acl && do.roles {
			r.run(at, lines, topic, []string{"--add", "--allow-principal", "User:" + user, "--producer", "--topic", topic})
		}
	}
}

func (r *reader) consumers(path string, fields map[string]any, topic string, do parts, lines *lines) {
	list, _ := r.optionalList(path, fields, "consumers")
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		fields, ok := r.fields(at, item, "username", "group")
		if !ok {
			continue
		}
		user, okUser := r.name(at+".username", fields, "username")
		group, okGroup := r.name(at+".group", fields, "group")
		if okUser && okGroup && do.acl && do.roles {
			r.run(at, lines, topic, []string{"--add", "--allow-principal", "User:" + user, "--consumer", "--topic", topic, "--group", group})
		}
	}
}

func (r *reader) operations(path string, fields map[string]any, topic string, do parts, lines *lines) {
	list, _ := r.optionalList(path, fields, "operations")
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		fields, ok := r.fields(at, item, "username", "operation", "status")
		if !ok {
			continue
		}
		user, okUser := r.name(at+".username", fields, "username")
		words, okWords := r.words(at+".operation", fields, "operation")
		status, okStatus := r.name(at+".status", fields, "status")
		if okStatus && status != "add" && status != "remove" {
			r.problem(at+".status", fmt.Sprintf("%q: allowed are add and remove", status))
			continue
		}
		if okUser && okWords && okStatus && do.acl && do.direct {
			args := append([]string{"--" + status, "--allow-principal", "User:" + user}, words...)
			r.run(at+".operation", lines, topic, append(args, "--topic", topic))
		}
	}
}

// run understands one command line of the playbook.
func (r *reader) run(path string, lines *lines, topic string, args []string) {
	cmd, errs := parseCommand(args)
	if len(errs) == 0 {
		errs = cmd.check()
	}
	for _, err := range errs {
		r.problem(path, err.Error())
	}
	if len(errs) > 0 {
		return
	}
	for _, n := range cmd.ignored() {
		r.untranslate(r.at.At(path), path, n.word, n.reason)
	}
	if fits := lines.size <= maxTotal; fits && !lines.add(topic, r.place(path), cmd) {
		r.problem(path, fmt.Sprintf("the file stands for more than %d bindings", maxTotal))
	}
}
