package evaluate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the expected output to testdata")

// golden compares text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text); d != "" {
		t.Errorf("%s differs; if it is meant, run go test -update (-want +got):\n%s", path, d)
	}
}

func TestExemptionSchema_is_committed(t *testing.T) {
	t.Parallel()
	golden(t, "exemption_schema.golden", string(ExemptionSchema()))
}

// TestExemptionSchema_agrees_with_the_loader runs every list of the loader's
// tests through the schema too.
func TestExemptionSchema_agrees_with_the_loader(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(ExemptionSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("exemptions.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("exemptions.json")
	if err != nil {
		t.Fatal(err)
	}
	accepts := func(text string) bool {
		var v any
		return yaml.Unmarshal([]byte(text), &v) == nil && schema.Validate(v) == nil
	}
	for name, text := range goodExemptions() {
		if !accepts(text) {
			t.Errorf("%s: the loader accepts what the schema refuses:\n%s", name, text)
		}
	}
	refused := 0
	for name, tc := range badExemptions() {
		if accepts(tc.text) && !tc.beyondSchema {
			t.Errorf("%s: the schema accepts what the loader refuses:\n%s", name, tc.text)
		}
		if !tc.beyondSchema {
			refused++
		}
	}
	if refused < 25 {
		t.Errorf("got %d lists that both refuse, want at least 25", refused)
	}
}
