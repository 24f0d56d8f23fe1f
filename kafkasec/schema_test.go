package kafkasec

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-sec/holdfast"
	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

const schemaFile = "spec.schema.json"

// The committed schema is what the types, the texts and the rules make.
func TestSpecSchema_IsGenerated(t *testing.T) {
	want, err := generateSchema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(schemaFile, want, 0o644))
		return
	}
	require.Equal(t, string(want), string(SpecSchema()),
		"%s is not what the spec's types say: run go test ./kafkasec -run SpecSchema -update, and read the difference", schemaFile)
}

// validateBySchema reads YAML as an editor does and asks a validator that shares no
// code with ours. The places are those of the problems, as paths of a spec.
func validateBySchema(t testing.TB, schema *jsonschema.Schema, yaml []byte) (places []string) {
	t.Helper()
	var doc any
	_, err := strictyaml.Decode("spec.yaml", yaml, &doc)
	require.NoError(t, err, string(yaml))
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(doc); err != nil {
		require.ErrorAs(t, err, &invalid)
		places = errorPlaces(doc, invalid)
	}
	return places
}

func compiledSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(SpecSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(schemaFile, doc))
	schema, err := c.Compile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, 7, schema.DraftVersion)
	return schema
}

// errorPlaces are where an editor would underline.
func errorPlaces(doc any, e *jsonschema.ValidationError) []string {
	if len(e.Causes) > 0 {
		var places []string
		for _, c := range e.Causes {
			places = append(places, errorPlaces(doc, c)...)
		}
		return places
	}
	place := specPath(doc, e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return below(place, k.Missing)
	case *kind.AdditionalProperties:
		return below(place, k.Properties)
	case *kind.UniqueItems:
		return []string{index(place, k.Duplicates[1])}
	}
	return []string{place}
}

func below(place string, fields []string) []string {
	places := make([]string, len(fields))
	for i, f := range fields {
		places[i] = strings.TrimPrefix(place+field(f), ".")
	}
	return places
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func field(name string) string {
	if plainKey.MatchString(name) {
		return "." + name
	}
	return key(name)
}

// specPath writes a location as strictyaml writes it.
func specPath(doc any, location []string) string {
	var path string
	for _, part := range location {
		if _, isList := doc.([]any); isList {
			path += "[" + part + "]"
			var i int
			_, _ = fmt.Sscan(part, &i)
			doc = doc.([]any)[i]
			continue
		}
		path += field(part)
		doc = doc.(map[string]any)[part]
	}
	return strings.TrimPrefix(path, ".")
}

// fixtureSpecs are the specs of the golden files and the examples, by name.
func fixtureSpecs(t testing.TB, patterns ...string) map[string][]byte {
	t.Helper()
	specs := map[string][]byte{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			if filepath.Ext(file) != ".txtar" {
				specs[file] = data
				continue
			}
			for _, f := range txtar.Parse(data).Files {
				if strings.HasSuffix(f.Name, ".yaml") {
					specs[file+" "+f.Name] = f.Data
				}
			}
		}
	}
	return specs
}

func TestSpecSchema_TakesEveryValidSpec(t *testing.T) {
	schema := compiledSchema(t)
	valid := 0
	specs := fixtureSpecs(t, "testdata/plan/*.txtar", "../examples/*/*.yaml", "../examples/*/testdata/script/*.txtar")
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		if s, err := ParseSpec(name, specs[name]); err == nil {
			valid++
			require.Empty(t, validateBySchema(t, schema, specs[name]), name)
			written, err := s.YAML()
			require.NoError(t, err)
			require.Empty(t, validateBySchema(t, schema, written), name)
		}
	}
	require.Greater(t, valid, 20, "of %d", len(specs))
}

func TestSpecSchema_TakesRandomSpecs(t *testing.T) {
	schema := compiledSchema(t)
	rng := rand.New(rand.NewPCG(1, 0))
	for range 500 {
		data, err := randomSpec(rng, "p").YAML()
		require.NoError(t, err)
		require.Empty(t, validateBySchema(t, schema, data), string(data))
	}
}

// Whatever can be read is taken as it would be written.
func FuzzSpecSchema(f *testing.F) {
	schema := compiledSchema(f)
	for _, data := range fixtureSpecs(f, "testdata/plan/*.txtar", "testdata/reject/*.txtar", "../examples/*/*.yaml") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := ParseSpec("spec.yaml", data); err == nil {
			written, err := s.YAML()
			require.NoError(t, err)
			require.Empty(t, validateBySchema(t, schema, written), string(written))
		}
	})
}

