package table

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
)

// DeletionProtectionOff finds tables that one call deletes.
func DeletionProtectionOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Table]{
		Path: "deletion_protection",
		Meta: control.Meta{
			ID: "dynamodb-table-deletion-protection-off", Title: "DynamoDB table has deletion protection disabled", Severity: dera.Medium,
			Why:        "One call deletes the table and all in it.",
			Fix:        "Deletion protection is switched on. Whoever means to delete the table switches it off first.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "it is off, and no tag says that the table is made by a stack or for tests", Disposition: dera.Auto, Because: "reads and writes stay as they are"},
				{When: "the tags could not be read, or they say that code or a stack made the table", Disposition: dera.Review, Because: "what deletes it regularly would fail"},
				{When: "the table is not ACTIVE", Disposition: dera.Review, Because: "AWS would refuse it; no plan is made"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "DynamoDB.6", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/dynamodb-controls.html"},
				{Standard: "AWS Config", ID: "DYNAMODB_TABLE_DELETION_PROTECTION_ENABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/dynamodb-table-deletion-protection-enabled.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Refuse: (*Table).busy,
		Start: func(t *Table, _ control.Settings) (dera.Disposition, string) {
			if !t.Read(resourcepolicy.PartTags) {
				return dera.Review, "Its tags could not be read, which may say what deletes it regularly."
			}
			for key := range t.Tags {
				if k := strings.ToLower(key); strings.HasPrefix(k, "aws:cloudformation:") || k == "ephemeral" || k == "ttl" || k == "expires" {
					return dera.Review, "Its tag " + key + " says that something may delete it regularly."
				}
			}
			return dera.Auto, "No tag says that something deletes it regularly."
		},
	})
}
