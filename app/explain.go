package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Explanation says what a finding is about to a person who owns the resource and
// does not know dera.
type Explanation struct {
	Wrong   string        `json:"wrong"`
	Owner   string        `json:"owner"`
	Does    string        `json:"does"`
	Decided []dera.Reason `json:"decided"`
	Can     []Way         `json:"can"`
}

// Way is something that a person can do now. Entry is text for a file.
type Way struct {
	What    string   `json:"what"`
	Command string   `json:"command,omitempty"`
	Entry   []string `json:"entry,omitempty"`
}

// Explain puts it into words. r is the finding's latest remediation, or nil.
func Explain(f dera.Finding, r *dera.Remediation, now time.Time) Explanation {
	if r != nil && (r.Overdue(now) || r.Lapsed(now)) {
		late := *r // no look has said so yet
		if late.State = dera.Expired; r.Lapsed(now) {
			late.State = dera.Superseded
		}
		r = &late
	}
	return Explanation{
		Wrong: f.Why, Owner: ownerText(f), Does: doesText(f, r), Decided: objections(f), Can: ways(f, r, now),
	}
}

func ownerText(f dera.Finding) string {
	changed := ""
	if f.LastActor != "" {
		changed = "; " + f.LastActor + " changed it last"
	}
	switch f.OwnerSource {
	case "tag":
		return f.Owner + ", as its tag says" + changed
	case "account":
		return f.Owner + ", who owns the account " + f.Account + changed
	case "actor":
		return "no owner is named; " + f.Owner + " changed it last"
	}
	return "no owner is known: tag it with owner, or give its account an owner in the configuration"
}

// objections are the guardrails that lowered the decision.
func objections(f dera.Finding) []dera.Reason {
	out := []dera.Reason{}
	for _, r := range f.Reasons {
		if r.Disposition > dera.Auto && !slices.ContainsFunc(out, func(o dera.Reason) bool { return o.Guardrail == r.Guardrail && o.Why == r.Why }) {
			out = append(out, r)
		}
	}
	return out
}

// because is what the guardrails with the disposition say, in one line.
func because(f dera.Finding, d dera.Disposition) string {
	var why []string
	for _, r := range objections(f) {
		if r.Disposition == d {
			if r.Guardrail == "control" {
				r.Why = "the control " + f.Control + " leaves it to a person"
			}
			why = append(why, strings.TrimSuffix(r.Why, "."))
		}
	}
	if len(why) == 0 {
		return ""
	}
	return " Why: " + strings.Join(slices.Compact(why), "; ") + "."
}

func doesText(f dera.Finding, r *dera.Remediation) string {
	switch {
	case f.State == dera.FindingUnknown:
		return "Nothing: dera could not judge it, and does not change what it does not know. It reads the resource again."
	case f.State == dera.FindingResolved && r != nil && (r.State == dera.Resolved || r.State == dera.Collateral):
		return "It is fixed, by " + r.ID + "."
	case f.State == dera.FindingResolved && f.Used != nil:
		return "Nothing more: an incident explains the use."
	case f.State == dera.FindingResolved:
		return "Nothing more: someone else resolved it."
	case f.Disposition == dera.Exempt:
		return "Nothing: it is exempt." + because(f, dera.Exempt)
	case f.Disposition == dera.Alert:
		return "Nothing: dera only reports it." + because(f, dera.Alert)
	case f.WaitsFor != "":
		return "It waits for " + f.WaitsFor + ", which changes the same resource, to end; then it reads the resource again and decides." + failedBefore(f)
	case r == nil:
		return "Nothing automatically." + because(f, dera.Review)
	}
	switch r.State {
	case dera.Waiting:
		return fmt.Sprintf("Nothing until a person approves, by %s.%s", Stamp(r.Expires), because(f, dera.Review)) + failedBefore(f)
	case dera.Ready:
		if r.Approved() {
			return "It is approved, and not begun." + failedBefore(f)
		}
		return "It is about to make the changes below." + attention(f) + failedBefore(f)
	case dera.Applying, dera.Verifying:
		return "It is making the changes below." + attention(f) + failedBefore(f)
	case dera.Undoing:
		return "It is rolling its changes back."
	case dera.Planned:
		return "Nothing yet: a command that only reads decided it. dera scan --apply or dera run makes the changes below." + failedBefore(f)
	case dera.Observed:
		if f.Disposition == dera.Auto {
			return "Nothing: it only observes. In enforce mode it would make the changes below automatically."
		}
		return "Nothing: it only observes. In enforce or review mode it would ask a person." + because(f, dera.Review)
	case dera.UndoFailed:
		return "Nothing: an undo failed, and the resource is frozen until a person has reviewed it. " + r.Failure
	case dera.Failed:
		return "The fix failed and was undone completely. " + r.Failure
	case dera.Rejected, dera.Expired:
		return "Nothing: the plan was not approved." + because(f, dera.Review)
	case dera.Resolved, dera.Collateral:
		return "It was fixed, and came back."
	case dera.RolledBack:
		return "Nothing automatically any more: its fix was rolled back."
	case dera.Superseded:
		return "Nothing: the last plan no longer applies." + because(f, dera.Review)
	}
	return "Nothing."
}

