package role

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/trust"
)

// Unused finds roles that nobody uses.
func Unused() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: control.Meta{
			ID:       "iam-role-unused",
			Title:    "Role was not used for 90 days",
			Type:     Name,
			Severity: dera.Medium,
			Why: "Whoever may assume a role that nobody uses has all that it may do, and nobody notices. Such roles are left behind by projects that ended, with the permissions " +
				"and the trust of the day when they were made.",
			Fix: "A statement that denies everybody is added to the trust policy; every other byte of it stays, and the role is not deleted. Nobody can begin a session then; one that " +
				"began before ends by its own time, after 12 hours at most. A rollback puts the trust policy back as it was.",
			Complexity: "low",
			Stops:      true,
			Cases: []control.Case{
				{When: "IAM saw no use of the role for 90 days (permissions.window_days), the role is older than that, and where calls are recorded there is none of it in that time", Disposition: dera.Review, Because: "roles for recovery, incidents and yearly audits look unused, and one call undoes it"},
				{When: "the trust policy names a principal that was deleted, or has no space for the statement", Disposition: dera.Review, Because: "there is no plan: IAM takes no policy that names a deleted principal, and none that is too long"},
				{When: "StackSets, Control Tower or another service of AWS made the role for itself", Disposition: dera.Alert, Because: "the service puts the trust policy back, or enters by the role when it has to"},
			},
			Refs: []control.Ref{
				{Standard: "IAM Access Analyzer", ID: "UnusedIAMRole", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html"},
				{Standard: "IAM user guide", ID: "remove unused roles", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#remove-credentials"},
				iam.NIST("AC-2(3), AC-6"), iam.PCI("7.2.5"),
			},
			Reads:      iam.ReadsOf(Parts()),
			GuardReads: resource.ScheduleReads(),
			Writes:     []string{UpdateTrust},
			Owner:      "dera maintainers",
			ReviewBy:   "2027-11-01",
		},
		Check: checkUnused,
		Plan: func(r *Role, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			if why := iam.MadeByAWS(r.Path, r.Name); why != "" {
				return nil, &control.Refusal{Code: "made-by-aws", Why: why}
			}
			doc, err := policy.Parse(r.Trust)
			if err != nil {
				return nil, iam.CannotPlan(err)
			}
			if trust.Dead(doc) {
				return nil, deadRefusal()
			}
			after, err := trust.Close(doc)
			if err == nil {
				err = after.Validate(policy.Trust)
			}
			if err != nil {
				return nil, iam.CannotPlan(err)
			}
			if limit := policy.Trust.SizeLimit(); after.Size(policy.Trust) > limit && doc.Size(policy.Trust) <= limit {
				return nil, &control.Refusal{Code: "no-space", Why: fmt.Sprintf("the trust policy would be longer than %d characters", limit)}
			}
			if !trust.Closed(after) {
				return nil, &control.Refusal{Code: "not-closed", Why: "that nobody may assume the role afterwards is not proved, as where the trust policy allows all but some"}
			}
			c, err := r.SetTrust(after.Text())
			if err != nil {
				return nil, iam.CannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: proveTrust,
	})
}

func checkUnused(r *Role, s control.Settings) control.Result {
	unknown := func(format string, args ...any) control.Result {
		return control.Result{Outcome: control.UnknownResult, Why: fmt.Sprintf(format, args...)}
	}
	if !r.Read(PartRole) {
		return unknown("dera lacks permission to read the role")
	}
	if iam.Fixed(r.Path) {
		return control.Result{Outcome: control.NotApplicable}
	}
	doc, err := policy.Parse(r.Trust)
	days := s.Window()
	switch {
	case err != nil:
		return unknown("%v", err)
	case r.Created.IsZero():
		return unknown("IAM does not say when the role was made")
	case r.Age < days:
		return control.Result{Outcome: control.Pass}
	case r.Idle == nil:
		return unknown("IAM does not say when the role was used last")
	case *r.Idle < days || trust.Closed(doc):
		return control.Result{Outcome: control.Pass}
	case r.Called != nil && *r.Called < days:
		return unknown("IAM saw no use of the role for %d days, but a call of it is recorded %d days ago", *r.Idle, *r.Called)
	}
	f := control.Failure{
		Key: trust.Unused, Start: dera.Review, Severity: dera.Medium, Title: fmt.Sprintf("Role was not used for %d days", days),
		Why: fmt.Sprintf("The role was made %d days ago, and IAM saw no use of it in the 400 days that it looks back.", r.Age),
	}
	if r.LastUsed != nil {
		f.Why = fmt.Sprintf("The role was used last %d days ago, as IAM says; it was made %d days ago.", *r.Idle, r.Age)
	}
	switch u := r.Use; {
	case u == nil:
		f.Why += " Nothing is recorded of its calls, so that IAM alone says so."
	case len(u.Missing()) > 0 || u.To.Sub(u.From) < daysOf(days):
		f.Why += " No call of it is recorded in that time, but the record has gaps or is shorter than that."
	default:
		f.Why += " No call of it is recorded in that time either."
	}
	if trust.Dead(doc) {
		f.Why += " The trust policy names a principal that was deleted, so that IAM would not take it back."
	}
	if made := iam.MadeByAWS(r.Path, r.Name); made != "" {
		f.Start, f.Why = dera.Alert, f.Why+" It is not changed here: "+made+"."
	}
	return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{f}}
}
