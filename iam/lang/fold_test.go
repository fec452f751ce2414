package lang

import "testing"

// TestFoldASCII: large and small letters of ASCII are one, and no others.
func TestFoldASCII(t *testing.T) {
	t.Parallel()
	build := func(fold func(*Builder)) *Glob {
		var b Builder
		fold(&b)
		return b.Glob()
	}
	ascii := build(func(b *Builder) { b.FoldASCII("Sk-É") })
	all := build(func(b *Builder) { b.Fold("Sk-É") })
	for text, want := range map[string][2]bool{
		"sK-É": {true, true}, "SK-É": {true, true}, "sk-é": {false, true}, "ſk-É": {false, true}, "s\u212a-É": {false, true}, "sk_É": {false, false}, "sk-": {false, false},
	} {
		if got := [2]bool{ascii.Match(text), all.Match(text)}; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if !all.Covers(ascii) || ascii.Covers(all) || ascii.Key() == all.Key() {
		t.Error("disregarding the case of all letters is wider")
	}
	for name, tt := range map[string]struct {
		sets []*Set
		want Status
	}{
		"ascii_without_all": {[]*Set{Union(ascii), Union(all).Complement()}, Empty},
		"all_without_ascii": {[]*Set{Union(all), Union(ascii).Complement()}, Nonempty},
	} {
		if got := Solve(budget(t), tt.sets); got.Status != tt.want {
			t.Errorf("%s: got %v, want %v", name, got.Status, tt.want)
		}
	}
}
