package instance

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/evidence"
)

// PublicAddress finds instances with public IPv4 addresses.
func PublicAddress() control.Control {
	const elastic, assigned, title = "elastic-address", "assigned-address", "EC2 instance has a public IPv4 address"
	return control.Define(control.Spec[*Instance]{
		Meta: control.Meta{
			ID: "ec2-instance-public-address", Title: title, Type: Name, Severity: dera.High,
			Why:        "An instance with a public address is one rule of a security group away from the internet, and is reached by whatever its groups allow.",
			Fix:        "After a person approved: the Elastic IP addresses are taken off the instance; they stay allocated. An address that AWS assigned is left for a person: AWS gives nobody the same one again.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the instance has an Elastic IP address", Disposition: dera.Review, Because: "it may be meant to be reached, and its way out to the internet may go by it"},
				{When: "AWS assigned the address", Disposition: dera.Alert, Because: "it is released for ever when the instance stops: nobody could take it back"},
			},
			Refs:  refs("EC2.9", "EC2_INSTANCE_NO_PUBLIC_IP"),
			Reads: Type().Reads(), Writes: []string{Disassociate, Associate},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(i *Instance, _ control.Settings) control.Result {
			var failures []control.Failure
			add := func(key string, start dera.Disposition, addresses []string, why string) {
				if len(addresses) > 0 {
					if i.Forwards {
						why += " It forwards what is not meant for it, as a NAT instance does: others may reach the internet by it."
					}
					failures = append(failures, control.Failure{Key: key, Start: start, Severity: dera.High, Title: title, Why: why})
				}
			}
			var list []string
			for _, a := range i.Elastic {
				list = append(list, a.Public)
			}
			add(elastic, dera.Review, list, "The instance has the Elastic IP address "+strings.Join(list, ", ")+".")
			add(assigned, dera.Alert, i.Assigned, "AWS assigned the instance the public address "+strings.Join(i.Assigned, ", ")+". Launch it again in a private subnet, or switch the address off for its interface by hand.")
			if len(failures) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Failures: failures, Whole: true}
		},
		Plan: func(i *Instance, failures []control.Failure, _ control.Settings) (changes []dera.Change, _ *control.Refusal) {
			for _, f := range failures {
				if f.Key != elastic {
					return nil, &control.Refusal{Code: "by-hand", Why: "AWS assigned the address, and gives nobody the same one again"}
				}
			}
			for _, a := range i.Elastic {
				c, err := i.TakeOff(a)
				if err != nil {
					return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
				}
				changes = append(changes, c)
			}
			return changes, nil
		},
		Prove: func(i *Instance, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			var gone []string
			for _, a := range i.Elastic {
				gone = append(gone, a.Line())
			}
			return evidence.ProveParts(Type(), i, changes, gone, nil)
		},
	})
}
