package securitygroup

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

const ec2 = "ec2.amazonaws.com"

// The error codes with which EC2 refuses to add a rule that is there and to remove
// one that is not.
const (
	duplicate = "InvalidPermission.Duplicate"
	notFound  = "InvalidPermission.NotFound"
)

// Events are the calls after which a security group, or what one of its rules
// allows, may be different.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Operations_Amazon_EC2.html
func Events() cloudtrail.Events {
	reveals := func(code string, calls []cloudtrail.Watched) []cloudtrail.Watched {
		for i := range calls {
			calls[i].Reveals = code
		}
		return calls
	}
	return cloudtrail.Events{Type: Name, Calls: slices.Concat(
		reveals(duplicate, cloudtrail.Calls(ec2, groupOfCall, "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")),
		reveals(notFound, cloudtrail.Calls(ec2, groupOfCall, "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")),
		cloudtrail.Calls(ec2, groupOfCall, "ModifySecurityGroupRules", "UpdateSecurityGroupRuleDescriptionsIngress",
			"UpdateSecurityGroupRuleDescriptionsEgress", "CreateSecurityGroup", "DeleteSecurityGroup", "AssociateSecurityGroupVpc", "DisassociateSecurityGroupVpc"),
		cloudtrail.Calls(ec2, taggedGroups, "CreateTags", "DeleteTags"),
		// A new VPC comes with a default group that the event does not name.
		cloudtrail.Calls(ec2, allGroups, "CreateVpc", "CreateDefaultVpc"),
		// Every rule that refers to the list allows something else now. Groups of
		// other accounts that share the list are found by their own sweep.
		cloudtrail.Calls(ec2, allGroups, "ModifyManagedPrefixList", "RestoreManagedPrefixListVersion"),
		// A group that is attached to something else protects something else now.
		cloudtrail.Calls(ec2, attachedGroups, "CreateNetworkInterface", "ModifyNetworkInterfaceAttribute", "RunInstances", "ModifyInstanceAttribute"),
	), Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, groupIDs(id)) }}}}
}

func allGroups(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) }

// groupOfCall finds the group of a call: by the ID in the request, else by those in
// the answer. A call may name a group of the default VPC by its name only; then
// all groups are looked at.
func groupOfCall(c cloudtrail.Call) []dera.Scope {
	ids := groupIDs(c.Parameters.Text("groupId"))
	if len(ids) == 0 {
		ids = groupIDs(c.Answer.Text("groupId"))
	}
	for _, set := range []string{"securityGroupRuleSet", "revokedSecurityGroupRuleSet"} {
		for _, rule := range c.Answer.List(set) {
			ids = append(ids, groupIDs(rule.Text("groupId"))...)
		}
	}
	return c.Scopes(Name, ids)
}

// taggedGroups finds the groups among the tagged resources. The tags of a rule
// matter too, but its ID does not say its group.
func taggedGroups(c cloudtrail.Call) []dera.Scope {
	tagged := c.Parameters.List("resourcesSet")
	if len(tagged) == 0 {
		return c.Sweep(Name)
	}
	var ids []string
	for _, t := range tagged {
		id := t.Text("resourceId")
		if id == "" || strings.HasPrefix(id, "sgr-") { // a shape that is not known tells nothing
			return c.Sweep(Name)
		}
		ids = append(ids, groupIDs(id)...)
	}
	if len(ids) == 0 {
		return nil
	}
	return c.Scopes(Name, ids)
}

// attachedGroups finds the groups that a call attaches, wherever request and
// answer name them. A call that names none gives no hint: most calls on an
// instance are about something else, and an attachment changes no group.
func attachedGroups(c cloudtrail.Call) []dera.Scope {
	ids := groupsIn("", map[string]any(c.Parameters), nil)
	if ids = groupsIn("", map[string]any(c.Answer), ids); len(ids) == 0 {
		return nil
	}
	return c.Scopes(Name, ids)
}

// groupsIn collects the IDs that stand under the names which CloudTrail uses
// for a group; "content" is a member of a list in the wrapped shape.
func groupsIn(name string, v any, ids []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			ids = groupsIn(name, value, ids)
		}
	case []any:
		for _, item := range v {
			ids = groupsIn(name, item, ids)
		}
	case string:
		switch name {
		case "groupId", "GroupId", "SecurityGroupId", "content":
			return append(ids, groupIDs(v)...)
		}
	}
	return ids
}

// groupIDs returns those texts that are IDs of security groups.
func groupIDs(texts ...string) []string {
	var out []string
	for _, s := range texts {
		if rest, ok := strings.CutPrefix(s, "sg-"); ok && rest != "" && len(rest) <= 32 &&
			strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz") == "" {
			out = append(out, s)
		}
	}
	return out
}
