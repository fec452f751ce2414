package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
)

// TestPatternTemplates: both templates have every rule with its pattern and its
// state, send it to the target, let it write to the queue, and refer to nothing
// that they do not have.
func TestPatternTemplates(t *testing.T) {
	t.Parallel()
	types, err := watchedTypes(nil)
	if err != nil {
		t.Fatal(err)
	}
	rules := services.Watch().Rules(types)
	home := func(r cloudtrail.Rule) bool { return r.Name == "dera-iam" && r.Region == dera.GlobalRegion }
	if !slices.ContainsFunc(rules, home) {
		t.Fatal("no rule of IAM's events is for the home of the partition alone")
	}
	text := func(v any) string {
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	stack := cloudFormation(rules).(map[string]any)
	resources := stack["Resources"].(map[string]any)
	policy := text(resources["QueuePolicy"])
	for _, r := range rules {
		rule, ok := resources[templateID(r.Name)].(map[string]any)
		if !ok {
			t.Errorf("CloudFormation has no rule %s", r.Name)
			continue
		}
		p := rule["Properties"].(map[string]any)
		if text(p["EventPattern"]) != r.Pattern.Text() || p["State"] != r.State || len(p["Targets"].([]any)) != 1 {
			t.Errorf("CloudFormation, rule %s: got %s", r.Name, text(p))
		}
		if _, conditional := rule["Condition"]; conditional != (r.For == cloudtrail.ForLedger || r.Region != "") {
			t.Errorf("CloudFormation, rule %s: made under a condition %t", r.Name, conditional)
		}
		if !strings.Contains(policy, ":rule/"+r.Name+`"`) {
			t.Errorf("the queue's policy does not name %s: %s", r.Name, policy)
		}
	}
	known := map[string]bool{"AWS::NoValue": true, "AWS::Region": true}
	for _, part := range []string{"Parameters", "Resources"} {
		for name := range stack[part].(map[string]any) {
			known[name] = true
		}
	}
	for _, m := range regexp.MustCompile(`"Ref":"([^"]+)"`).FindAllStringSubmatch(text(stack), -1) {
		if !known[m[1]] {
			t.Errorf("CloudFormation refers to %s, which it does not have", m[1])
		}
	}
	plan := terraform(rules).(map[string]any)
	made := plan["resource"].(map[string]any)
	ruleOf, targetOf := made["aws_cloudwatch_event_rule"].(map[string]any), made["aws_cloudwatch_event_target"].(map[string]any)
	allowed := text(plan["data"])
	for _, r := range rules {
		id := strings.ReplaceAll(r.Name, "-", "_")
		rule, _ := ruleOf[id].(map[string]any)
		target, _ := targetOf[id].(map[string]any)
		if rule["event_pattern"] != r.Pattern.Text() || rule["state"] != r.State || target["arn"] != "${var.target_arn}" || rule["count"] != target["count"] {
			t.Errorf("Terraform, rule %s: got %s with target %s", r.Name, text(rule), text(target))
		}
		if !strings.Contains(allowed, "aws_cloudwatch_event_rule."+id) {
			t.Errorf("Terraform: the queue's policy does not name %s", r.Name)
		}
	}
}
