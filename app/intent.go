package app

import (
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// Intent says which sign there is that an open finding is meant to stay as it is, or
// "" where there is none. That dera would ask about it is no sign. Rejected is the
// remediation by which a person said no to its plan, or nil; since and until are the
// period of its observation, where that has begun.
func Intent(f dera.Finding, rejected *dera.Remediation, since, until *time.Time, now time.Time) string {
	if f.State != dera.FindingOpen || f.Disposition == dera.Exempt {
		return ""
	}
	if rejected != nil && rejected.Approval != nil {
		return fmt.Sprintf("%s rejected its plan (%s): %s", rejected.Approval.Approver, rejected.ID, rejected.Approval.Reason)
	}
	if f.RolledBack > 0 {
		return "a person rolled its fix back (" + times(f.RolledBack) + ")"
	}
	for _, r := range f.Reasons {
		switch {
		case r.Disposition != dera.Review || r.Error:
		case r.Guardrail == evaluate.InUse{}.Name() && r.Ref != "":
			return "a declared dependency names it: " + r.Why
		case r.Guardrail == (*evaluate.Exempted)(nil).Name() && r.Ref != "":
			return "a tag of it says so: " + r.Why
		}
	}
	if n := len(f.Returns); n > 0 {
		who := "someone whom no event names"
		if f.LastActor != "" {
			who = f.LastActor
		}
		return fmt.Sprintf("it was opened again after its fix (%s, last at %s, by %s)", times(n), Stamp(f.Returns[n-1]), who)
	}
	if since == nil || until == nil || now.Before(*until) || f.FirstSeen.After(since.Add(24*time.Hour)) {
		return ""
	}
	for _, r := range f.Reasons {
		if r.Disposition == dera.Review && !r.Error && slices.Contains(intentional(), r.Guardrail) {
			return fmt.Sprintf("it was open all through the observation, since %s, and %s: %s", f.FirstSeen.UTC().Format(time.DateOnly), r.Guardrail, r.Why)
		}
	}
	return ""
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// intentional are the guardrails that object since the resource looks as if it were
// meant to be so. That is no proof: it counts with a finding that nobody minded for
// as long as it was observed.
func intentional() []string { return []string{evaluate.Bastion{}.Name()} }
