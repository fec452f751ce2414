package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
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
		"an_hour":    {with(func(r *UseRecord) { r.To = now.Add(-time.Hour) }), nil, Healthy, "ends 1 hour ago; gaps", ""},
		"data_gap":   {with(func(r *UseRecord) { r.Gaps = map[string]int{"data-events-not-selected": 1} }), nil, Healthy, "1 data-events-not-selected", ""},
		"gaps":       {with(func(r *UseRecord) { r.Gaps = map[string]int{"hours-missing": 3, "file-damaged": 1} }), nil, ToDo, "gaps in its last 90 days: 1 file-damaged, 3 hours-missing", "dera usage gaps lists the gaps"},
		"a_day":      {with(func(r *UseRecord) { r.To = now.Add(-24 * time.Hour) }), nil, Healthy, "ends 24 hours ago; gaps", ""},
		"over_a_day": {with(func(r *UseRecord) { r.To = now.Add(-24*time.Hour - time.Minute) }), nil, ToDo, "ends 24 hours ago, which is stale", "since then"},
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

// TestDoctorAndGateOnTheAgeOfTheRecord: the doctor calls a record stale exactly from when
// the gate sends to review because of its age.
func TestDoctorAndGateOnTheAgeOfTheRecord(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	const window = 90 * 24 * time.Hour
	gate := evaluate.UsageRecord{Now: func() time.Time { return now }}
	reviews := 0
	for minutes := range 3 * 24 * 60 {
		to := now.Add(-time.Duration(minutes) * time.Minute)
		use := &resource.Use{From: to.Add(-window), To: to}
		got, err := gate.Check(t.Context(), evaluate.Case{
			Finding: dera.Finding{Permissions: []string{"s3:GetObject"}},
			Type: resource.Type{Principals: func(any) []resource.Principal {
				return []resource.Principal{{ARN: "arn:aws:iam::111122223333:role/a", Use: use}}
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, says, _ := UseRecord{From: use.From, To: to, Window: window}.health(now)
		stale := strings.Contains(says, "stale")
		if review := got.Disposition == dera.Review; review != stale {
			t.Fatalf("a record that ended %d minutes ago: doctor says %q, the gate %s: %s", minutes, says, got.Disposition, got.Why)
		}
		if stale {
			reviews++
		}
	}
	if reviews == 0 {
		t.Error("no record was stale, so that this shows nothing")
	}
}
