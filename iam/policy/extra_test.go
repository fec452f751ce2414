package policy

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
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
