package trail

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// SingleRegion finds trails that record one region alone.
func SingleRegion() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Trail]{
		Path: MultiRegion,
		Meta: control.Meta{
			ID: "cloudtrail-trail-single-region", Title: "CloudTrail trail logs a single region", Severity: dera.Medium, Watches: true,
			Why:        "What is done in a region that nobody uses is in no log, and a trail that was made single-region hides all others at once.",
			Fix:        "The trail records all regions. CloudTrail makes copies of it there, and their events arrive in the same bucket.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the trail records its home region alone", Disposition: dera.Review, Because: "where another trail records them too, each further copy of management events costs"},
				{When: "the same, and the trail is an organization's, or leaves out global services", Disposition: dera.Review, Because: "CloudTrail refuses one without the other; no plan is made"},
			},
			Refs:  cloudtrail.Refs("3.1", "CloudTrail.1", "MULTI_REGION_CLOUD_TRAIL_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(*Trail, control.Settings) (dera.Disposition, string) {
			return dera.Review, "A second copy of management events costs."
		},
		Refuse: func(t *Trail) *control.Refusal {
			if t.GlobalEvents == nil || !*t.GlobalEvents {
				return &control.Refusal{Code: "global-events", Why: "a trail of all regions includes global services, and this one is not known to"}
			}
			return t.refusal()
		},
	})
}
