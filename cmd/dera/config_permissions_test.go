package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/control"
	"dera.example/dera/evaluate"
)

// TestPermissionsConfig: each fault names its field.
func TestPermissionsConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want, says string }{
		{"defaults", "{}", "", ""},
		{"all", "{active_session: 0s, window_days: 120, new_grant_days: 30, rarely_used: ['support:*'], schedules: [{principal: 'arn:aws:iam::*:role/a', period_days: 31, owner: ops, reason: invoices}], " +
			"quiet_hours: {zone: Europe/Berlin, friday_from: '15:30', weekend: false, holidays: ['2026-12-24'], releases: [{name: a, from: 2026-12-01, until: 2026-12-02}], off: true}}", "", ""},
		{"session_of_no_duration", "{active_session: never}", "2:31: permissions.active_session", "0s (off)"},
		{"session_negative", "{active_session: -1h}", "2:31: permissions.active_session", "0s (off)"},
		{"window_short", "{window_days: 30}", "2:28: permissions.window_days", "from 90"},
		{"window_long", "{window_days: 1000}", "2:28: permissions.window_days", "399"},
		{"new_grant_negative", "{new_grant_days: -1}", "2:31: permissions.new_grant_days", "from 1"},
		{"new_grant_zero", "{new_grant_days: 0}", "2:31: permissions.new_grant_days", "leave it out for the default"},
		{"window_zero", "{window_days: 0}", "2:28: permissions.window_days", "leave it out for the default"},
		{"watch_off", "{watch_days: 0}", "", ""},
		{"watch_negative", "{watch_days: -1}", "2:27: permissions.watch_days", "0 (off) to 399"},
		{"watch_long", "{watch_days: 400}", "2:27: permissions.watch_days", "the default, 14"},
		{"window_of_nothing", "{window_days: }", "", ""},
		{"window_of_a_fraction", "{window_days: 90.5}", "2:28: permissions.window_days", `is "90.5", write a whole number`},
		{"window_of_text", "{window_days: '90'}", "2:28: permissions.window_days", `is "90", write a whole number`},
		{"period_of_a_fraction", "{schedules: [{principal: 'arn:aws:iam::*:role/a', period_days: 31.5, owner: ops, reason: invoices}]}", "2:77: permissions.schedules[0].period_days", "whole number"},
		{"rarely_used_no_action", "{rarely_used: [Restore]}", "2:29: permissions.rarely_used[0]", "rds:Restore*"},
		{"schedule_of_nobody", "{schedules: [{principal: a, period_days: 31, owner: ops, reason: invoices}]}", "2:39: permissions.schedules[0].principal", "six parts"},
		{"schedule_without_owner", "{schedules: [{principal: 'arn:aws:iam::*:role/a', period_days: 31, reason: invoices}]}", "2:27: permissions.schedules[0]", "owner: is missing"},
		{"zone", "{quiet_hours: {zone: Europe/Berlon}}", "2:35: permissions.quiet_hours.zone", "IANA"},
		{"aws_managed", "{aws_managed: never}", "2:", "permissions.aws_managed"},
		{"resources_off", "{narrow_resources: off}", "", ""},
		{"resources_for_review", "{narrow_resources: review}", "", ""},
		{"resources_auto", "{narrow_resources: auto}", "2:33: permissions.narrow_resources", "it is never automatic"},
		{"clock", "{quiet_hours: {friday_from: '25:00'}}", "2:42: permissions.quiet_hours.friday_from", "clock"},
		{"holiday", "{quiet_hours: {holidays: [Christmas]}}", "2:40: permissions.quiet_hours.holidays[0]", "2026-12-24"},
		{"unknown", "{quiet_hours: {friday: '12:00'}}", `2:29: unknown field "friday"`, "friday_from"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := fileIn(t, dir, "dera.yaml", "version: 1\npermissions: "+tt.text+"\n")
			_, errOut, code := said(t, "config", "check", path, "--data", filepath.Join(dir, "data"))
			if ok := tt.want == ""; ok != (code == exitGood) || !ok && (!strings.Contains(errOut, path+":"+tt.want) || !strings.Contains(errOut, tt.says)) {
				t.Errorf("got %d, want %s and %q\n%.600s", code, tt.want, tt.says, errOut)
			}
		})
	}
}

