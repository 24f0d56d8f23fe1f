package kafkasec

import _ "embed"

//go:embed spec.schema.json
var specSchema string

// SpecSchema returns the JSON Schema of specs, for editors: what may stand
// where, with descriptions, as a document of its own. The caller may change the
// bytes. It is draft-07, the newest that the YAML language
// server behind VS Code and others knows (its README, 1.19.2). It takes the
// specs that [Spec.YAML] writes, except where a config has digits of another script
// than ASCII, which Kafka reads as numbers too. What it takes may still have
// problems that only [ParseSpec] sees, such as names outside the scope.
func SpecSchema() []byte { return []byte(specSchema) }
