package remediate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// A part of a resource is a line of its canonical text: a rule, a grant, a
// statement, a block. What a change added or removed is dera's; everything else
// may change after the fix without standing in the way of a rollback.

// Parts are the parts that a way of canonical texts changes, from each text to the
// next.
func Parts(way []string) map[string]bool {
	out := map[string]bool{}
	for i := 1; i < len(way); i++ {
		before, after := lineCount(way[i-1]), lineCount(way[i])
		for line := range merged(before, after) {
			if before[line] != after[line] {
				out[line] = true
			}
		}
	}
	return out
}

// Adds reports whether a canonical text has parts that the one before did not have.
func Adds(before, after string) bool {
	have := lineCount(before)
	for line, n := range lineCount(after) {
		if n > have[line] {
			return true
		}
	}
	return false
}

// collided are the changes in effect whose parts someone else changed after the
// fix, each with what it is now; canon is the resource as it is. What dera removed
// and someone put back is no collision: nothing is left to take back there.
func (t *run) collided(canon string) map[int][]string {
	now, left := lineCount(canon), lineCount(t.rem.Expect())
	out := map[int][]string{}
	for i := range t.rem.Plan.Changes {
		if in := t.intent(i, false); in == nil || in.State != dera.IntentApplied || i+1 >= len(t.rem.Way) {
			continue
		}
		before, after := lineCount(t.rem.Way[i]), lineCount(t.rem.Way[i+1])
		for _, line := range slices.Sorted(maps.Keys(merged(before, after))) {
			back := now[line] == before[line] && (after[line] < before[line] || t.rem.State == dera.UndoFailed)
			if t.spare(line) || before[line] == after[line] || now[line] == left[line] || back {
				continue
			}
			what := "added: "
			if now[line] < left[line] {
				what = "removed: "
			}
			out[i] = append(out[i], what+bare(line))
		}
	}
	return out
}

// spare reports whether a line is about a copy that decides nothing.
func (t *run) spare(line string) bool {
	return t.kind.Spare != "" && strings.HasPrefix(line, t.kind.Spare)
}

// decisive reports whether change i changes more than spare copies.
func (t *run) decisive(i int) bool {
	for line := range Parts(t.rem.Way[i:min(i+2, len(t.rem.Way))]) {
		if !t.spare(line) {
			return true
		}
	}
	return len(t.rem.Way) <= i+1
}

// partial decides what a rollback leaves in place, or refuses it. Beside what collided
// it leaves what cannot be undone while that stays.
func (t *run) partial(config any, canon string, allowed bool) error {
	t.rem.LeftInPlace = nil
	var drift, rest, hand []string
	collided := t.collided(canon)
	t.documents(config, collided)
	for i, c := range t.rem.Plan.Changes {
		if lines := collided[i]; len(lines) > 0 {
			t.rem.LeftInPlace = append(t.rem.LeftInPlace, i)
			if !c.Optional {
				drift = append(drift, fmt.Sprintf("change %d (%s): %s", i+1, strings.Join(c.Diff, "; "), strings.Join(lines, "; ")))
				hand = append(hand, t.byHand(c)...)
			}
		}
	}
	if len(drift) == 0 {
		return nil
	}
	useful := false
	can, cannot := t.undoable(config)
	for i, c := range t.rem.Plan.Changes {
		if why := cannot[i]; why != "" {
			t.rem.LeftInPlace = append(t.rem.LeftInPlace, i)
			if !c.Optional && t.decisive(i) {
				drift = append(drift, fmt.Sprintf("change %d (%s): %s", i+1, strings.Join(c.Diff, "; "), why))
				hand = append(hand, t.byHand(c)...)
			}
		}
		if can[i] && !c.Optional {
			rest = append(rest, diff(c, true)...)
			useful = useful || t.decisive(i)
		}
	}
	slices.Sort(t.rem.LeftInPlace)
	if line := t.opensRemoved(collided, can); line != "" {
		drift = append(drift, line)
	}
	switch {
	case useful && allowed:
		return nil
	case !useful:
		return &RefusedError{Why: "someone else changed everything that dera changed, so nothing is left to roll back", Drift: drift, ByHand: hand, ID: t.rem.ID}
	}
	return &RefusedError{Why: "someone else changed some of what dera changed", Drift: drift, Partial: rest, ByHand: hand, ID: t.rem.ID}
}

