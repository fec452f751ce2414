package app

import (
	"maps"
	"testing"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/source"
)

// TestDoctorOnLoad: what dera run noted of its load is what the doctor goes by, as long as it is new.
func TestDoctorOnLoad(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		load  Load
		after time.Duration
		want  map[string]Health
	}{
		"quiet":     {Load{}, time.Minute, map[string]Health{"queue": Healthy, "calls": Healthy}},
		"late":      {Load{Queue: source.Load{Lag: time.Hour}}, time.Minute, map[string]Health{"queue": ToDo, "calls": Healthy}},
		"stuck":     {Load{Queue: source.Load{Oldest: time.Hour}}, time.Minute, map[string]Health{"queue": ToDo, "calls": Healthy}},
		"put_off":   {Load{Calls: cloud.LimitLoad{Later: 3}}, time.Minute, map[string]Health{"queue": Healthy, "calls": ToDo}},
		"throttled": {Load{Calls: cloud.LimitLoad{Throttled: 3}}, time.Minute, map[string]Health{"queue": Healthy, "calls": ToDo}},
		"old":       {Load{}, time.Hour, map[string]Health{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
			x := examined(t, &now)
			if err := x.load(t.Context()); err != nil || len(x.report.Checks) > 0 {
				t.Errorf("before any load: got %+v, %v", x.report.Checks, err)
			}
			tc.load.At = now
			if err := NoteLoad(t.Context(), x.Store, tc.load); err != nil {
				t.Fatal(err)
			}
			now = now.Add(tc.after)
			if err := x.load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := x.of("load"); !maps.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
