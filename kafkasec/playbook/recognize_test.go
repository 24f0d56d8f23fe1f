package playbook

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecognize(t *testing.T) {
	for text, want := range map[string]bool{
		"topics_acl_users: []":                                    true,
		"# first\n---\nkafka_user: kafka\ntopics_acl_users:\n":    true,
		`{"topics_acl_users": [], "kafka_user": "kafka"}`:         true,
		"topics_acl_users: []\ntopics_acl_users: []":              true, // Read says what is wrong
		"vault: !vault |\n  abc\ntopics_acl_users: !oops x":       true,
		"topics_acl_users: '{{ from_elsewhere }}'":                true,
		"kind: KafkaSecurity\ntopics_acl_users: []":               false,
		"topics_acl_users: []\nkind:":                             false,
		"kafka_user: kafka":                                       false,
		"nested: {topics_acl_users: []}":                          false,
		"- topics_acl_users":                                      false,
		"- topics_acl_users: []":                                  false,
		"topics_acl_users":                                        false,
		"":                                                        false,
		"topics_acl_users: []\n\t- x":                             false,
		"kind: KafkaSecurity\nversion: 1\nscope: {topics: [t]}\n": false,
	} {
		require.Equal(t, want, Recognize([]byte(text)), text)
	}
}
