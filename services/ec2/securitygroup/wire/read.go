package wire

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	shared "dera.example/dera/services/ec2/wire"
)

// most is how many values a filter may have, and pageSize how many results a
// page (EC2 API reference).
const (
	most     = 200
	pageSize = 1000
)

// groupReader reads security groups. What several groups of a read share is kept
// for all of its readers.
type groupReader struct {
	*cloud.Reading
	api *ec2.Client
	known
}

// known is what a read knows of prefix lists.
type known struct {
	lists map[string]*securitygroup.PrefixList
	sick  map[string]string // why a prefix list could not be read, by its ID
}

func reader(r *cloud.Reading) groupReader {
	k, _ := cloud.Once(r, "prefix lists", func() (known, error) { // it cannot fail
		return known{map[string]*securitygroup.PrefixList{}, map[string]string{}}, nil
	})
	return groupReader{Reading: r, api: shared.EC2(r, r.Scope.Account, r.Scope.Region), known: k}
}

// fail is the error of a call.
func (g groupReader) fail(call string, err error) error { return g.Fail("ec2:"+call, err) }

// find reads the groups of the scope, with their permissions in the short form.
func find(ctx context.Context, r *cloud.Reading) (cloud.Found, error) {
	g := reader(r)
	if !r.Scope.Sweep() {
		return g.byID(ctx)
	}
	in := &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(pageSize)}
	if r.Scope.Page != "" {
		in.NextToken = aws.String(r.Scope.Page)
	}
	groups, next, err := g.describe(ctx, in)
	if err != nil {
		return cloud.Found{}, err
	}
	// Groups that another account shares with this one are listed too.
	own := slices.DeleteFunc(groups, func(s types.SecurityGroup) bool { return aws.ToString(s.OwnerId) != r.Scope.Account })
	items, err := g.items(own)
	return cloud.Found{Items: items, Next: aws.ToString(next)}, err
}

// sample returns the ID of any group.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	list, _, err := reader(r).describe(ctx, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)})
	if err != nil || len(list) == 0 {
		return "", err
	}
	return aws.ToString(list[0].GroupId), nil
}

// describe is one call for groups. An answer without a list is none.
func (g groupReader) describe(ctx context.Context, in *ec2.DescribeSecurityGroupsInput) ([]types.SecurityGroup, *string, error) {
	out, err := g.api.DescribeSecurityGroups(ctx, in)
	if err == nil && out.SecurityGroups == nil {
		err = cloud.Foreign("it has no list of groups")
	}
	if err != nil {
		return nil, nil, g.fail("DescribeSecurityGroups", err)
	}
	return out.SecurityGroups, out.NextToken, nil
}

