package instance

import (
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/evidence"
)

// ContainRequest finds instances that somebody asked to be contained.
func ContainRequest() control.Control {
	return control.Define(control.Spec[*Instance]{
		Meta: control.Meta{
			ID: "ec2-instance-contain-request", Title: "Instance was asked to be contained", Type: Name, Severity: dera.High,
			Why:        "An instance that an attacker controls goes on doing harm, and what it holds is the evidence, until somebody cuts it off.",
			Fix:        "After another person granted it. Quarantine: snapshots of all volumes at one moment, then the security group `dera-isolation`, which has no rules, in place of all groups of each interface. Stop: the instance is stopped. A rollback puts the groups back, or starts it.",
			Complexity: "high", Gives: true,
			Cases: []control.Case{
				{When: "somebody asked for it with `dera contain`, and nobody has answered", Disposition: dera.Review, Because: "whoever asked cannot grant it: another person does, and it is never automatic"},
				{When: "it was granted, and somebody undid it since: an interface has another group, the isolation group has rules, or it runs", Disposition: dera.Alert, Because: "who did it may be the attacker, or who called it off: a person asks again, or rolls it back"},
				{When: "it is in an Auto Scaling group and not in standby, its type has volumes of the host or is not known (stop), it is a Spot instance (stop), or its VPC has no group `dera-isolation` without rules (quarantine)", Disposition: dera.Review, Because: "no plan is made: the group would terminate it, a stop would erase what cannot be brought back"},
			},
			Refs: []control.Ref{
				{Standard: "AWS Security Incident Response", ID: "Source containment", URL: "https://docs.aws.amazon.com/security-ir/latest/userguide/containment.html"},
			},
			Reads: Type().Reads(), Writes: []string{CreateSnapshots, ModifyInterface, Stop, Start},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(i *Instance, _ control.Settings) control.Result {
			var out []control.Failure
			for _, a := range i.Contain {
				switch {
				case a.Unknown != "":
					return control.Result{Outcome: control.UnknownResult, Why: fmt.Sprintf("where the request %s stands is not known: %s", a.ID, a.Unknown)}
				case a.State == dera.AccessAsked && !i.contained(a):
					out = append(out, control.Failure{
						Key: a.Key(), Start: dera.Review, Severity: dera.High, Title: "Instance was asked to be contained",
						Why: fmt.Sprintf("%s asked for %s: %s. Whoever asked cannot grant it.", a.By.Name, a.Text(), a.Reason),
					})
				case a.State == dera.AccessGranted:
					switch still, known := i.still(a); {
					case !known:
						return control.Result{Outcome: control.UnknownResult, Why: "whether what was granted for " + a.ID + " is still so is not known"}
					case !still:
						out = append(out, control.Failure{
							Key: undonePrefix + a.ID, Start: dera.Alert, Severity: dera.High, Title: "Instance that was contained is not any more",
							Why: fmt.Sprintf("The %s was granted (%s), and somebody undid it: not by a rollback of dera. Ask for it again where it is still wanted.", a.Text(), a.ID),
						})
					}
				}
			}
			if len(out) > 0 {
				return control.Result{Outcome: control.Fail, Failures: out}
			}
			return control.Result{Outcome: control.Pass}
		},
		Plan: func(i *Instance, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			a, ok := i.asked(failures)
			if !ok {
				return nil, &control.Refusal{Code: "one-at-a-time", Why: "each request has its own plan"}
			}
			return i.contain(a)
		},
		Prove: func(i *Instance, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			a, ok := i.asked(failures)
			if !ok {
				return dera.Evidence{}, fmt.Errorf("%d requests have no proof together", len(failures))
			}
			if slices.Equal(a.Actions, []string{StopIt}) {
				return evidence.ProveSettings(Type(), i, changes, map[string]any{power: false})
			}
			return i.proveQuarantine(a.ID, changes)
		},
	})
}
