package engine_test

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"
)

// TestOtherConfigurationLosesNoHint: while a configuration is changed in one process after the other, one of the old
// configuration may claim a look that only the new one covers. It must not end it.
func TestOtherConfigurationLosesNoHint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		other func(*engine.Config)
	}{
		{"account_is_new", func(c *engine.Config) { c.Accounts = []dera.Account{{ID: "999988887777", Partition: "aws"}} }},
		{"region_is_new", func(c *engine.Config) { c.Regions = []string{"us-west-2"} }},
		{"type_is_new", func(c *engine.Config) { c.Controls = rulebook(bucket.Name) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			alone := false
			w.config = func(c *engine.Config) {
				tt.other(c)
				c.Others = func() bool { return !alone }
			}
			other := w.newEngine("engine-2", w.store)
			id := w.group("web", wideRule())
			w.ingest(w.event(id))
			if err := other.Sweep(t.Context(), "sweep"); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := other.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.clock.Advance(5 * time.Second)
			}
			w.quiet()
			if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
				t.Errorf("finding: got %q, want it found and fixed by the process that covers it", f.State)
			}
			w.ingest(w.event(id))
			alone = true
			if err := other.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			jobs, err := w.store.Jobs(t.Context())
			if err != nil || slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Kind == "look" && len(j.Payload) > 0 && j.RunAt.Before(w.clock.Now()) }) {
				t.Errorf("jobs of a process that is alone: got %+v (%v), want that none stays for nobody", jobs, err)
			}
		})
	}
}

// TestLookOfNobodyEnds: what no process covers is left to others for a while, and is then counted and ended.
func TestLookOfNobodyEnds(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Controls, c.Others = rulebook(bucket.Name), func() bool { return true }
		}
	})
	w.ingest(w.event("sg-0123456789abcdef0"))
	w.drain()
	if jobs, err := w.store.Jobs(t.Context()); err != nil || len(jobs) != 1 {
		t.Fatalf("jobs of %s: got %+v (%v), want one that is left to others", securitygroup.Name, jobs, err)
	}
	for range 20 {
		w.clock.Advance(time.Minute)
		w.drain()
	}
	jobs, err := w.store.Jobs(t.Context())
	if err != nil || len(jobs) != 0 {
		t.Errorf("jobs: got %+v (%v), want none", jobs, err)
	}
	if counts, err := w.store.Counters(t.Context()); err != nil || counts["events_foreign"] != 1 {
		t.Errorf("counters: got %v (%v), want one foreign event", counts, err)
	}
}
