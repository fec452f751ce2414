package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/engine"
)

const webPorts = "ec2-securitygroup-web-ports-open"

// onWeb is a world in which a document closes what a control only alerts about.
func onWeb(t *testing.T, account string) (*world, *fixes, string) {
	t.Helper()
	fix := byDocument(true)
	fix.Account = account
	w, f := newFixWorld(t, func(set func(*world)) *world { return newWorldWith(t, set) }, webPorts, fix)
	web := tcp(443, 443, "0.0.0.0/0")
	f.does[closing] = func(id string) { w.revoke(id, web) }
	f.does[reopening] = func(id string) { w.authorize(id, web) }
	return w, f, w.group("web", web)
}

// TestCustomFixOfAnAlert: a control that only alerts has a fix by a document, after an
// approval; what changed is told, since nobody knows what its own fix would be.
func TestCustomFixOfAnAlert(t *testing.T) {
	t.Parallel()
	w, f, id := onWeb(t, "1111*")
	w.approve(w.waiting(id))
	w.quiet()
	r := w.only(id)
	wantState(t, r, dera.Resolved)
	if got := saidOf(r); !strings.Contains(got, "what changed is in the notes") || !strings.Contains(got, "It changed: removed: ") {
		t.Errorf("got %s, want what changed", got)
	}
	if len(w.sorted(id)) != 0 || f.ran(closing) != 1 {
		t.Errorf("rules %q after %d runs", w.sorted(id), f.ran(closing))
	}
	t.Run("of_another_account_it_stays_an_alert", func(t *testing.T) {
		t.Parallel()
		w, f, id := onWeb(t, "4444*")
		w.look(id)
		if got := w.findings(id)[webPorts+" tcp/443"]; got.Disposition != dera.Alert || len(w.remediations(id)) != 0 || f.calls != 0 {
			t.Errorf("got %s, %d remediations, %d starts", got.Disposition, len(w.remediations(id)), f.calls)
		}
	})
}

// TestOthersWaitForACustomFix: while a document runs, nothing else is fixed on the resource,
// and a stop holds back the start and not the look.
func TestOthersWaitForACustomFix(t *testing.T) {
	t.Parallel()
	ssh := tcp(22, 22, "0.0.0.0/0")
	t.Run("found_meanwhile", func(t *testing.T) {
		t.Parallel()
		w, f, id := onWeb(t, "")
		f.takes = 10 * time.Minute
		w.approve(w.waiting(id))
		w.drain()
		w.authorize(id, ssh)
		w.look(id)
		w.clock.Advance(5 * time.Minute)
		w.drain()
		if got := w.sorted(id); len(got) != 2 {
			t.Errorf("while it runs: got %q, want nothing fixed", got)
		}
		w.quiet()
		w.look(id)
		w.quiet()
		if got := w.sorted(id); len(got) != 0 {
			t.Errorf("in the end: got %q, want both closed", got)
		}
		if r := w.remediations(id)[0]; r.State != dera.Collateral && r.State != dera.Resolved {
			t.Errorf("got %s\n%s", r.State, saidOf(r))
		}
		for _, n := range w.news {
			if n.What == "job" {
				t.Errorf("that it has not ended is told as a fault: %v", n.Err)
			}
		}
	})
	t.Run("approved_before", func(t *testing.T) {
		t.Parallel()
		w, f, id := onWeb(t, "")
		w.authorize(id, ssh)
		w.mode = dera.ReviewOnly
		f.takes = 10 * time.Minute
		w.look(id)
		list := w.remediations(id)
		if len(list) != 2 {
			t.Fatalf("got %v, want two that wait", states(list))
		}
		i := slices.IndexFunc(list, func(r dera.Remediation) bool { return r.Plan.Custom() })
		w.approve(list[i])
		w.drain()
		w.approve(list[1-i])
		w.drain()
		if got := w.sorted(id); len(got) != 2 || f.ran(closing) != 1 {
			t.Errorf("while it runs: got %q, %d runs", got, f.ran(closing))
		}
		w.quiet()
		if got := w.remediations(id); got[i].State != dera.Resolved || got[1-i].State != dera.Superseded && got[1-i].State != dera.Resolved {
			t.Errorf("in the end: got %v\n%s", states(got), saidOf(got[i]))
		}
	})
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		w, f, id := onWeb(t, "")
		r := w.waiting(id)
		w.approve(r)
		w.stop()
		w.drain()
		if f.calls != 0 {
			t.Errorf("under a stop: %d starts", f.calls)
		}
		w.resume()
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.Resolved)
	})
}

// TestUndoOfACustomFixWritesOverNobody: the wrong thing was changed, and before the undo is
// started somebody else changes the resource: a person has to look.
func TestUndoOfACustomFixWritesOverNobody(t *testing.T) {
	t.Parallel()
	w, f, id := fixed(t, byDocument(true))
	f.does[closing], f.takes = func(id string) { w.revoke(id, tcp(443, 443, "0.0.0.0/0")) }, 5*time.Minute
	w.approve(w.waiting(id))
	w.drain()
	w.stop()
	w.clock.Advance(6 * time.Minute)
	w.drain()
	wantState(t, w.remediations(id)[0], dera.Undoing)
	w.authorize(id, tcp(8080, 8080, "10.0.0.0/8"))
	w.resume()
	w.quiet()
	r := w.remediations(id)[0]
	wantState(t, r, dera.UndoFailed)
	if !strings.Contains(saidOf(r), "someone else changed the resource since, so the undo is not started") || f.ran(reopening) != 0 {
		t.Errorf("%d undos, got %s", f.ran(reopening), saidOf(r))
	}
}

// TestCustomFixNeedsItsPort: where custom fixes cannot be run, as in a replay, none is planned.
func TestCustomFixNeedsItsPort(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Controls = slices.Clone(c.Controls)
			for i := range c.Controls {
				c.Controls[i] = c.Controls[i].WithCustom(control.CustomFix{Run: control.CustomRun{Document: closing}})
			}
		}
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	f := w.findings(id)[sshKey]
	if f.Disposition != dera.Review || len(w.remediations(id)) != 0 || !slices.ContainsFunc(f.Reasons, func(r dera.Reason) bool { return strings.Contains(r.Why, "no-custom-fix") }) {
		t.Errorf("got %s, %d remediations, %+v", f.Disposition, len(w.remediations(id)), f.Reasons)
	}
}
