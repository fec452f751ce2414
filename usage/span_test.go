package usage_test

import (
	"testing"
	"time"

	"dera.example/dera/usage"
)

// TestSpan: an account is recorded from its first hour to the end of its newest one,
// whatever the order of the files; of another account nothing is.
func TestSpan(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	first, last := time.Date(2025, 12, 31, 23, 10, 0, 0, time.UTC), time.Date(2026, 3, 2, 4, 50, 0, 0, time.UTC)
	for i, at := range []time.Time{last, first, first.AddDate(0, 1, 0)} {
		importing(t, s, usage.ImportConfig{}, write(t, dir, logPath(at, i), pack(t, logFile(record(at.String(), "app", "ListQueues", at)))))
	}
	l := usage.New(s, nil)
	from, to, err := l.Span(t.Context(), "111122223333")
	if want := first.Truncate(time.Hour); err != nil || !from.Equal(want) || !to.Equal(last.Truncate(time.Hour).Add(time.Hour)) {
		t.Errorf("got %s to %s, %v, want it from %s", from, to, err, want)
	}
	if from, to, err := l.Span(t.Context(), "999999999999"); err != nil || !from.IsZero() || !to.IsZero() {
		t.Errorf("another account: got %s to %s, %v, want nothing", from, to, err)
	}
}
