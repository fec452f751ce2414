package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control"
)

// step is a move of a remediation some hours ago.
func step(state dera.State, hours int) dera.Step {
	return dera.Step{State: state, At: noon().Add(-time.Duration(hours) * time.Hour)}
}

func hoursAgo(n int) time.Time { return noon().Add(-time.Duration(n) * time.Hour) }

func approved(r dera.Remediation) dera.Remediation {
	r.Approval = &dera.Approval{Approved: true}
	return r
}

func over(t *testing.T, s shelf, e app.Effects, days int) app.Effectiveness {
	t.Helper()
	e.Now = noon
	data, err := e.Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return data.Over(app.Period{Since: ago(days), Until: noon()})
}

// closed is a finding that was first seen and resolved some hours ago.
func closed(id string, seen, resolved int) dera.Finding {
	f := found(id, "111122223333", dera.High, dera.Auto)
	at := hoursAgo(resolved)
	f.FirstSeen, f.State, f.ResolvedAt = hoursAgo(seen), dera.FindingResolved, &at
	return f
}

func by(v app.Effectiveness, who string) app.TimeToClose {
	return v.Closed[slices.IndexFunc(v.Closed, func(c app.TimeToClose) bool { return c.By == who })]
}

func TestTimeToRemediate(t *testing.T) {
	t.Parallel()
	auto, asked, alone := closed("f-auto", 10, 8), closed("f-asked", 50, 20), closed("f-alone", 30, 29)
	evented := closed("f-event", 7, 6)
	evented.LastChange = hoursAgo(7).Add(-30 * time.Minute) // the event that opened it
	late := closed("f-late", 7, 6)
	late.LastChange = hoursAgo(9) // too long before it was seen to have opened it
	before := closed("f-before", 24*40, 24*35)
	s := shelf{
		findings: []dera.Finding{auto, asked, alone, evented, late, before},
		remediations: []dera.Remediation{
			made("r-1", dera.Resolved, auto, step(dera.Ready, 9), step(dera.Resolved, 8)),
			approved(made("r-2", dera.Resolved, asked, step(dera.Waiting, 49), step(dera.Ready, 21), step(dera.Resolved, 20))),
			made("r-3", dera.Resolved, evented, step(dera.Resolved, 6)),
			made("r-4", dera.Resolved, late, step(dera.Resolved, 6)),
			made("r-5", dera.Resolved, before, step(dera.Resolved, 24*35)),
		},
	}
	v := over(t, s, app.Effects{}, 30)
	hours := func(h float64) int64 { return int64(h * 3600) }
	for _, want := range []struct {
		by          string
		n           int
		median, p95 int64
	}{{app.ClosedAutomatic, 3, hours(1.5), hours(2)}, {app.ClosedApproved, 1, hours(30), hours(30)}, {app.ClosedOthers, 1, hours(1), hours(1)}, {app.ClosedAll, 5, hours(1.5), hours(30)}} {
		got := by(v, want.by)
		if got.Count != want.n || *got.Median != want.median || *got.P95 != want.p95 {
			t.Errorf("closed by %s: got %d with %d and %d s, want %+v", want.by, got.Count, *got.Median, *got.P95, want)
		}
	}
	if len(v.Controls) != 1 || v.Controls[0].Automatic != 3 || v.Controls[0].Count != 5 {
		t.Errorf("by control: got %+v", v.Controls)
	}
	if q := v.Queue; q.Automatic != 3 || q.Asked != 1 || q.Findings != 1 || q.Approved != 1 || *q.Saved != 75 || *q.Answer.Median != hours(28) {
		t.Errorf("queue: got %+v", q)
	}
	sum := app.WeekCount{}
	for _, w := range v.Weeks {
		sum.Opened, sum.Automatic, sum.Approved, sum.Others = sum.Opened+w.Opened, sum.Automatic+w.Automatic, sum.Approved+w.Approved, sum.Others+w.Others
	}
	if sum != (app.WeekCount{Opened: 5, Automatic: 3, Approved: 1, Others: 1}) {
		t.Errorf("weeks: got %+v", sum)
	}
}

func TestWhatWasWrong(t *testing.T) {
	t.Parallel()
	a, b, c, d := closed("f-a", 100, 90), found("f-b", "111122223333", dera.High, dera.Auto), closed("f-c", 100, 90), found("f-d", "111122223333", dera.High, dera.Exempt)
	rejected, failed := found("f-r", "111122223333", dera.High, dera.Review), found("f-f", "111122223333", dera.High, dera.Auto)
	back := made("r-b", dera.RolledBack, b, step(dera.Resolved, 80), step(dera.Undoing, 70), step(dera.RolledBack, 69))
	back.UndoBy = "arn:aws:iam::111122223333:user/ann"
	given := made("r-given", dera.Resolved, a, step(dera.Resolved, 10))
	given.Plan.Keys = []string{dera.Access{ID: "a-1"}.Key()}
	s := shelf{
		findings: []dera.Finding{a, b, c, d, rejected, failed},
		remediations: []dera.Remediation{
			made("r-a", dera.Resolved, a, step(dera.Resolved, 90)), back, made("r-c", dera.Collateral, c, step(dera.Resolved, 90), step(dera.Collateral, 80)), given,
			made("r-r", dera.Rejected, rejected, step(dera.Waiting, 90), step(dera.Rejected, 80)),
			made("r-f", dera.Failed, failed, step(dera.Applying, 90), step(dera.Undoing, 89), step(dera.Failed, 88)),
		},
		denials: []dera.Denial{
			{Remediation: "r-a", Cause: dera.CauseRemoved}, {Remediation: "r-c", Cause: dera.CauseUnknown}, {Remediation: "r-b", Cause: dera.CauseOther},
		},
	}
	v := over(t, s, app.Effects{}, 30)
	if w := v.Wrong; w != (app.Wrong{Fixed: 3, Denied: 1, MayBe: 1, Undone: 1, Rejected: 1, Exempted: 1, Findings: 4, Seen: 6}) {
		t.Errorf("wrong: got %+v", w)
	}
	if w := v.Work; w.Fixed != 3 || w.Automatic != 3 || w.RolledBack != 1 || len(w.By) != 1 || w.By[0].By != back.UndoBy || w.Undone != 1 || w.Failed != 1 || w.SideEffect != 1 {
		t.Errorf("work: got %+v", w)
	}
	if text := strings.Join(app.EffectLines(v), "\n"); !strings.Contains(text, "1 wrong of 3 fixes, 1 undone") {
		t.Errorf("text: got %s", text)
	}
}

