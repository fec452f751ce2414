package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/evaluate"
)

// schemas are the schemas that are committed beside the examples, by the name of
// the example.
func schemas(t *testing.T) map[string][]byte {
	t.Helper()
	config, err := configSchema()
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"config": config, "exemptions": []byte(strings.TrimSuffix(string(evaluate.ExemptionSchema()), "\n"))}
}

// TestSchemasAreCommitted: editors find the schema of an example beside it, and it
// is the one that dera prints. go test ./cmd/dera -run TestSchemas -update writes it.
func TestSchemasAreCommitted(t *testing.T) {
	t.Parallel()
	for name, text := range schemas(t) {
		path := filepath.Join("..", "..", "examples", name+".schema.json")
		if *update {
			if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != string(text)+"\n" {
			t.Errorf("%s is not the schema that dera prints (%v); if it is meant, run: go test ./cmd/dera -run TestSchemas -update", path, err)
		}
		example, err := os.ReadFile(filepath.Join("..", "..", "examples", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(example), "\n")
		if want := "# yaml-language-server: $schema=" + name + ".schema.json"; first != want {
			t.Errorf("examples/%s.yaml: got the first line %q, want %q", name, first, want)
		}
	}
}

// TestSchemasSayWhatEachFieldIs: each schema has an ID of its own, and no property is
// without a description.
func TestSchemasSayWhatEachFieldIs(t *testing.T) {
	t.Parallel()
	for name, text := range schemas(t) {
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		if got, want := schema["$id"], "https://dera.example/schema/"+name+"/1.json"; got != want {
			t.Errorf("%s: $id: got %v, want %s", name, got, want)
		}
		if text, _ := schema["description"].(string); text == "" {
			t.Errorf("%s: the schema has no description", name)
		}
		for _, path := range undescribed(schema, "") {
			t.Errorf("%s: %s has no description", name, path)
		}
	}
}

// undescribed are the properties under a schema that do not say what they are.
func undescribed(v any, path string) (out []string) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			out = append(out, undescribed(item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		properties, _ := v["properties"].(map[string]any)
		for name, p := range properties {
			property, _ := p.(map[string]any)
			if text, _ := property["description"].(string); text == "" {
				out = append(out, path+"."+name)
			}
			out = append(out, undescribed(p, path+"."+name)...)
		}
		for key, item := range v {
			if key != "properties" {
				out = append(out, undescribed(item, path)...)
			}
		}
	}
	return out
}
