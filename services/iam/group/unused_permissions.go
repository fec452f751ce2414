package group

import (
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// UnusedPermissions finds permissions of a group that none of its members used.
func UnusedPermissions() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: control.Meta{
			ID:       "iam-group-unused-permissions",
			Title:    "Group has permissions that none of its members uses",
			Type:     Name,
			Severity: dera.High,
			Why: "Whoever gets hold of the credentials of any member can do everything that the group allows, not just what the members do. Groups grow, and nobody " +
				"takes back what only those needed who have left.",
			Fix: "From the group's inline policies the actions go that none of its members used, where CloudTrail would have shown the use; denials, resources and conditions " +
				"stay, and a policy of which nothing is left goes. A managed policy of which no member used anything is detached from the group; in place of one of AWS of which something was used comes an inline copy without the rest.",
			Complexity: "high",
			Cases:      slices.Concat(iam.UnusedCases(), iam.AttachedCases(), []control.Case{iam.EmergencyCase()}),
			Refs:       iam.UnusedRefs(),
			Reads:      iam.UnusedReads(Parts()),
			Writes:     iam.GroupKind.UnusedWrites(),
			Owner:      "dera maintainers",
			ReviewBy:   "2027-11-01",
		},
		Check: func(g *Group, s control.Settings) control.Result {
			switch {
			case !g.Read(PartInline, PartAttached, PartDocuments, PartMembers):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the group, or its members"}
			case g.TooMany > 0:
				return control.Result{Outcome: control.UnknownResult, Why: fmt.Sprintf("the group has %d members, more than are read", g.TooMany)}
			case len(g.Members) == 0:
				return control.Result{Outcome: control.NotApplicable}
			case slices.ContainsFunc(g.Members, func(m iam.Holder) bool { return m.Use == nil }):
				return control.Result{Outcome: control.NotApplicable, Unrecorded: !g.Empty()}
			}
			subject, err := g.SubjectOf(iam.GroupKind, g.Members, s)
			return iam.Unused(subject, err, "the inline policies of group "+g.Name)
		},
		Plan: func(g *Group, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			subject, err := g.SubjectOf(iam.GroupKind, g.Members, s)
			return g.PlanUnused(iam.GroupKind, subject, err, failures)
		},
		Prove: func(g *Group, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), g, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			subject, err := g.SubjectOf(iam.GroupKind, g.Members, s)
			return g.ProveUnused(subject, err, &after.Identity, failures)
		},
	})
}
