package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"
	ledger "dera.example/dera/usage"
)

// TestUsageJSONIsDocumented holds the tables of docs/cli.md against what the
// commands write: every field is there, and no other.
func TestUsageJSONIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	counts := []string{}
	raw, err := json.Marshal(ledger.Counts{})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	if err := json.Unmarshal(raw, &names); err != nil {
		t.Fatal(err)
	}
	for name := range names {
		counts = append(counts, "counts."+name)
	}
	use := func(prefix string, v any) []string {
		var out []string
		for _, name := range jsonFields(reflect.TypeOf(v)) {
			out = append(out, prefix+name)
		}
		return out
	}
	for heading, want := range map[string][]string{
		"### `dera usage import PATH -o json`":    slices.Concat(jsonFields(reflect.TypeFor[ledger.Report]()), counts, use("damaged[].", cloudtrail.Unread{}), use("left_out[].", cloudtrail.Unread{})),
		"### `dera usage show PRINCIPAL -o json`": slices.Concat(jsonFields(reflect.TypeFor[activityView]()), use("uses[].", ledger.Use{}), use("uses[].action.", ledger.Action{})),
		"### `dera usage gaps -o json`":           use("[].", ledger.Gap{}),
	} {
		_, section, found := strings.Cut(string(text), heading+"\n")
		if !found {
			t.Errorf("docs/cli.md has no section %s", heading)
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		var got []string
		for line := range strings.Lines(section) {
			cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			for _, m := range documentedField.FindAllStringSubmatch(cell, -1) {
				got = append(got, m[1])
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: docs/cli.md lists %q, the command writes %q", heading, got, want)
		}
	}
}

var documentedField = regexp.MustCompile("`([a-z_.\\[\\]]+)`")

// jsonFields are the names that a struct has in JSON.
func jsonFields(typ reflect.Type) []string {
	var out []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			for _, inner := range jsonFields(f.Type) {
				if !slices.Contains(out, inner) {
					out = append(out, inner)
				}
			}
		case name != "-" && name != "" && !slices.Contains(out, name):
			out = append(out, name)
		}
	}
	return out
}
