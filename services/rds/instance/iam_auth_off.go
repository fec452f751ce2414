package instance

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// IAMAuthOff finds instances into which nobody can get with an identity of IAM.
func IAMAuthOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: IAMAuth,
		Meta: control.Meta{
			ID: "rds-instance-iam-auth-off", Title: "RDS instance has IAM database authentication disabled", Severity: dera.Medium,
			Why:        "Passwords of databases are shared, seldom changed, and seen by nobody when they are used.",
			Fix:        "IAM database authentication is switched on; passwords work as before.",
			Complexity: "low",
			Cases:      []control.Case{{When: "it is off", Disposition: dera.Review, Because: "the engine, its version and its class must have it, and who uses it is set up by a person"}},
			Refs:       refs("RDS.10", "rds-instance-iam-authentication-enabled", ""),
			Owner:      "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: (*Instance).clustered,
		Start: func(*Instance, control.Settings) (dera.Disposition, string) {
			return dera.Review, "A person knows whether the engine has it and who shall use it."
		},
		Refuse: (*Instance).refusal,
	})
}
