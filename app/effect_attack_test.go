package app_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// TestRolledBackClosedNothing: a fix that a person rolled back spared nobody anything, and what a person
// closed later counts as theirs.
func TestRolledBackClosedNothing(t *testing.T) {
	t.Parallel()
	undone := func(f dera.Finding) dera.Remediation {
		return made("r-"+f.ID, dera.RolledBack, f, step(dera.Resolved, 24*25-1), step(dera.Undoing, 24*25-2), step(dera.RolledBack, 24*25-2))
	}
	later := closed("f-1", 24*25, 24) // by a person
	open := found("f-2", "111122223333", dera.High, dera.Review)
	open.FirstSeen = hoursAgo(24 * 25)
	v := over(t, shelf{findings: []dera.Finding{later, open}, remediations: []dera.Remediation{undone(later), undone(open)}}, app.Effects{}, 30)
	by := map[string]int{}
	for _, c := range v.Closed {
		by[c.By] = c.Count
	}
	if by[app.ClosedAutomatic] != 0 || by[app.ClosedOthers] != 1 || v.Queue.Automatic != 0 || v.Queue.Saved != nil && *v.Queue.Saved != 0 {
		t.Errorf("got closed %v and queue %+v, want 1 by others and nothing automatic", by, v.Queue)
	}
	if v.Work.Fixed != 2 || v.Wrong.Undone != 2 {
		t.Errorf("got %+v and %+v, want 2 fixed and 2 undone", v.Work, v.Wrong)
	}
}

// TestReopenedIsNotOpenAllThatTime: a finding that somebody closed and that came back was not open between.
func TestReopenedIsNotOpenAllThatTime(t *testing.T) {
	t.Parallel()
	f := closed("f-1", 24*300, 1)
	f.Reopened = hoursAgo(3)
	v := over(t, shelf{findings: []dera.Finding{f}, remediations: []dera.Remediation{made("r-1", dera.Resolved, f, step(dera.Resolved, 1))}}, app.Effects{}, 30)
	if got := v.Closed[1]; got.Count != 1 || got.Median == nil || *got.Median != int64(2*time.Hour/time.Second) {
		t.Errorf("got %+v, want one after two hours", got)
	}
}

// TestWaitedSinceBefore: a plan that waited when the period began is of the period, and an answer counts when
// it was given.
func TestWaitedSinceBefore(t *testing.T) {
	t.Parallel()
	var s shelf
	for id, steps := range map[string][]dera.Step{
		"r-waits":    {step(dera.Waiting, 240)},
		"r-rejected": {step(dera.Waiting, 240), step(dera.Rejected, 24)},
		"r-before":   {step(dera.Waiting, 400), step(dera.Rejected, 240)},
		"r-approved": {step(dera.Waiting, 240), step(dera.Ready, 100), step(dera.Resolved, 99)},
	} {
		f := found("f-"+id, "111122223333", dera.High, dera.Review)
		f.FirstSeen = steps[0].At
		s.findings = append(s.findings, f)
		s.remediations = append(s.remediations, made(id, steps[len(steps)-1].State, f, steps...))
	}
	q := over(t, s, app.Effects{}, 7).Queue
	if q.Asked != 3 || q.Waiting != 1 || q.Rejected != 1 || q.Approved != 1 || q.Answer.Count != 2 {
		t.Errorf("got %+v, want 3 asked: 1 waiting, 1 rejected, 1 approved", q)
	}
}

// TestExemptionsUnread: a list that cannot be read is not an empty one.
func TestExemptionsUnread(t *testing.T) {
	t.Parallel()
	v := over(t, shelf{}, app.Effects{ExemptionsUnread: "line 3: no owner"}, 30)
	if v.ExemptionsUnread != "line 3: no owner" {
		t.Errorf("got %q", v.ExemptionsUnread)
	}
}
