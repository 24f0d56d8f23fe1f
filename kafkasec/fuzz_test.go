package kafkasec

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-sec/holdfast"
)

// Whatever the text, the answer is a spec that validates and plans, or problems
// that all have a line.
func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(observed))
	f.Add([]byte("kind: KafkaSecurity\nversion: 1\ntopics: [{name: a, configs: {retention.ms: 1}}]"))
	f.Add([]byte("acls: [{principal: \"User:a\", operations: [Read], resource: \"group:a*\", pattern: literal}]"))
	f.Add([]byte("kind: KafkaSecurity\nversion: 1\nscope: {principals: [\"User:a\"]}\nusers: [{name: a, mechanisms: [SCRAM-SHA-512], iterations: 4097, password: \"env:A\"}]\nquotas: [{user: a, client_id: b, producer_byte_rate: 1}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSpec("spec.yaml", data)
		if err == nil {
			if _, err := s.Plan(State{Topics: map[string]TopicState{}}); err != nil {
				var problems holdfast.Problems
				if !errors.As(err, &problems) {
					t.Fatalf("no problems: %v", err)
				}
			}
			return
		}
		var problems holdfast.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("no problems: %v", err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Message == "" {
				t.Fatalf("problem without line or message: %+v", p)
			}
		}
	})
}

// A plan that is read is the plan that is written.
func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(`{"plan":"kafkasec","version":1,"cluster":"c","observed":"","changes":[{"action":"create","kind":"topic","name":"t","reason":"","before":null,"after":{"partitions":1}}]}`))
	f.Add([]byte(`{"plan":"kafkasec","version":1,"changes":[{"action":"delete","kind":"acl","name":"allow User:a Read on group:g* (literal) from *","before":{"principal":"User:a","host":"*","operation":"Read","permission":"allow","resource":"group:g*","pattern":"literal"},"after":null}]}`))
	f.Add([]byte(`{"plan":"kafkasec","version":1,"changes":[{"action":"update","kind":"scram-user","name":"a SCRAM-SHA-512","before":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":1},"after":{"user":"a","mechanism":"SCRAM-SHA-512","iterations":4096,"password":"env:A"}}]}`))
	f.Add([]byte(`{"plan":"kafkasec","version":1,"changes":[{"action":"delete","kind":"quota","name":"user a, ip_default","before":{"user":"a","limits":{"of_the_future":1}},"after":null}]}`))
	f.Add([]byte(`{"plan":"kafkasec","version":1,"changes":[{"action":"create","kind":"quota","name":"user a","before":null,"after":{"user":"a","limits":{"producer_byte_rate":1}}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePlan("plan.json", data)
		if err != nil {
			return
		}
		out, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParsePlan("plan.json", out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := cmp.Diff(p, q, cmp.Comparer(func(a, b error) bool { return a.Error() == b.Error() })); diff != "" {
			t.Fatal(diff)
		}
		_ = p.String()
	})
}

// Every resource that can be read is written so that it reads back.
func FuzzParseResource(f *testing.F) {
	for _, s := range []string{"topic:a", "topic:a*", "topic:*", "cluster", "group:a**", "user:User:a", "token:"} {
		f.Add(s, "")
		f.Add(s, "literal")
		f.Add(s, "prefixed")
	}
	f.Fuzz(func(t *testing.T, text, pattern string) {
		r, err := ParseResource(text, Pattern(pattern))
		if err != nil {
			return
		}
		again, p := r.Text()
		back, err := ParseResource(again, p)
		if err != nil || back != r {
			t.Fatalf("%q %q: %+v, written %q %q, read %+v, %v", text, pattern, r, again, p, back, err)
		}
	})
}
