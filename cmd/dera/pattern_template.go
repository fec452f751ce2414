package main

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// cloudFormation is a template for one region: the rules, and the queue's policy
// where the queue is named. It is JSON, which CloudFormation takes as it takes
// YAML, and which cannot come out malformed.
func cloudFormation(rules []cloudtrail.Rule) any {
	type object = map[string]any
	ref := func(name string) object { return object{"Ref": name} }
	here := func(region string) any { return object{"Fn::Equals": []any{ref("AWS::Region"), region}} }
	resources, conditions := object{}, object{
		"HasRole":      object{"Fn::Not": []any{object{"Fn::Equals": []any{ref("TargetRoleArn"), ""}}}},
		"HasQueue":     object{"Fn::Not": []any{object{"Fn::Equals": []any{ref("QueueUrl"), ""}}}},
		"UsageLedger":  object{"Fn::Equals": []any{ref("UsageLedger"), "true"}},
		"GlobalEvents": here("us-east-1"),
	}
	var sources, optional []any
	for _, r := range rules {
		id := templateID(r.Name)
		target := object{
			"Id": "dera", "Arn": ref("TargetArn"),
			"RoleArn": object{"Fn::If": []any{"HasRole", ref("TargetRoleArn"), ref("AWS::NoValue")}},
		}
		rule := object{"Type": "AWS::Events::Rule", "Properties": object{
			"Name": r.Name, "Description": "dera: events for " + r.For, "State": r.State, "EventPattern": r.Pattern, "Targets": []any{target},
		}}
		arn := object{"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/" + r.Name}
		switch {
		case r.For == cloudtrail.ForLedger:
			rule["Condition"] = "UsageLedger"
			optional = append(optional, object{"Fn::If": []any{"UsageLedger", arn, ref("AWS::NoValue")}})
		case r.Region != "":
			condition := "GlobalEvents"
			if r.Region == dera.GlobalRegion {
				condition = "HomeEvents"
				var at []any // ten at most
				for _, home := range homes() {
					at = append(at, here(home))
				}
				conditions[condition] = object{"Fn::Or": at}
			}
			rule["Condition"] = condition
			optional = append(optional, object{"Fn::If": []any{condition, arn, ref("AWS::NoValue")}})
		default:
			sources = append(sources, arn)
		}
		resources[id] = rule
	}
	resources["QueuePolicy"] = object{"Type": "AWS::SQS::QueuePolicy", "Condition": "HasQueue", "Properties": object{
		"Queues": []any{ref("QueueUrl")}, "PolicyDocument": onlyRules(ref("TargetArn"), append(sources, optional...)),
	}}
	return object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "Events for dera: EventBridge rules of one region, and the policy of its queue",
		"Parameters": object{
			"TargetArn":     object{"Type": "String", "Description": "ARN of the queue; in regions without it, of an event bus beside it"},
			"QueueUrl":      object{"Type": "String", "Default": "", "Description": "URL of the queue, where TargetArn is one: its policy is set"},
			"TargetRoleArn": object{"Type": "String", "Default": "", "Description": "role with which events are sent to an event bus of another region or account"},
			"UsageLedger":   object{"Type": "String", "Default": "false", "AllowedValues": []string{"true", "false"}, "Description": "whether every call goes to the queue, for the usage ledger"},
		},
		"Conditions": conditions,
		"Resources":  resources,
	}
}

// homes are the regions in which IAM's events arrive, one a partition.
func homes() (out []string) {
	for _, p := range dera.Partitions() {
		out = append(out, p.Home)
	}
	return out
}

// terraform is the same in Terraform's JSON syntax, for a file that ends in
// .tf.json.
func terraform(rules []cloudtrail.Rule) any {
	type object = map[string]any
	rule, target := object{}, object{}
	var arns []string
	for _, r := range rules {
		id := strings.ReplaceAll(r.Name, "-", "_")
		one := "aws_cloudwatch_event_rule." + id
		rule[id] = object{"name": r.Name, "description": "dera: events for " + r.For, "state": r.State, "event_pattern": r.Pattern.Text()}
		target[id] = object{"target_id": "dera", "arn": "${var.target_arn}", "role_arn": "${var.target_role_arn}"}
		count := ""
		switch {
		case r.For == cloudtrail.ForLedger:
			count = "${var.usage_ledger ? 1 : 0}"
		case r.Region == dera.GlobalRegion:
			count = "${contains([\"" + strings.Join(homes(), "\", \"") + "\"], data.aws_region.here.id) ? 1 : 0}"
		case r.Region != "":
			count = "${data.aws_region.here.id == \"" + r.Region + "\" ? 1 : 0}"
		}
		if count == "" {
			arns = append(arns, "["+one+".arn]")
			target[id].(object)["rule"] = "${" + one + ".name}"
			continue
		}
		arns = append(arns, one+"[*].arn")
		rule[id].(object)["count"], target[id].(object)["count"] = count, count
		target[id].(object)["rule"] = "${" + one + "[0].name}"
	}
	return object{
		"variable": object{
			"target_arn":      object{"type": "string", "description": "ARN of the queue; in regions without it, of an event bus beside it"},
			"queue_url":       object{"type": "string", "default": nil, "nullable": true, "description": "URL of the queue, where target_arn is one: its policy is set"},
			"target_role_arn": object{"type": "string", "default": nil, "nullable": true, "description": "role with which events are sent to an event bus of another region or account"},
			"usage_ledger":    object{"type": "bool", "default": false, "description": "whether every call goes to the queue, for the usage ledger"},
		},
		"data": object{
			"aws_region": object{"here": object{}},
			"aws_iam_policy_document": object{"queue": object{"statement": []any{object{
				"sid": "OnlyTheRulesOfDera", "effect": "Allow", "actions": []string{"sqs:SendMessage"}, "resources": []string{"${var.target_arn}"},
				"principals": []any{object{"type": "Service", "identifiers": []string{"events.amazonaws.com"}}},
				"condition":  []any{object{"test": "ArnEquals", "variable": "aws:SourceArn", "values": "${concat(" + strings.Join(arns, ", ") + ")}"}},
			}}}},
		},
		"resource": object{
			"aws_cloudwatch_event_rule":   rule,
			"aws_cloudwatch_event_target": target,
			"aws_sqs_queue_policy": object{"queue": object{
				"count": "${var.queue_url == null ? 0 : 1}", "queue_url": "${var.queue_url}", "policy": "${data.aws_iam_policy_document.queue.json}",
			}},
		},
	}
}

// templateID is a rule's name as CloudFormation wants IDs: letters and digits.
func templateID(name string) string {
	var out string
	for part := range strings.SplitSeq(name, "-") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}
