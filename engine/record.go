package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"dera.example/dera"
)

// fit shortens the lists of a record, so that it always fits a leaf of the audit
// log: a group with thousands of interfaces must not make its own record, and
// with it its finding, impossible. What is left out is counted in the record and
// lies whole in the remediation and in the sealed payload.
func fit(r dera.AuditRecord) dera.AuditRecord {
	const lines, ids, steps = 100, 300, 50
	r.Diff, r.Unexpected = shortList(r.Diff, lines), shortList(r.Unexpected, lines)
	r.Interfaces = shortList(r.Interfaces, lines)
	if n := len(r.Findings) - ids; n > 0 {
		r.Findings = r.Findings[:ids]
		r.Notes = append(r.Notes[:len(r.Notes):len(r.Notes)], fmt.Sprintf("%d more findings are in the remediation", n))
	}
	if n := len(r.Steps) - steps; n > 0 {
		r.Steps = r.Steps[n:]
	}
	r.Why = shortText(r.Why)
	if r.Decision != nil && len(r.Decision.Reasons) > 0 {
		d := *r.Decision
		d.Reasons = shortReasons(d.Reasons)
		r.Decision = &d
	}
	return r
}

// shortReasons keeps every guardrail's reason and as many of the control's as
// fit.
func shortReasons(list []dera.Reason) []dera.Reason {
	const most = 30
	out := make([]dera.Reason, 0, min(len(list), most))
	left, control, lowest := 0, 0, dera.Auto
	for _, r := range list {
		if r.Guardrail == "control" {
			if control++; control > most {
				left, lowest = left+1, lowest.Lower(r.Disposition)
				continue
			}
		}
		r.Why = shortText(r.Why)
		out = append(out, r)
	}
	if left > 0 {
		out = append(out, dera.Reason{Guardrail: "control", Disposition: lowest, Why: fmt.Sprintf("and %d more reasons of the control", left)})
	}
	return out
}

func shortList(list []string, most int) []string {
	if len(list) <= most {
		return list
	}
	return append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
}

func shortText(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimSpace(s[:cut]) + "…"
}
