package root

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Used finds use of root users that no incident explains.
func Used() control.Control {
	return control.Define(control.Spec[*User]{
		Meta: control.Meta{
			ID:       "iam-root-used",
			Title:    "Root user of the account was used",
			Type:     Name,
			Severity: dera.High,
			Why:      "The root user can do everything, and no policy of the account limits it. Few tasks require it, so each use is one of these, planned, or somebody who should not be there.",
			Fix:      "dera changes nothing. Whoever knows why the root user was used attaches the incident or the change; if nobody does, its password and its keys are in the wrong hands.",
			Cases: []control.Case{
				{When: "the usage ledger has calls of the root user, denied ones included, or a sign-in of it, that no incident covers; calls that an AWS service makes in its name do not count", Disposition: dera.Alert, Because: "why it was used a person knows"},
			},
			Complexity: "low",
			Refs: []control.Ref{
				iam.CIS("1.6"), iam.CIS7("2.7"), {Standard: "Security Hub", ID: "CloudWatch.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"}, iam.NIST("AC-2(7), AC-6(9)"),
			},
			Reads:    Type().Reads(),
			Incident: true,
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(u *User, _ control.Settings) control.Result {
			return iam.Explaining{
				Who: "The root user of account " + u.Account, Title: "Root user was used without an incident", Watched: "no daily task requires it", Use: u.Use, Known: u.Explained,
			}.Check()
		},
	})
}
