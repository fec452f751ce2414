// Package rule is the rules of EventBridge that bring dera its events, by their names, which
// dera pattern gives: their configuration, settings, events and controls.
package rule

import (
	"encoding/json"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has one of all rules; this is of those that bring
// dera its events alone.
const Name = "AWS::Events::DeraRule"

// Prefix begins the names of the rules that dera pattern prints, on the default bus.
const Prefix = "dera-"

// The writes, by their IAM actions.
const (
	Enable  = "events:EnableRule"
	Disable = "events:DisableRule"
)

// The parts.
const (
	PartRule    = "rule"
	PartTargets = "targets"
)

// Rule is a rule that brings dera events.
type Rule struct {
	ID      string `json:"id"` // its name
	Enabled *bool  `json:"enabled"`
	// Calls is true where the state is that in which calls that only read come too.
	Calls   bool   `json:"all_calls,omitempty"`
	Pattern string `json:"pattern,omitempty"`
	// Targets are the ARNs of its targets, nil where they could not be read.
	Targets []string `json:"targets"`
}

// long reports whether the rule needs the state in which calls that only read come too,
// which only PutRule sets.
func (r *Rule) long() bool { return r.ID == Prefix+"root" || r.ID == Prefix+"ledger" }

// brings reports whether the rule is known to bring dera events and to do nothing else, as what
// dera pattern prints does: it takes calls, changes of configurations or findings, and leads to queues or
// event buses alone. A name that begins with dera- is not enough: others choose names too.
func (r *Rule) brings() bool {
	var pattern struct {
		Kinds []string `json:"detail-type"`
	}
	known := append(append(cloudtrail.AnalysisKinds(), cloudtrail.ComplianceKind), cloudtrail.ReportKinds()...)
	if err := json.Unmarshal([]byte(r.Pattern), &pattern); err != nil || len(pattern.Kinds) == 0 || len(r.Targets) == 0 {
		return false
	}
	other := func(kind string) bool {
		return !slices.Contains(known, kind) && !strings.HasSuffix(kind, " via CloudTrail")
	}
	elsewhere := func(target string) bool {
		arn := dera.ARN(target)
		return arn.Service() != "sqs" && (arn.Service() != "events" || !strings.HasPrefix(arn.Resource(), "event-bus/"))
	}
	return !slices.ContainsFunc(pattern.Kinds, other) && !slices.ContainsFunc(r.Targets, elsewhere)
}

// ARNOf names a rule of the default bus.
func ARNOf(partition, account, region, id string) dera.ARN {
	return dera.NewARN(partition, "events", region, account, "rule/"+id)
}

// Type is the rules that bring dera events.
func Type() resource.Type {
	return resource.Define(resource.Spec[Rule]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"dera-ec2", "dera-iam-2", "dera-root"},
		Identify: func(r *Rule) (id, name string, tags map[string]string) { return r.ID, r.ID, nil },
		Parts: []resource.Part{
			{Name: PartRule, Action: "events:ListRules", Cheap: true},
			{Name: PartTargets, Action: "events:ListTargetsByRule", Cheap: true, Around: true},
		},
		Around: []string{"targets"},
		Settings: []resource.Setting{{
			Path: "enabled", Says: "the rule", Operation: Enable, Off: Disable, Order: []any{false, true}, Terraform: "aws_cloudwatch_event_rule.state",
			Denies: func(dera.Plan) []resource.Bounds { return nil }, // it only tells dera
		}},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: cloudtrail.Calls("events.amazonaws.com", ofCall,
				"DisableRule", "EnableRule", "DeleteRule", "PutRule", "PutTargets", "RemoveTargets"),
		},
		Note: "What happened while the rule was off is found by the sweeps.",
	})
}

// ofCall finds the rule that a call names, where it is one of dera's.
func ofCall(c cloudtrail.Call) []dera.Scope {
	name := c.Parameters.Text("name")
	if name == "" {
		name = c.Parameters.Text("rule")
	}
	if name == "" {
		return c.Sweep(Name)
	}
	if bus := c.Parameters.Text("eventBusName"); !strings.HasPrefix(name, Prefix) || bus != "" && bus != "default" && !strings.HasSuffix(bus, "/default") {
		return nil
	}
	return c.Scopes(Name, []string{name})
}

// Controls are the controls on the rules that bring dera events.
func Controls() []control.Control { return []control.Control{Disabled(), LeadsNowhere()} }

func refs() []control.Ref {
	return []control.Ref{{Standard: "MITRE ATT&CK", ID: "T1562.008", URL: "https://attack.mitre.org/techniques/T1562/008/"}}
}
