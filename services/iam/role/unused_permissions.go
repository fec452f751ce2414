package role

import (
	"path"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// UnusedPermissions finds permissions of a role that it did not use.
func UnusedPermissions() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: control.Meta{
			ID:       "iam-role-unused-permissions",
			Title:    "Role has permissions that it does not use",
			Type:     Name,
			Severity: dera.High,
			Why: "Whoever gets hold of the role's credentials can do everything that it may do, not just what it does. Permissions that nobody uses " +
				"help nobody but them.",
			Fix: "From the role's inline policies the actions go that it did not use, where CloudTrail would have shown the use; denials, resources and conditions " +
				"stay, and a policy of which nothing is left goes. A managed policy of which the role used nothing is detached; in place of one of AWS of which something was used comes an inline copy without the rest. Other managed policies are judged by the use of everyone who has them.",
			Complexity: "high",
			Cases: slices.Concat(iam.UnusedCases(), iam.AttachedCases(), []control.Case{
				{When: "StackSets or Control Tower made the role", Disposition: dera.Alert, Because: "they put it back: the change belongs there"},
				iam.EmergencyCase(),
			}),
			Refs:       iam.UnusedRefs(),
			Reads:      iam.UnusedReads(Parts()),
			GuardReads: resource.ScheduleReads(),
			Writes:     iam.RoleKind.UnusedWrites(),
			Owner:      "dera maintainers",
			ReviewBy:   "2027-11-01",
		},
		Check: func(r *Role, s control.Settings) control.Result {
			switch {
			case strings.HasPrefix(r.Path, "/aws-service-role/"), strings.HasPrefix(r.Path, "/aws-reserved/"):
				return control.Result{Outcome: control.NotApplicable}
			case r.Use == nil:
				return control.Result{Outcome: control.NotApplicable, Unrecorded: !r.Empty()}
			case !r.Read(PartInline, PartAttached, PartDocuments):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the role"}
			}
			subject, err := r.subject(s)
			res := iam.Unused(subject, err, "the inline policies of role "+r.Name)
			if by := madeBy(r.Name); by != "" {
				for i := range res.Failures {
					res.Failures[i].Start = dera.Alert
					res.Failures[i].Why += " The role was made by " + by + ", which would put it back."
				}
			}
			return res
		},
		Plan: func(r *Role, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			if by := madeBy(r.Name); by != "" {
				return nil, &control.Refusal{Code: "made-elsewhere", Why: "the role was made by " + by + ", which would put it back"}
			}
			subject, err := r.subject(s)
			return r.PlanUnused(iam.RoleKind, subject, err, failures)
		},
		Prove: func(r *Role, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), r, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			subject, err := r.subject(s)
			return r.ProveUnused(subject, err, &after.Identity, failures)
		},
	})
}

// subject is the role's policies with the role itself.
func (r *Role) subject(s control.Settings) (*iam.Subject, error) {
	return r.SubjectOf(iam.RoleKind, []iam.Holder{{Kind: iam.RoleKind, Name: r.Name, Path: r.Path, Created: r.Created, Use: r.Use}}, iam.KeepIn(s, r.Account))
}

// madeBy names what makes roles of that name, and makes them again.
func madeBy(name string) string {
	for _, m := range []struct{ pattern, by string }{
		{"stacksets-exec-*", "CloudFormation StackSets"},
		{"AWSCloudFormationStackSet*Role", "CloudFormation StackSets"},
		{"AWSControlTower*", "Control Tower"},
		{"aws-controltower-*", "Control Tower"},
	} {
		if ok, err := path.Match(m.pattern, name); ok && err == nil {
			return m.by
		}
	}
	return ""
}
