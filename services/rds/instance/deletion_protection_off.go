package instance

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// DeletionProtectionOff finds instances that one call can delete.
func DeletionProtectionOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: DeletionProtection,
		Meta: control.Meta{
			ID: "rds-instance-deletion-protection-off", Title: "RDS instance has deletion protection disabled", Severity: dera.Low,
			Why:        "Whoever may delete it, a script with the wrong name too, takes the database and its automated backups with one call.",
			Fix:        "Deletion protection is switched on: to delete the instance someone has to switch it off first.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "deletion protection is off", Disposition: dera.Auto, Because: "it changes nothing for those who use the database"},
				{When: "other changes wait for the maintenance window, or the instance is not available", Disposition: dera.Review, Because: "AWS could not make this change alone; no plan is made"},
			},
			Refs:  refs("RDS.8", "rds-instance-deletion-protection-enabled", ""),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: (*Instance).clustered,
		Refuse:  (*Instance).refusal,
	})
}
