package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go/middleware"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource/role"
	"dera.example/dera/services/ec2/securitygroup"
	shared "dera.example/dera/services/ec2/wire"
)

// CanaryTag is the key of the tag that a canary of dera doctor carries: a group of its own, which
// it makes, opens, and deletes. Its value is the ID of the run.
const CanaryTag = "dera:canary"

// A group keeps its name and its description for ever, and anybody who may tag gives it a tag: what is not
// called so as well is somebody else's.
const (
	canaryName = "dera-canary-" // and the ID of the run
	canaryText = "Made by dera doctor --canary, which deletes it. Attach it to nothing."
)

// canary is how a group is opened on purpose.
func canary() *cloud.Canary {
	return &cloud.Canary{
		Make: "ec2:CreateSecurityGroup", Open: securitygroup.AuthorizeIngress, Close: securitygroup.RevokeIngress, Delete: "ec2:DeleteSecurityGroup",
		Opens: "+ tcp 22 from 0.0.0.0/0", ARN: securitygroup.Type().ARN, Policy: canaryPolicy,
		New: func(c *cloud.Client, account, region string) cloud.Canaries { return NewCanary(c, account, region) },
	}
}

// Canary makes, opens and deletes the canary of dera doctor in an account and region. It touches no
// group without the tag: its role must not be able to either.
type Canary struct {
	r           *cloud.Reading
	read, write *ec2.Client
}

// NewCanary returns that of an account and region. The client reaches the account by the role of the canary.
func NewCanary(c *cloud.Client, account, region string) *Canary {
	r := c.Reading(account, region)
	return &Canary{r, shared.EC2(r, account, region), ec2.NewFromConfig(c.Writer(account, region, canaryPolicy(dera.PartitionOf(region).ID, account)))}
}

// Left returns the IDs of the account's groups that a canary made: with the tag, and with the name and the
// description that only a new group is given.
func (c *Canary) Left(ctx context.Context) (ids []string, err error) {
	for token := (*string)(nil); ; {
		out, err := c.read.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: shared.Filter("tag-key", []string{CanaryTag}), NextToken: token})
		if err != nil {
			return nil, c.r.Fail("ec2:DescribeSecurityGroups", err)
		}
		for _, g := range out.SecurityGroups {
			run := shared.Tags(g.Tags)[CanaryTag] // the filter alone is not believed
			if run != "" && aws.ToString(g.GroupName) == canaryName+run && aws.ToString(g.Description) == canaryText && aws.ToString(g.OwnerId) == c.r.Scope.Account {
				ids = append(ids, aws.ToString(g.GroupId))
			}
		}
		if token = out.NextToken; aws.ToString(token) == "" {
			slices.Sort(ids)
			return ids, nil
		}
	}
}

// Make makes a group with the tag; an empty VPC is the default one.
func (c *Canary) Make(ctx context.Context, vpc, run string) (id, requestID string, err error) {
	in := &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(canaryName + run), Description: aws.String(canaryText),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: []types.Tag{{Key: aws.String(CanaryTag), Value: aws.String(run)}}}},
	}
	if vpc != "" {
		in.VpcId = aws.String(vpc)
	}
	out, err := c.write.CreateSecurityGroup(ctx, in)
	if err == nil && aws.ToString(out.GroupId) == "" {
		err = cloud.Foreign("it has no group")
	}
	if err != nil {
		return "", "", c.r.Fail("ec2:CreateSecurityGroup", err)
	}
	return *out.GroupId, request(out.ResultMetadata), nil
}

// Attached returns the network interfaces that the group is attached to.
func (c *Canary) Attached(ctx context.Context, id string) (interfaces []string, err error) {
	out, err := c.read.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: shared.Filter("group-id", []string{id})})
	if err != nil {
		return nil, c.r.Fail("ec2:DescribeNetworkInterfaces", err)
	}
	for _, x := range out.NetworkInterfaces {
		interfaces = append(interfaces, aws.ToString(x.NetworkInterfaceId))
	}
	return interfaces, nil
}

