package engine_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
)

// TestFreezeBetweenDecisionAndWrite: what was decided auto a moment before a
// freeze window is held back in it, and a person is asked.
func TestFreezeBetweenDecisionAndWrite(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			windows, err := evaluate.NewWindows([]evaluate.Window{{Name: "close of day", From: "09:05", To: "17:00", Zone: "UTC"}}, nil, w.clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			g.Finding = append(g.Finding, windows)
		}
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	if err := w.engine.LookNow(t.Context(), w.event(id), true); err != nil {
		t.Fatal(err)
	}
	if r := w.remediations(id); len(r) != 1 || r[0].State != dera.Ready {
		t.Fatalf("before the freeze: got %+v, want one that is ready", r)
	}
	w.clock.Advance(10 * time.Minute) // 9:10, in the freeze
	w.drain()
	if calls := w.ours(""); len(calls) > 0 {
		t.Errorf("writes in the freeze: got %v, want none", calls)
	}
	r := w.remediations(id)
	if len(r) != 2 || r[0].State != dera.Superseded || r[1].State != dera.Waiting {
		t.Fatalf("in the freeze: got %d remediations, want the decided one let go and one that waits", len(r))
	}
	if why := r[0].Steps[len(r[0].Steps)-1].Why; !strings.Contains(why, "close of day") {
		t.Errorf("why it was let go: got %q, want the window's name", why)
	}
	// A person may say yes in the freeze.
	if _, err := w.engine.Decide(t.Context(), r[1].ID, engine.Answer{Approve: true, Digest: r[1].Digest, By: dera.Actor{Name: "ann", How: "sts"}}); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if got := w.ingress(id); len(got) != 0 {
		t.Errorf("rules after the approval: got %q, want none", got)
	}
}

// TestOwnResourcesAreNeverChanged: no plan waits, so that no approval can let one
// through (invariant I6).
func TestOwnResourcesAreNeverChanged(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			g.Finding = append(g.Finding, evaluate.Own{Resources: dera.NewPrincipals([]string{"arn:aws:ec2:*:" + account + ":security-group/*"})})
		}
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	f := w.findings(id)["ec2-securitygroup-admin-ports-open tcp/22"]
	if f.Disposition != dera.Alert || f.State != dera.FindingOpen || len(w.remediations(id)) > 0 || len(w.ours("")) > 0 {
		t.Errorf("got %s, %s, %d remediations, want an open alert without any", f.Disposition, f.State, len(w.remediations(id)))
	}
}

func TestWhoChangedItAndWhoOwnsIt(t *testing.T) {
	t.Parallel()
	const eve, own = "arn:aws:iam::" + account + ":user/eve", "arn:aws:sts::" + account + ":assumed-role/dera/session"
	by := func(actor string, authenticated bool) func(*dera.Event) {
		return func(ev *dera.Event) { ev.Actor, ev.UserAgent, ev.Authenticated = actor, "agent", authenticated }
	}
	tests := []struct {
		name                     string
		events                   []func(*dera.Event)
		tags                     map[string]string
		first, last, owner, from string
	}{
		{name: "nobody_is_known"},
		{name: "hearsay_does_not_count", events: []func(*dera.Event){by(eve, false)}},
		{name: "authenticated", events: []func(*dera.Event){by(eve, true)}, first: eve, last: eve, owner: eve, from: "actor"},
		{name: "the_last_one_counts", events: []func(*dera.Event){by(eve, true), by("root", true)}, first: eve, last: "root", owner: "root", from: "actor"},
		{name: "a_late_event_is_not_the_last", events: []func(*dera.Event){by("root", true), func(ev *dera.Event) {
			by(eve, true)(ev)
			ev.Time = ev.Time.Add(-time.Hour)
		}}, first: "root", last: "root", owner: "root", from: "actor"},
		{name: "dera_itself_does_not", events: []func(*dera.Event){by(eve, true), by(own, true)}, first: eve, last: eve, owner: eve, from: "actor"},
		{name: "tag_first", events: []func(*dera.Event){by(eve, true)}, tags: map[string]string{"team": "net"}, first: eve, last: eve, owner: "net", from: "tag"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) {
				w.mode = dera.Observe
				w.config = func(c *engine.Config) { c.Own = []string{"arn:aws:iam::" + account + ":role/dera"} }
			})
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			if len(tt.tags) > 0 {
				if err := w.region.Tag(t.Context(), id, tt.tags); err != nil {
					t.Fatal(err)
				}
			}
			w.look(id)
			for _, change := range tt.events {
				ev := w.event(id)
				change(&ev)
				w.ingest(ev)
				w.drain()
				w.clock.Advance(time.Second)
			}
			w.sweep() // it knows nobody, and forgets nobody
			f := w.findings(id)["ec2-securitygroup-admin-ports-open tcp/22"]
			if f.Actor != tt.first || f.LastActor != tt.last || f.Owner != tt.owner || f.OwnerSource != tt.from {
				t.Errorf("got first %q, last %q, owner %q by %q, want %q, %q, %q by %q", f.Actor, f.LastActor, f.Owner, f.OwnerSource, tt.first, tt.last, tt.owner, tt.from)
			}
		})
	}
}
