package strictyaml_test

import (
	"fmt"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

type acl struct {
	Principal  string   `yaml:"principal"`
	Operations []string `yaml:"operations"`
}

type spec struct {
	Version int   `yaml:"version"`
	ACLs    []acl `yaml:"acls"`
}

func ExampleDecode() {
	in := []byte(`version: one
acls:
  - principal: 12
    operation: [read]
`)
	var s spec
	_, err := strictyaml.Decode("spec.yaml", in, &s)
	fmt.Println(err)
	// Output:
	// spec.yaml:1:10: version: want an integer of 64 bits, found the text "one"
	// spec.yaml:3:16: acls[0].principal: want text, found the integer 12: put it in quotes
	// spec.yaml:4:5: acls[0]: unknown key "operation", did you mean "operations"? (allowed: principal, operations)
}

func ExamplePositions_Locate() {
	in := []byte(`version: 1
acls:
  - principal: User:alice
    operations: [read, fly]
`)
	var s spec
	positions, err := strictyaml.Decode("spec.yaml", in, &s)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Validation of the value knows paths, and positions where they stand.
	problems := holdfast.Problems{{Path: "acls[0].operations[1]", Message: `unknown operation "fly"`}}
	fmt.Println(positions.Locate(problems))
	// Output:
	// spec.yaml:4:24: acls[0].operations[1]: unknown operation "fly"
}