// Open opens SSH from everywhere.
func (c *Canary) Open(ctx context.Context, id string) (requestID string, err error) {
	out, err := c.write.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(id), IpPermissions: []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0"), Description: aws.String("dera doctor --canary")}},
	}}})
	if err != nil {
		return "", c.r.Fail("ec2:AuthorizeSecurityGroupIngress", err)
	}
	return request(out.ResultMetadata), nil
}

// inbound returns the IDs of the inbound rules, and whether one of them is open to the internet.
func (c *Canary) inbound(ctx context.Context, id string) (rules []string, open bool, err error) {
	for token := (*string)(nil); ; {
		out, err := c.read.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: shared.Filter("group-id", []string{id}), NextToken: token})
		if err != nil {
			return nil, false, c.r.Fail("ec2:DescribeSecurityGroupRules", err)
		}
		for _, r := range out.SecurityGroupRules {
			if r.IsEgress == nil || *r.IsEgress || aws.ToString(r.GroupId) != id {
				continue
			}
			rules = append(rules, aws.ToString(r.SecurityGroupRuleId))
			open = open || aws.ToString(r.CidrIpv4) == "0.0.0.0/0"
		}
		if token = out.NextToken; aws.ToString(token) == "" {
			return rules, open, nil
		}
	}
}

// Opened reports whether a rule is open to the internet.
func (c *Canary) Opened(ctx context.Context, id string) (bool, error) {
	_, open, err := c.inbound(ctx, id)
	return open, err
}

// Close revokes every inbound rule; requestID is "" where there is none.
func (c *Canary) Close(ctx context.Context, id string) (requestID string, err error) {
	rules, _, err := c.inbound(ctx, id)
	if err != nil || len(rules) == 0 {
		return "", err
	}
	out, err := c.write.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(id), SecurityGroupRuleIds: rules})
	if err != nil {
		return "", c.r.Fail("ec2:RevokeSecurityGroupIngress", err)
	}
	return request(out.ResultMetadata), nil
}

// Delete deletes the group; one that is not there is no error.
func (c *Canary) Delete(ctx context.Context, id string) (requestID string, err error) {
	out, err := c.write.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: aws.String(id)})
	if err != nil {
		if err = c.r.Fail("ec2:DeleteSecurityGroup", err); cloud.Is(err, cloud.NotFound) {
			return "", nil
		}
		return "", err
	}
	return request(out.ResultMetadata), nil
}

// request is AWS's ID of a request.
func request(md middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(md)
	return id
}

// canaryPolicy is what the role of the canary needs: to make groups that carry its tag, and to change and
// delete these.
func canaryPolicy(partition, account string) role.Policy {
	arn := func(kind string) []string {
		owner := account
		if owner == "" {
			owner = "*"
		}
		return []string{string(dera.NewARN(partition, "ec2", "*", owner, kind+"/*"))}
	}
	const tag = CanaryTag
	return role.Policy{Version: "2012-10-17", Statement: []role.Statement{
		{Sid: "LookAtCanaries", Effect: "Allow", Action: []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"}, Resource: []string{"*"}},
		{Sid: "MakeCanary", Effect: "Allow", Action: []string{"ec2:CreateSecurityGroup"}, Resource: arn("security-group"), Condition: map[string]map[string]string{"StringLike": {"aws:RequestTag/" + tag: "*"}}},
		{Sid: "MakeCanaryInVpc", Effect: "Allow", Action: []string{"ec2:CreateSecurityGroup"}, Resource: arn("vpc")},
		{Sid: "TagCanary", Effect: "Allow", Action: []string{"ec2:CreateTags"}, Resource: arn("security-group"), Condition: map[string]map[string]string{"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}},
		{Sid: "ChangeCanary", Effect: "Allow", Action: []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"}, Resource: arn("security-group"), Condition: map[string]map[string]string{"StringLike": {"aws:ResourceTag/" + tag: "*"}}},
	}}
}
