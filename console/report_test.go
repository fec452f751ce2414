package console_test

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/console"
)

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`

// fixed makes a finding that dera fixed, and the plan of it.
func (w *world) fixed(i int, actor string, seen, closed time.Duration) {
	f, r := w.finding(i, dera.High)
	defer w.locked()()
	at := w.now.Add(-closed)
	f.Actor, f.Key, f.ResourceType, f.Sources = actor, "tcp/22", "AWS::EC2::SecurityGroup", []string{"0.0.0.0/0"}
	f.FirstSeen, f.State, f.ResolvedAt = w.now.Add(-seen), dera.FindingResolved, &at
	r.State, r.Steps = dera.Resolved, []dera.Step{{State: dera.Ready, At: at.Add(-time.Minute)}, {State: dera.Resolved, At: at}}
	w.findings[f.ID], w.plans[r.ID] = f, r
	w.record(dera.RecordFinding, f.ID)
}

func TestReportPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exempted = []dera.Exemption{{ID: hostile, Owner: hostile, Expires: w.now.AddDate(0, 0, 3)}}
	actor := "arn:aws:sts::300000000001:assumed-role/dev/" + hostile
	w.fixed(1, actor, 50*time.Hour, 48*time.Hour)
	w.fixed(2, actor, 24*time.Hour, 23*time.Hour)
	w.fixed(3, "", 200*24*time.Hour, 199*24*time.Hour)
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	w.await(t, func() bool { return v.get(t, "/report").status == http.StatusOK })
	got := v.get(t, "/report")
	for _, want := range []string{"Time to remediate", "1 h 30 min", "2 remediations fixed and verified", "0 wrong of 2 fixes", "same actor", "dera report --since 90d --data d", "100 % was closed without a person"} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page does not have %q\n%s", want, got.body)
		}
	}
	if strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "<img") {
		t.Error("the page has the text of a name as mark-up")
	}
	if got := v.get(t, "/report?since=365d"); !strings.Contains(got.body, "3 remediations fixed") {
		t.Errorf("a year: got %d\n%s", got.status, got.body)
	}
	if got := v.get(t, "/report?since=1d"); !strings.Contains(got.body, "1 remediation fixed") {
		t.Errorf("a day: got %d\n%s", got.status, got.body)
	}
	for _, path := range []string{"/report?since=last", "/report?since=-7d", "/report?since=90d&until=2199-01-01", "/report?since=" + "%3Cscript%3Ealert"} {
		if got := v.get(t, path); got.status != http.StatusBadRequest || strings.Contains(got.body, "<script>alert") {
			t.Errorf("%s: got %d, want 400 and a page", path, got.status)
		}
	}
	file := v.get(t, "/report?file=1&since=30d")
	if d := file.header.Get("Content-Disposition"); file.status != http.StatusOK || d != `attachment; filename="dera-report-2026-11-30.html"` {
		t.Errorf("the file: got %d, %q", file.status, d)
	}
	selfContained(t, file.body)
	nobody := visitor{&http.Client{}, w.server.URL}
	if got := nobody.get(t, "/report?file=1"); got.status != http.StatusUnauthorized {
		t.Errorf("the file without a session: got %d", got.status)
	}
}

// TestReportNotRead: where it cannot be read what reports are made of, only reports say so.
func TestReportNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.noEffects = errors.New("torn")
	w.fixed(1, "", 50*time.Hour, 48*time.Hour)
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	if got := v.get(t, "/report"); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("the report: got %d", got.status)
	}
	if got := v.get(t, "/findings"); got.status != http.StatusOK || strings.Contains(got.body, "does not answer") {
		t.Errorf("findings: got %d\n%s", got.status, got.body)
	}
}

// loads is what makes a browser load or run something.
var loads = regexp.MustCompile(`(?i)<script|<link|<img|<iframe|<object|<embed|@import|url\(|\son[a-z]+\s*=|\ssrc\s*=|javascript:|https?://`)

// selfContained reports what a file loads or runs.
func selfContained(t *testing.T, text string) {
	t.Helper()
	plain := strings.ReplaceAll(text, `&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;`, "")
	if m := loads.FindString(plain); m != "" {
		t.Errorf("the file has %q, which loads or runs something", m)
	}
	for _, want := range []string{"<style>", "@media print", "prefers-color-scheme: dark", "<svg", "default-src 'none'"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file does not have %q", want)
		}
	}
}

func TestWriteReport(t *testing.T) {
	t.Parallel()
	seconds := int64(7200)
	spread := app.Spread{Count: 1, Median: &seconds, P95: &seconds}
	saved, at := 50, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	e := app.Effectiveness{
		Since: at.AddDate(0, -3, 0), Until: at, Closed: []app.TimeToClose{{By: app.ClosedAll, Spread: spread}},
		Controls: []app.ControlClose{{Control: hostile, Spread: spread}}, Weeks: []app.WeekCount{{Opened: 2}, {Automatic: 1, Others: 3}},
		Work: app.Work{By: []app.RolledBackBy{{By: hostile, Count: 1}}}, Queue: app.Queue{Automatic: 1, Reported: 1, Saved: &saved},
		Exemptions:  []app.ExemptionDue{{Expiring: app.Expiring{ID: hostile, Owner: hostile, Expires: at}, Overdue: true}},
		Reviews:     []app.ReviewDue{{Control: hostile, Title: hostile, Owner: hostile, ReviewBy: hostile}},
		Workarounds: []app.Workarounds{{Control: hostile, Found: []app.Workaround{{Finding: hostile, Resource: dera.ARN(hostile), Actor: hostile, Remediation: hostile}}}},
	}
	var text bytes.Buffer
	if err := console.WriteReport(t.Context(), &text, app.Overview{At: at, Unreadable: []app.Unreadable{{}}, Effectiveness: &e}, hostile); err != nil {
		t.Fatal(err)
	}
	selfContained(t, text.String())
	if !strings.Contains(text.String(), "Not everything was read") {
		t.Error("the file does not say that something was not read")
	}
	// Nothing happened: the figures say so, and no picture is drawn of nothing.
	text.Reset()
	if err := console.WriteReport(t.Context(), &text, app.Overview{Effectiveness: &app.Effectiveness{}}, "v"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "<svg") || !strings.Contains(text.String(), "Nothing was fixed in the period") {
		t.Errorf("of nothing: got %s", text.String())
	}
}
