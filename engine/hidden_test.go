package engine_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

// TestOwnNetworksLapseAndAreCounted: an own network hides findings up to its end,
// they are counted by account meanwhile, and then they are findings.
func TestOwnNetworksLapseAndAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Settings.Lapsing = []control.Lapsing{{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Until: w.clock.Now().Add(48 * time.Hour)}}
		}
	})
	w.emptyDefault()
	id := w.group("office", tcp(22, 22, "198.51.100.0/24"), tcp(3389, 3389, "198.51.100.7/32"))
	for _, want := range []struct{ hidden, findings int }{{2, 0}, {0, 2}} {
		w.sweep()
		got, err := w.store.Hidden(t.Context())
		if err != nil || got[account] != want.hidden || len(w.findings(id)) != want.findings {
			t.Errorf("got %d hidden and %d findings (%v), want %+v", got[account], len(w.findings(id)), err, want)
		}
		w.clock.Advance(48 * time.Hour)
	}
}

// TestOrdersElsewhereAreRefused: an account that is not covered is neither
// read nor written, and nothing about it is resolved.
func TestOrdersElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	w.emptyDefault()
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	r := w.only(id)
	w.config = func(c *engine.Config) { c.Accounts = []dera.Account{{ID: "999988887777", Partition: "aws"}} }
	other := w.newEngine("engine-2", w.store)
	before := len(w.cloud.Calls())
	by := dera.Actor{Name: "ann", How: "test"}
	_, approve := other.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: by})
	_, reject := other.Decide(t.Context(), r.ID, engine.Answer{Reason: "no", By: by})
	_, carry := other.Carry(t.Context(), r.ID)
	_, back := other.Rollback(t.Context(), r.ID, remediate.Request{By: by})
	for name, err := range map[string]error{"approve": approve, "reject": reject, "carry": carry, "rollback": back, "look": other.LookNow(t.Context(), w.event(id), true)} {
		var refused *engine.RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	if n := len(w.cloud.Calls()); n != before {
		t.Errorf("got %d calls, want none", n-before)
	}
	if got := w.last(id); got.State != dera.Waiting || got.Revision != r.Revision {
		t.Errorf("remediation: got %s, want it as it was", got.State)
	}
}

// TestBudgetOfNone: nothing is automatic, and everything waits for a person.
func TestBudgetOfNone(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*engine.Config){
		"by_account_and_control": func(c *engine.Config) { c.BudgetPerHour = -1 },
		"everywhere":             func(c *engine.Config) { c.BudgetEverywhere = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.config = set })
			w.emptyDefault()
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			w.sweep()
			if got := w.only(id); got.State != dera.Waiting {
				t.Errorf("got %s, want it to wait", got.State)
			}
			if n := w.count(revoke); n != 0 {
				t.Errorf("got %d revokes, want none", n)
			}
		})
	}
}
