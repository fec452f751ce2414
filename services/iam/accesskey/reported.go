package accesskey

import (
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
)

// QuietDays is for how many days before a threat nobody must have used the user, so that its
// key may be made inactive automatically.
const QuietDays = 14

// Answered are GuardDuty's finding types that a key is made inactive for, by its globs. What
// instances' credentials are reported for is the role's, and what the root user did is its own.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
func Answered() []string {
	return []string{"*:IAMUser/*", "!*:IAMUser/InstanceCredentialExfiltration*", "!Policy:IAMUser/*", "!Stealth:IAMUser/*"}
}

// Reported finds access keys whose use GuardDuty reports.
func Reported() control.Control {
	meta := control.Meta{
		ID: "iam-accesskey-reported", Title: "GuardDuty reports the use of the access key", Type: Name, Severity: dera.Critical,
		Why: "Whoever has the key acts as its user: what GuardDuty reports is use that the owner does not make, from a Tor exit, from a listed address, or in a way that the user never worked.",
		Fix: "The key is made inactive, not deleted: it can be made active again with the secret that its owner has. Sessions that were begun with it (GetSessionToken, GetFederationToken, AssumeRole) " +
			"go on until they end, up to 36 hours, and so do other keys and the password of the user: an inactive key ends none of them.",
		Complexity: "medium", Stops: true, Threats: Answered(),
		Cases: []control.Case{
			{When: "GuardDuty has an open finding of the last 30 days about the active key, of a type `*:IAMUser/*` but not InstanceCredentialExfiltration, Policy and Stealth; samples and archived ones do not count", Disposition: dera.Review, Because: "a user of the key that is no attacker would stop too; who uses it a person knows"},
			{When: "the same, an entry of threats.automatic is about its type, severity and place, says data_unseen, and the usage ledger has all management events and no call of the user in the 14 days before GuardDuty saw it first", Disposition: dera.Auto, Because: "nobody else used the user; one call makes the key active again"},
			{When: "the same, and the ledger has such a call, has gaps or is not there", Disposition: dera.Review, Because: "the ledger does not know from which networks calls came: any earlier use may be the owner's"},
		},
		Refs: []control.Ref{
			{Standard: "GuardDuty", ID: "IAM finding types", URL: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html"},
			{Standard: "GuardDuty", ID: "Remediating potentially compromised AWS credentials", URL: "https://docs.aws.amazon.com/guardduty/latest/ug/compromised-creds.html"},
			iam.NIST("IR-4, AC-2(13)"),
		},
		Reads: Type().Reads(), Writes: []string{Update},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	return control.Define(control.Spec[*Key]{
		Meta: meta,
		Check: func(k *Key, s control.Settings) control.Result {
			switch k.Status {
			case "":
				return control.Result{Outcome: control.UnknownResult, Why: "the access key or its last use could not be read"}
			case Active:
				return control.Reported(meta, k.Threats, s, k.automatic)
			case Inactive:
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.NotApplicable}
		},
		Plan: func(k *Key, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			change, err := Type().Set(k, "status", Inactive)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return []dera.Change{change}, nil
		},
		Prove: func(k *Key, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return evidence.ProveSettings(Type(), k, changes, map[string]any{"status": Inactive})
		},
	})
}

// automatic says whether a key may be made inactive automatically for a threat, and why not.
func (k *Key) automatic(t resource.Threat) (dera.Disposition, string) {
	if !k.Quiet {
		return dera.Review, fmt.Sprintf("That nobody else uses the key is not known: the usage ledger does not know from which networks calls came, and it has a call of the user in the %d days before, has gaps or is not there.", QuietDays)
	}
	return dera.Auto, fmt.Sprintf("No call of the user is recorded in the %d days before; calls that only read or write data, such as objects of S3, no record has whole.", QuietDays)
}

// Is reports whether a threat is about the key. GuardDuty names a session of the user by an ID
// of its own (ASIA...): an inactive key does not end it, so that it is none of the key.
func (k *Key) Is(t resource.Threat) bool {
	return t.Key == k.ID && t.User == k.User && (t.UserType == "IAMUser" || t.UserType == "") && !strings.HasPrefix(t.Key, "ASIA")
}

// QuietBefore reports whether a record of the user's management events is whole and has none from
// QuietDays before the first threat until then. A call that was made before and since counts
// as one: when it was made in between nobody tells.
func (k *Key) QuietBefore(use resource.Use) bool {
	if k.Threats == nil || len(k.Threats.List) == 0 || len(k.Threats.Without) > 0 || len(use.Missing()) > 0 || use.To.IsZero() || k.Age < QuietDays {
		return false
	}
	first := k.Threats.List[0].First
	for _, t := range k.Threats.List {
		if t.First.IsZero() {
			return false
		}
		if t.First.Before(first) {
			first = t.First
		}
	}
	from := first.AddDate(0, 0, -QuietDays)
	quiet := func(began, ended time.Time) bool { return ended.Before(from) || !began.Before(first) }
	for _, c := range use.Calls {
		if !c.Last.IsZero() && !quiet(c.First, c.Last) || !c.LastDenied.IsZero() && c.LastDenied.After(from) && c.LastDenied.Before(first) {
			return false
		}
	}
	return !use.From.After(from) && !use.To.Before(first)
}
