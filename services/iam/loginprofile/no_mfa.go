package loginprofile

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// NoMFA finds users that can sign in to the console without a second factor.
func NoMFA() control.Control {
	return control.Define(control.Spec[*Login]{
		Meta: control.Meta{
			ID:         "iam-loginprofile-no-mfa",
			Title:      "User can sign in to the console without MFA",
			Type:       Name,
			Severity:   dera.Medium,
			Why:        "Without a second factor the password is enough, and passwords are guessed, reused and given away to whoever asks in the right words.",
			Fix:        "The user adds an MFA device. Where nobody signs in as the user, its password is deleted; where people do, they get access by IAM Identity Center instead.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a user has a password for the console and no MFA device", Disposition: dera.Review, Because: "nobody but the user can add the device, and to deny what is done without it may stop a program"},
			},
			Refs: []control.Ref{
				iam.CIS("1.9"), iam.CIS7("2.10"), iam.SecurityHub("IAM.5, IAM.19"), iam.ConfigRule("MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS"), iam.NIST("AC-2(1), AC-3(15), IA-2(1), IA-2(2), IA-2(6), IA-2(8)"), iam.PCI("8.4.2"),
			},
			Reads:    Type().Reads(),
			ByHand:   true,
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(l *Login, _ control.Settings) control.Result {
			switch {
			case l.MFA == nil:
				return control.Result{Outcome: control.UnknownResult, Why: "the MFA devices of the user could not be read"}
			case *l.MFA > 0:
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: "mfa", Start: dera.Review, Severity: dera.Medium, Title: "User can sign in to the console without MFA",
				Why: "The user has a password for the console and no MFA device. " + l.lastUse(),
			}}}
		},
		Plan: byHand("nobody but the user can add an MFA device"),
	})
}
