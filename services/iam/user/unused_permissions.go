package user

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// UnusedPermissions finds permissions of a user that it did not use.
func UnusedPermissions() control.Control {
	return control.Define(control.Spec[*User]{
		Meta: control.Meta{
			ID:       "iam-user-unused-permissions",
			Title:    "User has permissions that it does not use",
			Type:     Name,
			Severity: dera.High,
			Why: "Whoever gets hold of an access key or the password of the user can do everything that it may do, not just what it does. Access keys live long and " +
				"are found in places where nobody expects them.",
			Fix: "From the user's inline policies the actions go that it did not use, where CloudTrail would have shown the use; denials, resources and conditions " +
				"stay, and a policy of which nothing is left goes. A managed policy of which the user used nothing is detached; in place of one of AWS of which something was used comes an inline copy without the rest. What it has by its groups is judged there.",
			Complexity: "high",
			Cases:      slices.Concat(iam.UnusedCases(), iam.AttachedCases(), []control.Case{iam.EmergencyCase()}),
			Refs:       iam.UnusedRefs(),
			Reads:      iam.UnusedReads(Parts()),
			Writes:     iam.UserKind.UnusedWrites(),
			Owner:      "dera maintainers",
			ReviewBy:   "2027-11-01",
		},
		Check: func(u *User, s control.Settings) control.Result {
			switch {
			case u.Use == nil:
				return control.Result{Outcome: control.NotApplicable, Unrecorded: !u.Empty()}
			case !u.Read(PartInline, PartAttached, PartDocuments, PartGroups):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the user"}
			}
			subject, err := u.subject(s)
			return iam.Unused(subject, err, "the inline policies of user "+u.Name)
		},
		Plan: func(u *User, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			subject, err := u.subject(s)
			return u.PlanUnused(iam.UserKind, subject, err, failures)
		},
		Prove: func(u *User, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), u, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			subject, err := u.subject(s)
			return u.ProveUnused(subject, err, &after.Identity, failures)
		},
	})
}

// subject is the user's own policies with the user, which has those of its groups
// besides.
func (u *User) subject(s control.Settings) (*iam.Subject, error) {
	h := iam.Holder{Kind: iam.UserKind, Name: u.Name, Path: u.Path, Created: u.Created, Use: u.Use, Beside: u.byGroups()}
	return u.SubjectOf(iam.UserKind, []iam.Holder{h}, s)
}

// byGroups are the policies that the user has by its groups.
func (u *User) byGroups() (out []iam.Attached) {
	for _, g := range u.Groups {
		for _, p := range g.Inline {
			out = append(out, iam.Attached{ARN: iam.InlineName(g.Name, p.Name), Document: p.Document})
		}
		out = append(out, g.Attached...)
	}
	return out
}
