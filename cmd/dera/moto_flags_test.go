package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/awssim/moto"
)

// TestMotoFlags: single settings of repositories, tables and databases are set, verified
// and taken back; what waits is approved.
func TestMotoFlags(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for name, c := range map[string]struct {
		controls, id string
		set          func(w *motoWorld)
		look         func(w *motoWorld) map[string]any
		findings     []finding
		fixed        map[string]any
		back         map[string]any // where it is not what was there before
	}{
		"repository": {
			// moto takes a scan that is switched off for one that is not asked about, so that its
			// rollback does not show there.
			controls: "ecr-repository-tags-mutable", id: "team/app",
			set: func(w *motoWorld) { w.ask("ecr", "create_repository", `{"repositoryName":"team/app"}`) },
			look: func(w *motoWorld) map[string]any {
				r := w.ask("ecr", "describe_repositories", `{"repositoryNames":["team/app"]}`)["repositories"].([]any)[0].(map[string]any)
				return map[string]any{"tags": r["imageTagMutability"]}
			},
			findings: []finding{{"tag_mutability", "ecr-repository-tags-mutable", "review", "open"}},
			fixed:    map[string]any{"tags": "IMMUTABLE"},
		},
		"table": {
			controls: "dynamodb-table-deletion-protection-off, dynamodb-table-point-in-time-off", id: "orders",
			set: func(w *motoWorld) {
				w.ask("dynamodb", "create_table", `{"TableName":"orders","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
			},
			look: func(w *motoWorld) map[string]any {
				d := w.ask("dynamodb", "describe_table", `{"TableName":"orders"}`)["Table"].(map[string]any)
				b := w.ask("dynamodb", "describe_continuous_backups", `{"TableName":"orders"}`)["ContinuousBackupsDescription"].(map[string]any)
				return map[string]any{"protected": d["DeletionProtectionEnabled"] == true, "recovery": b["PointInTimeRecoveryDescription"].(map[string]any)["PointInTimeRecoveryStatus"]}
			},
			findings: []finding{{"deletion_protection", "dynamodb-table-deletion-protection-off", "auto", "resolved"}, {"point_in_time_recovery", "dynamodb-table-point-in-time-off", "review", "open"}},
			fixed:    map[string]any{"protected": true, "recovery": "ENABLED"},
		},
		"database": {
			controls: "rds-instance-tags-not-copied, rds-instance-iam-auth-off, rds-instance-backup-short", id: "shop",
			set: func(w *motoWorld) {
				w.ask("rds", "create_db_instance", `{"DBInstanceIdentifier":"shop","DBInstanceClass":"db.t3.micro","Engine":"postgres","AllocatedStorage":20,"MasterUsername":"u","MasterUserPassword":"hunter2-hunter2",
					"CopyTagsToSnapshot":false,"EnableIAMDatabaseAuthentication":false,"BackupRetentionPeriod":1}`)
			},
			look: func(w *motoWorld) map[string]any {
				d := w.ask("rds", "describe_db_instances", `{"DBInstanceIdentifier":"shop"}`)["DBInstances"].([]any)[0].(map[string]any)
				return map[string]any{"copied": d["CopyTagsToSnapshot"], "iam": d["IAMDatabaseAuthenticationEnabled"], "days": d["BackupRetentionPeriod"]}
			},
			findings: []finding{
				{"backup_retention_days", "rds-instance-backup-short", "review", "open"}, {"iam_database_authentication", "rds-instance-iam-auth-off", "review", "open"},
				{"copy_tags_to_snapshot", "rds-instance-tags-not-copied", "auto", "resolved"},
			},
			fixed: map[string]any{"copied": true, "iam": true, "days": 7.0},
			back:  map[string]any{"copied": false, "iam": false, "days": 7.0}, // nothing lowers it
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, c.controls)
			c.set(w)
			before := c.look(w)
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
			if diff := cmp.Diff(c.findings, findingsOf(r, c.id)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			w.approveAll(r, c.id)
			if diff := cmp.Diff(c.fixed, c.look(w)); diff != "" {
				t.Errorf("what boto3 sees after the fixes (-want +got):\n%s", diff)
			}
			want := before
			if c.back != nil {
				want = c.back
				for _, id := range w.inEffect() {
					w.dera("rollback", id, "--reason", "test") // of one that has no undo it is refused, and is in the way of no other
				}
			} else {
				w.rollBackAll()
			}
			if diff := cmp.Diff(want, c.look(w)); diff != "" {
				t.Errorf("what boto3 sees after the rollback (-want +got):\n%s", diff)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}
