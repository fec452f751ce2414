package aws

import (
	"context"
	"errors"
	"maps"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// errNoSuchRule means that the rule to revoke is not there, or says something else.
var errNoSuchRule = errors.New("the group has no rule that says this any more")

// doGroup sends an operation on a security group.
func (c *Client) doGroup(ctx context.Context, p dera.Plan, op resource.Operation, at *attempt) error {
	cfg, err := c.writing(p)
	if err != nil {
		return err
	}
	api := ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, c.observe(p.Account, p.Region, !at.dry), at.guard)
	})
	switch op.Name {
	case securitygroup.AuthorizeIngress:
		in, err := input[securitygroup.AuthorizeIngressInput](op)
		if err != nil {
			return err
		}
		request := authorizeInput(in)
		request.DryRun = aws.Bool(at.dry)
		_, err = api.AuthorizeSecurityGroupIngress(ctx, request)
		return err
	case securitygroup.RevokeIngress:
		in, err := input[securitygroup.RevokeIngressInput](op)
		if err != nil {
			return err
		}
		request := &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(in.GroupID), DryRun: aws.Bool(at.dry)}
		switch rule, err := securitygroup.Revoked(p, op, in); {
		case err != nil:
			return err
		case rule != nil:
			// By what it says: EC2 then refuses one that was modified in place since.
			request.IpPermissions = []types.IpPermission{permission(*rule)}
		default:
			request.SecurityGroupRuleIds = []string{in.RuleID}
		}
		out, err := api.RevokeSecurityGroupIngress(ctx, request)
		if err == nil && len(out.UnknownIpPermissions) > 0 { // what a default VPC answers instead of an error
			return &Error{Account: p.Account, Region: p.Region, Call: op.Name, Problem: NotFound, Code: "InvalidPermission.NotFound", Err: errNoSuchRule}
		}
		return err
	case securitygroup.CreateTags:
		in, err := input[securitygroup.TagsInput](op)
		if err != nil {
			return err
		}
		_, err = api.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{in.Resource}, Tags: ec2Tags(in.Add), DryRun: aws.Bool(at.dry)})
		return err
	case securitygroup.DeleteTags:
		in, err := input[securitygroup.TagsInput](op)
		if err != nil {
			return err
		}
		var tags []types.Tag
		for _, k := range in.Remove {
			tags = append(tags, types.Tag{Key: aws.String(k)})
		}
		_, err = api.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{in.Resource}, Tags: tags, DryRun: aws.Bool(at.dry)})
		return err
	}
	return unknownOperation(op)
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
