package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/source"
)

// TestSilence: a kind that never came, or came and stopped, is told, also by a process that
// started meanwhile; one that comes again ends it.
func TestSilence(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	x := examined(t, &at)
	var told []string
	check := func() []string {
		t.Helper()
		told = nil
		s := Silence{
			Store: x.Store, Now: x.Now, Expect: map[string]time.Duration{source.KindCloudTrail: time.Hour},
			Alarm: func(_ context.Context, a dera.Alarm) error { told = append(told, a.Key); return nil },
			Ended: func(_ context.Context, key string) error { told = append(told, "over "+key); return nil },
		}
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		return told
	}
	come := Noting(x.Store, func(context.Context, source.Delivery) error { return nil })
	for i, step := range []struct {
		after time.Duration
		comes bool
		want  string
	}{
		{0, false, "over silent/cloudtrail"}, {59 * time.Minute, false, "over silent/cloudtrail"}, {time.Minute, false, "silent/cloudtrail"},
		{time.Minute, true, "over silent/cloudtrail"}, {time.Hour, false, "silent/cloudtrail"},
	} {
		at = at.Add(step.after)
		if step.comes {
			if err := come(t.Context(), source.Delivery{At: at, Kinds: []string{source.KindCloudTrail}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := check(); !slices.Equal(got, []string{step.want}) {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}
