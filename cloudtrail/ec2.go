package cloudtrail

import (
	"strings"

	"dera"
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