// TestPermissionsOfTheConfigurationHold: what is configured is what the guardrails and
// the usage ledger go by.
func TestPermissionsOfTheConfigurationHold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 0, "12h": 12 * time.Hour, "0s": -1} {
		if got, err := (permissionsConfig{ActiveSession: text}).activeWithin(); err != nil || got != want {
			t.Errorf("active_session %q: got %s, %v, want %s", text, got, err, want)
		}
	}
	window, granted := 180, 3
	for days, want := range map[*int]time.Duration{nil: 90 * 24 * time.Hour, &window: 180 * 24 * time.Hour} {
		if got := (permissionsConfig{WindowDays: days}).window(); got != want {
			t.Errorf("window: got %s, want %s", got, want)
		}
	}
	s := sampleSession()
	s.config.Permissions = permissionsConfig{ActiveSession: "0s", WindowDays: &window, NewGrantDays: &granted, RarelyUsed: []string{"a:*"}}
	s.config.Code.Principals = []string{"arn:aws:iam::*:role/ci"}
	gate, err := s.gate()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gate.Finding {
		good := true
		switch g := g.(type) {
		case evaluate.ActiveSession:
			good = g.Within == -1
		case evaluate.UsageRecord:
			good = g.Days == 180
		case evaluate.NewGrant:
			good = g.Days == 3
		case evaluate.RarelyUsed:
			good = len(g.Actions) == 1
		case evaluate.SelfRepair:
			good = len(g.Principals) == 1
		case evaluate.Scheduled:
			good = g.Days == 180
		}
		if !good {
			t.Errorf("%s: got %+v, which is not what is configured", g.Name(), g)
		}
	}
}

// TestNarrowResources: the controls look at resources only where the configuration says so.
func TestNarrowResources(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": false, "off": false, "review": true} {
		var c fileConfig
		c.Permissions.Resources = text
		if s, err := c.settings(); err != nil || s.NarrowResources != want || s.AutoAWSManaged {
			t.Errorf("%q: got %t, %v, want %t", text, s.NarrowResources, err, want)
		}
	}
}

// TestKeepOfTheList: what the exemption list keeps is left in place by plans, as far as
// it is in force.
func TestKeepOfTheList(t *testing.T) {
	t.Parallel()
	path := fileIn(t, t.TempDir(), "list.yaml", `version: 1
exemptions: []
keep:
  - {id: a, principals: ["arn:aws:iam::*:role/dba"], actions: ["rds:Restore*"], owner: dba, reason: restore test, expires: 2026-12-31}
  - {id: b, principals: ["arn:aws:iam::*:role/dba"], actions: ["rds:Failover*"], owner: dba, reason: failover test, expires: 2026-01-31}
`)
	s := sampleSession()
	s.config.Exemptions = path
	if _, err := s.gate(); err != nil {
		t.Fatal(err)
	}
	want := []control.Keep{{
		Principals: []string{"arn:aws:iam::*:role/dba"}, Actions: []string{"rds:Restore*"}, Owner: "dba", Reason: "restore test",
		Until: time.Date(2026, 12, 31, 23, 59, 59, 999999999, time.UTC),
	}}
	if d := cmp.Diff(want, s.settings.Keep); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
	out, errOut, code := said(t, "exemptions", "check", path)
	for _, want := range []string{"b expired on 2026-01-31 and keeps nothing", "keeps permissions: 2 entries, 1 of them lapsed", "is valid: 0 entries"} {
		if code != exitGood || !strings.Contains(out, want) {
			t.Errorf("check: got %d without %q\n%s%s", code, want, out, errOut)
		}
	}
}
