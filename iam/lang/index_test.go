package lang

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomUnion makes a union that is large enough for an index, some of the time
// in order.
func randomUnion(r *rand.Rand) *Set {
	heads := []string{"", "a", "a-b", "b", "a:", "c?", "*", "cc"}
	tails := []string{"", "x", "xy", "xyz", "y", "x*", "x?z", "*z", "*", "xy*", "yy"}
	var texts []string
	for range 10 + r.IntN(20) {
		texts = append(texts, heads[r.IntN(len(heads))]+":"+tails[r.IntN(len(tails))])
	}
	texts = append(texts, "plain", "w*")
	if r.IntN(2) == 0 {
		slices.Sort(texts)
	}
	if r.IntN(4) == 0 {
		texts = append(texts, "b:$")
	}
	return Union(globsOf(texts...)...)
}

// linear is a set without its index.
func linear(s *Set) *Set {
	c := *s
	c.index = nil
	return &c
}

func samples() []string {
	var out []string
	for _, h := range []string{"", "a", "a-b", "b", "a:", "c?", "cd", "*", "zz"} {
		for _, t := range []string{"", "x", "xy", "xyz", "xqz", "y", "*z", "yyy"} {
			out = append(out, h+":"+t)
		}
	}
	return append(out, "plain", "w", "ww", "")
}

func TestIndex_changes_no_answer(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 9))
	patterns := globsOf("a:x", "a:x*", "a:*", "b:?", "*", "a*", "c?:*", "zz:*", "a-b:xy*", "plain", "b:*z", "a:x?z", "w*", "b:$")
	for range 300 {
		s := randomUnion(r)
		if r.IntN(2) == 0 {
			s = s.Complement()
		}
		plain := linear(s)
		for _, w := range samples() {
			if got, want := s.Contains(w), plain.Contains(w); got != want {
				t.Fatalf("%q in %q: got %v, want %v", w, s.Key(), got, want)
			}
		}
		for _, g := range patterns {
			if got, want := s.Covers(g), plain.Covers(g); got != want {
				t.Errorf("%q covers %q: got %v, want %v", s.Key(), g.Key(), got, want)
			}
			if got, want := s.Apart(g), plain.Apart(g); got != want {
				t.Errorf("%q apart from %q: got %v, want %v", s.Key(), g.Key(), got, want)
			}
			got := Solve(NewBudget(context.Background(), 1<<20), []*Set{Union(g), s})
			want := Solve(NewBudget(context.Background(), 1<<20), []*Set{Union(g), plain})
			if got.Status != want.Status || got.Status == Nonempty && !(Union(g).Contains(got.Word) && plain.Contains(got.Word)) {
				t.Errorf("%q and %q: got %v, want %v", g.Key(), s.Key(), got, want)
			}
		}
	}
}

func TestSet_meet(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 1))
	written, with := 0, 0
	for range 2000 {
		s, o := randomUnion(r), randomUnion(r)
		if r.IntN(3) == 0 {
			s = Union(s.globs[:min(2, len(s.globs))]...)
		}
		if r.IntN(3) == 0 {
			o = Union(Exact("a:x"), Exact("b:xy"), globOf("a:x*"))
		}
		if r.IntN(3) == 0 {
			s = s.Complement()
		}
		both, ok := s.Meet(o)
		with++
		if !ok {
			continue
		}
		written++
		if s.vars || o.vars {
			t.Fatalf("%q and %q have variables", s.Key(), o.Key())
		}
		for _, w := range samples() {
			if got, want := both.Contains(w), s.Contains(w) && o.Contains(w); got != want {
				t.Errorf("%q in %q and in %q: got %v, want %v", w, s.Key(), o.Key(), got, want)
			}
		}
	}
	if written < with/10 {
		t.Errorf("only %d of %d intersections could be written", written, with)
	}
	if _, ok := Union(Exact("a")).Meet(Union(Exact("a")).Complement()); ok {
		t.Error("a complement was taken for a union")
	}
}

func TestBeginning(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", "s3:get", "é:ü"} {
		var b Builder
		b.Lit(text)
		b.Many()
		want := b.Glob()
		got := Beginning(text)
		if got.Key() != want.Key() || got.prefix != want.prefix || got.suffix != want.suffix || got.segs != want.segs || got.exact != want.exact || !got.same(want) {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}
