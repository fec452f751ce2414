package services_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/role"
	"dera.example/dera/services"
	"github.com/google/go-cmp/cmp"
)

// TestDocuments: the pages and the roles that are made from the rulebook are
// those that lie in the tree. After a change: go test ./controls -update.
func TestDocuments(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"../docs/controls/README.md":       index(services.Controls()),
		"../examples/role/reader.json":     policy(t, control.ReaderPolicy),
		"../examples/role/remediator.json": policy(t, control.RemediatorPolicy),
	}
	for _, c := range services.Controls() {
		want["../docs/controls/"+c.ID+".md"] = c.Document()
	}
	for file, text := range want {
		if controltest.Update() {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("read generated file: %v", err)
			continue
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("%s is not what the rulebook makes (-rulebook +file); go test ./controls -update:\n%s", file, diff)
		}
	}
	pages, err := filepath.Glob("../docs/controls/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if _, ok := want[filepath.ToSlash(p)]; !ok {
			t.Errorf("%s is the page of no control", p)
		}
	}
}

// index is the table of all controls.
func index(list []control.Control) string {
	var b strings.Builder
	b.WriteString("# Controls\n\nGenerated from the rulebook; each page says when dera acts, what it changes and what it needs.\n\n")
	b.WriteString("| control | what is wrong | severity up to | decision before guardrails |\n|---|---|---|---|\n")
	for _, c := range list {
		var starts []string
		for _, k := range c.Cases {
			if s := k.Disposition.String(); !slices.Contains(starts, s) {
				starts = append(starts, s)
			}
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", c.ID, c.ID, c.Title, c.Severity, strings.Join(starts, ", "))
	}
	return b.String()
}

func policy(t *testing.T, write func([]control.Control, string, string) (role.Policy, error)) string {
	t.Helper()
	p, err := write(services.Controls(), "aws", "111122223333")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
