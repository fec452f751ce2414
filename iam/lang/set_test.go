package lang

import (
	"fmt"
	"strings"
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
	if Union(Exact("a\x00=b")).Key() == Union(Exact("a"), Exact("b")).Key() {
		t.Error("one text with a separator has the key of two texts")
	}
	a, b := Union(globOf("a*"), Exact("b"), Exact("b")), Union(Exact("b"), globOf("a*"))
	if a.Key() != b.Key() || a.Key() == a.Complement().Key() {
		t.Error("keys do not tell equal sets")
	}
	if len(a.Texts()) != 2 || len(a.Globs()) != 1 || a.HasVars() {
		t.Errorf("parts: got %q, %d globs, variables %v", a.Texts(), len(a.Globs()), a.HasVars())
	}
}

func TestSet_covers_and_apart(t *testing.T) {
	t.Parallel()
	u := Union(globOf("s3:get*"), globOf("s3:put*"), Exact("s3:list"))
	tests := []struct {
		glob                string
		covers, apart       bool // by and from the union
		outCovers, outApart bool // by and from its complement
	}{
		{"s3:get*", true, false, false, true},
		{"s3:getobject", true, false, false, true},
		{"s3:list", true, false, false, true},
		{"s3:l*", false, false, false, false},
		{"s3:*", false, false, false, false},
		{"ec2:*", false, true, true, false},
		{"s3:head", false, true, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.glob, func(t *testing.T) {
			t.Parallel()
			g, c := globOf(tt.glob), u.Complement()
			if got := [4]bool{u.Covers(g), u.Apart(g), c.Covers(g), c.Apart(g)}; got != [4]bool{tt.covers, tt.apart, tt.outCovers, tt.outApart} {
				t.Errorf("got %v, want %v", got, tt)
			}
		})
	}
}

func TestGlob_regex(t *testing.T) {
	t.Parallel()
	const inside = `(re.union (re.range "\u{0}" "9") (re.range ";" "\u{2ffff}"))`
	tests := []struct{ glob, want string }{
		{"", `(str.to_re "")`},
		{"ab", `(str.to_re "ab")`},
		{"*", "re.all"},
		{"a*?b", `(re.++ (str.to_re "a") re.allchar re.all (str.to_re "b"))`},
		{"a!.", `(re.++ (str.to_re "a") ` + inside + ` (re.* ` + inside + `))`},
		{"~a", `(re.union (str.to_re "a") (str.to_re "A"))`},
		{"a$b", `(re.++ (str.to_re "a") re.all (str.to_re "b"))`},
		{`"é\`, `(str.to_re "\u{22}\u{e9}\u{5c}")`},
	}
	for _, tt := range tests {
		if got := globOf(tt.glob).Regex(); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.glob, got, tt.want)
		}
	}
}

func TestSolve_finds_a_letter_that_nobody_mentions(t *testing.T) {
	t.Parallel()
	var out []*Glob
	for _, r := range fresh {
		out = append(out, Exact(string(r)))
	}
	got := Solve(budget(t), []*Set{Union(globOf("?")), Union(out...).Complement()})
	if r := []rune(got.Word); got.Status != Nonempty || len(r) != 1 || r[0] < 0x4E00 {
		t.Errorf("got %v %q, want one character beyond the usual ones", got.Status, got.Word)
	}
}

func TestBuilder_folds_letters_only(t *testing.T) {
	t.Parallel()
	var b Builder
	b.Fold("a-1Σ")
	g := b.Glob()
	for text, want := range map[string]bool{"A-1ς": true, "a-1σ": true, "a-1": false, "a_1Σ": false} {
		if got := g.Match(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if got := FamilyRange(IPv4).Contains(Point{IPv6, 0, 0}); got {
		t.Error("an IPv6 address is in the family of IPv4")
	}
	long := strings.Repeat("ab?", 100)
	if !globOf(long+"*").Covers(globOf(long+"x")) || globOf(long+"x").Covers(globOf(long+"*")) {
		t.Error("a long glob is not compared right")
	}
}

func TestGlob_around(t *testing.T) {
	t.Parallel()
	if before, v, after, ok := globOf("a/&/b").Around(); !ok || before != "a/" || v != 1 || after != "/b" {
		t.Errorf("got %q, %d, %q, %v", before, v, after, ok)
	}
	for _, other := range []string{"ab", "$*", "$?", "$&", "*"} {
		if _, _, _, ok := globOf(other).Around(); ok {
			t.Errorf("%q is said to be one variable with text around it", other)
		}
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