// failedBefore says that the last fix failed, and why.
func failedBefore(f dera.Finding) string {
	if f.LastFailure == nil {
		return ""
	}
	return " The last fix, " + f.LastFailure.Remediation + ", " + FailureText(*f.LastFailure) + "."
}

// attention is what a guardrail that lets it pass wants to be heard all the same.
func attention(f dera.Finding) string {
	for _, r := range f.Reasons {
		if strings.HasPrefix(r.Why, "ATTENTION") {
			return " " + r.Why + "."
		}
	}
	return ""
}

// ways are what the person can do now.
func ways(f dera.Finding, r *dera.Remediation, now time.Time) []Way {
	out := []Way{}
	add := func(what, command string, args ...any) {
		out = append(out, Way{What: what, Command: fmt.Sprintf(command, args...)})
	}
	if r != nil {
		switch r.State {
		case dera.Waiting:
			if r.Code != nil {
				out = append(out, Way{What: "change the " + r.Code.Language + " code that owns it, with the diff below: it stays then"})
			}
			add("approve the changes below, exactly as shown", "%s", ApproveCommand(*r))
			add("refuse them", "dera reject %s --reason TEXT", r.ID)
		case dera.Ready:
			if r.Approved() {
				add("carry out the changes below, which are approved", "%s", ApproveCommand(*r))
			}
			add("refuse them before they begin", "dera reject %s --reason TEXT", r.ID)
		case dera.Resolved, dera.Collateral, dera.UndoFailed:
			add("roll back what dera changed", "dera rollback %s --reason TEXT", r.ID)
		case dera.Expired:
			if f.State == dera.FindingOpen {
				add("have dera ask for approval again", "dera remediate %s", f.ID)
			}
		case dera.Observed:
			add("have dera ask you for approval", "dera remediate %s --mode review", f.ID)
		default: // what a person can do then does not depend on the remediation
		}
	}
	if f.State == dera.FindingResolved {
		return out
	}
	if f.Used != nil {
		add("name the incident that it was, when it is over", "dera incident attach %s --reference REFERENCE", f.ID)
		return out
	}
	if f.Disposition != dera.Exempt {
		where := " --region " + f.Region
		if f.Region == dera.GlobalRegion { // it is looked at whatever the region
			where = ""
		}
		add("fix it yourself, and have dera read it again", "dera scan%s", where)
		if f.State != dera.FindingUnknown {
			out = append(out, Way{What: "keep it for a while: add this to the exemption list by pull request, and fill in what is blank", Entry: ExemptionEntry(f, now)})
		}
	}
	return out
}

// With adds flags to the commands, so that they go by the same data, configuration
// and exemption list as what they stand in.
func (e Explanation) With(flags string) Explanation {
	for i := range e.Can {
		if e.Can[i].Command != "" {
			e.Can[i].Command += flags
		}
	}
	return e
}
