package engine_test

import (
	"slices"
	"testing"

	"dera.example/dera"
)

// TestCriticalFirst: of hints that came together, or later, those are looked at first that say that something was
// opened, and those of sweeps last; a fix of what was found goes before all further looks.
func TestCriticalFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var events []dera.Event
	var want []string
	leanings := []dera.Leaning{dera.LeansClosed, dera.LeansNowhere, dera.LeansOpen}
	for i, name := range []string{"closed", "unsaid", "opened"} {
		id := w.group(name, tcp(443, 443, "10.0.0.0/8"))
		ev := w.event(id)
		ev.Leans = leanings[i]
		events = append(events, ev)
		want = append(want, id)
	}
	slices.Reverse(want)
	if err := w.engine.Sweep(t.Context(), "sweep"); err != nil {
		t.Fatal(err)
	}
	for _, ev := range events { // the most urgent one comes last
		w.ingest(ev)
	}
	jobs, err := w.store.Claim(t.Context(), "somebody", 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range jobs {
		for _, id := range want {
			if j.Key == (dera.Scope{Partition: "aws", Account: account, Region: region, Type: events[0].Scope.Type, IDs: []string{id}}).Key() {
				got = append(got, id)
			}
		}
	}
	if !slices.Equal(got, want) || jobs[len(jobs)-1].Priority <= jobs[0].Priority || len(jobs) < 4 {
		t.Errorf("got the order %v of %d jobs, want %v and then the sweep", got, len(jobs), want)
	}
}
