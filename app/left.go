package app

import (
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// Left is a finding that a plan leaves open: it is decided after the plan, or it
// stays because the plan keeps a part of what it splits.
type Left struct {
	Finding     string           `json:"finding"`
	Severity    dera.Severity    `json:"severity"`
	Disposition dera.Disposition `json:"disposition"`
	Title       string           `json:"title"`
	Why         string           `json:"why"`
	// Undecided says that someone must still decide about it.
	Undecided bool `json:"undecided"`
}

// LeftBy are the findings of the same resource that are open after the plan of a
// remediation which is not over, the undecided ones first.
func LeftBy(r dera.Remediation, findings []dera.Finding) []Left {
	switch r.State {
	case dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Observed, dera.Planned, dera.Expired:
	default:
		return nil
	}
	leaves := map[string]bool{}
	for _, id := range r.Leaves {
		leaves[id] = true
	}
	var decide, stay []Left
	for _, f := range findings {
		if slices.Contains(r.Findings, f.ID) || f.State == dera.FindingResolved || f.ResourceKey() != r.ResourceKey() || f.WaitsFor != r.ID && !leaves[f.ID] {
			continue
		}
		l := Left{Finding: f.ID, Severity: f.Severity, Disposition: f.Disposition, Title: f.Title}
		switch {
		case f.WaitsFor == r.ID:
			l.Undecided, l.Why = true, "decided after this plan"
			decide = append(decide, l)
			continue
		case observed(f) && r.State != dera.Observed:
			l.Undecided, l.Why = true, "stays open: it is observed only"
			decide = append(decide, l)
			continue
		case f.Disposition == dera.Exempt:
			l.Why = "stays open: it is exempt"
		case f.Disposition == dera.Alert:
			l.Why = "stays open: dera reports it and changes nothing"
		default:
			l.Why = "stays open" + approvalText(f)
		}
		stay = append(stay, l)
	}
	return append(decide, stay...)
}

// observed reports whether dera would fix the finding or ask about it, and only
// observes it.
func observed(f dera.Finding) bool {
	return (f.Disposition == dera.Auto || f.Disposition == dera.Review) && slices.ContainsFunc(f.Reasons, func(r dera.Reason) bool {
		return r.Guardrail == evaluate.Mode{}.Name() && r.Why == evaluate.Observing
	})
}

// approvalText is what a person said to the finding's own plan.
func approvalText(f dera.Finding) string {
	for _, r := range f.Reasons {
		if r.Guardrail == "approval" {
			return ": " + r.Why
		}
	}
	return ""
}

// Line is it in one line, below the diff of the plan.
func (l Left) Line() string {
	return fmt.Sprintf("? %s  %s (%s): %s", l.Disposition, l.Title, l.Finding, l.Why)
}

// ApproveCommand approves the plan as it was shown.
func ApproveCommand(r dera.Remediation) string {
	if id := r.AccessOf(); id != "" {
		return fmt.Sprintf("dera access grant %s --digest %s", id, dera.ShortDigest(r.Digest))
	}
	return approveCommand(r.ID, r.Digest)
}

func approveCommand(id, digest string) string {
	return fmt.Sprintf("dera approve %s --digest %s", id, dera.ShortDigest(digest))
}

// After is the explanation of a finding that waits for another plan of its
// resource: why, and what ends the wait.
func (e Explanation) After(holder dera.Remediation) Explanation {
	why, way := Holds(holder)
	e.Does = why
	if way != nil {
		e.Can = append([]Way{*way}, e.Can...)
	}
	return e
}

// Holds says why a remediation holds what waits for it, and what a person can do
// to go on; nil where nobody has to do anything.
func Holds(r dera.Remediation) (why string, way *Way) {
	switch r.State {
	case dera.Waiting:
		return "It is decided after " + r.ID + ", which changes the same part of the resource and waits for an approval.",
			&Way{What: "decide about " + r.ID + " first: see it, then approve or reject it", Command: "dera show " + r.ID}
	case dera.Expired:
		why := "Nobody answered " + r.ID + " in time, which changes the same part of the resource. dera changes nothing of that part before a person decides; dera reject " + r.ID + " withdraws it, also where its control is switched off."
		if len(r.Findings) == 0 {
			return why, nil
		}
		return why, &Way{What: "have the plan of " + r.ID + " asked again, then approve or reject it", Command: "dera remediate " + r.Findings[0]}
	case dera.Planned:
		return "It is decided after " + r.ID + ", which changes the same part of the resource and is not carried out yet; dera reject " + r.ID + " withdraws it, also where its control is switched off.",
			&Way{What: "carry out what is decided", Command: "dera scan --apply"}
	case dera.Ready:
		why := "It waits for " + r.ID + ", which changes the same resource and is not begun. When that has ended, dera reads the resource again and decides."
		if !r.Approved() {
			return why, nil
		}
		return why, &Way{What: "carry out what is approved", Command: ApproveCommand(r)}
	case dera.Observed:
		return "It is decided after " + r.ID + ", which changes the same part of the resource. Both are only observed.", nil
	default:
		return "It waits for " + r.ID + ", which changes the same resource, to end. Then dera reads the resource again and decides.", nil
	}
}
