package policy

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// UnusedPermissions finds permissions of a policy that nobody who has it used.
func UnusedPermissions() control.Control {
	return control.Define(control.Spec[*Policy]{
		Meta: control.Meta{
			ID:       "iam-policy-unused-permissions",
			Title:    "Policy has permissions that nobody uses",
			Type:     Name,
			Severity: dera.High,
			Why: "Whoever gets hold of the credentials of anyone who has the policy can do everything that it allows, not just what they do. Permissions " +
				"that nobody uses help nobody but them.",
			Fix: "A new version of the policy is put in force, without the actions that nobody who has it used, where CloudTrail would have shown the use; denials, resources and " +
				"conditions stay. The version from before stays too: putting it in force again is the way back. What anyone used at any time stays.",
			Complexity: "high",
			Cases: slices.Concat(iam.UnusedCases(), []control.Case{
				{When: "the policy is the permissions boundary of someone", Disposition: dera.Review, Because: "a boundary says what may be granted later, which no use shows"},
				{When: "a role of the identity center has the policy", Disposition: dera.Alert, Because: "its permission set decides: the change belongs there"},
				iam.EmergencyCase(),
			}),
			Refs:       iam.UnusedRefs(),
			Reads:      iam.UnusedReads(Parts()),
			GuardReads: resource.ScheduleReads(),
			Writes:     []string{CreateVersion, DeleteVersion, SetDefault},
			Owner:      "dera maintainers",
			ReviewBy:   "2027-11-01",
		},
		Check: func(p *Policy, s control.Settings) control.Result {
			if why := p.notRead(); why != "" {
				return control.Result{Outcome: control.UnknownResult, Why: why}
			}
			nobody := !slices.ContainsFunc(p.Holders, func(h iam.Holder) bool { return h.Kind != iam.GroupKind })
			if nobody {
				return control.Result{Outcome: control.NotApplicable}
			}
			if slices.ContainsFunc(p.Holders, func(h iam.Holder) bool { return h.Kind != iam.GroupKind && h.Use == nil }) {
				return control.Result{Outcome: control.NotApplicable, Unrecorded: true}
			}
			subject, err := p.subject(s)
			res := iam.Unused(subject, err, "policy "+p.Key())
			reserved := p.reserved()
			for i := range res.Failures {
				f := &res.Failures[i]
				if len(p.BoundaryOf) > 0 {
					f.Start = dera.Review
					f.Why += fmt.Sprintf(" It is also the permissions boundary of %s.", strings.Join(p.BoundaryOf[:min(3, len(p.BoundaryOf))], ", "))
				}
				if reserved != "" {
					f.Start = dera.Alert
					f.Why += " Role " + reserved + " has it by a permission set of the identity center."
				}
			}
			return res
		},
		Plan: func(p *Policy, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			if by := p.reserved(); by != "" {
				return nil, &control.Refusal{Code: "made-elsewhere", Why: "role " + by + " has it by a permission set of the identity center"}
			}
			subject, err := p.subject(s)
			if err != nil {
				return nil, iam.CannotPlan(err)
			}
			after, refusal := subject.Narrowed(iam.Keys(failures))
			if refusal != nil {
				return nil, refusal
			}
			if after[0] == "" {
				return nil, &control.Refusal{Code: "nothing-left", Why: "nothing of the policy would be left: it is to be detached from those who have it"}
			}
			changes, err := p.SetDocument(after[0])
			if err != nil {
				return nil, iam.CannotPlan(err)
			}
			return changes, nil
		},
		Prove: func(p *Policy, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), p, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			subject, err := p.subject(s)
			if err != nil {
				return dera.Evidence{}, err
			}
			return subject.Prove([]string{after.Default.Document}, iam.Keys(failures))
		},
	})
}

// notRead says what is not known of a policy, without which it is not judged.
func (p *Policy) notRead() string {
	switch {
	case !p.Read(PartPolicy, PartVersions):
		return "dera lacks permission to read the policy"
	case !p.Read(PartAttached, PartHolders):
		return "dera lacks permission to read who has the policy"
	case p.TooMany > 0:
		return fmt.Sprintf("%d principals have the policy, more than are read", p.TooMany)
	}
	return ""
}

// subject is the policy with those who have it.
func (p *Policy) subject(s control.Settings) (*iam.Subject, error) {
	out, err := iam.NewSubject([]iam.Text{{Name: p.Key(), Document: p.Default.Document}}, p.Holders, policy.Identity.SizeLimit(), s)
	if out != nil {
		out.LeaveWhole = true
		out.NarrowResources = out.NarrowResources && len(p.BoundaryOf) == 0 // what whoever has it as a boundary used is not read
	}
	return out.By(p.Reported, p.Holders).Stage(p.Staged, s.GraduationDays, p.Holders), err
}

// reserved is a role of the identity center that has the policy.
func (p *Policy) reserved() string {
	for _, h := range p.Holders {
		if strings.HasPrefix(h.Name, "AWSReservedSSO_") || strings.HasPrefix(h.Path, "/aws-reserved/") {
			return h.Name
		}
	}
	return ""
}
