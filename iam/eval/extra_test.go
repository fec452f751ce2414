package eval

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
)

// The tests named TestExtra_... hold this package against cases of other
// authors, which are not part of the repository: some have licences that do not
// allow it. DERA_EXTRA_DATA names the folder with iamcases/*.json.

// extraCase is one case of a peer: what it wants and what this package says.
type extraCase struct{ id, got, want string }

// difference says why a peer's case is not what AWS does. Each must still be a
// difference, so that the list cannot outlive its reasons.
type difference struct{ rule, source string }

// extraFile reads a file of recorded cases.
func extraFile(t *testing.T, name string, into any) {
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

// report prints the table of a file and fails for every difference that is not
// listed and every listed case that is none.
func report(t *testing.T, name string, cases []extraCase, listed map[string]difference) {
	t.Helper()
	right, wrong, known := 0, 0, 0
	for _, c := range cases {
		why, isListed := listed[c.id]
		switch {
		case c.got == c.want && isListed:
			t.Errorf("%s: listed as a difference, but both say %q", c.id, c.got)
		case c.got == c.want:
			right++
		case isListed:
			known++
			t.Logf("%s: got %q, the peer says %q: %s (%s)", c.id, c.got, c.want, why.rule, why.source)
		default:
			wrong++
			t.Errorf("%s: got %q, want %q", c.id, c.got, c.want)
		}
	}
	t.Logf("%-24s %5s %5s %5s %6s", "file", "cases", "right", "wrong", "listed")
	t.Logf("%-24s %5d %5d %5d %6d", name, len(cases), right, wrong, known)
	if known != len(listed) {
		t.Errorf("%d cases are listed as differences, %d were found", len(listed), known)
	}
}

// words turns a peer's boolean into the words that cases are compared by.
func words(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// looseList reads a string, a list of strings, or nothing.
type looseList []string

func (l *looseList) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*l = looseList{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(l))
}

// parseAll parses the documents of a peer, leaving out empty ones.
func parseAll(t *testing.T, raw ...json.RawMessage) []*policy.Document {
	t.Helper()
	var docs []*policy.Document
	for _, r := range raw {
		var shape struct{ Statement []json.RawMessage }
		if json.Unmarshal(r, &shape) == nil && len(shape.Statement) == 0 && strings.Contains(string(r), "[]") {
			continue
		}
		d, err := policy.Parse(string(r))
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		docs = append(docs, d)
	}
	return docs
}
