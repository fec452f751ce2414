package key

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// PendingDeletion finds keys that KMS will delete.
func PendingDeletion() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Key]{
		Path: "state",
		Applies: func(k *Key) string {
			if k.State != "" && k.State != "PendingDeletion" && k.State != "PendingReplicaDeletion" {
				return "nobody has scheduled its deletion"
			}
			return ""
		},
		Meta: control.Meta{
			ID: "kms-key-pending-deletion", Title: "KMS key is scheduled for deletion", Severity: dera.Critical,
			Why:        "What the key encrypted cannot be read any more by anybody once it is deleted: to delete a key is to destroy data.",
			Fix:        "The deletion is cancelled. The key stays disabled, as it is now: whoever needs it enables it. To delete it after all, a person schedules that again.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the key waits for its deletion, or, as the primary key of replicas, for theirs first", Disposition: dera.Review, Because: "it may be meant, and dera does not schedule a deletion: nothing takes the fix back"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "KMS.3", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html"},
				{Standard: "AWS Config", ID: "KMS_CMK_NOT_SCHEDULED_FOR_DELETION", URL: "https://docs.aws.amazon.com/config/latest/developerguide/kms-cmk-not-scheduled-for-deletion.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(*Key, control.Settings) (dera.Disposition, string) {
			return dera.Review, "A person decides whether the deletion is meant."
		},
	})
}
