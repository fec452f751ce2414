package user

import (
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// DirectPolicies finds users that have policies themselves, and not by a group.
func DirectPolicies() control.Control {
	return control.Define(control.Spec[*User]{
		Meta: control.Meta{
			ID:         "iam-user-direct-policies",
			Title:      "User has policies of its own",
			Type:       Name,
			Severity:   dera.Low,
			Why:        "A rule of style: what a user may do by groups alone is decided in one place for all who do the same work, and nobody keeps what a former task needed.",
			Fix:        "A person moves the policies to a group of which the user is a member, or gives the work a role. dera does not: who else such a group would be for, it cannot know.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the user has an attached or inline policy; a permissions boundary is none", Disposition: dera.Alert, Because: "a rule of style: nothing is wider for it"},
			},
			Refs: []control.Ref{
				iam.CIS("1.14"), iam.CIS7("2.13"), iam.SecurityHub("IAM.2"), iam.ConfigRule("IAM_USER_NO_POLICIES_CHECK"), iam.NIST("AC-2, AC-2(1), AC-3, AC-3(7), AC-3(15), AC-6, AC-6(3)"),
			},
			Reads:    iam.ReadsOf(Parts()),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(u *User, _ control.Settings) control.Result {
			var list []string
			for _, p := range u.Attached {
				list = append(list, p.ARN[strings.LastIndexByte(p.ARN, '/')+1:])
			}
			for _, p := range u.Inline {
				if u.Given(p) {
					continue // two people decided about it
				}
				list = append(list, "inline policy "+strconv.Quote(p.Name))
			}
			switch {
			case len(list) > 0:
			case !u.Read(PartInline, PartAttached):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the user"}
			default:
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
				Key: "policies", Start: dera.Alert, Severity: dera.Low, Title: "User has policies of its own", Why: "It has " + strings.Join(list, ", ") + ".",
			}}}
		},
	})
}
