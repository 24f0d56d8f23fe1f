package playbook

import "github.com/holdfast-sec/holdfast/internal/strictyaml"

// Recognize reports whether a document is for [Read], and not for
// [kafkasec.ParseSpec], which demands a kind: a YAML mapping that has
// topics_acl_users and no kind. What else is right or wrong with it does not
// matter, except that YAML which cannot be parsed is neither.
func Recognize(data []byte) bool {
	var vars struct {
		Others []strictyaml.UnknownKey `yaml:",unknown"`
	}
	at, _ := strictyaml.Decode("", data, &vars) // the position of what is there is known after problems, too
	has := func(key string) bool { return at.At(key) != at.At("") }
	return has("topics_acl_users") && !has("kind")
}
