package trail

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// LoggingStopped finds trails that record nothing.
func LoggingStopped() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Trail]{
		Path: Logging,
		Meta: control.Meta{
			ID: "cloudtrail-trail-logging-stopped", Title: "CloudTrail trail does not log", Severity: dera.Critical, Watches: true,
			Why:        "Whoever switches off the log hides what is done next. The trail is all there, and nothing is written.",
			Fix:        "Logging is started. The trail stays as it is, and so do its events, bucket and key.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the trail does not log", Disposition: dera.Auto, Because: "a log denies nobody anything, and stopping it takes one call"},
			},
			Refs:  cloudtrail.Refs("3.1", "CloudTrail.1", "CLOUD_TRAIL_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(t *Trail, _ control.Settings) (dera.Disposition, string) {
			why := ""
			if t.DeliveryError != nil && *t.DeliveryError != "" {
				why = "The latest delivery failed too (" + *t.DeliveryError + "): the log is started, and what it delivers to needs a person."
			}
			return dera.Auto, why
		},
	})
}