func filter(name string, values []string) []types.Filter {
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

func (g groupReader) items(groups []types.SecurityGroup) ([]*cloud.Item, error) {
	out := make([]*cloud.Item, 0, len(groups))
	for _, s := range groups {
		if owner := aws.ToString(s.OwnerId); owner != g.Scope.Account {
			return nil, g.fail("DescribeSecurityGroups", cloud.OfAnother(g.Scope.Account, owner, "security group "+aws.ToString(s.GroupId)))
		}
		out = append(out, g.item(&securitygroup.Group{
			ID: aws.ToString(s.GroupId), Name: aws.ToString(s.GroupName), Description: aws.ToString(s.Description),
			VPC: aws.ToString(s.VpcId), Owner: aws.ToString(s.OwnerId), Tags: tagMap(s.Tags),
			Ingress: g.permissions(s.IpPermissions), Egress: g.permissions(s.IpPermissionsEgress),
		}))
	}
	return out, nil
}

func (g groupReader) item(cfg *securitygroup.Group) *cloud.Item {
	arn := dera.NewARN(cloud.PartitionOf(g.Scope), "ec2", g.Scope.Region, g.Scope.Account, "security-group/"+cfg.ID)
	x := cloud.NewItem(g.Reading, cfg.ID, cfg.Name, arn, cfg)
	x.Tags = cfg.Tags
	return x
}

// config is the configuration of an item.
func config(x *cloud.Item) *securitygroup.Group { return x.Config.(*securitygroup.Group) }

// configs are the configurations of the items, by the IDs of the groups, which come
// in their order.
func configs(items []*cloud.Item) (ids []string, byID map[string]*securitygroup.Group) {
	byID = map[string]*securitygroup.Group{}
	for _, x := range items {
		ids, byID[x.ID] = append(ids, x.ID), config(x)
	}
	return ids, byID
}

// readRules replaces the rules by those with their IDs. Two calls that belong
// together are held against each other: where they do not tell of the same rules,
// the group is not known.
func readRules(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	g := reader(r)
	ids, _ := configs(items)
	byID := map[string]*securitygroup.Group{}
	for _, x := range items {
		g.remember(config(x))
		own := *config(x)
		own.Ingress, own.Egress = nil, nil
		byID[x.ID] = &own
	}
	for chunk := range slices.Chunk(ids, most) {
		if err := g.rules(ctx, chunk, byID); err != nil {
			return err
		}
	}
	for _, x := range items {
		short, long := config(x), byID[x.ID]
		if !samePermissions(short.Ingress, long.Ingress) || !samePermissions(short.Egress, long.Egress) {
			x.Doubt(fmt.Sprintf("DescribeSecurityGroups returned %d permissions, DescribeSecurityGroupRules %d, and they differ",
				len(short.Ingress)+len(short.Egress), len(long.Ingress)+len(long.Egress)))
		}
		x.Config = long
	}
	return nil
}

// readInterfaces adds the attached interfaces.
func readInterfaces(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	g := reader(r)
	ids, byID := configs(items)
	for chunk := range slices.Chunk(ids, most) {
		if err := g.interfaces(ctx, chunk, byID); err != nil {
			return err
		}
	}
	return nil
}

func (g groupReader) rules(ctx context.Context, ids []string, byID map[string]*securitygroup.Group) error {
	return cloud.List(g.Reading, cloud.Listing[*ec2.DescribeSecurityGroupRulesOutput, types.SecurityGroupRule]{
		Call: "ec2:DescribeSecurityGroupRules", Of: "rules",
		Page: func(token *string) (*ec2.DescribeSecurityGroupRulesOutput, error) {
			return g.api.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
		},
		On: func(p *ec2.DescribeSecurityGroupRulesOutput) ([]types.SecurityGroupRule, *string) {
			return p.SecurityGroupRules, p.NextToken
		},
	}, func(s types.SecurityGroupRule) error {
		cfg := byID[aws.ToString(s.GroupId)]
		if cfg == nil {
			return cloud.Foreign("it is about %.40q, which was not asked for", aws.ToString(s.GroupId))
		}
		if owner := aws.ToString(s.GroupOwnerId); owner != "" && owner != g.Scope.Account { // emulators leave it out
			return cloud.OfAnother(g.Scope.Account, owner, "a rule of security group "+cfg.ID)
		}
		if aws.ToBool(s.IsEgress) {
			cfg.Egress = append(cfg.Egress, g.rule(s))
		} else {
			cfg.Ingress = append(cfg.Ingress, g.rule(s))
		}
		return nil
	})
}

func (g groupReader) interfaces(ctx context.Context, ids []string, byID map[string]*securitygroup.Group) error {
	return cloud.List(g.Reading, g.interfaceList(ctx, filter("group-id", ids)), func(n types.NetworkInterface) error {
		i := interfaceOf(n)
		asked := false
		for _, s := range n.Groups {
			if cfg := byID[aws.ToString(s.GroupId)]; cfg != nil {
				cfg.Interfaces, asked = append(cfg.Interfaces, i), true
				if vpc := aws.ToString(n.VpcId); vpc != "" && vpc != cfg.VPC { // a group may be associated with further VPCs
					cfg.Network = &securitygroup.VPC{Unread: fmt.Sprintf("it is attached to %s in %s, and only its own VPC, %s, is read", i.ID, vpc, cfg.VPC)}
				}
			}
		}
		if !asked {
			return cloud.Foreign("%.40q is attached to no group that was asked for", i.ID)
		}
		return nil
	})
}

// interfaceList is the listing of network interfaces.
func (g groupReader) interfaceList(ctx context.Context, filters []types.Filter) cloud.Listing[*ec2.DescribeNetworkInterfacesOutput, types.NetworkInterface] {
	return cloud.Listing[*ec2.DescribeNetworkInterfacesOutput, types.NetworkInterface]{
		Call: "ec2:DescribeNetworkInterfaces", Of: "interfaces",
		Page: func(token *string) (*ec2.DescribeNetworkInterfacesOutput, error) {
			return g.api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filters, MaxResults: aws.Int32(pageSize), NextToken: token})
		},
		On: func(p *ec2.DescribeNetworkInterfacesOutput) ([]types.NetworkInterface, *string) {
			return p.NetworkInterfaces, p.NextToken
		},
	}
}

func interfaceOf(n types.NetworkInterface) securitygroup.Interface {
	i := securitygroup.Interface{ID: aws.ToString(n.NetworkInterfaceId), Description: aws.ToString(n.Description), Tags: tagMap(n.TagSet)}
	i.Name = i.Tags["Name"]
	if aws.ToBool(n.RequesterManaged) {
		i.Requester = cmp.Or(aws.ToString(n.RequesterId), string(n.InterfaceType))
	}
	if n.Attachment != nil {
		i.Instance = aws.ToString(n.Attachment.InstanceId)
	}
	if n.Association != nil {
		i.PublicIP = aws.ToString(n.Association.PublicIp)
	}
	for _, a := range n.PrivateIpAddresses {
		i.Addresses = append(i.Addresses, aws.ToString(a.PrivateIpAddress))
	}
	for _, a := range n.Ipv6Addresses {
		i.Addresses = append(i.Addresses, aws.ToString(a.Ipv6Address))
	}
	return i
}
