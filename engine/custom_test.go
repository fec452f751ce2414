package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/remediate"
)

// fixed is a world with a group that is open for SSH, whose fix is a custom one.
func fixed(t *testing.T, fix control.CustomFix) (*world, *fixes, string) {
	t.Helper()
	w, f := newFixWorld(t, func(set func(*world)) *world { return newWorldWith(t, set) }, adminPorts, fix)
	return w, f, w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(443, 443, "0.0.0.0/0"))
}

func kept() []string { return []string{"tcp 22-22 0.0.0.0/0", "tcp 443-443 0.0.0.0/0"} }

// TestCustomFix: a document or a function is run after an approval only, is verified by
// reading whatever it says, and what it did is told.
func TestCustomFix(t *testing.T) {
	t.Parallel()
	rdp := tcp(3389, 3389, "0.0.0.0/0")
	web := tcp(443, 443, "0.0.0.0/0")
	for _, tt := range []struct {
		name   string
		fix    control.CustomFix
		before func(w *world, f *fixes)
		state  dera.State
		says   []string
		rules  []string // of the group in the end; nil for without SSH
		ran    int      // how often it ran
		undone int
	}{
		{name: "document_closes_it", fix: byDocument(true), state: dera.Resolved, says: []string{"verified by reading: finding resolved, nothing else changed"}, ran: 1},
		{name: "document_takes_ten_minutes", fix: byDocument(true), before: func(_ *world, f *fixes) { f.takes = 10 * time.Minute }, state: dera.Resolved, ran: 1},
		{name: "function_closes_it", fix: byFunction(), state: dera.Resolved, ran: 1},
		{name: "start_is_refused", fix: byDocument(true), before: func(_ *world, f *fixes) { f.refuse = refusedError{} }, state: dera.Failed, says: []string{"it was not started: InvalidAutomation"}, rules: kept()},
		{name: "answer_of_document_is_lost", fix: byDocument(true), before: func(_ *world, f *fixes) { f.takes, f.lose = time.Minute, 1 }, state: dera.Resolved, ran: 1},
		{name: "answer_of_document_is_lost_and_it_was_quick", fix: byDocument(true), before: func(_ *world, f *fixes) { f.lose = 1 }, state: dera.Collateral, says: []string{"whether it ran is not known"}, ran: 1},
		{name: "answer_of_function_is_lost", fix: byFunction(), before: func(_ *world, f *fixes) { f.lose = 1 }, state: dera.Collateral, says: []string{"the finding is resolved, but whether it ran is not known"}, ran: 1},
		{name: "answer_of_function_is_lost_and_nothing_changed", fix: byFunction(), before: func(_ *world, f *fixes) { f.lose, f.does[closing] = 1, nil }, state: dera.Collateral, says: []string{"tcp/22 is still open: a person has to look"}, rules: kept(), ran: 1},
		{name: "execution_fails", fix: byDocument(true), before: func(_ *world, f *fixes) { f.ends[closing], f.does[closing] = "TimedOut", nil }, state: dera.Failed, says: []string{"It ended as TimedOut", "tcp/22 is still open"}, rules: kept(), ran: 1},
		{name: "function_fails", fix: byFunction(), before: func(_ *world, f *fixes) {
			f.ends[closing], f.does[closing] = "an error of the function (Unhandled)", nil
		}, state: dera.Failed, rules: kept(), ran: 1},
		{name: "execution_fails_and_it_is_closed", fix: byDocument(true), before: func(_ *world, f *fixes) { f.ends[closing] = "Failed" }, state: dera.Resolved, says: []string{"It ended as Failed"}, ran: 1},
		{name: "execution_does_not_end", fix: byDocument(true), before: func(_ *world, f *fixes) { f.takes = 48 * time.Hour }, state: dera.Collateral, says: []string{"it has not ended in its time", "a person has to look"}, rules: kept(), ran: 1},
		{name: "success_and_still_open", fix: byDocument(true), before: func(_ *world, f *fixes) { f.does[closing] = nil }, state: dera.Failed, says: []string{"ended, and tcp/22 is still open"}, rules: kept(), ran: 1},
		{name: "opens_something_else", fix: byDocument(true), before: func(w *world, f *fixes) { f.also(closing, func(id string) { w.authorize(id, rdp) }) }, state: dera.Collateral, says: []string{"more is open than before: a person has to look", "open now: "}, rules: []string{"tcp 3389-3389 0.0.0.0/0", "tcp 443-443 0.0.0.0/0"}, ran: 1},
		{name: "closes_something_else", fix: byDocument(true), before: func(w *world, f *fixes) { f.also(closing, func(id string) { w.revoke(id, web) }) }, state: dera.Collateral, says: []string{"more changed than the control's own fix would change", "removed: "}, rules: []string{}, ran: 1},
		{name: "wrong_one_is_taken_back", fix: byDocument(true), before: func(w *world, f *fixes) {
			f.does[closing], f.does[reopening] = func(id string) { w.revoke(id, web) }, func(id string) { w.authorize(id, web) }
		}, state: dera.Failed, says: []string{"nothing of it is left"}, rules: kept(), ran: 1, undone: 1},
		{name: "wrong_one_stays_without_undo", fix: byDocument(false), before: func(w *world, f *fixes) { f.does[closing] = func(id string) { w.revoke(id, web) } }, state: dera.Collateral, says: []string{"there is no undo: a person has to look", "removed: "}, rules: []string{"tcp 22-22 0.0.0.0/0"}, ran: 1},
		{name: "undo_fails", fix: byDocument(true), before: func(w *world, f *fixes) {
			f.does[closing], f.does[reopening], f.ends[reopening] = func(id string) { w.revoke(id, web) }, nil, "Cancelled"
		}, state: dera.UndoFailed, says: []string{"the undo ended as Cancelled", "missing: "}, rules: []string{"tcp 22-22 0.0.0.0/0"}, ran: 1, undone: 1},
		{name: "undo_opens_something_else", fix: byDocument(true), before: func(w *world, f *fixes) {
			f.does[closing], f.does[reopening] = func(id string) { w.revoke(id, web) }, func(id string) { w.authorize(id, web, rdp) }
		}, state: dera.UndoFailed, says: []string{"after the undo more is open than before the fix"}, rules: []string{"tcp 22-22 0.0.0.0/0", "tcp 3389-3389 0.0.0.0/0", "tcp 443-443 0.0.0.0/0"}, ran: 1, undone: 1},
		{name: "document_changes_right_before_the_start", fix: byDocument(true), before: func(_ *world, f *fixes) { f.moved = true }, state: dera.Failed, says: []string{"not what was approved"}, rules: kept()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, f, id := fixed(t, tt.fix)
			if tt.before != nil {
				tt.before(w, f)
			}
			r := w.waiting(id)
			if f.calls != 0 || !slices.ContainsFunc(r.Decision.Reasons, func(x dera.Reason) bool { return x.Guardrail == "evidence" && x.Disposition == dera.Review }) {
				t.Fatalf("before the approval: %d starts, decision %+v", f.calls, r.Decision)
			}
			w.approve(r)
			w.quiet()
			got := w.remediations(id)[0]
			wantState(t, got, tt.state)
			for _, want := range tt.says {
				if !strings.Contains(saidOf(got), want) {
					t.Errorf("got %s\nwant %q in it", saidOf(got), want)
				}
			}
			rules := tt.rules
			if rules == nil {
				rules = kept()[1:]
			}
			if have := w.sorted(id); !slices.Equal(have, rules) {
				t.Errorf("rules: got %q, want %q", have, rules)
			}
			if f.ran(closing) != tt.ran || f.ran(reopening) != tt.undone {
				t.Errorf("runs: got %d and %d of the undo, want %d and %d", f.ran(closing), f.ran(reopening), tt.ran, tt.undone)
			}
			w.verifyLog()
		})
	}
}

