package evidence

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// shelf is a configuration of parts.
type shelf struct {
	Name  string
	Books []string
}

type book struct {
	Shelf string `json:"shelf"`
	Title string `json:"title"`
}

func shelfType() resource.Type {
	of := func(in book) (string, error) { return in.Shelf, nil }
	return resource.Define(resource.Spec[shelf]{
		Name:     "AWS::Test::Shelf",
		ARN:      func(_, _, _, id string) dera.ARN { return dera.ARN("arn:aws:test:::" + id) },
		Identify: func(s *shelf) (id, name string, tags map[string]string) { return s.Name, s.Name, nil },
		Canon: func(s *shelf) string {
			out := "shelf\n"
			for _, b := range s.Books {
				out += "book " + b + "\n"
			}
			return out
		},
		Operations: []resource.Operator[shelf]{
			resource.Op(resource.OpSpec[shelf, book]{OperationType: resource.OperationType{Name: "test:Take"}, Of: of, Apply: func(s *shelf, in book) {
				s.Books = slices.DeleteFunc(slices.Clone(s.Books), func(b string) bool { return b == in.Title })
			}}),
			resource.Op(resource.OpSpec[shelf, book]{OperationType: resource.OperationType{Name: "test:Put"}, Of: of, Apply: func(s *shelf, in book) {
				if !slices.Contains(s.Books, in.Title) {
					s.Books = append(slices.Clone(s.Books), in.Title)
					slices.Sort(s.Books)
				}
			}}),
		},
	})
}

func move(t *testing.T, operation, title, undo, back string) dera.Change {
	t.Helper()
	c, err := resource.NewChange(operation, book{"s", title}, nil, nil, undo, book{"s", back}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if undo == "" {
		c.Undo = nil
	}
	return c
}

// TestPartsClaims: every plan that is nearly the right one refutes the claim that it breaks.
func TestPartsClaims(t *testing.T) {
	t.Parallel()
	take, put := "test:Take", "test:Put"
	for name, tc := range map[string]struct {
		changes    []dera.Change
		gone, come []string
		refuted    string
	}{
		"as_it_should_be": {[]dera.Change{move(t, take, "a", put, "a")}, []string{"book a"}, nil, ""},
		"one_for_another": {[]dera.Change{move(t, put, "c", take, "c"), move(t, take, "a", put, "a")}, []string{"book a"}, []string{"book c"}, ""},
		"one_is_kept":     {[]dera.Change{move(t, put, "c", "", ""), move(t, take, "a", put, "a")}, []string{"book a"}, []string{"book c"}, ""},
		"takes_another_too": {[]dera.Change{move(t, take, "a", put, "a"), move(t, take, "b", put, "b")}, []string{"book a"}, nil,
			"only_these_changed: removed: book b"},
		"brings_another_too":   {[]dera.Change{move(t, take, "a", put, "a"), move(t, put, "c", take, "c")}, []string{"book a"}, nil, "only_these_changed: added: book c"},
		"changes_nothing":      {nil, []string{"book a"}, nil, "finding_resolved: it was not there before, or is after: book a"},
		"names_no_part":        {nil, nil, nil, "finding_resolved: no part is named"},
		"leaves_out":           {[]dera.Change{move(t, take, "a", put, "a")}, []string{"book a"}, []string{"book c"}, "finding_resolved: it is not there after: book c"},
		"only_brings":          {[]dera.Change{move(t, put, "c", take, "c")}, nil, []string{"book c"}, ""},
		"brings_what_is_there": {[]dera.Change{move(t, put, "c", take, "c")}, nil, []string{"book b"}, "only_these_changed: added: book c; finding_resolved: it was there before: book b"},
		"undo_of_another":      {[]dera.Change{move(t, take, "a", put, "c")}, []string{"book a"}, nil, "undo_restores: not brought back: book a"},
		"undo_brings_more":     {[]dera.Change{move(t, take, "a", put, "a"), move(t, take, "z", put, "z")}, []string{"book a"}, nil, "undo_restores: left behind: book z"},
		"is_taken_for_good":    {[]dera.Change{move(t, take, "a", "", "")}, []string{"book a"}, nil, "undo_restores: not brought back: book a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev, err := ProveParts(shelfType(), &shelf{"s", []string{"a", "b"}}, tc.changes, tc.gone, tc.come)
			if err != nil || refuted(ev) != tc.refuted {
				t.Errorf("got %q, %v, want %q", refuted(ev), err, tc.refuted)
			}
			blob, _, err := ev.Blob()
			if err != nil || Check(blob, PartsEvidence()) != nil {
				t.Errorf("the checker: %v, %v", err, Check(blob, PartsEvidence()))
			}
		})
	}
}
