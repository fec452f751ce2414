package remediate_test

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/remediate"
)

// TestUndone: what was carried out, in its order, and what a partial rollback left;
// what was never applied, not undone, or taken back by somebody else is in neither.
func TestUndone(t *testing.T) {
	t.Parallel()
	undo := &dera.Undo{}
	r := dera.Remediation{LeftInPlace: []int{1}, Plan: dera.Plan{Changes: []dera.Change{
		{Diff: []string{"+ a"}, Undo: undo}, {Diff: []string{"+ b"}, Undo: undo}, {Diff: []string{"+ c"}, Undo: undo}, {Diff: []string{"- d"}, Undo: undo},
	}}}
	intent := func(step int, undo bool, s dera.IntentState) dera.Intent {
		return dera.Intent{Step: step, Undo: undo, State: s}
	}
	done, left := remediate.Undone(r, []dera.Intent{
		intent(0, false, dera.IntentApplied), intent(1, false, dera.IntentApplied), intent(2, false, dera.IntentApplied), intent(3, false, dera.IntentApplied),
		intent(0, true, dera.IntentApplied), intent(2, true, dera.IntentNotApplied), intent(3, true, dera.IntentApplied),
	})
	if want := []string{"+ d", "- a"}; !slices.Equal(done, want) {
		t.Errorf("done: got %q, want %q", done, want)
	}
	if want := []string{"+ b"}; !slices.Equal(left, want) {
		t.Errorf("left: got %q, want %q", left, want)
	}
}

// TestParts: a part is a line that a way changes, also where it comes back in the end.
func TestParts(t *testing.T) {
	t.Parallel()
	got := remediate.Parts([]string{"a\nb\n", "a\nb\nc\n", "b\nc\n"})
	if len(got) != 2 || !got["a\n"] || !got["c\n"] {
		t.Errorf("got %v, want a and c", got)
	}
	if n := len(remediate.Parts(nil)); n != 0 {
		t.Errorf("no way: got %d parts, want none", n)
	}
	if !remediate.Adds("a\n", "a\na\n") || remediate.Adds("a\nb\n", "b\n") {
		t.Error("Adds: got it the wrong way round")
	}
}
