package trail

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// NoGlobalEvents finds trails that leave out IAM, STS and CloudFront.
func NoGlobalEvents() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Trail]{
		Path: GlobalEvents,
		Meta: control.Meta{
			ID: "cloudtrail-trail-no-global-events", Title: "CloudTrail trail leaves out global services", Severity: dera.Medium, Watches: true,
			Why:        "IAM, STS and CloudFront are global services: a trail without their events does not show who made which key or role.",
			Fix:        "The trail includes events of global services.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the trail leaves out global services", Disposition: dera.Review, Because: "where another trail has them, they are recorded and paid for twice"},
				{When: "the same, and the trail is an organization's", Disposition: dera.Review, Because: "no plan is made, as for every update of such a trail"},
			},
			Refs:  cloudtrail.Refs("3.1", "CloudTrail.1", "MULTI_REGION_CLOUD_TRAIL_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(*Trail, control.Settings) (dera.Disposition, string) {
			return dera.Review, "Another trail may have them already."
		},
		Refuse: (*Trail).refusal,
	})
}