func TestWhatIsDue(t *testing.T) {
	t.Parallel()
	e := app.Effects{
		Exemptions: []dera.Exemption{{ID: "soon", Expires: noon().AddDate(0, 0, 29)}, {ID: "far", Expires: noon().AddDate(0, 0, 31)}, {ID: "over", Expires: noon().AddDate(0, -4, 0)}},
		Controls: []control.Control{
			{Meta: control.Meta{ID: "today", ReviewBy: "2026-11-29"}}, {Meta: control.Meta{ID: "yesterday", ReviewBy: "2026-11-28"}}, {Meta: control.Meta{ID: "next-year", ReviewBy: "2027-11-01"}},
			{Meta: control.Meta{ID: "typo", ReviewBy: "soon"}},
		},
		KeptSince: ago(10),
	}
	v := over(t, shelf{}, e, 30)
	if len(v.Exemptions) != 2 || v.Exemptions[0].ID != "over" || !v.Exemptions[0].Overdue || v.Exemptions[1].Overdue {
		t.Errorf("exemptions: got %+v, want over, then soon", v.Exemptions)
	}
	overdue := map[string]bool{}
	for _, r := range v.Reviews {
		overdue[r.Control] = r.Overdue
	}
	if len(overdue) != 3 || overdue["today"] || !overdue["yesterday"] || !overdue["typo"] {
		t.Errorf("reviews: got %v", overdue)
	}
	if v.KeptSince == nil || !v.KeptSince.Equal(ago(10)) {
		t.Errorf("kept since: got %v, want 10 days ago: the period begins before that", v.KeptSince)
	}
	if v := over(t, shelf{}, e, 9); v.KeptSince != nil {
		t.Errorf("kept since: got %v of a period that is whole", v.KeptSince)
	}
}

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time { at, _ := time.Parse(time.RFC3339, s); return at }
	for name, c := range map[string]struct {
		since, until string
		want         app.Period
		refused      bool
	}{
		"default":        {"", "", app.Period{Since: noon().AddDate(0, 0, -90), Until: noon()}, false},
		"days":           {"7d", "", app.Period{Since: ago(7), Until: noon()}, false},
		"hours":          {"36h", "12h", app.Period{Since: hoursAgo(36), Until: hoursAgo(12)}, false},
		"dates":          {"2026-07-01", "2026-10-01", app.Period{Since: day("2026-07-01T00:00:00Z"), Until: day("2026-10-01T00:00:00Z")}, false},
		"zone":           {"2026-07-01T02:00:00+02:00", "", app.Period{Since: day("2026-07-01T00:00:00Z"), Until: noon()}, false},
		"until alone":    {"", "2026-10-01", app.Period{Since: day("2026-07-03T00:00:00Z"), Until: day("2026-10-01T00:00:00Z")}, false},
		"turned around":  {"1d", "2d", app.Period{}, true},
		"to come":        {"7d", "2026-12-24", app.Period{}, true},
		"empty":          {"2026-10-01", "2026-10-01", app.Period{}, true},
		"negative":       {"-7d", "", app.Period{}, true},
		"negative hours": {"-7h", "", app.Period{}, true},
		"words":          {"last week", "", app.Period{}, true},
	} {
		got, err := app.ParsePeriod(c.since, c.until, noon())
		if (err != nil) != c.refused || err == nil && got != c.want {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestReviewsOverdue: an alarm says so while a date is over, and ends.
func TestReviewsOverdue(t *testing.T) {
	t.Parallel()
	now, raised, ended := noon(), []dera.Alarm{}, 0
	r := app.ReviewsOverdue{
		Controls: []control.Control{{Meta: control.Meta{ID: "a", ReviewBy: "2026-12-15"}}, {Meta: control.Meta{ID: "b", ReviewBy: "2027-01-15"}}},
		Now:      func() time.Time { return now },
		Alarm:    func(_ context.Context, a dera.Alarm) error { raised = append(raised, a); return nil },
		Ended:    func(context.Context, string) error { ended++; return nil },
	}
	if err := r.Check(t.Context()); err != nil || len(raised) != 0 || ended != 1 {
		t.Errorf("due soon: got %v, %+v", err, raised)
	}
	now = now.AddDate(0, 0, 20)
	if err := r.Check(t.Context()); err != nil || len(raised) != 1 || ended != 1 || !strings.Contains(raised[0].Why, "1 review overdue, the longest a (by 2026-12-15)") {
		t.Errorf("overdue: got %v, %+v", err, raised)
	}
}
