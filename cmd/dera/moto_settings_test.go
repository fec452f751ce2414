package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// motoSettings is every kind of fix by a setting: what stands before, what dera
// makes of it, and what a person approves.
var motoSettings = []struct {
	name string
	// set makes the resource and returns its ID.
	set func(w *motoWorld) string
	// look returns the settings of the resource as boto3 sees them.
	look     func(w *motoWorld, id string) map[string]any
	findings []finding
	after    map[string]any // of what look returns, after the automatic part
	approved map[string]any // after a person approved the rest
}{
	{
		name: "a_database_that_nobody_reaches_from_outside", set: database("10.0.0.0/8"), look: databaseSettings,
		findings: []finding{
			{"deletion_protection", "rds-instance-deletion-protection-off", "auto", "resolved"},
			{"auto_minor_version_upgrade", "rds-instance-minor-upgrade-off", "review", "open"},
			{"publicly_accessible", "rds-instance-public", "auto", "resolved"},
		},
		after:    map[string]any{"DeletionProtection": true, "AutoMinorVersionUpgrade": false, "PubliclyAccessible": false},
		approved: map[string]any{"DeletionProtection": true, "AutoMinorVersionUpgrade": true, "PubliclyAccessible": false},
	},
	{
		name: "a_database_that_an_office_reaches", set: database("203.0.113.0/24"), look: databaseSettings,
		findings: []finding{
			{"deletion_protection", "rds-instance-deletion-protection-off", "auto", "resolved"},
			{"auto_minor_version_upgrade", "rds-instance-minor-upgrade-off", "review", "open"},
			{"publicly_accessible", "rds-instance-public", "review", "open"},
		},
		after:    map[string]any{"DeletionProtection": true, "AutoMinorVersionUpgrade": false, "PubliclyAccessible": true},
		approved: map[string]any{"DeletionProtection": true, "AutoMinorVersionUpgrade": true, "PubliclyAccessible": false},
	},
}

// database makes a database with every setting as it should not be, behind a
// security group that allows a source.
func database(source string) func(*motoWorld) string {
	return func(w *motoWorld) string {
		group := w.group("db", perm("tcp", 8443, 8443, source, ""))
		w.ask("rds", "create_db_instance", `{"DBInstanceIdentifier":"shop","DBInstanceClass":"db.t3.micro","Engine":"postgres","AllocatedStorage":20,"MasterUsername":"u","MasterUserPassword":"hunter2-hunter2",
			"PubliclyAccessible":true,"DeletionProtection":false,"AutoMinorVersionUpgrade":false,"VpcSecurityGroupIds":["`+group+`"]}`)
		return "shop"
	}
}

func databaseSettings(w *motoWorld, id string) map[string]any {
	d := w.ask("rds", "describe_db_instances", `{"DBInstanceIdentifier":"`+id+`"}`)["DBInstances"].([]any)[0].(map[string]any)
	return map[string]any{"DeletionProtection": d["DeletionProtection"], "AutoMinorVersionUpgrade": d["AutoMinorVersionUpgrade"], "PubliclyAccessible": d["PubliclyAccessible"]}
}

func TestMotoEverySettingAndUndo(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for _, c := range motoSettings {
		t.Run(c.name, func(t *testing.T) {
			w := newMotoWorld(t, server)
			t.Setenv("DERA_CONTROLS", strings.Join(append(simulated(), "rds-instance-public", "rds-instance-deletion-protection-off", "rds-instance-minor-upgrade-off"), ","))
			id := c.set(w)
			before := c.look(w, id)
			r := w.scan(scanCode(c.findings), "--apply", "--mode", "enforce", "--no-exemptions")
			if diff := cmp.Diff(c.findings, findingsOf(r, id)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.after, c.look(w, id)); diff != "" {
				t.Errorf("what boto3 sees after the fix (-want +got):\n%s", diff)
			}
			w.approveAll(r, id)
			if diff := cmp.Diff(c.approved, c.look(w, id)); diff != "" {
				t.Errorf("what boto3 sees after the approvals (-want +got):\n%s", diff)
			}
			w.rollBackAll()
			if diff := cmp.Diff(before, c.look(w, id)); diff != "" {
				t.Errorf("what boto3 sees after the rollback (-want +got):\n%s", diff)
			}
			out, _, code := w.dera("audit", "verify")
			if code != exitGood || strings.Contains(out, "hunter2") {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}

// approveAll approves the waiting plans of a resource, each on a re-read: what
// was approved before supersedes the plans that were made earlier.
func (w *motoWorld) approveAll(r app.ScanReport, id string) {
	w.t.Helper()
	for {
		i := slices.IndexFunc(r.Findings, func(f app.FindingView) bool {
			return f.Resource.Name() == id && f.Plan != nil && f.Plan.State == "waiting"
		})
		if i < 0 {
			return
		}
		if out, errOut, code := w.dera("approve", r.Findings[i].Plan.Remediation, "--digest", r.Findings[i].Plan.Digest); code != exitGood {
			w.t.Fatalf("approve: got exit code %d\n%s%s", code, out, errOut)
		}
		out, errOut, code := w.dera("scan", "--output", "json", "--mode", "enforce", "--no-exemptions")
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitGood && code != exitNo {
			w.t.Fatalf("look again: got exit code %d, %v\n%s%s", code, err, out, errOut)
		}
	}
}
