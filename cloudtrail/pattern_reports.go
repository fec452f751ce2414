package cloudtrail

import (
	"slices"
	"strings"
)

// What the rules for the findings of others are for.
const (
	ForSecurityHub = "securityhub"
	ForActions     = "actions"
	ForGuardDuty   = "guardduty"
)

// PrefixNoCase is what a member of an event must begin with, in any case.
type PrefixNoCase struct {
	Prefix struct {
		Text string `json:"equals-ignore-case"`
	} `json:"prefix"`
}

// Findings is the part of a pattern about findings of Security Hub: of the list, one must fit.
type Findings struct {
	Resources *FindingResources `json:"Resources,omitempty"`
	// Class are the classes of OCSF.
	Class []int `json:"class_uid,omitempty"`
}

// FindingResources is the part about the resources of a finding.
type FindingResources struct {
	Type []any `json:"Type"`
}

// The classes of findings of OCSF 1.6 that can be about a configuration: compliance and
// detection. Vulnerabilities are not.
//
// https://schema.ocsf.io/1.6.0/categories/findings
const (
	classCompliance = 2003
	classDetection  = 2004
)

// reportRules let through the findings of Security Hub on resources of the services that the
// types are of, in both formats, its custom actions, and the findings of GuardDuty.
func (w Watch) reportRules(types []string) []Rule {
	var prefixes []any
	var seen []string
	for _, l := range w.located {
		parts := strings.Split(l.Type, "::")
		if !slices.Contains(types, l.Type) || len(parts) < 2 || slices.Contains(seen, parts[1]) {
			continue
		}
		seen = append(seen, parts[1])
		prefixes = append(prefixes, prefixNoCase("Aws"+parts[1]))
	}
	if len(prefixes) == 0 {
		return nil
	}
	prefixes = append(prefixes, prefixNoCase("AwsAccount"))
	hub := []any{"aws." + ReportSecurityHub}
	return []Rule{
		{Name: "dera-securityhub-findings", For: ForSecurityHub, State: StateEnabled, Pattern: Pattern{
			Source: hub, DetailType: []any{ImportedKind}, Detail: &Detail{Findings: &Findings{Resources: &FindingResources{Type: prefixes}}},
		}},
		{Name: "dera-securityhub-findings-v2", For: ForSecurityHub, State: StateEnabled, Pattern: Pattern{
			Source: hub, DetailType: []any{ImportedV2Kind}, Detail: &Detail{Findings: &Findings{Class: []int{classCompliance, classDetection}}},
		}},
		{Name: "dera-securityhub-actions", For: ForActions, State: StateEnabled, Pattern: Pattern{Source: hub, DetailType: []any{ActionKind}}},
		{Name: "dera-guardduty-findings", For: ForGuardDuty, State: StateEnabled, Pattern: Pattern{Source: []any{"aws." + ReportGuardDuty}, DetailType: []any{GuardDutyKind}}},
	}
}

func prefixNoCase(text string) (p PrefixNoCase) {
	p.Prefix.Text = text
	return p
}
