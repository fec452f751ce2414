package wire

import (
	"context"
	"maps"
	"net/netip"
	"slices"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
)

// noSuchRuleError means that the rule to revoke is not there, or says something else.
type noSuchRuleError struct{}

// Error implements error.
func (noSuchRuleError) Error() string { return "the group has no rule that says this any more" }

// NothingDone tells package cloud that the request changed nothing.
func (noSuchRuleError) NothingDone() bool { return true }

func authorize(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[securitygroup.AuthorizeIngressInput](w.Operation)
	if err != nil {
		return err
	}
	request := authorizeInput(in)
	request.DryRun = aws.Bool(w.Dry)
	_, err = ec2.NewFromConfig(w.Config).AuthorizeSecurityGroupIngress(ctx, request)
	return err
}

func revoke(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[securitygroup.RevokeIngressInput](w.Operation)
	if err != nil {
		return err
	}
	request := &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(in.GroupID), DryRun: aws.Bool(w.Dry)}
	switch rule, err := securitygroup.Revoked(w.Plan, w.Operation, in); {
	case err != nil:
		return err
	case rule != nil:
		// By what it says: EC2 then refuses one that was modified in place since.
		request.IpPermissions = []types.IpPermission{permission(*rule)}
	default:
		request.SecurityGroupRuleIds = []string{in.RuleID}
	}
	out, err := ec2.NewFromConfig(w.Config).RevokeSecurityGroupIngress(ctx, request)
	if err == nil && len(out.UnknownIpPermissions) > 0 { // what a default VPC answers instead of an error
		return &cloud.Error{Account: w.Plan.Account, Region: w.Plan.Region, Call: w.Operation.Name, Problem: cloud.NotFound, Code: "InvalidPermission.NotFound", Err: noSuchRuleError{}}
	}
	return err
}

func createTags(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[securitygroup.TagsInput](w.Operation)
	if err != nil {
		return err
	}
	_, err = ec2.NewFromConfig(w.Config).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{in.Resource}, Tags: ec2Tags(in.Add), DryRun: aws.Bool(w.Dry)})
	return err
}

func deleteTags(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[securitygroup.TagsInput](w.Operation)
	if err != nil {
		return err
	}
	var tags []types.Tag
	for _, k := range in.Remove {
		tags = append(tags, types.Tag{Key: aws.String(k)})
	}
	_, err = ec2.NewFromConfig(w.Config).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{in.Resource}, Tags: tags, DryRun: aws.Bool(w.Dry)})
	return err
}

// try returns a change that allows an address that nobody has (RFC 5737), and
// the one that takes it out.
func try(id string) ([]dera.Change, error) {
	rule := securitygroup.Rule{Protocol: "tcp", From: 65535, To: 65535, CIDR: netip.MustParsePrefix("192.0.2.1/32")}
	add, err := (&securitygroup.Group{ID: id}).Authorize(rule)
	if err != nil {
		return nil, err
	}
	return []dera.Change{add, {Operation: add.Undo.Operation, Version: add.Undo.Version, Input: add.Undo.Input}}, nil
}

func ec2Tags(tags map[string]string) []types.Tag {
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// permission is the rule as EC2 takes it.
func permission(r securitygroup.Rule) types.IpPermission {
	perm := types.IpPermission{IpProtocol: aws.String(r.Protocol)}
	if r.Ported() || r.Protocol == "icmp" || r.Protocol == "icmpv6" {
		perm.FromPort, perm.ToPort = aws.Int32(r.From), aws.Int32(r.To)
	}
	var description *string
	if r.Description != "" {
		description = aws.String(r.Description)
	}
	switch {
	case r.PrefixList != nil:
		perm.PrefixListIds = []types.PrefixListId{{PrefixListId: aws.String(r.PrefixList.ID), Description: description}}
	case r.Group != nil:
		pair := types.UserIdGroupPair{GroupId: aws.String(r.Group.ID), Description: description}
		if r.Group.Owner != "" {
			pair.UserId = aws.String(r.Group.Owner)
		}
		perm.UserIdGroupPairs = []types.UserIdGroupPair{pair}
	case r.CIDR.Addr().Is6():
		perm.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(r.CIDR.String()), Description: description}}
	default:
		perm.IpRanges = []types.IpRange{{CidrIp: aws.String(r.CIDR.String()), Description: description}}
	}
	return perm
}

func authorizeInput(in securitygroup.AuthorizeIngressInput) *ec2.AuthorizeSecurityGroupIngressInput {
	r := in.Rule
	out := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(in.GroupID), IpPermissions: []types.IpPermission{permission(r)}}
	if len(r.Tags) > 0 {
		out.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroupRule, Tags: ec2Tags(r.Tags)}}
	}
	return out
}
