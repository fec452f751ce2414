package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
)

// TestBreaker: after three failed fixes the account's breaker is open, for a new
// process too; it closes after a quiet hour, or when someone resumes.
func TestBreaker(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]func(w *world) error{
		"by_itself": func(w *world) error { w.clock.Advance(time.Hour); return nil },
		"by_resume": func(w *world) error {
			return engine.Switch{Store: w.store, Now: w.clock.Now}.Resume(w.t.Context(), dera.Stop{Account: account}, dera.Actor{Name: "ann", How: "sts"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) {
				w.gate = func(g *evaluate.Gate) {
					g.Plan = append(g.Plan, evaluate.Breaker{Ledger: w.store, Now: w.clock.Now, Reserve: -1})
				}
			})
			for _, name := range []string{"a", "b", "c"} {
				id := w.group(name, tcp(22, 22, "0.0.0.0/0"))
				w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied, Times: 1})
				w.ingest(w.event(id))
				w.until(id)
				if r := w.remediations(id); r[0].State != dera.Failed {
					t.Fatalf("group %s: got %s, want a failed fix", name, r[0].State)
				}
			}
			w.open("engine-2")
			id := w.group("d", tcp(22, 22, "0.0.0.0/0"))
			w.look(id)
			if r := w.remediations(id); len(r) != 1 || r[0].State != dera.Waiting || len(w.ingress(id)) != 1 {
				t.Fatalf("with an open breaker: got %d remediations, want one that waits", len(r))
			}
			if err := closes(w); err != nil {
				t.Fatal(err)
			}
			w.look(id)
			w.quiet()
			if got := w.ingress(id); len(got) != 0 {
				t.Errorf("with a closed breaker: got %q, want it fixed", got)
			}
		})
	}
}
