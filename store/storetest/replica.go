package storetest

import (
	"time"

	"dera.example/dera/store"
)

func replicaTests() map[string]func(*world) {
	return map[string]func(*world){"processes_that_live_are_counted": replicas}
}

// replicas: who says that it lives is counted for a while, and no longer when it leaves or falls silent.
func replicas(w *world) {
	const ttl = 20 * time.Second
	beat := func(owner string, want int) {
		w.Helper()
		if n := must(w.store.Beat(w.Context(), owner, ttl))(w); n != want {
			w.Errorf("%s: got %d alive, want %d", owner, n, want)
		}
	}
	beat("a", 1)
	beat("a", 1)
	beat("b", 2)
	beat("c", 3)
	w.clock.Advance(ttl / 2)
	beat("a", 3)
	beat("b", 3)
	w.clock.Advance(ttl/2 + time.Second)
	beat("a", 2) // c is silent
	if err := w.store.Leave(w.Context(), "b"); err != nil {
		w.Fatal(err)
	}
	beat("a", 1)
	w.clock.Advance(time.Hour)
	beat("b", 1)
	for i, err := range w.race(8, func(s *store.Store, i int) error {
		_, err := s.Beat(w.Context(), string(rune('p'+i)), ttl)
		return err
	}) {
		if err != nil {
			w.Errorf("process %d: %v", i, err)
		}
	}
	beat("b", 9)
}
