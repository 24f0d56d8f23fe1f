package main

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/holdfast-sec/holdfast/kafkasec"
)

// who asks one question of the bindings, and the brokers whether it is true.
func (s *kafkasecStory) who(ctx context.Context) error {
	s.step("Who can?")
	bindings, err := s.r.Bindings(ctx)
	if err != nil {
		return err
	}
	auth := kafkasec.NewAuthorizer(bindings, kafkasec.AuthorizerOptions{SuperUsers: []string{"User:admin"}})
	topic, err := kafkasec.ParseResource("topic:metricbeat", "")
	if err != nil {
		return err
	}
	s.say("Who can write to metricbeat? The ACLs of the cluster answer, without trying:")
	var rows [][]string
	for _, access := range auth.Who(kafkasec.Write, topic) {
		why := "is a super user"
		if access.Rule != kafkasec.RuleSuperUser {
			why = access.Bindings[0].String()
		}
		rows = append(rows, []string{access.Principal, why})
	}
	s.table(rows, s.style.Good)
	s.say("user2 no longer can, and this is why:")
	for _, user := range slices.Sorted(maps.Keys(s.kafka.passwords)) {
		d := auth.Decide(kafkasec.Question{
			Principal: "User:" + user, Host: netip.MustParseAddr("127.0.0.1"), Operation: kafkasec.Write, Resource: topic,
		})
		if user == "user2" {
			if d.Allowed {
				return notSo("user2 may not write; the answer is %q", d)
			}
			s.refused(d.String())
		}
		err := s.kafka.produce(ctx, user, topic.Name, "asked")
		if refused := refusal(err); err != nil && refused == "" {
			return err
		}
		if (err == nil) != d.Allowed {
			return notSo("the brokers agree with the answer; it is %q, and of %s they say %v", d, user, err)
		}
	}
	s.say("Every user has just tried, and the brokers agree.")
	return nil
}
