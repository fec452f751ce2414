package trail

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// DeliveryBroken finds trails whose logs arrive nowhere, or soon will not.
func DeliveryBroken() control.Control {
	return control.OnFact(Type(), control.FactSpec[Trail]{
		Key: "delivery",
		Meta: control.Meta{
			ID: "cloudtrail-trail-delivery-broken", Title: "CloudTrail trail cannot deliver its logs", Severity: dera.High, Watches: true,
			Why:        "A trail that logs to a bucket that is missing or refuses it, or with a key that is switched off, records nothing that anybody can read.",
			Fix:        "A person puts the bucket, its policy or the key in order. CloudTrail tries for 30 days to deliver what it could not. A key whose deletion is scheduled can be kept until then.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "S3 or the log group refused the latest delivery, the bucket is missing, or the key of the trail is disabled or pending deletion", Disposition: dera.Alert, Because: "what is broken is a bucket or a key, often of another account"},
			},
			Refs:  cloudtrail.Refs("3.1", "CloudTrail.1", "CLOUD_TRAIL_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(t *Trail, _ control.Settings) (string, bool) {
			why := ""
			if t.DeliveryError != nil && *t.DeliveryError != "" {
				why = "The latest delivery to the bucket " + t.Bucket + " failed: " + *t.DeliveryError + "."
			}
			if t.LogGroupError != "" {
				why += " The latest delivery to the log group failed: " + t.LogGroupError + "."
			}
			if t.KeyState != nil && *t.KeyState != "" && *t.KeyState != "Enabled" {
				why += " The key " + t.Key + " is in the state " + *t.KeyState + "."
			}
			if t.BucketMissing {
				why += " There is no bucket " + t.Bucket + "."
			}
			return why, t.DeliveryError != nil && t.KeyState != nil
		},
	})
}
