package cloudtrail

import (
	"encoding/json"
	"strings"

	"dera.example/dera"
)

// securityGroup is the CloudFormation type of EC2 security groups, the word
// that package resource uses for them.
const securityGroup = "AWS::EC2::SecurityGroup"

// ec2Calls are the EC2 calls after which a security group, or what one of its
// rules lets in, may be different. Never written to.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Operations_Amazon_EC2.html
var ec2Calls = map[string]extractor{
	"AuthorizeSecurityGroupIngress":              securityGroupCall,
	"AuthorizeSecurityGroupEgress":               securityGroupCall,
	"RevokeSecurityGroupIngress":                 securityGroupCall,
	"RevokeSecurityGroupEgress":                  securityGroupCall,
	"ModifySecurityGroupRules":                   securityGroupCall,
	"UpdateSecurityGroupRuleDescriptionsIngress": securityGroupCall,
	"UpdateSecurityGroupRuleDescriptionsEgress":  securityGroupCall,
	"CreateSecurityGroup":                        securityGroupCall,
	"DeleteSecurityGroup":                        securityGroupCall,
	"AssociateSecurityGroupVpc":                  securityGroupCall,
	"DisassociateSecurityGroupVpc":               securityGroupCall,
	"CreateTags":                                 securityGroupTags,
	"DeleteTags":                                 securityGroupTags,
	// A new VPC comes with a default group that the event does not name.
	"CreateVpc":        allSecurityGroups,
	"CreateDefaultVpc": allSecurityGroups,
	// Every rule that refers to the list lets in something else now. Groups of
	// other accounts that share the list are found by their own sweep.
	"ModifyManagedPrefixList":         allSecurityGroups,
	"RestoreManagedPrefixListVersion": allSecurityGroups,
	// A group that is attached to something else protects something else now.
	"CreateNetworkInterface":          attachedGroups,
	"ModifyNetworkInterfaceAttribute": attachedGroups,
	"RunInstances":                    attachedGroups,
	"ModifyInstanceAttribute":         attachedGroups,
}

func allSecurityGroups(r Record) []dera.Scope { return r.sweep(securityGroup) }

// securityGroupCall finds the group of a call: by the ID in the request, flat or
// wrapped, else by those in the answer. A call may name a group of the default
// VPC by its name only; then all groups are looked at.
func securityGroupCall(r Record) []dera.Scope {
	request, response := r.request(), r.response()
	ids := groupIDs(request.text("groupId"), request.text("GroupId"))
	if len(ids) == 0 {
		ids = groupIDs(response.text("groupId"))
	}
	for _, set := range []string{"securityGroupRuleSet", "revokedSecurityGroupRuleSet"} {
		for _, rule := range response.list(set) {
			ids = append(ids, groupIDs(rule.text("groupId"))...)
		}
	}
	return r.scopes(securityGroup, ids)
}

// securityGroupTags finds the groups among the tagged resources. The tags of a
// rule matter too, but its ID does not tell its group.
func securityGroupTags(r Record) []dera.Scope {
	request := r.request()
	tagged := request.list("resourcesSet")
	if len(tagged) == 0 {
		return r.sweep(securityGroup)
	}
	var ids []string
	for _, t := range tagged {
		id := t.text("resourceId")
		if strings.HasPrefix(id, "sgr-") {
			return r.sweep(securityGroup)
		}
		ids = append(ids, groupIDs(id)...)
	}
	if len(ids) == 0 {
		return nil
	}
	return r.scopes(securityGroup, ids)
}

// attachedGroups finds the groups that a call attaches, wherever request and
// answer name them. A call that names none gives no hint: most calls on an
// instance are about something else, and an attachment changes no group.
func attachedGroups(r Record) []dera.Scope {
	var ids []string
	for _, raw := range []json.RawMessage{r.Request, r.Response} {
		var tree any
		if json.Unmarshal(raw, &tree) == nil {
			ids = groupsIn("", tree, ids)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return r.scopes(securityGroup, ids)
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
