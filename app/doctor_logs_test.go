package app

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera/source"
	"dera.example/dera/store"
)

// TestDoctorOnLogs: what became of log files, and what to do where none is read.
func TestDoctorOnLogs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		off    bool
		counts map[string]int64
		want   Health
		says   string
	}{
		"off":     {off: true},
		"none":    {want: ToDo, says: "none was ever announced"},
		"read":    {counts: map[string]int64{source.LogsRead: 3, source.LogsSkipped + "digest": 2, source.LogsSkipped + "Config": 1, source.LogsFailed: 1}, want: Healthy, says: "3 read, 3 skipped"},
		"denied":  {counts: map[string]int64{source.LogsFailed: 4}, want: ToDo, says: "4 reads failed"},
		"foreign": {counts: map[string]int64{source.LogsRead: 3, source.LogsForeign: 2}, want: ToDo, says: "2 messages announced objects of buckets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
			x := examined(t, &now)
			x.LogFiles = !tc.off
			if err := x.Store.Commit(t.Context(), store.Batch{Counts: tc.counts}); err != nil {
				t.Fatal(err)
			}
			if err := x.logs(t.Context()); err != nil {
				t.Fatal(err)
			}
			found := tc.off && len(x.report.Checks) == 0
			for _, c := range x.report.Checks {
				found = found || c.Health == tc.want && strings.Contains(c.Says, tc.says)
			}
			if !found {
				t.Errorf("got %+v, want %s with %q", x.report.Checks, tc.want, tc.says)
			}
		})
	}
}
