package instance

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// MinorUpgradeOff finds instances that get no security fixes automatically.
func MinorUpgradeOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: MinorUpgrade,
		Meta: control.Meta{
			ID: "rds-instance-minor-upgrade-off", Title: "RDS instance has automatic minor version upgrades disabled", Severity: dera.High,
			Why:        "Minor versions of the engine fix vulnerabilities. An instance without automatic upgrades keeps those that are known.",
			Fix:        "The automatic upgrade of minor versions is switched on.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "automatic upgrades are off", Disposition: dera.Review, Because: "an upgrade may run in the next maintenance window, and the database is down meanwhile"},
			},
			Refs:  refs("RDS.13", "rds-automatic-minor-version-upgrade-enabled", "2.2.2"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: (*Instance).clustered,
		Refuse:  (*Instance).refusal,
		Start: func(*Instance, control.Settings) (dera.Disposition, string) {
			return dera.Review, "An upgrade may run in the next maintenance window."
		},
	})
}
