package instance

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// TestEvents: the calls say which instance they are about, by its name.
func TestEvents(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	for name, tc := range map[string]struct {
		call, request, answer string
		want                  string // the IDs; "all" for a sweep
	}{
		"modified":    {"ModifyDBInstance", `{"dBInstanceIdentifier":"Shop","applyImmediately":true}`, `{"dBInstanceIdentifier":"shop"}`, "shop"},
		"renamed":     {"ModifyDBInstance", `{"dBInstanceIdentifier":"shop","newDBInstanceIdentifier":"store"}`, `{}`, "shop store"},
		"copied":      {"RestoreDBInstanceToPointInTime", `{"sourceDBInstanceIdentifier":"shop","targetDBInstanceIdentifier":"copy"}`, `{"dBInstanceIdentifier":"copy"}`, "copy"},
		"tagged":      {"AddTagsToResource", `{"resourceName":"arn:aws:rds:eu-west-1:111122223333:db:shop"}`, `null`, "shop"},
		"a_snapshot":  {"AddTagsToResource", `{"resourceName":"arn:aws:rds:eu-west-1:111122223333:snapshot:shop"}`, `null`, ""},
		"names_none":  {"RestoreDBInstanceFromS3", `{}`, `{}`, "all"},
		"of_no_watch": {"ModifyDBProxy", `{"dBProxyName":"shop"}`, `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: "rds.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "eu-west-1", Partition: "aws",
				Request: json.RawMessage(tc.request), Response: json.RawMessage(tc.answer)}
			var got []string
			for _, s := range watch.Hints(r) {
				if s.Type != Name || s.Region != "eu-west-1" {
					t.Errorf("got the scope %+v", s)
				}
				got = append(got, s.IDs...)
				if s.Sweep() {
					got = append(got, "all")
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestStatus: what the status of an instance says of its settings.
func TestStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"available": "", "stopped": "held", "storage-full": "held", "storage-optimization": "held", "failed": "held",
		"modifying": "passing", "configuring-log-exports": "passing", "converting-to-vpc": "passing", "backing-up": "passing", "maintenance": "passing", "delete-precheck": "passing",
	} {
		i := &Instance{Status: status}
		got := ""
		switch {
		case i.Passing():
			got = "passing"
		case i.Held() != "":
			got = "held"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", status, got, want)
		}
	}
}

// TestCanon: what surrounds an instance is no part of its canonical form, and what
// waits for the maintenance window is.
func TestCanon(t *testing.T) {
	t.Parallel()
	canon := func(i Instance) string {
		text, err := Type().Canon(&i)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	base := canon(Instance{ID: "shop", Status: "available"})
	if diff := cmp.Diff(base, canon(Instance{ID: "shop", Status: "modifying", Sources: []string{"0.0.0.0/0"}, SourcesUnread: true})); diff != "" {
		t.Errorf("the surroundings show:\n%s", diff)
	}
	if base == canon(Instance{ID: "shop", Status: "available", Pending: []string{"EngineVersion"}}) {
		t.Error("what waits does not show")
	}
}

// TestDeclare: a change is written in both languages.
func TestDeclare(t *testing.T) {
	t.Parallel()
	yes := true
	i := &Instance{ID: "shop-db", Public: &yes}
	c, err := Type().Set(i, Public, false)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Type: Name, Resource: Type().ARN("aws", "111122223333", "eu-west-1", i.ID), Changes: []dera.Change{c}}
	for language, want := range map[string]string{
		resource.Terraform:      " resource \"aws_db_instance\" \"shop_db\" {\n-  publicly_accessible = true\n+  publicly_accessible = false\n }",
		resource.CloudFormation: " ShopDb:\n   Type: AWS::RDS::DBInstance\n   Properties:\n-    PubliclyAccessible: true\n+    PubliclyAccessible: false",
	} {
		got, err := resource.NewRegistry(Type()).Declare(i, p, resource.Format{Language: language})
		if err != nil || strings.Join(got[3:], "\n") != want {
			t.Errorf("%s: got %v\n%s\nwant\n%s", language, err, strings.Join(got, "\n"), want)
		}
	}
}
