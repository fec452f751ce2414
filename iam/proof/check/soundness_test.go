package check

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// pair is a question of the engine's own test data.
type pair struct {
	ID            string
	Expected      string
	New, Existing json.RawMessage
}

func pairs(t testing.TB, file string) []pair {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../reason/testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Cases []pair }
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f.Cases
}

func parse(t testing.TB, text string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

// subset is a certificate that one policy grants nothing that another does not.
func subset(t testing.TB, old, fresh string) []byte {
	t.Helper()
	c := Certificate{Format: Format, Purpose: Subset, Semantics: Semantics(), Claims: []Claim{{Claim: NothingNew}},
		Old: []Document{NewDocument(old)}, New: []Document{NewDocument(fresh)}}
	data, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCheck_never_accepts_what_is_refuted asks the checker about the pairs of
// AWS and about random ones that are made to confuse. It may reject what is
// true, but must never accept what the engine refutes.
func TestCheck_never_accepts_what_is_refuted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file  string
		least int // pairs that it must follow
	}{{"aws_checknonewaccess.json", 55}, {"generated.json", 45}} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			accepted, proved := 0, 0
			for _, p := range pairs(t, test.file) {
				fresh, old := parse(t, string(p.New)), parse(t, string(p.Existing))
				want := reason.Subset(t.Context(), reason.Policies{fresh}, reason.Policies{old}, reason.Config{})
				_, err := Check(subset(t, string(p.Existing), string(p.New)))
				if want.Verdict == reason.Proved {
					proved++
				}
				if err != nil {
					continue
				}
				accepted++
				if want.Verdict == reason.Refuted {
					t.Errorf("%s: accepted, but the engine refutes it: %+v", p.ID, want.Witness)
				}
			}
			t.Logf("%s: %d of the %d pairs that the engine proves are accepted", test.file, accepted, proved)
			if accepted < test.least {
				t.Errorf("got %d accepted, want %d at least", accepted, test.least)
			}
		})
	}
}

// TestAllows_agrees_with_eval compares the two evaluators on the requests that
// contradict the pairs, in both directions.
func TestAllows_agrees_with_eval(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, file := range []string{"aws_checknonewaccess.json", "generated.json"} {
		for _, p := range pairs(t, file) {
			docs := [2]*policy.Document{parse(t, string(p.New)), parse(t, string(p.Existing))}
			for i := range docs {
				a := reason.Subset(t.Context(), reason.Policies{docs[i]}, reason.Policies{docs[1-i]}, reason.Config{})
				if a.Verdict != reason.Refuted || a.Witness.Reading != (reason.Reading{}) || a.Witness.Request.Principal != (eval.Principal{}) {
					continue
				}
				r := a.Witness.Request
				for _, doc := range docs {
					if hasPrincipals(doc) {
						continue
					}
					compared++
					want := eval.Compile(doc).Decide(r, eval.Reading{}) == eval.Allowed
					if got := allows(newPolicies([]*policy.Document{doc}), &Request{r.Action, r.Context, r.Resource}); got != want {
						t.Errorf("%s: got %v, want %v for %+v\n%s", p.ID, got, want, r, doc.Text())
					}
				}
			}
		}
	}
	if compared < 500 {
		t.Errorf("only %d requests were compared", compared)
	}
}

func hasPrincipals(doc *policy.Document) bool {
	for i := range doc.Statements {
		if doc.Statements[i].Principals != nil || doc.Statements[i].NotPrincipals != nil {
			return true
		}
	}
	return false
}

// TestImports holds that the checker shares nothing with the engine but the
// parser, and nothing with what narrows policies but the table of observed
// actions, which it reads for itself.
func TestImports(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if path := strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), "dera.example/"); strings.HasPrefix(path, "dera/") && path != "dera/iam/policy" &&
				(path != "dera/iam/catalog" || name != "table.go" && name != "unused.go") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// FuzzCheck gives the checker two policies; what it accepts, no request of the
// fuzzer may contradict.
func FuzzCheck(f *testing.F) {
	for _, p := range pairs(f, "generated.json")[:40] {
		f.Add(string(p.Existing), string(p.New), "s3:GetObject", "arn:aws:s3:::b/x", "a")
		f.Add(string(p.New), string(p.New), "ec2:RunInstances", "b", "true")
	}
	f.Fuzz(func(t *testing.T, old, fresh, action, resource, value string) {
		a, errOld := policy.Parse(old)
		b, errNew := policy.Parse(fresh)
		if errOld != nil || errNew != nil {
			return
		}
		if included(newPolicies([]*policy.Document{b}), newPolicies([]*policy.Document{a}), nil) != nil {
			return
		}
		r := eval.Request{Action: action, Resource: resource, Context: eval.Context{}}
		for _, st := range b.Statements {
			for _, c := range st.Conditions {
				r.Context[strings.ToLower(c.Key)] = []string{value}
			}
		}
		for _, reading := range eval.Readings() {
			if eval.Compile(b).Decide(r, reading) == eval.Allowed && eval.Compile(a).Decide(r, reading) != eval.Allowed {
				t.Errorf("%+v under %+v is allowed by the new policy only", r, reading)
			}
		}
	})
}

// FuzzParse reads anything as a certificate, and writes what it read again.
func FuzzParse(f *testing.F) {
	f.Add(subset(f, statements("Allow s3:* *"), statements("Allow s3:Get* *")))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Check(data)
		if err != nil {
			return
		}
		if again, err := c.Encode(); err != nil || string(again) != string(data) {
			t.Errorf("got %s %v, want %s", again, err, data)
		}
	})
}
