package lang

import (
	"fmt"
	"testing"
)

func TestGlob_key_joins_equal_globs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b string
		same bool
	}{
		{"order_of_star_and_question_mark", "a*?b", "a?*b", true},
		{"double_star", "a**b", "a*b", true},
		{"segment_star_is_absorbed", "a!*b", "a*b", true},
		{"segment_star_is_different", "a!b", "a*b", false},
		{"segment_question_mark", "a.b", "a?b", false},
		{"fold", "~a", "a", false},
		{"variables", "$", "&", false},
		{"segment_pair", "!.", ".!", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if same := globOf(tt.a).Key() == globOf(tt.b).Key(); same != tt.same {
				t.Errorf("%q and %q: same key %v, want %v", tt.a, tt.b, same, tt.same)
			}
		})
	}
	if Exact("\x02").Key() == globOf("*").Key() || Union(Exact("\x02"), globOf("?")).Key() == Union(globOf("*"), globOf("?")).Key() {
		t.Error("a control character is taken for a star")
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	many := make([]*Glob, 20)
	for i := range many {
		many[i] = Exact(fmt.Sprint("v", i))
	}
	tests := []struct {
		name                string
		set                 *Set
		everything, nothing bool
		in, out             []string
	}{
		{"empty_union", Union(), false, true, nil, []string{"", "a"}},
		{"complement_of_nothing", Union().Complement(), true, false, []string{"", "a"}, nil},
		{"universal", Union(globOf("a"), globOf("*")), true, false, []string{"", "a"}, nil},
		{"complement_of_universal", Union(globOf("*")).Complement(), false, true, nil, []string{"", "a"}},
		{"few_literals", Union(Exact("a"), Exact("b")), false, false, []string{"a", "b"}, []string{"c"}},
		{"many_literals", Union(many...), false, false, []string{"v0", "v19"}, []string{"v20"}},
		{"complement", Union(globOf("a*")).Complement(), false, false, []string{"b"}, []string{"a", "ab"}},
		{"variable_may_match", Union(globOf("a$")), false, false, []string{"a", "ab"}, []string{"b"}},
		{"complement_of_variable_may_match", Union(globOf("a$")).Complement(), false, false, []string{"ab", "b"}, nil},
		{"fold_outside_ascii", Union(globOf("~é~K")), false, false, []string{"Ék", "é\u212a"}, []string{"ek"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.set.Everything(); got != tt.everything {
				t.Errorf("everything: got %v, want %v", got, tt.everything)
			}
			if got := tt.set.Nothing(); got != tt.nothing {
				t.Errorf("nothing: got %v, want %v", got, tt.nothing)
			}
			for _, w := range tt.in {
				if !tt.set.Contains(w) {
					t.Errorf("%q is not in the set", w)
				}
			}
			for _, w := range tt.out {
				if tt.set.Contains(w) {
					t.Errorf("%q is in the set", w)
				}
			}
		})
	}
	a, b := Union(globOf("a*"), Exact("b"), Exact("b")), Union(Exact("b"), globOf("a*"))
	if a.Key() != b.Key() || a.Key() == a.Complement().Key() {
		t.Error("keys do not tell equal sets")
	}
	if len(a.Texts()) != 2 || len(a.Globs()) != 1 || a.HasVars() {
		t.Errorf("parts: got %q, %d globs, variables %v", a.Texts(), len(a.Globs()), a.HasVars())
	}
}

func TestStatus_string(t *testing.T) {
	t.Parallel()
	for s, want := range map[Status]string{Empty: "empty", Nonempty: "nonempty", Maybe: "maybe", Exhausted: "exhausted", 9: "invalid status"} {
		if got := s.String(); got != want {
			t.Errorf("status %d: got %q, want %q", s, got, want)
		}
	}
}
