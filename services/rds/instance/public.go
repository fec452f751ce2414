package instance

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// PublicControl finds instances with a public address.
func PublicControl() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: Public,
		Meta: control.Meta{
			ID: "rds-instance-public", Title: "RDS instance is publicly accessible", Severity: dera.Critical,
			Why:        "A publicly accessible database is one security group rule away from the internet, and passwords are guessed by machines.",
			Fix:        "Public accessibility is switched off: the name of the instance resolves to its private address everywhere.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "its security groups allow private sources alone", Disposition: dera.Auto, Because: "nobody can reach the public address, so nobody depends on it"},
				{When: "its security groups allow a public source, or could not be read", Disposition: dera.Review, Because: "who connects from there resolves the private address then, and fails"},
				{When: "other changes wait for the maintenance window, the instance is not available, or a cluster manages it", Disposition: dera.Review, Because: "AWS could not make this change alone; no plan is made"},
			},
			Refs:  refs("RDS.2", "rds-instance-public-access-check", "2.2.3"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(i *Instance, _ control.Settings) (dera.Disposition, string) {
			switch {
			case i.SourcesUnread:
				return dera.Review, "What its security groups allow is not known."
			case len(i.Sources) > 0:
				return dera.Review, "Its security groups allow public sources: " + strings.Join(i.Sources, ", ") + "."
			}
			return dera.Auto, "Its security groups allow private sources alone."
		},
		Refuse: func(i *Instance) *control.Refusal {
			if i.Cluster != "" {
				return &control.Refusal{Code: "cluster", Why: "the cluster " + i.Cluster + " manages the instance"}
			}
			return i.refusal()
		},
	})
}
