package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera/cloud"
)

// TestDoctorOnTheRecordOfUse: how far the record reaches, how old its end is and what
// gaps it has; what is missing for an automatic change is to do.
func TestDoctorOnTheRecordOfUse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	whole := UseRecord{From: now.Add(-120 * day), To: now.Add(-2 * time.Hour), Window: 90 * day}
	with := func(change func(*UseRecord)) UseRecord {
		r := whole
		change(&r)
		return r
	}
	for name, tt := range map[string]struct {
		record UseRecord
		err    error
		want   Health
		says   string
		fix    string
	}{
		"none":       {UseRecord{}, nil, ToDo, "nothing is recorded of what principals did", "dera usage import"},
		"whole":      {whole, nil, Healthy, "from 2026-08-01 to 2026-11-29 (119 days), ends 2 hours ago; gaps in its last 90 days: none", ""},
		"data_gap":   {with(func(r *UseRecord) { r.Gaps = map[string]int{"data-events-not-selected": 1} }), nil, Healthy, "1 data-events-not-selected", ""},
		"gaps":       {with(func(r *UseRecord) { r.Gaps = map[string]int{"hours-missing": 3, "file-damaged": 1} }), nil, ToDo, "gaps in its last 90 days: 1 file-damaged, 3 hours-missing", "dera usage gaps lists the gaps"},
		"stale":      {with(func(r *UseRecord) { r.To = now.Add(-50 * time.Hour) }), nil, ToDo, "ends 50 hours ago, which is stale", "since then"},
		"short":      {with(func(r *UseRecord) { r.From = now.Add(-30 * day) }), nil, ToDo, "(29 days), ends 2 hours ago; an automatic change needs 90 days", "earlier log files"},
		"unreadable": {UseRecord{}, errors.New("no such table"), Unchecked, "no such table", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := &examination{report: Diagnosis{Summary: map[Health]int{}}, Doctor: Doctor{
				Now: func() time.Time { return now }, Accounts: []cloud.Account{{ID: "111122223333"}},
				Recorded: func(context.Context, string) (UseRecord, error) { return tt.record, tt.err },
			}}
			x.use(t.Context())
			if len(x.report.Checks) != 1 {
				t.Fatalf("got %d rows, want 1", len(x.report.Checks))
			}
			if c := x.report.Checks[0]; c.Health != tt.want || c.Account != "111122223333" || !strings.Contains(c.Says, tt.says) || !strings.Contains(c.Fix, tt.fix) || (tt.fix == "") != (c.Fix == "") {
				t.Errorf("got %+v, want %s: %q, %q", c, tt.want, tt.says, tt.fix)
			}
		})
	}
}
