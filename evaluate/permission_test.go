package evaluate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

const (
	appRole = "arn:aws:iam::111122223333:role/team/app"
	dbaRole = "arn:aws:iam::111122223333:role/dba"
)

// quietUse is the record of a principal that did nothing lately.
func quietUse(change func(u *resource.Use)) *resource.Use {
	u := &resource.Use{From: noon.Add(-days(90)), To: noon.Add(-time.Hour), Seen: noon.Add(-days(60)), Gaps: []resource.Gap{{Kind: resource.GapOfDataEvents, Why: "always"}}}
	u.From = u.To.Add(-days(90))
	if change != nil {
		change(u)
	}
	return u
}

// losingCase takes permissions from principals; the first is the resource itself where
// it has no ARN.
func losingCase(permissions []string, principals ...resource.Principal) Case {
	return Case{
		Finding:  dera.Finding{ID: "f-1", Account: "111122223333", Control: "ctl", Start: dera.Auto, Resource: appRole, Permissions: permissions},
		Resource: dera.Resource{ARN: appRole, Type: "T"}, Mode: dera.Enforce,
		Type: resource.Type{Name: "T", Principals: func(any) []resource.Principal { return principals }},
	}
}

// app is a principal that did nothing lately.
func app(change func(p *resource.Principal)) resource.Principal {
	p := resource.Principal{Name: "app", Created: noon.Add(-days(300)), Use: quietUse(nil)}
	if change != nil {
		change(&p)
	}
	return p
}

func used(change func(u *resource.Use)) resource.Principal {
	return app(func(p *resource.Principal) { p.Use = quietUse(change) })
}

// losingAgain is a case whose permission dera took before, by a remediation in a state.
func losingAgain(s dera.State, change func(c *Case)) Case {
	c := losingCase([]string{"s3:GetObject"}, app(nil))
	c.Earlier = []dera.Remediation{{ID: "r-1", Control: "ctl", State: s, Covers: []dera.Extent{{Permissions: []string{"s3:DeleteObject", "s3:GetObject"}}}}}
	change(&c)
	return c
}

// seenAt is a case with a record that ended so long ago, and a finding from before that.
func seenAt(ago time.Duration, change func(f *dera.Finding)) Case {
	c := losingCase([]string{"s3:GetObject"}, used(func(u *resource.Use) { u.To = noon.Add(-ago) }))
	c.Finding.FirstSeen = noon.Add(-days(30))
	if change != nil {
		change(&c.Finding)
	}
	return c
}

func actedAsBy(services ...string) resource.Principal {
	return app(func(p *resource.Principal) { p.Services = services })
}