// documents looks at the changes that put a whole document, in the order of their undos.
// One whose document of before is back is no collision. One whose document is neither of
// both is, wherever it was changed: where a type cannot put its part back beside what
// others wrote, the undo would write nothing.
func (t *run) documents(config any, collided map[int][]string) {
	for i := len(t.rem.Plan.Changes) - 1; i >= 0; i-- {
		c, in, old := t.rem.Plan.Changes[i], t.intent(i, false), t.intent(i, true)
		if in == nil || in.State != dera.IntentApplied || old != nil && old.State == dera.IntentApplied || c.Undo == nil || !t.whole(c) {
			continue
		}
		op, err := resource.OfUndo(*c.Undo, in.Output)
		if err != nil {
			continue // for the real one to show
		}
		back, _, errBack := t.kind.Effect(config, op)
		ours, _, errOurs := t.kind.Effect(config, resource.Of(c))
		switch next, err := t.kind.Apply(config, op); {
		case errBack != nil || errOurs != nil:
		case back:
			delete(collided, i)
		case ours && err == nil:
			config = next
		case !ours && t.kind.Rebase == nil && len(collided[i]) == 0:
			collided[i] = []string{"changed: another part of the same document"}
		}
	}
}

// whole reports whether a change replaces a whole document.
func (t *run) whole(c dera.Change) bool {
	op, ok := t.kind.Operation(c.Operation)
	return ok && op.Whole
}

// byHand are the elements of a document that the undo of a change would put back or take
// out; none where the change is about no document.
func (t *run) byHand(c dera.Change) []string {
	if !t.whole(c) {
		return nil
	}
	return diff(c, true)
}

// undoable are the changes in effect, but for those that stay, whose undo would write
// something, and those whose undo the service would refuse, each with why: the undos
// are made in memory, in the order of the real ones.
func (t *run) undoable(config any) (can map[int]bool, cannot map[int]string) {
	can, cannot = map[int]bool{}, map[int]string{}
	for i := len(t.rem.Plan.Changes) - 1; i >= 0; i-- {
		c, in := t.rem.Plan.Changes[i], t.intent(i, false)
		if in == nil || in.State != dera.IntentApplied || slices.Contains(t.rem.LeftInPlace, i) || c.Undo == nil {
			continue
		}
		op, err := resource.OfUndo(*c.Undo, in.Output)
		if err != nil {
			can[i] = true // for the real one to show
			continue
		}
		if t.kind.Rebase != nil {
			if op, _, err = t.kind.Rebase(config, op, resource.Of(c)); err != nil {
				cannot[i] = err.Error()
				continue
			}
		}
		if done, _, err := t.kind.Effect(config, op); err == nil && done {
			continue
		}
		if next, err := t.kind.Retarget(config, op); err == nil {
			op = next
		}
		next, err := t.kind.Apply(config, op)
		if err != nil {
			cannot[i] = err.Error()
			continue
		}
		can[i], config = true, next
	}
	return can, cannot
}

// opensRemoved says which of the undos that can be made would also open what someone else
// removed since, or "": what dera took away is put back whole.
func (t *run) opensRemoved(collided map[int][]string, can map[int]bool) string {
	removed := false
	for i, c := range t.rem.Plan.Changes {
		if lines := collided[i]; len(lines) > 0 {
			removed = removed || slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "removed: ") })
			continue
		}
		if removed && can[i] && !c.Optional && Adds(t.rem.Way[i+1], t.rem.Way[i]) {
			return fmt.Sprintf("attention: to undo change %d (%s) opens again what they removed", i+1, strings.Join(c.Diff, "; "))
		}
	}
	return ""
}

func lineCount(text string) map[string]int {
	out := map[string]int{}
	for line := range strings.Lines(text) {
		out[line]++
	}
	return out
}

func merged(a, b map[string]int) map[string]int {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}
