package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// besideStore is a store of findings and remediations.
type besideStore struct {
	findings []dera.Finding
	fixes    []dera.Remediation
}

func (s besideStore) Findings(context.Context) ([]dera.Finding, error) { return s.findings, nil }

func (s besideStore) Remediations(context.Context) ([]dera.Remediation, error) { return s.fixes, nil }

// TestSideBySide: each finding of Access Analyzer is shown with what dera has there, and says
// whether it is open in both, fixed since, or open by their definition alone.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	const app, other = dera.ARN("arn:aws:iam::111122223333:role/team/app"), dera.ARN("arn:aws:iam::111122223333:role/other")
	fixed := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	open := dera.Finding{ID: "f-1", Resource: "arn:aws:iam::111122223333:role/app", State: dera.FindingOpen}
	fix := dera.Remediation{ID: "r-1", State: dera.Resolved, Plan: dera.Plan{Resource: app}, Steps: []dera.Step{{At: fixed}}, Covers: []dera.Extent{{Permissions: []string{"sqs:DeleteQueue"}}}}
	staged := fix
	staged.Plan.Changes = []dera.Change{{Operation: "iam:PutRolePolicy", After: []byte(`{"Sid":"DeraStaged"}`)}}
	undone := fix
	undone.ID, undone.State = "r-0", dera.RolledBack
	theirs := func(status string, looked time.Time, unused ...string) AnalyzerFinding {
		return AnalyzerFinding{ID: "a-1", Type: "UnusedPermission", Status: status, Account: "111122223333", Resource: app, Analyzed: looked, Unused: unused}
	}
	before, after := fixed.Add(-time.Hour), fixed.Add(time.Hour)
	failed := theirs("ACTIVE", after)
	failed.Error = "ACCESS_DENIED"
	elsewhere := theirs("ACTIVE", after)
	elsewhere.Resource = other
	for name, tc := range map[string]struct {
		store  besideStore
		theirs AnalyzerFinding
		want   string
	}{
		"open_in_both":       {besideStore{findings: []dera.Finding{open}}, theirs("ACTIVE", after), "open in both"},
		"rolled_back":        {besideStore{[]dera.Finding{open}, []dera.Remediation{undone}}, theirs("ACTIVE", after), "open in both"},
		"not_looked_since":   {besideStore{fixes: []dera.Remediation{fix}}, theirs("ACTIVE", before), "dera changed it at 2026-11-20T12:00:00Z, and Access Analyzer looked at 2026-11-20T11:00:00Z, before that: it looks again within 24 hours"},
		"their_definition":   {besideStore{fixes: []dera.Remediation{fix}}, theirs("ACTIVE", after, "s3:PutObject"), "open by the definition of Access Analyzer, which looked at 2026-11-20T13:00:00Z: it calls unused what dera keeps, s3:PutObject"},
		"granted_otherwise":  {besideStore{fixes: []dera.Remediation{fix}}, theirs("ACTIVE", after, "sqs:*"), "some of it dera took away, so that something else grants it"},
		"denied_for_now":     {besideStore{fixes: []dera.Remediation{staged}}, theirs("ACTIVE", after, "sqs:*"), "dera denies it for now, since 2026-11-20T12:00:00Z"},
		"part_waits":         {besideStore{[]dera.Finding{open}, []dera.Remediation{fix}}, theirs("ACTIVE", after), "open in both, after a fix"},
		"nothing_here":       {besideStore{[]dera.Finding{open}, []dera.Remediation{fix}}, elsewhere, "dera has nothing open there"},
		"archived":           {besideStore{findings: []dera.Finding{open}}, theirs("ARCHIVED", after), "archived there"},
		"resolved_there":     {besideStore{findings: []dera.Finding{open}}, theirs("RESOLVED", after), "resolved there, open here"},
		"resolved_in_both":   {besideStore{fixes: []dera.Remediation{fix}}, theirs("RESOLVED", after), ""},
		"could_not_be_known": {besideStore{findings: []dera.Finding{open}}, failed, "Access Analyzer could not analyze it (ACCESS_DENIED)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := SideBySide(t.Context(), tc.store, []AnalyzerFinding{tc.theirs}, nil)
			if err != nil || (len(r.Findings) == 0) != (tc.want == "") || tc.want != "" && !strings.Contains(r.Findings[0].Says, tc.want) {
				t.Errorf("got %+v, %v, want %q", r, err, tc.want)
			}
		})
	}
}
