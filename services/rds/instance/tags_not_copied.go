package instance

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// TagsNotCopied finds instances whose snapshots do not get their tags.
func TagsNotCopied() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Instance]{
		Path: CopyTags,
		Meta: control.Meta{
			ID: "rds-instance-tags-not-copied", Title: "RDS instance does not copy its tags to snapshots", Severity: dera.Low,
			Why:        "Whose data a snapshot holds, and what guards it by tag, is not known of one without tags.",
			Fix:        "Tags are copied to snapshots that are made from now on.",
			Complexity: "low",
			Cases:      []control.Case{{When: "tags are not copied", Disposition: dera.Auto, Because: "nothing but tags of new snapshots changes"}, {When: "other changes wait for the maintenance window, or the instance is not available", Disposition: dera.Review, Because: "AWS could not make this change alone; no plan is made"}},
			Refs:       refs("RDS.17", "rds-instance-copy-tags-to-snapshots-enabled", ""),
			Owner:      "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: (*Instance).clustered,
		Refuse:  (*Instance).refusal,
	})
}
