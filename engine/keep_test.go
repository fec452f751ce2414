package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// TestLeaseLastsAsLongAsTheWork: a write that takes many times as long as a lease does not lose it, so that
// no other process begins the same work; afterwards the lease is given back.
func TestLeaseLastsAsLongAsTheWork(t *testing.T) {
	t.Parallel()
	const ttl = 300 * time.Millisecond
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) { c.Settle, c.Validity, c.LeaseTTL = -1, -1, ttl }
	})
	id := w.group("lab", wideRule())
	r := w.ready(id)
	lease := dera.Lease{Owner: "engine-1", Token: 1, Resource: r.ResourceKey()}
	waited := 0
	w.cloud.Inject(awssim.Fault{
		Match: byEngine(revoke), Times: 1, Kind: awssim.Hook,
		Func: func() {
			for range 5 { // each time most of a lease passes
				w.clock.Advance(2 * ttl / 3)
				w.await(func() bool {
					left, err := w.store.CheckLease(t.Context(), lease)
					return err == nil && left > 2*ttl/3
				})
				waited++
			}
		},
	})
	if r, err := w.engine.Carry(t.Context(), r.ID); err != nil || r.State != dera.Resolved {
		t.Errorf("carry: got %s and %v, want it resolved", r.State, err)
	}
	if got := w.sorted(id); waited < 5 || len(got) == 0 {
		t.Errorf("waited %d times, and the group has %q", waited, got)
	}
	if _, err := w.store.Lease(t.Context(), lease.Resource, "engine-2", ttl); err != nil {
		t.Errorf("the lease was not given back: %v", err)
	}
}
