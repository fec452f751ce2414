package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// AnalyzerFinding is a finding of IAM Access Analyzer, as AWS tells it.
type AnalyzerFinding struct {
	ID       string   `json:"id"`
	Analyzer string   `json:"analyzer"` // ARN
	Type     string   `json:"type"`     // for example UnusedPermission or ExternalAccess
	Status   string   `json:"status"`   // ACTIVE, ARCHIVED or RESOLVED
	Account  string   `json:"account"`
	Resource dera.ARN `json:"resource"`
	// Analyzed is when Access Analyzer last looked, and Updated when the finding last changed.
	Analyzed time.Time `json:"analyzed"`
	Updated  time.Time `json:"updated"`
	// Unused is what it names as unused, of an active finding on permissions: actions, and
	// service:* for a whole service.
	Unused []string `json:"unused,omitempty"`
	Error  string   `json:"error,omitempty"` // of Access Analyzer itself
}

// Beside is a finding of Access Analyzer with what dera has on the same resource.
type Beside struct {
	AnalyzerFinding
	Open  []string `json:"open"`  // findings of dera
	Fixed []string `json:"fixed"` // remediations of dera in effect, the latest first
	Says  string   `json:"says"`  // how both fit together
}

// AnalyzerReport is what Access Analyzer and dera say, side by side: the active findings of
// Access Analyzer first. NotRead says what of it could not be read.
type AnalyzerReport struct {
	Findings []Beside `json:"findings"`
	NotRead  []string `json:"not_read"`
}

// AnalyzerStore is what is read of the store.
type AnalyzerStore interface {
	Findings(ctx context.Context) ([]dera.Finding, error)
	Remediations(ctx context.Context) ([]dera.Remediation, error)
}

// lookAgain is within how long Access Analyzer looks at a principal again.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-findings.html
const lookAgain = 24 * time.Hour

// SideBySide holds the findings of Access Analyzer against those of dera. One that is resolved
// there is left out where dera has nothing open.
func SideBySide(ctx context.Context, from AnalyzerStore, list []AnalyzerFinding, notRead []string) (AnalyzerReport, error) {
	findings, err := from.Findings(ctx)
	if err != nil {
		return AnalyzerReport{}, err
	}
	fixes, err := from.Remediations(ctx)
	if err != nil {
		return AnalyzerReport{}, err
	}
	out := AnalyzerReport{Findings: []Beside{}, NotRead: append([]string{}, notRead...)}
	for _, theirs := range list {
		b := Beside{AnalyzerFinding: theirs, Open: []string{}, Fixed: []string{}}
		for _, f := range findings {
			if f.State == dera.FindingOpen && sameResource(f.Resource, theirs.Resource) {
				b.Open = append(b.Open, f.ID)
			}
		}
		var last *dera.Remediation
		for i, r := range fixes {
			if (r.State == dera.Resolved || r.State == dera.Collateral) && sameResource(r.Plan.Resource, theirs.Resource) {
				b.Fixed = append(b.Fixed, r.ID)
				last = &fixes[i]
			}
		}
		slices.Reverse(b.Fixed)
		if theirs.Status == "RESOLVED" && len(b.Open) == 0 {
			continue
		}
		b.Says = b.says(last)
		out.Findings = append(out.Findings, b)
	}
	rank := map[string]int{"ACTIVE": 0, "ARCHIVED": 1, "RESOLVED": 2}
	slices.SortStableFunc(out.Findings, func(x, y Beside) int {
		return cmp.Or(cmp.Compare(rank[x.Status], rank[y.Status]), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Type, y.Type), cmp.Compare(x.ID, y.ID))
	})
	return out, nil
}

// sameResource reports whether two ARNs name the same resource: what events name of IAM has no
// path. In names of other services a slash is a part of the name.
func sameResource(a, b dera.ARN) bool {
	if a == b {
		return true
	}
	kind := func(x dera.ARN) string { r := x.Resource(); return r[:max(strings.IndexByte(r, '/'), 0)] }
	return a.Service() == b.Service() && a.Account() == b.Account() && a.Region() == b.Region() && kind(a) != "" && kind(a) == kind(b) && a.Name() == b.Name()
}

// says is how a finding of theirs fits with what dera has; last is the last fix.
func (b Beside) says(last *dera.Remediation) string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	switch {
	case b.Error != "":
		return "Access Analyzer could not analyze it (" + b.Error + "): unknown there"
	case b.Status == "RESOLVED":
		return "resolved there, open here"
	case b.Status == "ARCHIVED":
		return "archived there: somebody, or a rule, accepted it"
	case last != nil:
		fixed := last.Steps[len(last.Steps)-1].At
		switch {
		case b.Analyzed.Before(fixed):
			return fmt.Sprintf("dera changed it at %s, and Access Analyzer looked at %s, before that: it looks again within %.0f hours", at(fixed), at(b.Analyzed), lookAgain.Hours())
		case last.Plan.Stages():
			return fmt.Sprintf("dera denies it for now, since %s, by a statement in the policy, which allows it still: it goes out of that when it was denied for long enough", at(fixed))
		case len(b.Open) > 0:
			return "open in both, after a fix: what stayed waits, or is held back"
		}
		return fmt.Sprintf("fixed by dera at %s, and open by the definition of Access Analyzer, which looked at %s%s", at(fixed), at(b.Analyzed), b.names(last))
	case len(b.Open) > 0:
		return "open in both"
	}
	return "dera has nothing open there: by its definition nothing is wrong, or it did not judge it"
}

// names says what Access Analyzer still calls unused, and what of that dera had taken.
func (b Beside) names(last *dera.Remediation) string {
	if len(b.Unused) == 0 {
		return ""
	}
	var taken []string
	for _, c := range last.Covers {
		taken = append(taken, c.Permissions...)
	}
	still := slices.ContainsFunc(b.Unused, func(u string) bool {
		return slices.ContainsFunc(taken, func(t string) bool { return dera.MatchGlob(strings.ToLower(u), strings.ToLower(t)) })
	})
	out := ": it calls unused what dera keeps, " + strings.Join(b.Unused[:min(5, len(b.Unused))], ", ")
	if more := len(b.Unused) - 5; more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	if still {
		out += "; some of it dera took away, so that something else grants it"
	}
	return out
}
