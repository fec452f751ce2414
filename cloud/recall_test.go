package cloud

import (
	"testing"
	"time"

	"dera.example/dera"
)

// TestRecall: what stands in is at most recallFor old, was read without a doubt, is a copy, and goes with a write.
func TestRecall(t *testing.T) {
	t.Parallel()
	type config struct{ read int }
	w := &Wire{Recall: func(c any) any { x := *c.(*config); return &x }}
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	scope := dera.Scope{Account: "1", Region: "r", Type: "T", IDs: []string{"a", "b"}}
	made := func(id string, at time.Time, doubt string) dera.Resource {
		return dera.Resource{Account: "1", Region: "r", Type: "T", ID: id, ReadAt: at, Unread: doubt, Config: &config{1}}
	}
	var k recall
	find := func(after time.Duration) int {
		known, others := k.find(w, scope, at.Add(after))
		if len(known)+len(others) != len(scope.IDs) {
			t.Errorf("after %s: got %d and %d of %d", after, len(known), len(others), len(scope.IDs))
		}
		return len(known)
	}
	k.keep(w, []dera.Resource{made("a", at, ""), made("b", at, "throttled"), made("c", at, "")}, at)
	if got := find(time.Second); got != 1 {
		t.Errorf("got %d, want a alone: b is in doubt", got)
	}
	known, _ := k.find(w, scope, at)
	known[0].Config.(*config).read = 2
	if known, _ = k.find(w, scope, at); known[0].Config.(*config).read != 1 {
		t.Error("what was found is not a copy")
	}
	for after, want := range map[time.Duration]int{-time.Second: 0, recallFor - 1: 1, recallFor: 0} {
		if got := find(after); got != want {
			t.Errorf("after %s: got %d, want %d", after, got, want)
		}
	}
	k.keep(w, []dera.Resource{made("b", at.Add(recallFor), "")}, at.Add(recallFor))
	k.keep(w, []dera.Resource{made("a", at.Add(recallFor), "throttled")}, at.Add(recallFor))
	if got := find(recallFor); got != 1 {
		t.Errorf("got %d, want b alone: a is in doubt since", got)
	}
	k.forget(at.Add(recallFor))
	if got := find(recallFor); got != 0 {
		t.Errorf("after a write: got %d", got)
	}
	if known, _ := k.find(&Wire{}, scope, at); len(known) > 0 {
		t.Error("a type without Recall is remembered")
	}
}

// TestRecallOutlastsSlowReads: what a read that began before another one, or before a write, brings after it does not
// stand in: it says what was.
func TestRecallOutlastsSlowReads(t *testing.T) {
	t.Parallel()
	type config struct{ read int }
	w := &Wire{Recall: func(c any) any { x := *c.(*config); return &x }}
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	scope := dera.Scope{Account: "1", Region: "r", Type: "T", IDs: []string{"a"}}
	made := func(after time.Duration, doubt string, n int) []dera.Resource {
		return []dera.Resource{{Account: "1", Region: "r", Type: "T", ID: "a", ReadAt: at.Add(after), Unread: doubt, Config: &config{n}}}
	}
	var k recall
	k.keep(w, made(2*time.Second, "", 2), at.Add(3*time.Second))
	k.keep(w, made(time.Second, "", 1), at.Add(4*time.Second)) // it took longer
	k.keep(w, made(time.Second, "throttled", 1), at.Add(4*time.Second))
	if known, _ := k.find(w, scope, at.Add(5*time.Second)); len(known) != 1 || known[0].Config.(*config).read != 2 {
		t.Errorf("after an older read that took longer: got %+v, want what the newer one read", known)
	}
	k.forget(at.Add(6 * time.Second))
	k.keep(w, made(5*time.Second, "", 3), at.Add(7*time.Second))
	if known, _ := k.find(w, scope, at.Add(7*time.Second)); len(known) != 0 {
		t.Errorf("after a write during the read: got %+v, want that it is read once more", known)
	}
	k.keep(w, made(8*time.Second, "", 4), at.Add(9*time.Second))
	if known, _ := k.find(w, scope, at.Add(9*time.Second)); len(known) != 1 {
		t.Error("a read after the write is not remembered")
	}
}
