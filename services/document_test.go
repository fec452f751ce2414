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
		"../docs/rulebook.md":              rulebook(services.Controls()),
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

// rulebook is the table of what each control is called elsewhere, what it writes, and
// what its wire is tested against.
func rulebook(list []control.Control) string {
	var b strings.Builder
	b.WriteString("# Rulebook\n\nGenerated from the controls. What decides between automatic, review and alert stands on the page of each. " +
		"A control whose writes are tested against AWS's model of the service alone (its shapes, pages and errors), and not against a simulator that keeps what is written, " +
		"starts in review; nothing of such a row was ever carried out by AWS itself in a test.\n\n")
	fmt.Fprintf(&b, "%d controls on %d resource types.\n\n", len(list), len(services.Types().Types()))
	b.WriteString("| control | severity up to | complexity | before guardrails | writes | writes tested against | known as |\n|---|---|---|---|---|---|---|\n")
	for _, c := range list {
		var starts, known []string
		tested := "moto or dera's simulated AWS"
		for _, k := range c.Cases {
			if s := k.Disposition.String(); !slices.Contains(starts, s) {
				starts = append(starts, s)
			}
			if strings.Contains(k.Because, "tested against AWS's model") {
				tested = "AWS's model only"
			}
		}
		for _, r := range c.Refs {
			if r.ID != "" && (r.Standard == "Security Hub" || r.Standard == "AWS Config" || r.Standard == "Prowler" || strings.HasPrefix(r.Standard, "CIS")) {
				known = append(known, r.Standard+" "+r.ID)
			}
		}
		writes := strings.Join(c.Writes, ", ")
		if writes == "" {
			writes, tested = "none", "–"
		}
		fmt.Fprintf(&b, "| [%s](controls/%s.md) | %s | %s | %s | %s | %s | %s |\n", c.ID, c.ID, c.Severity, c.Complexity, strings.Join(starts, ", "), writes, tested, strings.Join(known, ", "))
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
