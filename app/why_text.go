package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Unverified is the answer where the audit log is not valid: nothing follows from it.
func Unverified(q Question, why string) Why {
	return Why{Question: q, Answer: BlameUnknown, Did: []Culprit{}, Perhaps: []Culprit{}, RuledOut: []RuledOut{}, Missing: []string{"a valid audit log: " + why}}
}

// Text is the question for people.
func (q Question) Text() string {
	var out string
	switch {
	case q.Call != nil:
		out = q.Call.Action + " by " + q.Call.Principal
		if q.Call.Resource != "" {
			out += " on " + q.Call.Resource
		}
	case q.Connection != nil:
		out = fmt.Sprintf("%s from %s to %s", trafficText(*q.Connection), q.Connection.From, q.Connection.To)
	}
	if q.At != nil {
		out += " at " + Stamp(*q.At)
	}
	return out
}

// Grounds say over what the answer is, and why what is ruled out is: most remediations first.
func (w Why) Grounds() []string {
	if w.Records == 0 {
		return nil
	}
	total := len(w.RuledOut) + len(w.Did) + len(w.Perhaps)
	out := []string{fmt.Sprintf("over all %s that ever wrote anything, by the %s of the verified audit log: %d ruled out", counted(total, "remediation"), counted(int(w.Records), "record"), len(w.RuledOut))}
	count := map[string]int{}
	var whys []string
	for _, r := range w.RuledOut {
		if count[r.Why]++; count[r.Why] == 1 {
			whys = append(whys, r.Why)
		}
	}
	slices.SortStableFunc(whys, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	for _, why := range whys {
		out = append(out, fmt.Sprintf("  %d: %s", count[why], strings.TrimSpace(why)))
	}
	return out
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
