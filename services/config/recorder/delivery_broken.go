package recorder

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// DeliveryBroken finds recorders that deliver nothing.
func DeliveryBroken() control.Control {
	return control.OnFact(Type(), control.FactSpec[Recorder]{
		Key: "delivery", Applies: func(r *Recorder, _ control.Settings) string { return r.absent() },
		Meta: control.Meta{
			ID: "config-recorder-delivery-broken", Title: "AWS Config recorder cannot deliver", Severity: dera.Medium, Watches: true,
			Why:        "A recorder without a delivery channel, or with a bucket or a role that refuses it, records nothing that anybody can read.",
			Fix:        "A person makes the delivery channel, or puts its bucket or the recorder's role in order.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "there is no delivery channel, or AWS Config says that the recorder fails", Disposition: dera.Alert, Because: "what is broken is a bucket, a policy or a role"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(r *Recorder, _ control.Settings) (string, bool) {
			switch {
			case r.Channel != nil && !*r.Channel:
				return "AWS Config has no delivery channel in " + r.Region + ".", true
			case r.Failing != nil && *r.Failing != "":
				return "The recorder fails: " + *r.Failing + ".", true
			}
			return "", r.Channel != nil && r.Failing != nil
		},
	})
}
