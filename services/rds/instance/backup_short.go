package instance

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// BackupShort finds instances whose backups are kept for less than a week.
func BackupShort() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: BackupDays,
		Meta: control.Meta{
			ID: "rds-instance-backup-short", Title: "RDS instance keeps backups for less than 7 days", Severity: dera.Medium,
			Why:        "What is deleted or encrypted by an attacker and noticed after the weekend cannot be restored.",
			Fix:        "Backups are kept for 7 days. Nothing takes it back: fewer days would delete backups. Where there were none, the instance restarts.",
			Complexity: "low",
			Cases:      []control.Case{{When: "backups are kept for fewer than 7 days, or not at all", Disposition: dera.Review, Because: "to switch them on restarts the instance, and nothing takes the fix back without deleting backups"}},
			Refs:       refs("RDS.11", "db-instance-backup-enabled", ""),
			Owner:      "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: func(i *Instance) string {
			if i.BackupDays != nil && *i.BackupDays > leastDays {
				return "backups are kept for longer"
			}
			return i.clustered()
		},
		Start: func(i *Instance, _ control.Settings) (dera.Disposition, string) {
			if i.BackupDays != nil && *i.BackupDays == 0 {
				return dera.Review, "To switch backups on restarts the instance."
			}
			return dera.Review, "Nothing takes the fix back: fewer days would delete backups."
		},
		Refuse: (*Instance).refusal,
	})
}
