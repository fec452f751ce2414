package evaluate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

const annUser = "arn:aws:iam::111122223333:user/staff/ann"

// stopping is a plan that stops a user from acting: it makes an access key inactive that
// AWS saw no use of for 60 days.
func stopping(change func(p *resource.Principal, c *Case)) Case {
	p := resource.Principal{ARN: annUser, Name: "ann", Human: true, Idle: 60}
	c := losingCase(nil)
	c.Stops = true
	if change != nil {
		change(&p, &c)
	}
	c.Type.Principals = func(any) []resource.Principal { return []resource.Principal{p} }
	return c
}

// unrecordedAndBusy is about two principals: nothing is recorded of the first, and the second
// made a call an hour ago.
func unrecordedAndBusy() Case {
	c := stopping(nil)
	first := c.Type.Principals(nil)[0]
	second := first
	second.ARN, second.Use = dbaRole, quietUse(func(u *resource.Use) { u.Seen = noon.Add(-time.Hour) })
	c.Type.Principals = func(any) []resource.Principal { return []resource.Principal{first, second} }
	return c
}

// TestWhatStopsAPrincipal: to stop a principal takes all its permissions, so that the
// guardrails of permissions hold, although the finding names none. That nobody uses it
// AWS itself tells: no record is asked for, but what one says counts.
func TestWhatStopsAPrincipal(t *testing.T) {
	t.Parallel()
	of := func(change func(u *resource.Use)) Case {
		return stopping(func(p *resource.Principal, _ *Case) { p.Use = quietUse(change) })
	}
	again := func(s dera.State) Case {
		return stopping(func(_ *resource.Principal, c *Case) {
			c.Earlier = []dera.Remediation{{ID: "r-1", Control: "ctl", State: s}}
		})
	}
	list := filepath.Join(t.TempDir(), "list.yaml")
	if err := os.WriteFile(list, []byte(keepList("role/dba", "user/staff/ann")), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, err := NewExempted(list, ExemptionConfig{}, atNoon)
	if err != nil {
		t.Fatal(err)
	}
	quiet := func(at string) Quiet {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		g, err := NewQuiet(QuietHours{}, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	every := func(n int) Scheduled {
		return Scheduled{Now: atNoon, Declared: []Schedule{{Principal: annUser, Days: n, Owner: "ops", Reason: "invoices"}}}
	}
	changed := func(ago time.Duration) Case {
		return stopping(func(_ *resource.Principal, c *Case) {
			c.Finding.LastActor, c.Finding.LastChange = "arn:aws:iam::111122223333:user/admin", noon.Add(-ago)
		})
	}
	// found is a key that counts as unused from 45 days on, found so long ago by a control
	// that has looked at the account for 100 days.
	found := func(idle int, ago time.Duration) Case {
		return stopping(func(p *resource.Principal, c *Case) {
			p.Idle, p.IdleFrom, c.Finding.FirstSeen = idle, 45, noon.Add(-ago)
		})
	}
	looked := func(ago time.Duration, err error) NewGrant {
		return NewGrant{Now: atNoon, Looks: firstLook{noon.Add(-ago), err}}
	}
	session, record, grant := ActiveSession{Now: atNoon}, UsageRecord{Now: atNoon}, NewGrant{Now: atNoon}
	for name, tc := range map[string]struct {
		rail Guardrail
		c    Case
		want dera.Disposition
		why  string
	}{
		"quiet_weekend":             {quiet("2026-11-28T10:00:00Z"), stopping(nil), dera.Review, "the weekend"},
		"quiet_friday":              {quiet("2026-11-27T12:00:00Z"), stopping(nil), dera.Review, "Friday"},
		"quiet_monday":              {quiet("2026-11-23T12:00:00Z"), stopping(nil), dera.Auto, ""},
		"kept":                      {Kept{List: kept}, stopping(nil), dera.Review, annUser + " keeps"},
		"kept_of_another":           {Kept{List: kept}, stopping(func(p *resource.Principal, _ *Case) { p.ARN += "a" }), dera.Auto, ""},
		"yearly":                    {every(366), stopping(nil), dera.Review, "every 366 days"},
		"quarterly":                 {every(92), stopping(nil), dera.Review, "every 92 days"},
		"as_long_as_it_is_idle":     {every(60), stopping(nil), dera.Review, "60 days"},
		"about_as_long":             {every(59), stopping(nil), dera.Review, "about as long"},
		"more_often":                {every(31), stopping(nil), dera.Auto, "every 31 days"},
		"quarterly_and_long_unused": {every(92), stopping(func(p *resource.Principal, _ *Case) { p.Idle = 95 }), dera.Auto, "every 92 days"},
		"undeclared":                {Scheduled{Now: atNoon}, stopping(nil), dera.Auto, ""},
		"call_within":               {session, of(func(u *resource.Use) { u.Seen = noon.Add(-47 * time.Hour) }), dera.Review, "it made a call"},
		"call_before":               {session, of(nil), dera.Auto, ""},
		"session_runs":              {session, of(func(u *resource.Use) { u.SessionEnd = noon.Add(time.Hour) }), dera.Review, "may run"},
		"record_stale":              {session, of(func(u *resource.Use) { u.To = noon.Add(-25 * time.Hour) }), dera.Review, "stale"},
		"no_record":                 {session, stopping(nil), dera.Auto, "AWS itself"},
		"no_record_of_the_first":    {session, unrecordedAndBusy(), dera.Review, "it made a call"},
		"record_is_not_asked_for":   {record, stopping(nil), dera.Auto, "AWS itself"},
		"granted_by_a_call":         {grant, of(func(u *resource.Use) { u.Granted = noon.Add(-days(13)) }), dera.Review, "got permissions by a recorded call"},
		"granted_before":            {grant, of(func(u *resource.Use) { u.Granted = noon.Add(-days(15)) }), dera.Auto, ""},
		"given_back":                {grant, again(dera.Resolved), dera.Review, "r-1"},
		"failed_before":             {grant, again(dera.Failed), dera.Auto, ""},
		"new_without_a_record":      {grant, stopping(func(_ *resource.Principal, c *Case) { c.Finding.FirstSeen = noon }), dera.Auto, ""},
		"made_active_by_a_call":     {grant, changed(days(13)), dera.Review, "user/admin changed it"},
		"made_active_long_ago":      {grant, changed(days(15)), dera.Auto, ""},
		"made_active_unseen":        {looked(days(100), nil), found(400, time.Hour), dera.Review, "355 days after"},
		"made_active_unseen_before": {looked(days(100), nil), found(400, days(15)), dera.Auto, ""},
		"grew_old_under_our_eyes":   {looked(days(100), nil), found(46, time.Hour), dera.Auto, ""},
		"grew_old_days_ago":         {looked(days(100), nil), found(55, days(10)), dera.Auto, ""},
		"found_at_the_first_look":   {looked(days(10), nil), found(400, days(10)-time.Hour), dera.Auto, ""},
		"first_look_is_not_known":   {looked(0, errors.New("away")), found(400, time.Hour), 0, ""},
		"session_off":               {ActiveSession{Now: atNoon, Within: -1}, stopping(nil), dera.Auto, "AWS itself"},
		"deploys":                   {SelfRepair{Principals: []string{"arn:aws:iam::*:user/staff/*"}}, stopping(nil), dera.Review, "infrastructure as code"},
		"does_not_deploy":           {SelfRepair{}, stopping(nil), dera.Auto, ""},
		"rarely_used":               {RarelyUsed{Actions: []string{"*:Purge*"}}, stopping(nil), dera.Auto, "not looked at"},
	} {
		got, err := tc.rail.Check(t.Context(), tc.c)
		if tc.want == 0 {
			if err == nil {
				t.Errorf("%s: got %s, want an error", name, got.Disposition)
			}
			continue
		}
		if err != nil || got.Disposition != tc.want || !strings.Contains(got.Why, tc.why) {
			t.Errorf("%s: got %s %q, %v, want %s %q", name, got.Disposition, got.Why, err, tc.want, tc.why)
		}
	}
}