// TestCustomFixIsBound: the plan holds what is run and how often it changed; a document
// that changed after the approval is not started, and a new plan waits.
func TestCustomFixIsBound(t *testing.T) {
	t.Parallel()
	w, f, id := fixed(t, byDocument(true))
	r := w.waiting(id)
	diff := strings.Join(r.Plan.Diff(), "\n")
	for _, want := range []string{"+ run the SSM Automation document " + closing + " version 3 (hash h1)", "Group = " + id, "Where = " + account + "/" + region, "undo: the SSM Automation document " + reopening + " version 3 (hash h2)", "role/automation"} {
		if !strings.Contains(diff, want) {
			t.Errorf("diff: got\n%s\nwant %q in it", diff, want)
		}
	}
	for _, name := range []string{closing, reopening} { // the undo is bound too
		w.approve(r)
		f.hash[name] += "'"
		w.quiet()
		list := w.remediations(id)
		next := list[len(list)-1]
		wantState(t, list[len(list)-2], dera.Superseded)
		wantState(t, next, dera.Waiting)
		if next.Digest == r.Digest || f.calls != 0 {
			t.Errorf("after %s changed: digest %s, was %s; %d starts", name, next.Digest, r.Digest, f.calls)
		}
		r = next
	}
	t.Run("half_way", func(t *testing.T) { // the start could not be sent, and the undo changed before it is tried again
		w, f, id := fixed(t, byDocument(true))
		w.approve(w.waiting(id))
		n := 0
		f.unsent = func() error {
			if n++; n > 1 {
				return nil
			}
			f.hash[reopening] += "'"
			return errors.New("no route to host")
		}
		w.quiet()
		got := w.remediations(id)[0]
		wantState(t, got, dera.Failed)
		if !strings.Contains(got.Failure, "what is run changed since the decision") || f.calls != 0 {
			t.Errorf("got %q, %d starts", got.Failure, f.calls)
		}
	})
	w.mode = dera.Observe
	w.look(id)
	if f.calls != 0 {
		t.Errorf("in mode observe: %d starts", f.calls)
	}
}

