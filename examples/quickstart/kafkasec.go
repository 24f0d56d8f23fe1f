package main

import (
	"context"
	_ "embed" // for the spec
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/dial"
)

const specName = "kafkasec.yaml"

//go:embed kafkasec.yaml
var specText string

// The line that is edited in the middle of the story.
const (
	mayWrite    = "  - {principal: User:user2, operations: [Write], resource: topic:metricbeat}\n"
	mayNotWrite = "  - {principal: User:user2, operations: [Write], resource: topic:metricbeat, state: absent}\n"
)

// kafkasecStory is what the parts of the chapter hand on.
type kafkasecStory struct {
	*stage
	kafka *kafka
	r     *kafkasec.Reconciler
	spec  kafkasec.Spec
	// foreign are the bindings outside the scope, as they were at the start.
	foreign []kafkasec.Binding
}

func tellKafkasec(ctx context.Context, s *stage) error {
	spec, err := kafkasec.ParseSpec(specName, []byte(specText))
	if err != nil {
		return err
	}
	k, err := startKafka(s)
	if err != nil {
		return err
	}
	defer k.Close()
	cfg, err := k.config(ctx, "admin")
	if err != nil {
		return err
	}
	client, err := dial.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	story := &kafkasecStory{stage: s, kafka: k, r: &kafkasec.Reconciler{Client: client}, spec: spec}
	for _, part := range []func(context.Context) error{
		story.cluster, story.declare, story.converge, story.clients, story.edit, story.who, story.neighbour, story.playbook,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *kafkasecStory) cluster(ctx context.Context) error {
	state, err := s.r.Observe(ctx, s.spec)
	if err != nil {
		return err
	}
	s.foreign = s.outside(state)
	if state.Brokers != 3 || len(state.Topics) != 0 || len(s.foreign) != 1 || len(state.ACLs) != 1 {
		return notSo("three brokers hold no topic of the spec, and one binding, which is foreign; found %+v", state)
	}
	s.step("The cluster")
	s.say(`Three brokers are up. Every client has to log in, and may do nothing without an ACL. user1 and
user2 work with the topic metricbeat, user3 and user4 with packetbeat; so far there is neither topic
nor ACL for them. A team next door is at home already: its user %s writes to its topic %s.`, foreignUser, foreignTopic)
	s.say(`The cluster is reached with the Java client properties that the Kafka console scripts
take as --command-config:`)
	s.file(clientProperties("admin"), "#")
	s.say(`The password is a reference. This program answers it with one that it made up at its
start; no password is ever printed.`)
	return s.try(ctx,
		guesses("admin", s.secret()).refused("credentials"),
		produces("user1", "metricbeat", "too early").refused("TOPIC_AUTHORIZATION_FAILED"),
		produces(foreignUser, foreignTopic, "invoice 1").works(),
	)
}

func (s *kafkasecStory) declare(context.Context) error {
	s.step("The spec")
	s.say("This is %s beside this program, as a whole:", specName)
	s.file(specText, "#")
	return nil
}

func (s *kafkasecStory) converge(ctx context.Context) error {
	s.step("Plan, apply, plan again")
	s.say("A program needs four calls for all of it:")
	s.file(`spec, err := kafkasec.ParseSpec("kafkasec.yaml", data)
state, err := reconciler.Observe(ctx, spec)   // reads the cluster
plan, err := spec.Plan(state)                 // computes, and no more
report, err := reconciler.Apply(ctx, plan)    // the only one that writes
`, "//")
	plan, err := s.plan(ctx)
	if err != nil {
		return err
	}
	// Had Observe or Plan written, this one would differ.
	again, err := s.plan(ctx)
	if err != nil {
		return err
	}
	saved, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	if plan, err = kafkasec.ParsePlan("plan.json", saved); err != nil {
		return err
	}
	if plan.Empty() || plan.Observed != again.Observed || plan.String() != again.String() {
		return notSo("planning twice, and through JSON, gives the same plan; found %s and %s", plan, again)
	}
	s.say("The plan is exactly what will happen: print it, review it, save it as JSON.")
	s.marked(plan.String())
	s.say("Here it goes through JSON and back, and then it is applied:")
	return s.apply(ctx, plan)
}

func (s *kafkasecStory) clients(ctx context.Context) error {
	s.step("Does it hold?")
	s.say("Clients log in as those users and try. The brokers decide:")
	return s.try(ctx,
		produces("user1", "metricbeat", "cpu 12%").works(),
		produces("user2", "metricbeat", "cpu 97%").works(),
		consumes("user2", "metricbeatCon2", "metricbeat", "cpu 12%", "cpu 97%").works(),
		consumes("user2", "metricbeatCon1", "metricbeat").refused("GROUP_AUTHORIZATION_FAILED"),
		produces("user3", "packetbeat", "dns query").works(),
		consumes("user4", "packetbeatCon2", "packetbeat", "dns query").works(),
		produces("user4", "packetbeat", "forged").refused("TOPIC_AUTHORIZATION_FAILED"),
		produces("user3", "metricbeat", "forged").refused("TOPIC_AUTHORIZATION_FAILED"),
	)
}

func (s *kafkasecStory) edit(ctx context.Context) (err error) {
	s.step("One line changes")
	s.say("user2 shall read on, but not ship any longer. One line of the spec says so:")
	if strings.Count(specText, mayWrite) != 1 {
		return notSo("%s has this line once: %s", specName, mayWrite)
	}
	s.marked("-" + mayWrite + "+" + mayNotWrite)
	s.spec, err = kafkasec.ParseSpec(specName, []byte(strings.Replace(specText, mayWrite, mayNotWrite, 1)))
	if err != nil {
		return err
	}
	plan, err := s.plan(ctx)
	if err != nil {
		return err
	}
	if len(plan.Changes) != 1 || plan.Changes[0].Action != holdfast.ActionDelete {
		return notSo("the plan revokes one binding; it is %s", plan)
	}
	s.say("The plan is as small as the edit:")
	s.marked(plan.String())
	if err := s.apply(ctx, plan); err != nil {
		return err
	}
	return s.try(ctx,
		produces("user2", "metricbeat", "cpu 98%").refused("TOPIC_AUTHORIZATION_FAILED"),
		produces("user1", "metricbeat", "cpu 13%").works(),
		consumes("user2", "metricbeatCon2", "metricbeat", "cpu 12%", "cpu 13%", "cpu 97%").works(),
	)
}

func (s *kafkasecStory) neighbour(ctx context.Context) error {
	s.step("The team next door")
	state, err := s.r.Observe(ctx, s.spec)
	if err != nil {
		return err
	}
	if now := s.outside(state); !slices.Equal(now, s.foreign) {
		return notSo("bindings outside the scope are as before, %v; found %v", s.foreign, now)
	}
	s.say(`Its topic and its ACL are outside the scope of the spec, so no plan listed them and
nothing touched them:`)
	s.line("")
	for _, b := range s.foreign {
		s.line(margin + b.String())
	}
	if err := s.try(ctx, produces(foreignUser, foreignTopic, "invoice 2").works()); err != nil {
		return err
	}
	s.say(`And nobody reaches for it by mistake. Suppose that somebody writes %s where the spec says
packetbeat: what a spec declares and does not own is refused before anything is sent.`, foreignTopic)
	_, err = kafkasec.ParseSpec(specName, []byte(strings.Replace(specText, "name: packetbeat", "name: "+foreignTopic, 1)))
	var problems holdfast.Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		return notSo("a spec that declares %s without owning it is refused for that; the answer is %v", foreignTopic, err)
	}
	s.refused(problems[0].Error())
	return nil
}