func TestGuardrailsOfPermissions(t *testing.T) {
	t.Parallel()
	read := []string{"s3:GetObject"}
	session := ActiveSession{Now: atNoon}
	record, grant := UsageRecord{Now: atNoon}, NewGrant{Now: atNoon}
	rare := RarelyUsed{Actions: []string{"support:*", "*:Purge*"}}
	repair := SelfRepair{Principals: []string{"arn:aws:iam::*:role/ci-terraform"}}
	monthly := Schedule{Principal: appRole, Days: 31, Owner: "ops", Reason: "invoices"}
	quarterly := Schedule{Principal: "arn:aws:iam::*:role/team/*", Days: 92, Owner: "dba", Reason: "restore test"}
	schedules := Scheduled{Declared: []Schedule{monthly}}
	noRecord := app(func(p *resource.Principal) { p.Use = nil })
	tests := []struct {
		name string
		rail Guardrail
		c    Case
		want dera.Disposition
		why  string
	}{
		{"session_long_ago", session, losingCase(read, app(nil)), dera.Auto, "48 hours"},
		{"session_call_within", session, losingCase(read, used(func(u *resource.Use) { u.Seen = noon.Add(-47 * time.Hour) })), dera.Review, appRole + ": it made a call at 2026-11-21 13:00 UTC"},
		{"session_call_just_over", session, losingCase(read, used(func(u *resource.Use) { u.Seen = noon.Add(-48 * time.Hour) })), dera.Auto, ""},
		{"session_call_of_a_faster_clock", session, losingCase(read, used(func(u *resource.Use) { u.Seen = noon.Add(time.Minute) })), dera.Review, ""},
		{"session_may_still_run", session, losingCase(read, used(func(u *resource.Use) { u.SessionEnd = noon.Add(time.Hour) })), dera.Review, "until 2026-11-23 13:00 UTC"},
		{"session_is_over", session, losingCase(read, used(func(u *resource.Use) { u.SessionEnd = noon })), dera.Auto, ""},
		{"session_never_seen", session, losingCase(read, used(func(u *resource.Use) { u.Seen = time.Time{} })), dera.Auto, ""},
		{"session_after_the_record", session, losingCase(read, used(func(u *resource.Use) { u.To = noon.Add(-25 * time.Hour) })), dera.Review, "stale: it ends at 2026-11-22 11:00 UTC"},
		{"session_no_record", session, losingCase(read, noRecord), dera.Review, "nothing is recorded of its use"},
		{"session_of_the_second", session, losingCase(read, app(nil), resource.Principal{ARN: dbaRole}), dera.Review, dbaRole},
		{"session_of_many", session, losingCase(read, noRecord, noRecord, noRecord, noRecord, noRecord), dera.Review, "and 2 more"},
		{"session_of_nobody", session, losingCase(read), dera.Auto, nobodys},
		{"session_of_no_principals", session, caseOf(nil), dera.Auto, nobodys},
		{"session_within_an_hour", ActiveSession{Now: atNoon, Within: time.Hour}, losingCase(read, used(func(u *resource.Use) { u.Seen = noon.Add(-2 * time.Hour) })), dera.Auto, "1 hour"},
		{"session_takes_nothing", session, losingCase(nil, noRecord), dera.Auto, takesNone},
		{"session_off", ActiveSession{Now: atNoon, Within: -1}, losingCase(read, noRecord), dera.Auto, "0s"},

		{"record_whole", record, losingCase(read, app(nil)), dera.Auto, "90 days"},
		{"record_takes_nothing", record, losingCase(nil, noRecord), dera.Auto, takesNone},
		{"record_of_no_principals", record, caseOf(nil), dera.Auto, nobodys},
		{"record_is_not_there", record, losingCase(read, noRecord), dera.Review, "nothing is recorded"},
		{"record_gaps", record, losingCase(read, used(func(u *resource.Use) {
			u.Gaps = append(u.Gaps, resource.Gap{Kind: "hours-missing", Why: "no digest"}, resource.Gap{Kind: "hours-missing", Why: "no other"}, resource.Gap{Kind: "trail-changed", Why: "StopLogging"})
		})), dera.Review, "gaps (hours-missing, trail-changed): no digest"},
		{"record_short", record, losingCase(read, used(func(u *resource.Use) { u.From = u.From.Add(time.Hour) })), dera.Review, "89 days, less than 90 days"},
		{"record_never", record, losingCase(read, used(func(u *resource.Use) { u.From, u.To = time.Time{}, time.Time{} })), dera.Review, "0 days"},
		{"record_shorter_than_configured", UsageRecord{Now: atNoon, Days: 180}, losingCase(read, app(nil)), dera.Review, "less than 180 days"},
		{"record_stale", record, losingCase(read, used(func(u *resource.Use) { u.To, u.From = noon.Add(-25*time.Hour), noon.Add(-days(200)) })), dera.Review, "stale"},
		{"record_of_the_second", record, losingCase(read, app(nil), resource.Principal{ARN: dbaRole}), dera.Review, dbaRole},

		{"grant_long_ago", grant, losingCase(read, app(nil)), dera.Auto, "14 days"},
		{"grant_takes_nothing", grant, losingCase(nil, app(func(p *resource.Principal) { p.Created = noon })), dera.Auto, takesNone},
		{"grant_new_principal", grant, losingCase(read, app(func(p *resource.Principal) { p.Created = noon.Add(-days(13)) })), dera.Review, appRole + " was made at 2026-11-10 12:00 UTC"},
		{"grant_just_over", grant, losingCase(read, app(func(p *resource.Principal) { p.Created = noon.Add(-days(14)) })), dera.Auto, ""},
		{"grant_by_aws", grant, losingCase(read, app(func(p *resource.Principal) { p.Granted = noon.Add(-time.Hour) })), dera.Review, "got permissions at"},
		{"grant_by_a_call", grant, losingCase(read, used(func(u *resource.Use) { u.Granted = noon.Add(-time.Hour) })), dera.Review, "recorded call"},
		{"grant_without_record", grant, losingCase(read, noRecord), dera.Auto, ""},
		{"grant_days", NewGrant{Now: atNoon, Days: 2}, losingCase(read, app(func(p *resource.Principal) { p.Created = noon.Add(-days(3)) })), dera.Auto, "2 days"},

		{"grant_given_back", grant, losingAgain(dera.Resolved, func(c *Case) {}), dera.Review, "dera took s3:GetObject before (r-1) and it is there again"},
		{"grant_given_back_over_the_fix", grant, losingAgain(dera.Collateral, func(c *Case) {}), dera.Review, "gave it back"},
		{"grant_taken_by_nobody", grant, losingAgain(dera.Superseded, func(c *Case) {}), dera.Auto, ""},
		{"grant_of_another_permission", grant, losingAgain(dera.Resolved, func(c *Case) { c.Finding.Permissions = []string{"s3:PutObject"} }), dera.Auto, ""},
		{"grant_given_back_among_many", grant, losingAgain(dera.Resolved, func(c *Case) { c.Finding.Permissions = append(many(60), "s3:GetObject") }), dera.Review, "dera took s3:GetObject before"},
		{"grant_of_many_others", grant, losingAgain(dera.Resolved, func(c *Case) { c.Finding.Permissions = many(60) }), dera.Auto, ""},
		{"grant_taken_by_another_control", grant, losingAgain(dera.Resolved, func(c *Case) { c.Finding.Control = "other" }), dera.Auto, ""},
		{"grant_came_back", grant, seenAt(0, func(f *dera.Finding) { f.Returns = []time.Time{noon.Add(-days(13))} }), dera.Review, "came back at 2026-11-10"},
		{"grant_came_back_long_ago", grant, seenAt(0, func(f *dera.Finding) { f.Returns = []time.Time{noon.Add(-days(14))} }), dera.Auto, ""},
		{"grant_after_the_record", grant, seenAt(3*time.Hour, func(f *dera.Finding) { f.FirstSeen = noon }), dera.Review, "since its record ended at 2026-11-23 09:00 UTC is not known"},
		{"grant_seen_before_the_record_ended", grant, seenAt(3*time.Hour, nil), dera.Auto, ""},
		{"grant_of_an_import_every_hour", grant, seenAt(2*time.Hour, func(f *dera.Finding) { f.FirstSeen = noon }), dera.Auto, ""},
		{"grant_between_two_looks", grant, seenAt(time.Minute, func(f *dera.Finding) { f.Widened = noon }), dera.Review, "was not seen before"},
		{"grant_between_two_looks_and_recorded", grant, seenAt(0, func(f *dera.Finding) { f.Widened = noon }), dera.Auto, ""},

		{"rare_none", rare, losingCase([]string{"s3:GetObject", "sqs:SendMessage"}, app(nil)), dera.Auto, "none of 2 permissions"},
		{"rare_takes_nothing", rare, losingCase(nil, app(nil)), dera.Auto, takesNone},
		{"rare_of_no_principals", rare, caseOf(func(c *Case) { c.Finding.Permissions = []string{"rds:DescribeDBInstances"} }), dera.Auto, nobodys},
		{"rare_recovery", rare, losingCase([]string{"s3:GetObject", "rds:RestoreDBInstanceFromDBSnapshot"}, app(nil)), dera.Review, "rds:RestoreDBInstanceFromDBSnapshot (it is about recovery)"},
		{"rare_database", rare, losingCase([]string{"rds:DescribeDBInstances"}, app(nil)), dera.Review, "databases"},
		{"rare_by_configuration", rare, losingCase([]string{"support:CreateCase", "sqs:PurgeQueue"}, app(nil)), dera.Review, "support:CreateCase (permissions.rarely_used names it), sqs:PurgeQueue"},

		{"repair_none", repair, losingCase([]string{"s3:GetObject", "iam:PassRole"}, actedAsBy("lambda.amazonaws.com")), dera.Auto, ""},
		{"repair_takes_nothing", repair, losingCase(nil, actedAsBy("codebuild.amazonaws.com")), dera.Auto, takesNone},
		{"repair_itself", repair, losingCase([]string{"s3:GetObject", "iam:PutRolePolicy"}, app(nil)), dera.Review, "iam:PutRolePolicy (it changes who may do what): no other way to repair it was proved"},
		{"repair_deployment", repair, losingCase([]string{"cloudformation:ExecuteChangeSet"}, app(nil)), dera.Review, "it deploys"},
		{"repair_of_a_pipeline", repair, losingCase(read, actedAsBy("ec2.amazonaws.com", "codebuild.amazonaws.com")), dera.Review, "codebuild.amazonaws.com deploys as " + appRole},
		{"repair_of_a_stack_set", repair, losingCase(read, actedAsBy("member.org.stacksets.cloudformation.amazonaws.com")), dera.Review, "no other way"},
		{"repair_of_declared_code", repair, losingCase(read, resource.Principal{ARN: "arn:aws:iam::111122223333:role/x/ci-terraform"}), dera.Review, "infrastructure as code"},

		{"schedule_unread", Scheduled{}, losingCase(read, actedAsBy("lambda.amazonaws.com", "states.amazonaws.com")), dera.Review, "was not read"},
		{"schedule_none", Scheduled{}, losingCase(read, app(nil)), dera.Auto, "no service of AWS may act as it"},
		{"schedule_takes_nothing", Scheduled{}, losingCase(nil, actedAsBy("scheduler.amazonaws.com")), dera.Auto, takesNone},
		{"schedule_undeclared", Scheduled{}, losingCase(read, actedAsBy("scheduler.amazonaws.com")), dera.Review, "scheduler.amazonaws.com may start " + appRole},
		{"schedule_rule", Scheduled{}, losingCase(read, actedAsBy("events.amazonaws.com")), dera.Review, ""},
		{"schedule_backup", Scheduled{}, losingCase(read, actedAsBy("backup.amazonaws.com")), dera.Review, ""},
		{"schedule_snapshots", Scheduled{}, losingCase(read, actedAsBy("dlm.amazonaws.com")), dera.Review, ""},
		{"schedule_copies", Scheduled{}, losingCase(read, actedAsBy("datasync.amazonaws.com")), dera.Review, ""},
		{"schedule_maintenance", Scheduled{}, losingCase(read, actedAsBy("ssm.amazonaws.com.cn")), dera.Review, ""},
		{"schedule_declared", schedules, losingCase(read, actedAsBy("scheduler.amazonaws.com")), dera.Auto, "every 31 days, as ops declared"},
		{"schedule_of_another", schedules, losingCase(read, app(func(p *resource.Principal) { p.ARN, p.Services = dbaRole, []string{"events.amazonaws.com"} })), dera.Review, dbaRole},
		{"schedule_longer_than_the_window", Scheduled{Declared: []Schedule{monthly, quarterly}}, losingCase(read, actedAsBy("lambda.amazonaws.com")), dera.Review, "every 92 days by dba"},
		{"schedule_within_a_longer_window", Scheduled{Declared: []Schedule{quarterly}, Days: 120}, losingCase(read, actedAsBy("events.amazonaws.com")), dera.Auto, "92 days"},

		{"break_glass_holder", BreakGlass{Principals: []string{"arn:aws:iam::*:role/emergency/*"}}, losingCase(read, app(nil), resource.Principal{ARN: roleARN}), dera.Exempt, roleARN},
		{"break_glass_holder_without_its_path", BreakGlass{Principals: []string{dera.RoleOf(roleARN)}}, losingCase(read, resource.Principal{ARN: roleARN}), dera.Exempt, roleARN},
		{"break_glass_holder_by_name", BreakGlass{Roles: []string{"Break-*"}}, losingCase(read, resource.Principal{ARN: roleARN}), dera.Exempt, "break-glass list"},
		{"rarely_used_among_many", RarelyUsed{Actions: []string{"support:*"}}, losingCase(append(many(60), "support:CreateCase"), app(nil)), dera.Review, "support:CreateCase"},
		{"many_permissions", RarelyUsed{Actions: []string{"support:*"}}, losingCase(many(60), app(nil)), dera.Auto, "60 permissions"},
		{"holder_of_our_own", Own{Resources: dera.NewPrincipals([]string{roleARN})}, losingCase(read, app(nil), resource.Principal{ARN: roleARN}), dera.Alert, "dera's own"},
		{"holder_beside_our_own_path", Own{Resources: dera.NewPrincipals([]string{"arn:aws:iam::111122223333:role/dera/*"})}, losingCase(read, app(nil)), dera.Auto, ""},
		{"holder_below_our_own_path", Own{Resources: dera.NewPrincipals([]string{"arn:aws:iam::111122223333:role/emergency/*"})}, losingCase(read, app(nil), resource.Principal{ARN: roleARN}), dera.Alert, "dera's own"},
		{"no_holder_of_our_own", Own{Resources: dera.NewPrincipals([]string{roleARN})}, losingCase(read, app(nil), resource.Principal{ARN: dbaRole}), dera.Auto, ""},
		{"break_glass_holder_of_use", BreakGlass{Principals: []string{"arn:aws:iam::*:role/emergency/*"}}, aboutUse(losingCase(read, app(nil), resource.Principal{ARN: roleARN})), dera.Auto, "which no list exempts"},
		{"scp_excluded_holder", BreakGlass{Excluded: []string{"Break-*"}}, losingCase(read, resource.Principal{ARN: roleARN}), dera.Auto, ""},
		{"no_break_glass_holder", BreakGlass{Roles: []string{"Break-*"}}, losingCase(read, resource.Principal{ARN: dbaRole}, resource.Principal{ARN: "arn:aws:iam::111122223333:user/Break-1"}), dera.Auto, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.rail.Check(t.Context(), tt.c)
			if err != nil || got.Disposition != tt.want || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s %q", got.Disposition, got.Why, err, tt.want, tt.why)
			}
		})
	}
}