// TestCustomFixRollsBack: by its undo, which is verified by reading; without one it is
// refused, with what a person can do.
func TestCustomFixRollsBack(t *testing.T) {
	t.Parallel()
	done := func(t *testing.T, fix control.CustomFix) (*world, *fixes, string, dera.Remediation) {
		w, f, id := fixed(t, fix)
		w.approve(w.waiting(id))
		w.quiet()
		r := w.only(id)
		wantState(t, r, dera.Resolved)
		return w, f, id, r
	}
	t.Run("by_its_undo", func(t *testing.T) {
		t.Parallel()
		w, f, id, r := done(t, byDocument(true))
		f.takes = 3 * time.Minute
		var later *remediate.LaterError
		if _, err := w.rollback(r.ID); !errors.As(err, &later) {
			t.Fatalf("got %v, want that it has not ended", err)
		}
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.RolledBack)
		if got := w.sorted(id); !slices.Equal(got, kept()) || f.ran(reopening) != 1 {
			t.Errorf("got %q after %d undos", got, f.ran(reopening))
		}
		if s := w.findings(id)[sshKey]; s.State != dera.FindingOpen {
			t.Errorf("finding: got %s, want it found again", s.State)
		}
	})
	t.Run("undo_that_failed_is_tried_again_by_order", func(t *testing.T) {
		t.Parallel()
		w, f, id, r := done(t, byDocument(true))
		good := f.does[reopening]
		f.does[reopening] = nil
		_, _ = w.rollback(r.ID)
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.UndoFailed)
		f.does[reopening] = good
		_, _ = w.rollback(r.ID)
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.RolledBack)
		if f.ran(reopening) != 2 {
			t.Errorf("got %d undos, want 2", f.ran(reopening))
		}
	})
	t.Run("one_that_ended_late", func(t *testing.T) {
		t.Parallel()
		w, f, id := fixed(t, byDocument(true))
		f.takes = 2 * time.Hour
		w.approve(w.waiting(id))
		w.quiet()
		r := w.remediations(id)[0]
		wantState(t, r, dera.Collateral)
		var no *remediate.RefusedError
		if _, err := w.rollback(r.ID); !errors.As(err, &no) || !strings.Contains(no.Why, "has not ended") {
			t.Fatalf("while it runs: got %v, want it refused", err)
		}
		again := w.last(id) // the same is asked again, and not begun while the first one runs
		wantState(t, again, dera.Waiting)
		w.approve(again)
		w.drain()
		if f.ran(closing) != 1 {
			t.Errorf("got %d runs at the same time", f.ran(closing))
		}
		w.clock.Advance(2 * time.Hour) // the approval lapses meanwhile
		f.takes = 0
		f.does[closing], f.runs["e-1"].over = nil, true
		w.revoke(id, tcp(22, 22, "0.0.0.0/0"))
		w.quiet()
		good := f.does[reopening]
		f.does[reopening] = nil
		_, _ = w.rollback(r.ID)
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.UndoFailed)
		f.does[reopening] = good
		_, _ = w.rollback(r.ID)
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.RolledBack)
		if got := w.sorted(id); !slices.Equal(got, kept()) {
			t.Errorf("got %q, want what was there", got)
		}
	})
	for name, tt := range map[string]struct {
		fix    control.CustomFix
		before func(w *world, f *fixes, id string)
		why    string
	}{
		"without_undo": {fix: byDocument(false), why: "has no undo in the configuration"},
		"someone_opened_it_since": {fix: byDocument(true), before: func(w *world, _ *fixes, id string) {
			w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
			w.authorize(id, tcp(80, 80, "0.0.0.0/0"))
		}, why: "someone else changed what the fix changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f, id, r := done(t, tt.fix)
			if tt.before != nil {
				tt.before(w, f, id)
			}
			was := w.sorted(id)
			_, err := w.rollback(r.ID)
			var no *remediate.RefusedError
			if !errors.As(err, &no) || !strings.Contains(no.Error(), tt.why) {
				t.Fatalf("got %v, want it refused: %s", err, tt.why)
			}
			if name == "without_undo" && !strings.Contains(no.Error(), "by hand") {
				t.Errorf("got %v, want what a person can do", no)
			}
			if got := w.sorted(id); !slices.Equal(got, was) || f.ran(reopening) != 0 {
				t.Errorf("got %q after %d undos", got, f.ran(reopening))
			}
		})
	}
}

