package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/examples/internal/cli"
)

// attempt is what a client tries, and what must come of it.
type attempt struct {
	user, what string
	// do returns what there is to tell where it works, which may be nothing.
	do func(context.Context, *kafka) (string, error)
	// why it has to be refused, "" where it has to work.
	why string
}

func (a attempt) works() attempt {
	a.why = ""
	return a
}

func (a attempt) refused(why string) attempt {
	a.why = why
	return a
}

func guesses(user string, password holdfast.Secret) attempt {
	return attempt{user: user, what: "logs in with a guessed password", do: func(ctx context.Context, k *kafka) (string, error) {
		return "", k.guess(ctx, user, password)
	}}
}

func produces(user, topic, value string) attempt {
	return attempt{user: user, what: "produces to " + topic, do: func(ctx context.Context, k *kafka) (string, error) {
		return "", k.produce(ctx, user, topic, value)
	}}
}

// consumes reads the topic from its start and wants these records, in any
// order: they may be on different partitions.
func consumes(user, group, topic string, want ...string) attempt {
	return attempt{user: user, what: "consumes " + topic + " in group " + group, do: func(ctx context.Context, k *kafka) (string, error) {
		got, err := k.consume(ctx, user, group, topic, max(1, len(want)))
		if err != nil {
			return "", err
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return "", fmt.Errorf("found the records %q, not %q", got, want)
		}
		return "reads " + strings.Join(got, ", "), nil
	}}
}

// try lets clients try in turn, and shows each with what came of it.
func (s *kafkasecStory) try(ctx context.Context, attempts ...attempt) error {
	s.line("")
	const end = "|" // keeps the padding before it
	rows := make([][]string, len(attempts))
	for i, a := range attempts {
		rows[i] = []string{a.user, a.what, end}
	}
	for i, row := range cli.Align(rows) {
		a, row := attempts[i], margin+strings.TrimSuffix(row, end)
		told, err := a.do(ctx, s.kafka)
		switch {
		case a.why == "" && err == nil:
			if told != "" {
				told = ": " + told
			}
			s.line(row + s.style.Good("works") + told)
		case a.why == "":
			return notSo("%s %s, which should work: %w", a.user, a.what, err)
		case err == nil:
			return notSo("%s %s, which should be refused (%s): it worked", a.user, a.what, a.why)
		case refusal(err) == a.why:
			s.line(row + s.style.Bad("refused") + ": " + a.why)
		default:
			return notSo("%s %s, which should be refused (%s): %w", a.user, a.what, a.why, err)
		}
	}
	return nil
}
