package cloudtrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Rule is an EventBridge rule that lets events through to the queue.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
type Rule struct {
	Name    string  `json:"name"`
	For     string  `json:"for"` // one of the For constants
	Pattern Pattern `json:"pattern"`
	// State is ENABLED, or the one with which EventBridge also delivers calls that
	// only read.
	State string `json:"state"`
	// Region is where alone the events arrive; empty is every region in use, and
	// dera.GlobalRegion the home of the partition.
	Region string `json:"region,omitempty"`
}

// What a rule is for.
const (
	ForLooks    = "looks"
	ForConfig   = "config"
	ForAnalyzer = "analyzer"
	ForLedger   = "ledger"
)

// The states of a rule. EventBridge drops management events that only read
// unless the rule is in the second one.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
const (
	StateEnabled  = "ENABLED"
	StateAllCalls = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)

// Pattern is an event pattern: a member of an event must be one of the values. A
// value of the first two is a text, a Prefix or a Suffix.
type Pattern struct {
	Source     []any   `json:"source,omitempty"`
	DetailType []any   `json:"detail-type,omitempty"`
	Detail     *Detail `json:"detail,omitempty"`
}

// Prefix is what a member of an event must begin with.
type Prefix struct {
	Prefix string `json:"prefix"`
}

// Suffix is what a member of an event must end with.
type Suffix struct {
	Suffix string `json:"suffix"`
}

// Detail is the part of a pattern about the detail of an event.
type Detail struct {
	Identity     *Identified `json:"userIdentity,omitempty"`
	EventSource  []string    `json:"eventSource,omitempty"`
	EventName    []string    `json:"eventName,omitempty"`
	ResourceType []string    `json:"resourceType,omitempty"`
	Result       *Evaluation `json:"newEvaluationResult,omitempty"`
	Findings     *Findings   `json:"findings,omitempty"`
}

// Identified is the part of a pattern about who called.
type Identified struct {
	Type []string `json:"type"`
}

// Evaluation is the part of a pattern about the result of a Config rule.
type Evaluation struct {
	ComplianceType []string `json:"complianceType"`
}

// Text is the pattern as EventBridge takes it.
func (p Pattern) Text() string {
	text, _ := json.Marshal(p) // texts alone: it cannot fail
	return string(text)
}

// MaxPattern is how many characters a pattern may have.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const MaxPattern = 2048

// The names of the rules for what AWS Config and Access Analyzer find.
const (
	configRule   = "dera-config"
	analyzerRule = "dera-access-analyzer"
)

// viaCloudTrail ends the kinds of events that CloudTrail sends: calls, sign-ins and others.
const viaCloudTrail = " via CloudTrail"

// Rules returns the rules that dera needs to hear of every change of resources
// of these types at once: for each service the watched calls, in as many
// patterns as their size takes; one for whatever root users do; one for AWS Config; one for
// Access Analyzer; those for Security Hub and GuardDuty; and one for the usage
// ledger, which wants every call and so makes the first ones needless.
func (w Watch) Rules(types []string) []Rule {
	bySource := map[string][]Watched{}
	var sources []string
	for _, c := range w.Calls() {
		if !slices.ContainsFunc(c.Types, func(t string) bool { return slices.Contains(types, t) }) {
			continue
		}
		if bySource[c.Source] == nil {
			sources = append(sources, c.Source)
		}
		bySource[c.Source] = append(bySource[c.Source], c)
	}
	var out []Rule
	for _, source := range sources {
		out = append(out, callRules(source, bySource[source])...)
	}
	if slices.ContainsFunc(w.root, func(r rooted) bool { return slices.Contains(types, r.owner) }) {
		out = append(out, Rule{Name: "dera-root", For: ForLooks, State: StateAllCalls, Pattern: Pattern{
			Source: []any{Prefix{"aws."}}, DetailType: []any{Suffix{viaCloudTrail}}, Detail: &Detail{Identity: &Identified{Type: []string{rootType}}},
		}})
	}
	if r := w.configRule(types); r != nil {
		out = append(out, *r)
	}
	if r := w.analyzerRule(types); r != nil {
		out = append(out, *r)
	}
	out = append(out, w.reportRules(types)...)
	if len(out) == 0 {
		return nil
	}
	return append(out, Rule{Name: "dera-ledger", For: ForLedger, State: StateAllCalls, Pattern: Pattern{
		Source:     []any{Prefix{"aws."}}, // nobody but AWS can send these
		DetailType: []any{Suffix{viaCloudTrail}},
	}})
}

// callRules splits the calls of one service over patterns of the allowed size.
// One pattern for two services would let through what the one calls and the
// other watches.
func callRules(source string, calls []Watched) []Rule {
	service := strings.TrimSuffix(source, ".amazonaws.com")
	pattern := func(names []string) Pattern {
		return Pattern{
			Source: []any{"aws." + service}, DetailType: []any{kindOf(service) + viaCloudTrail},
			Detail: &Detail{EventSource: []string{source}, EventName: names},
		}
	}
	var parts [][]string
	for _, c := range calls {
		last := len(parts) - 1
		if last < 0 || len(pattern(append(slices.Clone(parts[last]), c.Name)).Text()) > MaxPattern {
			parts = append(parts, []string{c.Name})
			continue
		}
		parts[last] = append(parts[last], c.Name)
	}
	var out []Rule
	for i, part := range parts {
		r := Rule{Name: "dera-" + service, For: ForLooks, Pattern: pattern(part), State: StateEnabled, Region: calls[0].Region}
		if r.Name == configRule || r.Name == analyzerRule { // of what the service finds
			r.Name += "-calls"
		}
		if len(parts) > 1 {
			r.Name += fmt.Sprintf("-%d", i+1)
		}
		out = append(out, r)
	}
	return out
}

// kindOf is what begins the kind of the events of a service: sign-ins to the console are no
// calls of an API.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
func kindOf(service string) string {
	if service == "signin" {
		return "AWS Console Sign In"
	}
	return "AWS API Call"
}

// configRule lets through the compliance changes that are hints at resources of
// the types.
func (w Watch) configRule(types []string) *Rule {
	var watched []string
	for _, c := range w.config {
		if slices.Contains(types, c.owner) && !slices.Contains(watched, c.Type) {
			watched = append(watched, c.Type)
		}
	}
	if len(watched) == 0 {
		return nil
	}
	return &Rule{Name: configRule, For: ForConfig, State: StateEnabled, Pattern: Pattern{
		Source: []any{"aws.config"}, DetailType: []any{ComplianceKind},
		Detail: &Detail{ResourceType: watched, Result: &Evaluation{ComplianceType: []string{compliant, notCompliant}}},
	}}
}
