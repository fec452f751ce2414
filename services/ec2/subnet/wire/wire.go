// Package wire reads and writes subnets on EC2.
package wire

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/subnet"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how subnets are read and written.
func Wire() cloud.Wire {
	t := subnet.Type()
	return cloud.Wire{
		Type: subnet.Name, Parts: t.Parts, Operations: t.Operations, Find: finder().Find, Sample: finder().Sample,
		Readers: []cloud.Reader{{Parts: []string{subnet.PartRoutes}, Many: readRoutes}},
		Unread: func(config any, part string) {
			if part == subnet.PartRoutes {
				config.(*subnet.Subnet).Routes = nil
			}
		},
		Do:          map[string]func(context.Context, *cloud.Writing) error{subnet.Modify: modify},
		Answers:     shared.Answers(),
		ConfigRules: []string{"SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED"},
		Regions:     shared.Regions,
	}
}

func finder() shared.Finder[types.Subnet] {
	return shared.Finder[types.Subnet]{
		Call: "ec2:DescribeSubnets", By: "subnet-id",
		Page: func(ctx context.Context, api *ec2.Client, in shared.Ask) ([]types.Subnet, *string, error) {
			out, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: in.Filters, SubnetIds: in.IDs, MaxResults: in.Size, NextToken: in.Token})
			if err != nil {
				return nil, nil, err
			}
			return out.Subnets, out.NextToken, nil
		},
		Of: func(s types.Subnet) (id, owner string, missing bool) {
			return aws.ToString(s.SubnetId), aws.ToString(s.OwnerId), false
		},
		Item: func(r *cloud.Reading, s types.Subnet) (*cloud.Item, error) {
			return newItem(r, &subnet.Subnet{
				ID: aws.ToString(s.SubnetId), VPC: aws.ToString(s.VpcId), CIDR: aws.ToString(s.CidrBlock), MapPublic: s.MapPublicIpOnLaunch, Tags: shared.Tags(s.Tags),
			}), nil
		},
		New: func(r *cloud.Reading, id string) *cloud.Item { return newItem(r, &subnet.Subnet{ID: id}) },
	}
}

func newItem(r *cloud.Reading, s *subnet.Subnet) *cloud.Item {
	arn := subnet.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, s.ID)
	x := cloud.NewItem(r, s.ID, s.Tags["Name"], arn, s)
	x.Tags = s.Tags
	return x
}

// readRoutes adds where the route table of each subnet leads: its own, or else the main one of
// its VPC (VPC user guide, "Route tables"). A subnet of which neither is reported is not known.
func readRoutes(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	vpcs := map[string]bool{}
	for _, x := range items {
		vpcs[x.Config.(*subnet.Subnet).VPC] = true
	}
	own, main := map[string]*subnet.Routes{}, map[string]*subnet.Routes{}
	api := shared.EC2(r, r.Scope.Account, r.Scope.Region)
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(vpcs)), shared.Most) {
		err := cloud.List(r, cloud.Listing[*ec2.DescribeRouteTablesOutput, types.RouteTable]{
			Call: "ec2:DescribeRouteTables", Of: "route tables",
			Page: func(token *string) (*ec2.DescribeRouteTablesOutput, error) {
				return api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: shared.Filter("vpc-id", ids), MaxResults: aws.Int32(100), NextToken: token})
			},
			On: func(p *ec2.DescribeRouteTablesOutput) ([]types.RouteTable, *string) {
				return p.RouteTables, p.NextToken
			},
		}, func(t types.RouteTable) error {
			if !vpcs[aws.ToString(t.VpcId)] {
				return cloud.Foreign("it is about %.40q, which was not asked for", aws.ToString(t.VpcId))
			}
			routes := &subnet.Routes{Public: public(t.Routes)}
			for _, a := range t.Associations {
				switch {
				case aws.ToString(a.SubnetId) != "":
					own[*a.SubnetId] = routes
				case aws.ToBool(a.Main):
					main[aws.ToString(t.VpcId)] = routes
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, x := range items {
		s := x.Config.(*subnet.Subnet)
		if s.Routes = own[s.ID]; s.Routes == nil {
			s.Routes = main[s.VPC]
		}
	}
	return nil
}

// public are the routes by which a public address may be of use. Local routes, NAT gateways
// and private gateways lead past it; a gateway endpoint, whose route has a prefix list, leads
// to a service of AWS. All else may stand before an internet gateway, as the endpoint of a
// firewall does.
func public(routes []types.Route) (out []string) {
	for _, r := range routes {
		to := aws.ToString(r.DestinationCidrBlock)
		gateway := aws.ToString(r.GatewayId)
		private := gateway == "local" || strings.HasPrefix(gateway, "vgw-") || aws.ToString(r.NatGatewayId) != "" || aws.ToString(r.TransitGatewayId) != "" || aws.ToString(r.VpcPeeringConnectionId) != ""
		if endpoint := to == "" && strings.HasPrefix(gateway, "vpce-"); private || endpoint || to == "" && aws.ToString(r.DestinationPrefixListId) == "" {
			continue // the last are routes of IPv6
		}
		target := gateway
		for _, t := range []*string{r.NetworkInterfaceId, r.InstanceId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn} {
			if target == "" {
				target = aws.ToString(t)
			}
		}
		out = append(out, to+aws.ToString(r.DestinationPrefixListId)+" to "+target)
	}
	slices.Sort(out)
	return out
}

func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var value *bool
	if err := json.Unmarshal(in.Value, &value); err != nil || value == nil || in.Path != subnet.MapPublic {
		return w.Fail(subnet.Modify, errors.New("the one setting is true or false"))
	}
	_, err = ec2.NewFromConfig(w.Config).ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{SubnetId: aws.String(in.Resource), MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: value}})
	return err
}
