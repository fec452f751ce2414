package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dera.example/dera/store"
)

func outboxTests() map[string]func(*world) {
	return map[string]func(*world){
		"notices are posted once, whoever posts them": posting,
		"notices are claimed once and come again":     claimNotices,
		"notices that are dead wait for a person":     deadNotices,
	}
}

func notice(id string, due time.Time) store.Notice {
	return store.Notice{ID: id, Sink: "chat", Due: due, Body: []byte("body of " + id)}
}

// posting: of several processes that take the same records over one wins, and what was
// sent is not added by one that comes late.
func posting(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	if _, ok := must2(w.store.Posted(ctx))(w); ok {
		w.Error("an empty store was posted")
	}
	w.commit(store.Batch{Posting: &store.Posting{From: 5, Next: 5}})
	errs := w.race(6, func(s *store.Store, i int) error {
		return s.Commit(ctx, store.Batch{Posting: &store.Posting{From: 5, Next: 7, Notices: []store.Notice{notice("a", now), notice(fmt.Sprint("b", i), now)}}})
	})
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, store.ErrConflict):
			w.Error(err)
		}
	}
	if next, _ := must2(w.store.Posted(ctx))(w); won != 1 || next != 7 {
		w.Errorf("%d postings won, and the next record is %d; want 1 and 7", won, next)
	}
	if got := must(w.store.ClaimNotices(ctx, "chat", 10, time.Minute))(w); len(got) != 2 {
		w.Errorf("got %d notices, want 2", len(got))
	}
	if err := w.store.Commit(ctx, store.Batch{Posting: &store.Posting{From: 5, Next: 9}}); !errors.Is(err, store.ErrConflict) {
		w.Errorf("posted twice: %v", err)
	}
	if err := w.store.Commit(ctx, store.Batch{Posting: &store.Posting{From: 8, Next: 9}}); !errors.Is(err, store.ErrConflict) {
		w.Errorf("left records out: %v", err)
	}
}

// claimNotices: each is with one claimer at a time, and with another one when that one
// does not come back; what a claimer says whose claim is lost counts for nothing.
func claimNotices(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	var list []store.Notice
	for i := range 40 {
		list = append(list, notice(fmt.Sprintf("n%02d", i), now.Add(time.Duration(i)*time.Second)))
	}
	w.commit(store.Batch{Posting: &store.Posting{Notices: list}})
	w.clock.Advance(time.Hour)
	var mu sync.Mutex
	var seen []string
	for _, err := range w.race(8, func(s *store.Store, _ int) error {
		got, err := s.ClaimNotices(ctx, "chat", 5, time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for _, n := range got {
			seen = append(seen, n.ID)
			if string(n.Body) != "body of "+n.ID {
				err = fmt.Errorf("%s has the body %q", n.ID, n.Body)
			}
		}
		return err
	}) {
		if err != nil {
			w.Error(err)
		}
	}
	slices.Sort(seen)
	if len(slices.Compact(slices.Clone(seen))) != len(seen) {
		w.Errorf("some were claimed twice: %v", seen)
	}
	w.clock.Advance(2 * time.Minute)
	first := must(w.store.ClaimNotices(ctx, "chat", 100, time.Minute))(w)
	if len(first) != 40 || first[0].ID != "n00" || first[39].ID != "n39" {
		w.Fatalf("got %d notices in the order %v, want all of them", len(first), first)
	}
	w.clock.Advance(2 * time.Minute)
	second := must(w.store.ClaimNotices(ctx, "chat", 100, time.Minute))(w)
	if err := w.store.Sent(ctx, first); err != nil {
		w.Fatal(err)
	}
	if err := w.store.Sent(ctx, second[:30]); err != nil {
		w.Fatal(err)
	}
	if err := w.store.Postpone(ctx, second[30:], w.at(time.Hour), "no answer"); err != nil {
		w.Fatal(err)
	}
	if got := must(w.store.ClaimNotices(ctx, "chat", 100, time.Minute))(w); len(got) != 0 {
		w.Errorf("%d came before they were due", len(got))
	}
	b := must(w.store.Backlogs(ctx))(w)
	if len(b) != 1 || b[0].Waiting != 10 || b[0].Late != 10 || b[0].Dead != 0 || b[0].Why != "no answer" || !b[0].Oldest.Equal(now) {
		w.Errorf("backlog: got %+v, want 10 that are late", b)
	}
	w.clock.Advance(time.Hour)
	if got := must(w.store.ClaimNotices(ctx, "chat", 100, time.Minute))(w); len(got) != 10 || got[0].Attempts < 3 {
		w.Errorf("got %v, want the 10 again", got)
	}
	if n := must(w.store.Counters(ctx))(w)["notices_sent"]; n != 30 {
		w.Errorf("%d count as sent, want 30", n)
	}
}

func deadNotices(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	other := notice("c", now)
	other.Sink = "mail"
	w.commit(store.Batch{Posting: &store.Posting{Notices: []store.Notice{notice("a", now), notice("b", now.Add(time.Hour)), other}}})
	got := must(w.store.ClaimNotices(ctx, "chat", 10, time.Minute))(w)
	if err := w.store.Bury(ctx, got, "no such channel\x00"); err != nil {
		w.Fatal(err)
	}
	w.clock.Advance(10 * time.Minute)
	if got := must(w.store.ClaimNotices(ctx, "chat", 10, time.Minute))(w); len(got) != 0 {
		w.Errorf("a dead one came again: %v", got)
	}
	if b := must(w.store.Backlogs(ctx))(w); len(b) != 2 || b[0].Dead != 1 || b[0].Waiting != 1 || b[1].Waiting != 1 || b[1].Dead != 0 {
		w.Errorf("backlog: got %+v", b)
	}
	if n := must(w.store.Revive(ctx, "mail"))(w); n != 0 {
		w.Errorf("%d of another sink were revived", n)
	}
	if n := must(w.store.Revive(ctx, ""))(w); n != 1 {
		w.Errorf("%d were revived, want 1", n)
	}
	if got := must(w.store.ClaimNotices(ctx, "chat", 10, time.Minute))(w); len(got) != 1 || got[0].ID != "a" || !got[0].Dead.IsZero() {
		w.Errorf("got %+v, want the one that was dead", got)
	}
}

// must2 fails the test on an error and returns the values.
func must2[A, B any](a A, b B, err error) func(*world) (A, B) {
	return func(w *world) (A, B) {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return a, b
	}
}
