package services

import (
	_ "embed"
	"slices"
	"strings"

	events "dera.example/dera/cloudtrail"
)

// foundBy is the one table of which findings of others lead to which controls: who finds it, the
// rule as they name it (* ends a prefix), and the controls that look at the same thing. They
// need not agree with it: dera reads the resource and judges by its own definition.
//
// Sources: the control reference of Security Hub, the lists of managed rules of AWS Config and
// of checks of Prowler, the finding types of GuardDuty and of IAM Access Analyzer. Rules of
// standards without consolidated findings stand under CIS and PCI DSS.
//
//go:embed found_by.csv
var foundBy string

// Finder is a rule of somebody else that finds what a control finds.
type Finder struct {
	By    string   `json:"by"`
	Rules []string `json:"rules"`
}

// foundLine is a line of the table.
type foundLine struct {
	by, rule string
	controls []string
}

func foundLines() (out []foundLine) {
	for i, line := range strings.Split(strings.TrimSpace(foundBy), "\n") {
		if cells := strings.Split(line, ","); i > 0 && len(cells) == 3 {
			out = append(out, foundLine{cells[0], cells[1], strings.Fields(cells[2])})
		}
	}
	return out
}

// FoundBy returns who else finds what the control finds, in the order of the table.
func FoundBy(control string) (out []Finder) {
	for _, l := range foundLines() {
		if !slices.Contains(l.controls, control) {
			continue
		}
		if n := len(out); n == 0 || out[n-1].By != l.by {
			out = append(out, Finder{By: l.by})
		}
		out[len(out)-1].Rules = append(out[len(out)-1].Rules, l.rule)
	}
	return out
}

// rulesOfOthers is the table by rule, with the types of the controls. Findings of AWS Config and
// Access Analyzer name no rule that is read: users name rules of Config as they like.
func rulesOfOthers() events.Rules {
	types := map[string]string{}
	for _, c := range Controls() {
		types[c.ID] = c.Type
	}
	out := events.Rules{}
	for _, l := range foundLines() {
		if l.by == "AWS Config" || l.by == "Access Analyzer" {
			continue
		}
		for _, id := range l.controls {
			if typ := types[id]; typ != "" && !slices.Contains(out[l.rule], typ) {
				out[l.rule] = append(out[l.rule], typ)
			}
		}
	}
	return out
}
