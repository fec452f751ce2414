// Package wire reads and writes security groups on EC2.
package wire

import (
	"context"

	"dera.example/dera/cloud"
	"dera.example/dera/services/ec2/securitygroup"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how security groups are read and written.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: securitygroup.Name, Parts: securitygroup.Parts(), Operations: securitygroup.Type().Operations,
		Find: find, Sample: sample, Try: try,
		Readers: []cloud.Reader{
			{Parts: []string{securitygroup.PartLists}, Many: readLists},
			{Parts: []string{securitygroup.PartRules}, Many: readRules},
			{Parts: []string{securitygroup.PartInterfaces}, Many: readInterfaces},
			{Parts: []string{securitygroup.PartNetwork}, Many: readNetworks},
			{Parts: []string{securitygroup.PartInstances}, Many: readInstances},
			{Parts: []string{securitygroup.PartRuleLists}, Many: readRuleLists},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{
			securitygroup.AuthorizeIngress: authorize, securitygroup.RevokeIngress: revoke, securitygroup.CreateTags: createTags, securitygroup.DeleteTags: deleteTags,
		},
		Answers: shared.Answers(),
		ConfigRules: []string{
			"INCOMING_SSH_DISABLED", "RESTRICTED_INCOMING_TRAFFIC", "VPC_SG_*", "VPC_DEFAULT_SECURITY_GROUP_CLOSED", "EC2_SECURITY_GROUP_*",
		},
		Regions: shared.Regions, Canary: canary(),
	}
}
