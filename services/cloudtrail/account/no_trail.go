package account

import (
	"strconv"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/cloudtrail"
)

// NoTrail finds accounts in which no trail records the management events of all regions.
func NoTrail() control.Control {
	return control.OnFact(Type(), control.FactSpec[Account]{
		Key: "trail",
		Meta: control.Meta{
			ID: "cloudtrail-account-no-trail", Title: "No CloudTrail trail records the whole account", Severity: dera.Critical, Watches: true,
			Why:        "Without a trail of all regions nobody can say afterwards who did what. A trail that was deleted leaves nothing behind that could be switched on again.",
			Fix:        "A person makes a trail of all regions, or brings back the one that was deleted from the request that made it. The event history of CloudTrail has the management events of the last 90 days meanwhile.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "no trail of all regions that the account has, or its organization has over it, logs management events that read and that write", Disposition: dera.Alert, Because: "a new trail needs a bucket, a policy and an owner, and a second one costs"},
			},
			Refs:  cloudtrail.Refs("3.1", "CloudTrail.1", "MULTI_REGION_CLOUD_TRAIL_ENABLED"),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(a *Account, _ control.Settings) (string, bool) {
			all := true
			for _, t := range a.Trails {
				yes, known := t.Records()
				if yes {
					return "", true
				}
				all = all && known
			}
			switch n := len(a.Trails); {
			case !all:
				return "", false
			case n == 0:
				return "The account has no trail that records all regions.", true
			default:
				return "Of " + strconv.Itoa(n) + " trails of all regions none logs the management events that read and those that write.", true
			}
		},
	})
}
