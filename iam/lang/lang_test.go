package lang

import (
	"context"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// globOf reads a test notation: * ? as usual, ! and . their forms that stop at
// a colon, ~ folds the next letter, $ is variable 0 and & variable 1.
func globOf(text string) *Glob {
	var b Builder
	fold := false
	for _, r := range text {
		switch {
		case r == '*':
			b.Many()
		case r == '?':
			b.One()
		case r == '!':
			b.ManyInSegment()
		case r == '.':
			b.OneInSegment()
		case r == '$':
			b.Var(0)
		case r == '&':
			b.Var(1)
		case r == '~':
			fold = true
			continue
		case fold:
			b.Fold(string(r))
		default:
			b.Lit(string(r))
		}
		fold = false
	}
	return b.Glob()
}

func globsOf(texts ...string) []*Glob {
	out := make([]*Glob, len(texts))
	for i, t := range texts {
		out[i] = globOf(t)
	}
	return out
}

// regexOf translates the notation for the regular expressions of the standard
// library: an independent reader of the same language.
func regexOf(text string, vars ...string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	fold := false
	for _, r := range text {
		switch {
		case r == '*':
			b.WriteString(`.*`)
		case r == '?':
			b.WriteString(`.`)
		case r == '!':
			b.WriteString(`[^:]*`)
		case r == '.':
			b.WriteString(`[^:]`)
		case r == '$':
			b.WriteString(regexp.QuoteMeta(vars[0]))
		case r == '&':
			b.WriteString(regexp.QuoteMeta(vars[1]))
		case r == '~':
			fold = true
			continue
		case fold:
			b.WriteString(`(?i:` + regexp.QuoteMeta(string(r)) + `)`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
		fold = false
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

// words returns all words over the alphabet up to the given length.
func words(alphabet string, length int) []string {
	out, last := []string{""}, []string{""}
	for range length {
		var next []string
		for _, w := range last {
			for _, r := range alphabet {
				next = append(next, w+string(r))
			}
		}
		out, last = append(out, next...), next
	}
	return out
}

func randomGlob(r *rand.Rand, parts string, length int) string {
	var b strings.Builder
	for range r.IntN(length + 1) {
		c := parts[r.IntN(len(parts))]
		b.WriteByte(c)
		if c == '~' {
			b.WriteByte("ab"[r.IntN(2)])
		}
	}
	return b.String()
}

func budget(t testing.TB) *Budget { return NewBudget(t.Context(), 200_000) }

func TestGlob_match_agrees_with_regexp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	all := words("abA:", 4)
	for range 800 {
		text := randomGlob(r, "aab:*?!.~", 6)
		g, re := globOf(text), regexOf(text)
		for _, w := range all {
			if got, want := g.Match(w), re.MatchString(w); got != want {
				t.Fatalf("match %q against %q: got %v, want %v", w, text, got, want)
			}
		}
	}
}

func TestGlob_covers_is_sound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	all := words("abA:", 4)
	covered := 0
	for range 6000 {
		pt, qt := randomGlob(r, "ab:**?!.~", 4), randomGlob(r, "ab:***?!.~", 4)
		p, q := globOf(pt), globOf(qt)
		cover, apart := q.Covers(p), clash(p, q)
		if cover {
			covered++
		}
		for _, w := range all {
			inP, inQ := p.Match(w), q.Match(w)
			if cover && inP && !inQ {
				t.Fatalf("%q is said to cover %q, but %q is only in the latter", qt, pt, w)
			}
			if apart && inP && inQ {
				t.Fatalf("%q and %q are said to clash, but %q is in both", pt, qt, w)
			}
		}
	}
	if covered < 200 {
		t.Errorf("only %d pairs were covered: the test says little", covered)
	}
}

func TestSolve_agrees_with_enumeration(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	all := words("abx:", 5)
	count := map[Status]int{}
	for range 1500 {
		var sets []*Set
		var texts [][]string
		for range 1 + r.IntN(4) {
			var ts []string
			for range 1 + r.IntN(3) {
				ts = append(ts, randomGlob(r, "aab:**?!.", 5))
			}
			s := Union(globsOf(ts...)...)
			if r.IntN(2) == 0 {
				s = s.Complement()
			}
			sets, texts = append(sets, s), append(texts, ts)
		}
		readers := make([][]*regexp.Regexp, len(texts))
		for i, ts := range texts {
			for _, t := range ts {
				readers[i] = append(readers[i], regexOf(t))
			}
		}
		in := func(w string) bool {
			for i, s := range sets {
				some := false
				for _, re := range readers[i] {
					some = some || re.MatchString(w)
				}
				if some == s.Outside() {
					return false
				}
			}
			return true
		}
		got := Solve(budget(t), sets)
		count[got.Status]++
		switch got.Status {
		case Nonempty:
			if !in(got.Word) {
				t.Fatalf("sets %q: %q is not in all of them", texts, got.Word)
			}
		case Empty:
			for _, w := range all {
				if ok := containsAll(sets, w); ok && in(w) {
					t.Fatalf("sets %q: said to be empty, but %q is in all of them", texts, w)
				}
			}
		default:
			t.Fatalf("sets %q: got %v", texts, got.Status)
		}
	}
	if count[Empty] < 100 || count[Nonempty] < 100 {
		t.Errorf("answers %v: the test says little", count)
	}
}

func containsAll(sets []*Set, w string) bool {
	for _, s := range sets {
		if !s.Contains(w) {
			return false
		}
	}
	return true
}

// TestSolve_empty_holds_for_every_value substitutes values for the variables
// and looks for a word that the answer Empty excludes.
func TestSolve_empty_holds_for_every_value(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	all, values := words("ab:", 4), words("ab:", 2)
	empty := 0
	for range 2000 {
		pt := randomGlob(r, "ab$$&*?!", 4)
		qt := randomGlob(r, "ab$&*?", 4)
		nt := []string{randomGlob(r, "ab$&**?!", 4), randomGlob(r, "a$&**?!", 4)}
		p, q, n := Union(globOf(pt)), Union(globOf(qt)), Union(globsOf(nt...)...).Complement()
		sets := []*Set{p, n}
		if r.IntN(2) == 0 {
			sets = append(sets, q)
		}
		if Solve(budget(t), sets).Status != Empty {
			continue
		}
		empty++
		for range 40 {
			v := []string{values[r.IntN(len(values))], values[r.IntN(len(values))]}
			rp, rq, r0, r1 := regexOf(pt, v...), regexOf(qt, v...), regexOf(nt[0], v...), regexOf(nt[1], v...)
			for _, w := range all {
				if rp.MatchString(w) && !r0.MatchString(w) && !r1.MatchString(w) && (len(sets) == 2 || rq.MatchString(w)) {
					t.Fatalf("%q and %q without %q: said to be empty, but %q is a member for %q", pt, qt, nt, w, v)
				}
			}
		}
	}
	if empty < 100 {
		t.Errorf("only %d empty answers: the test says little", empty)
	}
}

func TestSolve(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []string // unions, members separated by a blank
		out  []string
		want Answer
	}{
		{"no_sets", nil, nil, Answer{Status: Nonempty}},
		{"union_without_members", []string{""}, nil, Answer{Status: Nonempty}},
		{"everything_excluded", []string{"a*"}, []string{"*"}, Answer{Status: Empty}},
		{"shortest_word_is_found", []string{"a*b"}, []string{"ab a?b"}, Answer{Nonempty, "axxb"}},
		{"two_halves_cover", []string{"s3:*"}, []string{"s3:?*", "s3:"}, Answer{Status: Empty}},
		{"segment_star_stops_at_colon", []string{"a:*:z"}, []string{"a:!:z"}, Answer{Nonempty, "a:::z"}},
		{"literal_set_is_enumerated", []string{"a b c", "?"}, []string{"a", "b"}, Answer{Nonempty, "c"}},
		{"fold_needs_both_cases", []string{"~a"}, []string{"a A"}, Answer{Status: Empty}},
		{"fold_meets_literal", []string{"~a*", "A?"}, nil, Answer{Nonempty, "Ax"}},
		{"same_variable_is_equal", []string{"a/$/*"}, []string{"a/$*"}, Answer{Status: Empty}},
		{"other_variable_may_differ", []string{"a/$"}, []string{"a/&"}, Answer{Status: Maybe}},
		{"question_mark_does_not_eat_a_variable", []string{"a/$"}, []string{"a/?"}, Answer{Status: Maybe}},
		{"star_eats_a_variable", []string{"a/$"}, []string{"a/*"}, Answer{Status: Empty}},
		{"literal_may_be_a_variable", []string{"ab"}, []string{"a$"}, Answer{Status: Maybe}},
		{"literal_cannot_be_a_variable", []string{"ab", "b$"}, nil, Answer{Status: Empty}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var sets []*Set
			for _, s := range tt.in {
				sets = append(sets, Union(globsOf(strings.Split(s, " ")...)...))
			}
			for _, s := range tt.out {
				sets = append(sets, Union(globsOf(strings.Split(s, " ")...)...).Complement())
			}
			if got := Solve(budget(t), sets); got != tt.want {
				t.Errorf("got %v %q, want %v %q", got.Status, got.Word, tt.want.Status, tt.want.Word)
			}
		})
	}
}

func TestSolve_stops_when_the_budget_ends(t *testing.T) {
	t.Parallel()
	hard := []*Set{
		Union(globOf("*a????????????????b")), Union(globOf("*b?????????????a??b")),
		Union(globOf("*a??????????????b*")).Complement(), Union(globOf("*b??????????????a*")).Complement(),
	}
	if got := Solve(NewBudget(t.Context(), 50), hard); got.Status != Exhausted {
		t.Errorf("budget of 50 states: got %v, want exhausted", got.Status)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := NewBudget(ctx, 1<<40)
	if !b.Done() {
		t.Error("a cancelled budget is not done")
	}
	if got := Solve(b, hard); got.Status != Exhausted {
		t.Errorf("cancelled: got %v, want exhausted", got.Status)
	}
}

func FuzzSolve(f *testing.F) {
	f.Add("a*", "*b", "a?b", "aab")
	f.Add("arn:aws:s3:::x/$", "*", "arn:aws:s3:::x/*", "arn:aws:s3:::x/y")
	f.Add("!:!", "*", "a:*", "b:c:d")
	f.Fuzz(func(t *testing.T, in1, in2, out, word string) {
		if len(in1)+len(in2)+len(out) > 60 {
			return
		}
		sets := []*Set{Union(globOf(in1)), Union(globOf(in2)), Union(globOf(out)).Complement()}
		got := Solve(NewBudget(t.Context(), 20_000), sets)
		if got.Status == Empty && !sets[2].HasVars() && containsAll(sets, word) && !sets[0].HasVars() && !sets[1].HasVars() {
			t.Errorf("%q and %q without %q: said to be empty, but %q is a member", in1, in2, out, word)
		}
		if got.Status == Nonempty && !containsAll(sets, got.Word) {
			t.Errorf("%q and %q without %q: %q is not a member", in1, in2, out, got.Word)
		}
	})
}
