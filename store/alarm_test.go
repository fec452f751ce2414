package store_test

import (
	"errors"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestAlarm_once: an alarm begins once and ends once, and a message is taken once in an hour at
// least; what is refused writes nothing of its batch.
func TestAlarm_once(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := dera.Alarm{Key: "k", Severity: dera.High, Title: "t"}
	for i, step := range []struct {
		batch store.Batch
		after time.Duration
		want  error
	}{
		{store.Batch{AlarmEnded: "k"}, 0, store.ErrAlarm},
		{store.Batch{Alarm: &a}, 0, nil},
		{store.Batch{Alarm: &a}, 0, store.ErrAlarm},
		{store.Batch{AlarmEnded: "k"}, 0, nil},
		{store.Batch{Taken: "m"}, 0, nil},
		{store.Batch{Taken: "m"}, time.Hour, store.ErrTaken},
		{store.Batch{Taken: "n"}, time.Minute, nil}, // it forgets m
		{store.Batch{Taken: "m"}, 0, nil},
	} {
		now = now.Add(step.after)
		step.batch.Counts = map[string]int64{"n": 1}
		if err := s.Commit(t.Context(), step.batch); !errors.Is(err, step.want) {
			t.Errorf("step %d: got %v, want %v", i, err, step.want)
		}
	}
	if counts, err := s.Counters(t.Context()); err != nil || counts["n"] != 5 {
		t.Errorf("got %v, %v, want 5 commits", counts, err)
	}
}
