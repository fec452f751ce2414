package trail

import (
	"strconv"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// leastDays is for how long logs should be there. PCI DSS 4.0, 10.5.1, requires twelve months, of
// which three at hand.
const leastDays = 90

// LogsExpireEarly finds trails whose bucket deletes the logs after a short time.
func LogsExpireEarly() control.Control {
	return control.OnFact(Type(), control.FactSpec[Trail]{
		Key: "lifecycle",
		Meta: control.Meta{
			ID: "cloudtrail-trail-logs-expire-early", Title: "Bucket of a CloudTrail trail deletes logs early", Severity: dera.High, Watches: true,
			Why:        "A lifecycle rule of one day deletes what shows an intrusion before anybody looks, without stopping the trail.",
			Fix:        "A person sets the lifecycle rule of the bucket to the time for which logs are kept. What was deleted does not come back, but in a versioned bucket.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a lifecycle rule of the bucket deletes log files that are less than 90 days old", Disposition: dera.Alert, Because: "the bucket is often another account's, and for how long logs are kept is its owner's decision"},
			},
			Refs:  cloudtrail.Refs("", "CloudTrail.1", "CLOUD_TRAIL_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(t *Trail, _ control.Settings) (string, bool) {
			if t.Expires == nil || *t.Expires == 0 || *t.Expires >= leastDays {
				return "", t.Expires != nil
			}
			return "The bucket " + t.Bucket + " deletes log files after " + strconv.Itoa(*t.Expires) + " days.", true
		},
	})
}
