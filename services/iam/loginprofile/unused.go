package loginprofile

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// unusedDays is after how many days a password counts as unused (CIS AWS Foundations
// 5.0.0, 1.11).
const unusedDays = 45

// Unused finds passwords for the console that nobody uses.
func Unused() control.Control {
	return control.Define(control.Spec[*Login]{
		Meta: control.Meta{
			ID:         "iam-loginprofile-unused",
			Title:      "Password for the console was not used for 45 days",
			Type:       Name,
			Severity:   dera.Medium,
			Why:        "A password that nobody uses belongs to somebody who has left or forgotten it, and nobody notices when another person signs in with it.",
			Fix:        "A person deletes the password (the login profile). dera does not: what was deleted cannot be put back, and the user would get a new one.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a password was not used for 45 days, or never in the 45 days or more since it was made", Disposition: dera.Review, Because: "a deleted password cannot be put back"},
			},
			Refs: []control.Ref{
				iam.CIS("1.11"), iam.CIS7("2.11"), iam.SecurityHub("IAM.8, IAM.22"), iam.ConfigRule("IAM_USER_UNUSED_CREDENTIALS_CHECK"),
				{Standard: "IAM Access Analyzer", ID: "UnusedIAMUserPassword", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html"},
				iam.NIST("AC-2, AC-2(1), AC-2(3), AC-3, AC-3(7), AC-3(15), AC-6"), iam.PCI("8.2.6"),
			},
			Reads:    Type().Reads(),
			ByHand:   true,
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(l *Login, _ control.Settings) control.Result {
			switch {
			case l.Idle == nil:
				return control.Result{Outcome: control.UnknownResult, Why: "the last use of the password could not be read"}
			case *l.Idle < unusedDays:
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: "unused", Start: dera.Review, Severity: dera.Medium, Title: "Password for the console was not used for 45 days", Why: l.lastUse(),
			}}}
		},
		Plan: byHand("a deleted password cannot be put back: delete it where its owner agrees"),
	})
}

// byHand is the plan of a control whose fix a person makes.
func byHand(why string) func(*Login, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
	return func(*Login, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
		return nil, &control.Refusal{Code: "by-hand", Why: why}
	}
}

// lastUse says when the password was used last.
func (l *Login) lastUse() string {
	switch {
	case l.Idle == nil:
		return "When the password was used last is not known."
	case !l.Used:
		return fmt.Sprintf("The password was made %d days ago and not used since.", *l.Idle)
	}
	return fmt.Sprintf("The password was used last %d days ago.", *l.Idle)
}