// beyondSchema are the problems that no JSON Schema can see, or that one of a
// sensible size does not, by what is said of them.
var beyondSchema = []struct{ problem, because string }{
	{`is outside the scope`, "a schema does not compare one part of the document with another"},
	{`(topics|quotas)\[\d+\].* is declared at .* already`, "uniqueItems compares whole items, not their names"},
	{`the same binding stands at`, "bindings are equal through defaults and spellings"},
	{`collides with`, "names that differ in . and _ are different text"},
	{`wanted (absent|present|by)`, "a schema does not compare one part of the document with another"},
	{`is \d+, more than`, "a schema does not compare numbers with each other"},
	{`scope\.ips.* write it as`, "the shortest spelling of an IPv6 address is no regular expression that anybody could read"},
	{`users_secrets.* users\[2\]\.password`, "which schemes are declared is compared with nothing; where none is, the schema takes env and file only"},
}

// Every problem of the rejected fixtures is refused by the schema in its place,
// or is beyond it for a reason that is written down and still true.
func TestSpecSchema_RefusesWhatItCanSee(t *testing.T) {
	schema := compiledSchema(t)
	used := make([]bool, len(beyondSchema))
	specs := fixtureSpecs(t, "testdata/reject/*.txtar")
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		var doc any
		if _, err := strictyaml.Decode(name, specs[name], &doc); err != nil {
			continue // no editor reads it
		}
		_, err := ParseSpec(name, specs[name])
		var problems holdfast.Problems
		require.True(t, errors.As(err, &problems), name)
		places := validateBySchema(t, schema, specs[name])
		for _, p := range problems {
			refused := slices.ContainsFunc(places, func(place string) bool { return slices.Contains(claimants(place, problems), p) })
			beyond := -1
			for i, b := range beyondSchema {
				if regexp.MustCompile(b.problem).MatchString(p.Error()) {
					require.Equal(t, -1, beyond, "two rows of beyondSchema are about %s", p)
					beyond = i
					used[i] = true
				}
			}
			if refused == (beyond >= 0) {
				if refused {
					t.Errorf("the schema refuses this, so beyondSchema is wrong to say %q: %v", beyondSchema[beyond].because, p)
				} else {
					t.Errorf("the schema does not refuse this: add a rule to schema_rules_test.go or schema_types_test.go, or say in beyondSchema why not: %v\nit refuses %q", p, places)
				}
			}
		}
	}
	for i, b := range beyondSchema {
		if !used[i] {
			t.Errorf("beyondSchema speaks of %q, and no rejected fixture has that: remove the row", b.problem)
		}
	}
}

// claimants are the problems that an editor's underline shows: those in its place;
// otherwise those of what it is part of; otherwise those of its neighbours, since
// of fields that do not go together one may underline another than ours.
func claimants(place string, problems holdfast.Problems) holdfast.Problems {
	under := func(path string) bool {
		rest, ok := strings.CutPrefix(place, path)
		return ok && (path == "" || rest[0] == '.' || rest[0] == '[')
	}
	for _, claims := range []func(path string) bool{
		func(path string) bool { return path == place },
		under,
		func(path string) bool {
			parent := path[:max(0, strings.LastIndex(path, "."))]
			return parent != "" && under(parent)
		},
	} {
		found := slices.DeleteFunc(slices.Clone(problems), func(p holdfast.Problem) bool { return !claims(p.Path) })
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// What ParseSpec reads and what the schema offers are the same fields.
func TestSpecSchema_HasTheFieldsOfTheTypes(t *testing.T) {
	var doc map[string]any
	d, err := jsonschema.UnmarshalJSON(bytes.NewReader(SpecSchema()))
	require.NoError(t, err)
	doc = d.(map[string]any)
	compareFields(t, "", reflect.TypeFor[Spec](), doc)
}

func compareFields(t *testing.T, path string, typ reflect.Type, schema map[string]any) {
	t.Helper()
	properties := map[string]any{}
	collect := func(s map[string]any) {
		props, _ := s["properties"].(map[string]any)
		maps.Copy(properties, props)
	}
	if typ == reflect.TypeFor[Role]() {
		for _, rule := range schema["allOf"].([]any) {
			collect(rule.(map[string]any)["then"].(map[string]any))
		}
	} else {
		require.Equal(t, false, schema["additionalProperties"], "%s takes unknown fields", path)
	}
	collect(schema)
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		p, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s has the field %s, and the schema has not: describe %s.%s in schemaTexts (schema_text_test.go); if validation bounds it, add a rule to "+
				"fieldRules (schema_rules_test.go) or typeRules (schema_types_test.go); a field of a role stands in roleFields (role_check.go); "+
				"then run go test ./kafkasec -run SpecSchema -update", typ.Name(), at, typ.Name(), name)
			continue
		}
		delete(properties, name)
		if text, _ := p["description"].(string); text == "" {
			t.Errorf("%s has no description in the schema, so editors show nothing: add one to schemaTexts (schema_text_test.go)", at)
		}
		switch ft := f.Type; {
		case ft.Kind() == reflect.Struct:
			compareFields(t, at, ft, p)
		case ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct:
			compareFields(t, at+"[]", ft.Elem(), p["items"].(map[string]any))
		}
	}
	for name := range properties {
		t.Errorf("the schema has %s.%s, which %s has not: run go test ./kafkasec -run SpecSchema -update", path, name, typ.Name())
	}
}
