package policy

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// extra reads a file of recorded cases. They are not part of the repository:
// some have licences that do not allow it.
func extra(t *testing.T, name string, into any) {
	t.Helper()
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set: it names the folder with recorded cases (iamcases/*.json)")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "iamcases", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// documentText returns a recorded document as AWS got it: some are recorded as
// text, some as JSON.
func documentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// TestExtra_validity holds Parse and Validate against the answers of AWS's
// CreatePolicy, word for word.
func TestExtra_validity(t *testing.T) {
	var file struct {
		Cases []struct {
			ID       string
			Document json.RawMessage
			Valid    bool
			Error    string
		}
	}
	extra(t, "validity_moto.json", &file)
	right := 0
	for _, c := range file.Cases {
		got := reason(documentText(c.Document), Identity)
		if got == c.Error {
			right++
		} else {
			t.Errorf("%s: got %q, want %q\n%s", c.ID, got, c.Error, c.Document)
		}
	}
	t.Logf("%-20s %5s %5s %6s", "file", "cases", "right", "wrong")
	t.Logf("%-20s %5d %5d %6d", "validity_moto.json", len(file.Cases), right, len(file.Cases)-right)
}

// grammarRules are yams's cases in which AWS's grammar says otherwise.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
var grammarRules = map[string]string{
	"empty_policy":        `<version_block> = "Version" : ("2008-10-17" | "2012-10-17"); "Statement" : [<statement>, <statement>, ... ]`,
	"empty_statement_map": `<effect_block> is not marked "?" (optional) in <statement>`,
	"null_statement":      `<statement_block> = "Statement" : [<statement>, <statement>, ... ]`,
	"null_policy":         `policy = { <version_block?> <id_block?> <statement_block> }`,
	"2":                   `<condition_value> = ("string" | "number" | "Boolean")`,
	"8":                   `<condition_value> = ("string" | "number" | "Boolean")`,
	"9":                   `<condition_value> = ("string" | "number" | "Boolean")`,
	"10":                  `<condition_value> = ("string" | "number" | "Boolean")`,
}

// TestExtra_grammar_yams holds Parse against the parser tests of yams. Its
// tests of a single value are read as a condition value.
func TestExtra_grammar_yams(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Document string
			ShouldErr    bool
			Want         json.RawMessage
		}
	}
	extra(t, "grammar_yams.json", &file)
	right, listed := 0, 0
	for _, c := range file.Cases {
		name := strings.TrimSuffix(c.ID[strings.LastIndexByte(c.ID, '/')+1:], "#01")
		text := c.Document
		value, single := strings.CutPrefix(text, `{"S": `)
		if single {
			text = `{"Statement": {"Effect": "Allow", "Condition": {"StringEquals": {"key": ` + value + `}}}`
		}
		d, err := Parse(text)
		same := (err != nil) == c.ShouldErr && (err != nil || sameContent(t, d, c.Want, single))
		rule := grammarRules[name]
		switch {
		case same && rule != "":
			t.Errorf("%s: listed as a difference, but there is none", c.ID)
		case same:
			right++
		case rule != "":
			listed++
			t.Logf("%s: got error %v, the peer's error is %v: %s", c.ID, err, c.ShouldErr, rule)
		default:
			t.Errorf("%s: got %v, want error %v and %s", c.ID, err, c.ShouldErr, c.Want)
		}
	}
	t.Logf("%-20s %5s %5s %6s %6s", "file", "cases", "right", "wrong", "listed")
	t.Logf("%-20s %5d %5d %6d %6d", "grammar_yams.json", len(file.Cases), right, len(file.Cases)-right-listed, listed)
}

// sameContent compares a parsed document with what yams reads: a document, the
// values of a condition, or, in some tests, a mere yes or no.
func sameContent(t *testing.T, d *Document, want json.RawMessage, single bool) bool {
	t.Helper()
	if string(want) == "true" || string(want) == "false" {
		return true
	}
	if single {
		var values []string
		if err := json.Unmarshal(want, &values); err != nil {
			t.Fatal(err)
		}
		return slices.Equal(d.Statements[0].Conditions[0].Values, values)
	}
	w, err := Parse(string(want))
	if err != nil {
		t.Fatalf("%v\n%s", err, want)
	}
	return d.Canon() == w.Canon()
}

// reason returns AWS's words for why a text is no policy of the kind, or "".
func reason(text string, k Kind) string {
	d, err := Parse(text)
	if err == nil {
		err = d.Validate(k)
	}
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		return "not an *Error: " + err.Error()
	}
	return e.Reason
}
