package app

import (
	"fmt"
	"strings"
)

// EffectLines are the sentences of a review of effectiveness: what was done, what was spared, what was
// wrong.
func EffectLines(v Effectiveness) []string {
	w, q := v.Work, v.Queue
	done := fmt.Sprintf("done: %s fixed and verified, %d of them automatically and %d approved by a person; %d rolled back by order%s, %d undone by dera since its check failed, %d failed in all, %d whose undo failed, %d with side effects",
		counted(w.Fixed, "remediation"), w.Automatic, w.Approved, w.RolledBack, byText(w.By), w.Undone, w.Failed, w.UndoFailed, w.SideEffect)
	saved := "nothing was to be handled"
	if q.Saved != nil {
		saved = fmt.Sprintf("%d %% was closed without a person", *q.Saved)
	}
	queue := fmt.Sprintf("queue: %s: %s closed automatically, %d in %s that waited for a person, %d only reported; of the plans %d approved, %d rejected, %d expired, %d obsolete, %d still waiting",
		saved, counted(q.Automatic, "finding"), q.Findings, counted(q.Asked, "plan"), q.Reported, q.Approved, q.Rejected, q.Expired, q.Obsolete, q.Waiting)
	return []string{done, queue, wrongText(v.Wrong)}
}

func wrongText(w Wrong) string {
	return fmt.Sprintf("false positives: %d wrong of %s, %d undone, %d that may be wrong; %s rejected, %s exempted; people or denials spoke against %d of %s. Nobody judged the others",
		w.Denied, fixesText(w.Fixed), w.Undone, w.MayBe, counted(w.Rejected, "plan"), counted(w.Exempted, "finding"), w.Findings, counted(w.Seen, "finding"))
}

func byText(list []RolledBackBy) string {
	var out []string
	for _, b := range list {
		out = append(out, fmt.Sprintf("%s: %d", Plain(b.By), b.Count))
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func fixesText(n int) string {
	if n == 1 {
		return "1 fix"
	}
	return fmt.Sprintf("%d fixes", n)
}