// plan observes and plans. The cluster lets admin read everything, and nothing
// foreign may ever be listed.
func (s *kafkasecStory) plan(ctx context.Context) (kafkasec.Plan, error) {
	state, err := s.r.Observe(ctx, s.spec)
	if err != nil {
		return kafkasec.Plan{}, err
	}
	plan, err := s.spec.Plan(state)
	if err == nil && len(plan.Unread) > 0 {
		return plan, notSo("admin can read everything; the plan is %s", plan)
	}
	for _, c := range plan.Changes {
		if strings.Contains(c.Name, foreignTopic) || strings.Contains(c.Name, foreignUser) {
			return plan, notSo("no plan lists what is outside the scope; found %s", c)
		}
	}
	return plan, err
}

// apply applies the plan, after which there must be nothing left to plan.
func (s *kafkasecStory) apply(ctx context.Context, plan kafkasec.Plan) error {
	report, err := s.r.Apply(ctx, plan)
	if err != nil {
		return err
	}
	if report.Count(holdfast.Applied) != len(plan.Changes) {
		return notSo("every change is applied; the report is %s", report)
	}
	rest, err := s.plan(ctx)
	if err != nil {
		return err
	}
	if !rest.Empty() {
		return notSo("after a clean apply there is nothing left to plan; the plan is %s", rest)
	}
	s.table([][]string{{"apply", report.Summary()}, {"plan again", rest.Summary()}}, s.style.Good)
	return nil
}

// outside are the bindings that the spec does not own.
func (s *kafkasecStory) outside(state kafkasec.State) []kafkasec.Binding {
	return slices.DeleteFunc(slices.Clone(state.ACLs), s.spec.Scope.OwnsBinding)
}
