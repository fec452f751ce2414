package trail

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// ValidationOff finds trails whose log files can be changed without anyone seeing it.
func ValidationOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Trail]{
		Path: Validation,
		Meta: control.Meta{
			ID: "cloudtrail-trail-validation-off", Title: "CloudTrail trail has log file validation disabled", Severity: dera.Low, Watches: true,
			Why:        "Without digests nobody can show that a log file is the one that CloudTrail wrote, or that none is missing.",
			Fix:        "Log file validation is switched on: CloudTrail writes a signed digest to the same bucket each hour.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "validation is off", Disposition: dera.Auto, Because: "digests stand beside the logs, which stay as they are"},
				{When: "validation is off, and the trail is an organization's", Disposition: dera.Review, Because: "such an update takes rights in the organization, which dera does not have; no plan is made"},
			},
			Refs:  cloudtrail.Refs("3.2", "CloudTrail.4", "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Refuse: (*Trail).refusal,
	})
}

// refusal: to update the trail of an organization, the caller needs rights in AWS
// Organizations and on service-linked roles beside those on the trail.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-an-organizational-trail-prepare.html
func (t *Trail) refusal() *control.Refusal {
	if !t.Organization {
		return nil
	}
	return &control.Refusal{Code: "organization-trail", Why: "to update the trail of an organization takes rights in AWS Organizations that dera does not have"}
}
