package engine_test

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"github.com/google/go-cmp/cmp"
)

// described is the rule with another description.
func described(r awssim.Rule, text string) awssim.Rule {
	r.Description = text
	return r
}

// rulesOf are the inbound rules of a group.
func (w *world) rulesOf(id string) (out []awssim.Rule) {
	w.t.Helper()
	g, _ := w.cloud.Snapshot().Group(id)
	for _, r := range g.Rules {
		if !r.Egress {
			out = append(out, r)
		}
	}
	return out
}

// What is back already is back whatever its description: there is nothing to write for
// it, and the rest is rolled back.
func TestRollbackOfWhatIsBackWithAnotherDescription(t *testing.T) {
	t.Parallel()
	six := awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "::/0"}
	for _, tt := range []struct {
		name  string
		rules []awssim.Rule
		back  []awssim.Rule
		want  []string
	}{
		{"all_of_it", []awssim.Rule{tcp(22, 22, "0.0.0.0/0")}, []awssim.Rule{described(tcp(22, 22, "0.0.0.0/0"), "by hand")}, []string{"tcp 22-22 0.0.0.0/0 by hand"}},
		{"one_of_two", []awssim.Rule{tcp(22, 22, "0.0.0.0/0"), six}, []awssim.Rule{described(tcp(22, 22, "0.0.0.0/0"), "by hand")},
			[]string{"tcp 22-22 0.0.0.0/0 by hand", "tcp 22-22 ::/0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tt.rules...)
			w.look(id)
			r := w.only(id)
			wantState(t, r, dera.Resolved)
			w.authorize(id, tt.back...)
			got, err := w.rollback(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, got, dera.RolledBack)
			if rules := w.sorted(id); !slices.Equal(rules, tt.want) {
				t.Errorf("rules: got %q, want %q", rules, tt.want)
			}
		})
	}
}

// The same of an undo that failed: what somebody has put back since, with another
// description, is not in the way of what is left to do.
func TestRollbackAfterAFailedUndoOfWhatIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	w.look(id)
	r := w.remediations(id)[0]
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Denied})
	got, err := w.rollback(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.UndoFailed)
	fault.Remove()
	w.authorize(id, described(wideRule(), "by hand"))
	if got, err = w.rollback(r.ID); err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)
	if rules, want := w.sorted(id), []string{"tcp 0-65535 0.0.0.0/0 by hand"}; !slices.Equal(rules, want) {
		t.Errorf("rules: got %q, want %q", rules, want)
	}
}

// A rollback whose process dies is finished by an engine that is running all the
// while, without a restart.
func TestRollbackOfADeadProcessIsFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	before := w.canon(id)
	w.look(id)
	r := w.remediations(id)[0]
	w.quiet()
	running := w.newEngine("engine-2", w.openStore(w.clock.Now))
	w.diesAt(byEngine(authorize))
	_, _ = w.rollback(r.ID)
	w.step = nil
	w.store = w.openStore(w.clock.Now)
	wantState(t, w.remediations(id)[0], dera.Undoing)
	for range 4 {
		w.clock.Advance(7 * time.Minute)
		if err := running.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantState(t, w.remediations(id)[0], dera.RolledBack)
	if diff := cmp.Diff(before, w.canon(id)); diff != "" {
		t.Errorf("configuration (-before +after rollback):\n%s", diff)
	}
}
