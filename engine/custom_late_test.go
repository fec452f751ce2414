package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
)

// TestCustomFixThatWidensWhatIsSeenMeanwhile: what a document opens further is told, also where
// a sweep found it before the document had ended.
func TestCustomFixThatWidensWhatIsSeenMeanwhile(t *testing.T) {
	t.Parallel()
	for name, seen := range map[string]bool{"seen_after_its_end": false, "seen_before_its_end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f, id := onWeb(t, "")
			w.mode = dera.ReviewOnly
			w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
			f.takes = 10 * time.Minute
			w.look(id)
			var fix dera.Remediation
			for _, r := range w.remediations(id) {
				if r.Plan.Custom() {
					fix = r
				}
			}
			w.approve(fix)
			w.drain()
			w.authorize(id, tcp(22, 22, "::/0"))
			if seen {
				w.look(id)
			}
			w.quiet()
			for _, r := range w.remediations(id) {
				if r.ID == fix.ID {
					fix = r
				}
			}
			wantState(t, fix, dera.Collateral)
			if got := saidOf(fix); !strings.Contains(got, "wider than before") || f.ran(closing) != 1 {
				t.Errorf("after %d runs: got %s\nwant what is wider", f.ran(closing), got)
			}
		})
	}
}

// TestOthersWaitForWhatHasNotEnded: what did not end in its time holds back what follows on the
// resource, however long it had waited for its approval, and an undo is not
// started a second time.
func TestOthersWaitForWhatHasNotEnded(t *testing.T) {
	t.Parallel()
	t.Run("approved_late", func(t *testing.T) {
		t.Parallel()
		w, f, id := fixed(t, byDocument(true))
		f.takes = 20 * time.Hour
		r := w.waiting(id)
		w.clock.Advance(30 * time.Hour)
		w.approve(r)
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.Collateral)
		again := w.last(id)
		wantState(t, again, dera.Waiting)
		w.approve(again)
		w.drain()
		if f.ran(closing) != 1 {
			t.Errorf("got %d runs at the same time", f.ran(closing))
		}
	})
	t.Run("an_undo", func(t *testing.T) {
		t.Parallel()
		w, f, id := fixed(t, byDocument(true))
		w.approve(w.waiting(id))
		w.quiet()
		f.takes = 20 * time.Hour
		_, _ = w.rollback(w.only(id).ID)
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.UndoFailed)
		var no *remediate.RefusedError
		if _, err := w.rollback(w.only(id).ID); !errors.As(err, &no) || !strings.Contains(no.Why, "has not ended") {
			t.Errorf("got %v, want a second undo refused", err)
		}
		w.quiet()
		if f.ran(reopening) != 1 {
			t.Errorf("got %d undos at the same time", f.ran(reopening))
		}
	})
}