func TestPermissionsAreValidated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want []string
	}{
		"actions": {RarelyUsed{Actions: []string{"rds:Restore*", "*:Purge*", "restore"}}.Validate(), []string{`permissions.rarely_used[2]: "restore"`}},
		"schedules": {Scheduled{Declared: []Schedule{
			{Principal: "arn:aws:iam::*:role/a", Days: 7, Owner: "ops", Reason: "reports"}, {Principal: "a", Days: 0, Owner: "n/a"}, {Principal: "arn:aws:*:*:*:*", Days: 9999, Owner: "ops", Reason: "x y"},
		}}.Validate(), []string{
			"permissions.schedules[1].principal: ", "permissions.schedules[1].period_days: is 0", "permissions.schedules[1].owner: ", "permissions.schedules[1].reason: is missing",
			"permissions.schedules[2].principal: ", "permissions.schedules[2].period_days: is 9999",
		}},
	} {
		errs := split(tt.err)
		if len(errs) != len(tt.want) {
			t.Errorf("%s: got %v, want %d errors", name, errs, len(tt.want))
			continue
		}
		for i, want := range tt.want {
			if !strings.HasPrefix(errs[i].Error(), want) {
				t.Errorf("%s: got %q, want %q", name, errs[i], want)
			}
		}
	}
}

// many are names of permissions that no guardrail knows.
func many(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("s3:Get%d", i))
	}
	return out
}

// aboutUse is the case with a finding about use that was made.
func aboutUse(c Case) Case {
	c.Incident = true
	return c
}
