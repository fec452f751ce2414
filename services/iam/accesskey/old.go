package accesskey

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// oldDays is after how many days a key is to be replaced (CIS AWS Foundations 5.0.0, 1.13).
const oldDays = 90

// Old finds access keys that are used and were not replaced for long. What nobody uses is
// found by Unused.
func Old() control.Control {
	return control.Define(control.Spec[*Key]{
		Meta: control.Meta{
			ID:         "iam-accesskey-old",
			Title:      "Access key is in use and older than 90 days",
			Type:       Name,
			Severity:   dera.Medium,
			Why:        "The longer a key exists, the more places have it, and who has copied it can use it until it is replaced.",
			Fix:        "The owner makes a second key, puts it where the first one is used, and makes the first one inactive. dera does not: what uses the key would stop.",
			Complexity: "high",
			Cases: []control.Case{
				{When: "an active key is older than 90 days and was used in the last 45 days", Disposition: dera.Review, Because: "where its secret is, its owner alone knows"},
			},
			Refs: []control.Ref{
				iam.CIS("1.13"), iam.CIS7("2.12"), iam.SecurityHub("IAM.3"), iam.ConfigRule("ACCESS_KEYS_ROTATED"), iam.NIST("AC-2(1), AC-2(3), AC-3(15)"), iam.PCI("8.3.9, 8.6.3"),
			},
			Reads:    Type().Reads(),
			ByHand:   true,
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(k *Key, _ control.Settings) control.Result {
			switch {
			case k.Status == "":
				return control.Result{Outcome: control.UnknownResult, Why: "the access key or its last use could not be read"}
			case k.Status != Active || k.Idle >= unusedDays:
				return control.Result{Outcome: control.NotApplicable}
			case k.Age <= oldDays:
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: "age", Start: dera.Review, Severity: dera.Medium, Title: "Access key is in use and older than 90 days",
				Why: fmt.Sprintf("The key was made %d days ago and used last %s. No plan is made: what uses it would stop.", k.Age, k.lastUse()),
			}}}
		},
		Plan: func(*Key, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, &control.Refusal{Code: "by-hand", Why: "where the secret of the key is, its owner alone knows: replace it there first"}
		},
	})
}

// lastUse is when a key that is in use was used last, for people.
func (k *Key) lastUse() string {
	if k.Idle == 0 {
		return "within a day, with " + k.Service
	}
	return fmt.Sprintf("%d days ago, with %s", k.Idle, k.Service)
}
