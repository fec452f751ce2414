package policy

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
)

// Events are the calls after which a policy, or who has it, may be different. They
// arrive in the home region of the partition. Calls on the other policies of those who
// have it, their trust and their boundaries are left to sweeps: they do not name the
// policy, and a look at all policies for each of them would be too dear.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func Events() cloudtrail.Events {
	all := func(r cloudtrail.Record, _ string) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(Name) }
	calls := slices.Concat(
		cloudtrail.Calls(iam.Source, named, "CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion",
			"TagPolicy", "UntagPolicy", "AttachRolePolicy", "DetachRolePolicy", "AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy"),
		// A group may bring a user any of the policies.
		cloudtrail.Calls(iam.Source, func(c cloudtrail.Call) []dera.Scope { return all(c.Record, "") }, "AddUserToGroup", "RemoveUserFromGroup"),
	)
	for i := range calls {
		calls[i].Region = dera.GlobalRegion
		switch calls[i].Name {
		case "CreatePolicy", "CreatePolicyVersion":
			calls[i].Document = func(c cloudtrail.Call) string { return c.Parameters.Text("policyDocument") }
		}
	}
	// AWS Config names a policy by the ID that AWS gave it.
	return cloudtrail.Events{Type: Name, Calls: calls, Config: []cloudtrail.Configured{{Type: Name, Find: all}, {Type: "AWS::IAM::Policy", Find: all}}}
}

// named finds the policy in the request, or in the answer to one that makes it. A
// policy of AWS is not one of the type.
func named(c cloudtrail.Call) []dera.Scope {
	arn := dera.ARN(c.Parameters.Text("policyArn"))
	if c.Name == "CreatePolicy" {
		arn = dera.ARN(c.Answer.Object("policy").Text("arn"))
	}
	if arn.Service() == "iam" && arn.Account() == "aws" {
		return nil
	}
	var ids []string
	if id, ok := strings.CutPrefix(arn.Resource(), "policy/"); ok && arn.Account() == c.Account && ValidID(id) {
		ids = append(ids, id)
	}
	return c.In(dera.GlobalRegion).Scopes(Name, ids)
}

// ValidID reports whether a text can be the path and name of a policy (IAM API
// reference, CreatePolicy, Path and PolicyName).
func ValidID(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"
	cut := strings.LastIndexByte(s, '/') + 1
	path, name := s[:cut], s[cut:]
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	return name != "" && len(name) <= 128 && len(path) <= 511 && strings.Trim(name, letters) == "" &&
		strings.IndexFunc(path, func(r rune) bool { return !visible(r) }) < 0
}
