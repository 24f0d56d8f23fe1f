package main

import (
	"context"
	_ "embed" // for the variable file
	"errors"
	"slices"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/kafkasec"
	"github.com/holdfast-sec/holdfast/kafkasec/playbook"
)

const variablesName = "playbook.yml"

//go:embed playbook.yml
var variablesText string

// playbook reads what somebody brings along who used to run a playbook.
func (s *kafkasecStory) playbook(ctx context.Context) error {
	s.step("A playbook's variable file")
	s.say(`Who declares topics and users for an Ansible playbook has a file such as %s beside
this program. It need not be written anew:`, variablesName)
	s.file(variablesText, "#")
	_, err := playbook.Read(variablesName, []byte(variablesText), playbook.Options{})
	var conflicts *playbook.ConflictError
	if !errors.As(err, &conflicts) || len(conflicts.Conflicts) != 1 {
		return notSo("%s contradicts itself once: %w", variablesName, err)
	}
	s.say(`It says of user2 two things, and the playbook does both on every run: it gives user2 what a
producer needs, and takes some of it away. Here that is an error:`)
	s.refused(conflicts.Conflicts[0].String())
	result, err := playbook.Read(variablesName, []byte(variablesText), playbook.Options{Conflicts: playbook.Revoke})
	if err != nil {
		return err
	}
	if len(result.Untranslated) > 0 {
		return notSo("all of %s is translated; not so %s", variablesName, result.Untranslated[0])
	}
	s.spec = result.Spec
	plan, err := s.plan(ctx)
	if err != nil {
		return err
	}
	if len(plan.Changes) == 0 || slices.ContainsFunc(plan.Changes, func(c kafkasec.Change) bool { return c.Action != holdfast.ActionCreate }) {
		return notSo("the file only adds bindings to what is there; the plan is %s", plan)
	}
	s.say(`Somebody has to choose. With playbook.Revoke what that line names is absent, and all else is,
to the letter, what the playbook's console scripts would have made:`)
	s.marked(plan.String())

	result, err = playbook.Read(variablesName, []byte(variablesText), playbook.Options{Conflicts: playbook.Revoke, LeastPrivilege: true})
	if err != nil {
		return err
	}
	s.spec = result.Spec
	if plan, err = s.plan(ctx); err != nil {
		return err
	}
	if !plan.Empty() {
		return notSo("with least privilege the file says what is there already; the plan is %s", plan)
	}
	s.say(`That is more than the clients above have worked with. With least privilege the same file says
what this chapter has made already:`)
	s.marked(plan.String())
	return nil
}
