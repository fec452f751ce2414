package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// Privilege is one finding on unused permissions as a candidate for least privilege.
type Privilege struct {
	Finding   string   `json:"finding"`
	Principal string   `json:"principal"` // or how many there are
	Resource  dera.ARN `json:"resource"`
	Key       string   `json:"key"`
	Granted   int      `json:"granted"` // actions
	Used      int      `json:"used"`
	Unused    int      `json:"unused"`
	// Share is how much of what is granted is unused, in percent.
	Share int `json:"unused_percent"`
	// Proof is proved, or why the plan is not, or no record.
	Proof string `json:"proof"`
	// Would is what dera would do, and Against which guardrails stand in the way.
	Would   string   `json:"would"`
	Against []string `json:"against"`
}

// Privileges are the findings on unused permissions that are not resolved, those first that
// leave the most unused. One whose record of use is not there any more is as it was when it
// was last judged.
func Privileges(findings []dera.Finding) []Privilege {
	out := []Privilege{}
	for _, f := range findings {
		if f.Granted == nil || f.State == dera.FindingResolved {
			continue
		}
		p := Privilege{
			Finding: f.ID, Principal: holders(f.Granted.Principals), Resource: f.Resource, Key: f.Key,
			Granted: f.Granted.Granted, Used: f.Granted.Used, Unused: f.Granted.Unused, Against: []string{},
		}
		if p.Granted > 0 {
			p.Share = p.Unused * 100 / p.Granted
		}
		if f.State == dera.FindingUnknown {
			p.Proof, p.Would = "no record", "unknown"
			out = append(out, p)
			continue
		}
		what, against, now := Would(f)
		p.Would = map[dera.Disposition]string{dera.Auto: "fix", dera.Review: "ask", dera.Alert: "report", dera.Exempt: "leave"}[what]
		for _, r := range slices.Concat(against, now) {
			if !slices.Contains(p.Against, r.Guardrail) {
				p.Against = append(p.Against, r.Guardrail)
			}
		}
		p.Proof = "no plan"
		for _, r := range f.Reasons {
			switch {
			case r.Guardrail != (evaluate.Proved{}).Name():
			case r.Disposition == dera.Auto:
				p.Proof = "proved"
			default:
				p.Proof = "not proved"
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Privilege) int {
		return cmp.Or(cmp.Compare(b.Unused, a.Unused), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// holders is the principal, or how many there are.
func holders(list []string) string {
	switch len(list) {
	case 0:
		return "nobody"
	case 1:
		if i := strings.LastIndex(list[0], ":"); i >= 0 {
			return list[0][i+1:]
		}
		return list[0]
	}
	return fmt.Sprintf("%d principals", len(list))
}
