package policy

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func seeds(f *testing.F) []string {
	f.Helper()
	return []string{
		sample, edited, "", "null", "%7B%22Statement%22%3A%7B%7D%7D", `{"Statement":[]}`,
		one(`"Action":["s3:*","\u0073\ud83d\ude00",null],"Resource":"*"`),
		one(`"Condition":{"a":{},"ForAllValues:NullIfExists":{},"DateEquals":{"A":[1e3,true],"a":"2016-12-13t2:00:00.5+01"}}`),
		one(`"Principal":{"AWS":["*","111122223333"],"CanonicalUser":"x","Federated":[]}`),
		strings.Repeat("[", 40), `{"a":` + strings.Repeat(`{"a":`, 40),
	}
}

// FuzzParse: whatever is accepted is JSON, prints as it was, means the same
// when written again, and has a stable canonical form; nothing makes it panic.
func FuzzParse(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.At.Offset < 0 || e.At.Line < 1 || e.At.Column < 1 {
				t.Fatalf("got %#v, want an *Error with a position", err)
			}
			return
		}
		if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") && d.Text() != text {
			t.Fatalf("got %q, want %q", d.Text(), text)
		}
		if !json.Valid([]byte(d.Text())) {
			t.Fatalf("accepted, but no JSON: %q", d.Text())
		}
		for k := Identity; k <= RCP; k++ {
			_ = d.Validate(k)
			if d.Size(k) <= 0 {
				t.Fatalf("size %d of %q", d.Size(k), text)
			}
		}
		canon := d.Canon()
		if again := must(t, canon); again.Canon() != canon {
			t.Fatalf("canon %s, then %s", canon, again.Canon())
		}
		literal := Document{Version: d.Version, ID: d.ID, Statements: d.Statements}
		if again := must(t, literal.Text()); again.Canon() != canon {
			t.Fatalf("written again: %s, then %s", canon, again.Canon())
		}
	})
}

// FuzzApply: an edit does to the text what it says, and nothing else.
func FuzzApply(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text, uint8(0), uint8(0), "a:B", "a:C")
		f.Add(text, uint8(1), uint8(1), "", "")
	}
	f.Fuzz(func(t *testing.T, text string, statement, entry uint8, first, second string) {
		d, err := Parse(text)
		if err != nil || !validText(first) || !validText(second) {
			return
		}
		want := Document{Version: d.Version, ID: d.ID, Statements: slices.Clone(d.Statements)}
		i := int(statement) % len(d.Statements)
		st := &want.Statements[i]
		if len(st.Actions) == 0 {
			want.Statements = slices.Delete(want.Statements, i, i+1)
			checkEdit(t, d, &want, RemoveStatement(i), len(want.Statements) > 0 && d.root.find("Statement").kind == nodeArray)
			return
		}
		action := st.Actions[int(entry)%len(st.Actions)]
		at := slices.Index(st.Actions, action)
		rest := slices.DeleteFunc(slices.Clone(st.Actions), func(a string) bool { return a == action })
		if first == "" {
			st.Actions = rest
			checkEdit(t, d, &want, RemoveAction(i, action), len(rest) > 0)
			return
		}
		st.Actions = slices.Insert(rest, at, first, second)
		checkEdit(t, d, &want, ReplaceAction(i, action, first, second), true)
	})
}

func validText(s string) bool {
	return !strings.ContainsRune(s, '\ufffd') && json.Valid([]byte(quote(s)))
}

// checkEdit applies an edit and compares with the document as it should be.
func checkEdit(t *testing.T, d, want *Document, e Edit, possible bool) {
	t.Helper()
	got, err := d.Apply(e)
	if !possible {
		if !errors.Is(err, ErrLast) {
			t.Fatalf("%s: got %v, want %v", e, err, ErrLast)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s of %q: %v", e, d.Text(), err)
	}
	if got.Canon() != want.Canon() {
		t.Fatalf("%s: got %s, want %s", e, got.Canon(), want.Canon())
	}
}