// TestCustomFixCrashes lets the engine die at each of its steps: the document runs once at
// most and the function too, and what ran is in the record before.
func TestCustomFixCrashes(t *testing.T) {
	t.Parallel()
	for name, fix := range map[string]control.CustomFix{"document": byDocument(true), "function": byFunction()} {
		run := func(t *testing.T, k int) (steps int) {
			w, f, id := fixed(t, fix)
			if fix.Run.Document != "" {
				f.takes = 20 * time.Second
			}
			r := w.waiting(id)
			w.approve(r)
			count := w.mortal(k)
			for range 8 {
				if err := w.engine.Drain(t.Context()); err != nil {
					break
				}
				w.clock.Advance(10 * time.Second)
			}
			steps = count()
			if k > 0 {
				w.clock.Advance(time.Second)
				w.reborn()
			}
			w.quiet()
			got := w.remediations(id)[0]
			if f.ran(closing) > 1 || !got.State.Final() {
				t.Errorf("it ran %d times and is %s\n%s", f.ran(closing), got.State, saidOf(got))
			}
			closed := len(w.sorted(id)) == 1
			if ok := got.State == dera.Resolved || got.State == dera.Collateral; closed && !ok {
				t.Errorf("it is closed, and the remediation is %s\n%s", got.State, saidOf(got))
			}
			if got.State == dera.Resolved && !closed {
				t.Errorf("resolved, and it is open")
			}
			intents, err := w.store.Intents(t.Context(), r.ID)
			if err != nil || f.ran(closing) > len(intents) {
				t.Errorf("it ran %d times with %d intents, %v", f.ran(closing), len(intents), err)
			}
			w.verifyLog()
			return steps
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps := run(t, 0)
			for k := 1; k <= steps; k++ {
				t.Run(fmt.Sprintf("dies_at_step_%03d", k), func(t *testing.T) { run(t, k) })
			}
			t.Logf("%d steps", steps)
		})
	}
}
