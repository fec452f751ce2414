// Package wire reads VPCs and their flow logs on EC2.
package wire

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/services/ec2/vpc"
	shared "dera.example/dera/services/ec2/wire"
)

const (
	pageSize    = 100
	mostFilters = 200 // values of a filter of EC2
)

// Wire returns how VPCs are read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: vpc.Name, Parts: vpc.Type().Parts, Find: find,
		Unread: func(config any, part string) {
			if part == vpc.PartFlows {
				v := config.(*vpc.VPC)
				v.Flows, v.Interfaces = nil, nil
			}
		},
		Sample: func(ctx context.Context, r *cloud.Reading) (string, error) {
			found, err := read(ctx, r, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(5)})
			if err != nil || len(found.Items) == 0 {
				return "", err
			}
			return found.Items[0].ID, nil
		},
		Readers:     []cloud.Reader{{Parts: []string{vpc.PartFlows}, Many: readFlows}},
		Answers:     shared.Answers(),
		ConfigRules: []string{"VPC_FLOW_LOGS_ENABLED"},
		Regions:     shared.Regions,
	}
}

// find reads a page of all VPCs, or those of the scope by a filter, which makes none an error
// that is not there.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if r.Scope.Sweep() {
		in := &ec2.DescribeVpcsInput{MaxResults: aws.Int32(pageSize)}
		if r.Scope.Page != "" {
			in.NextToken = aws.String(r.Scope.Page)
		}
		return read(ctx, r, in)
	}
	found, err = read(ctx, r, &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: r.Scope.IDs}}})
	for _, id := range r.Scope.IDs {
		if !slices.ContainsFunc(found.Items, func(x *cloud.Item) bool { return x.ID == id }) {
			found.Missing = append(found.Missing, id)
		}
	}
	return found, err
}

// read leaves out the VPCs of other accounts, which share subnets with this one.
func read(ctx context.Context, r *cloud.Reading, in *ec2.DescribeVpcsInput) (found cloud.Found, _ error) {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeVpcs(ctx, in)
	if err == nil && out.Vpcs == nil {
		err = cloud.Foreign("it has no list of VPCs")
	}
	if err != nil {
		return found, r.Fail("ec2:DescribeVpcs", err)
	}
	for _, v := range out.Vpcs {
		id := aws.ToString(v.VpcId)
		if id == "" || aws.ToString(v.OwnerId) == "" {
			return cloud.Found{}, r.Fail("ec2:DescribeVpcs", cloud.Foreign("it does not say whose the VPC %.40q is", id))
		}
		if *v.OwnerId != r.Scope.Account {
			continue
		}
		c := &vpc.VPC{ID: id, Default: aws.ToBool(v.IsDefault)}
		for _, t := range v.Tags {
			if c.Tags == nil {
				c.Tags = map[string]string{}
			}
			c.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		_, name, _ := vpc.Type().Identify(c)
		x := cloud.NewItem(r, id, name, vpc.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id), c)
		x.Tags = c.Tags
		found.Items = append(found.Items, x)
	}
	found.Next = aws.ToString(out.NextToken)
	return found, nil
}

// readFlows reads the flow logs of many VPCs, and whether anything is attached to those of
// which none delivers.
func readFlows(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	api := shared.EC2(r, r.Scope.Account, r.Scope.Region)
	by := map[string]*vpc.VPC{}
	var all []string
	for _, x := range items {
		v := x.Config.(*vpc.VPC)
		v.Flows = []vpc.Flow{}
		by[x.ID], all = v, append(all, x.ID)
	}
	for ids := range slices.Chunk(all, mostFilters) {
		err := cloud.List(r, cloud.Listing[*ec2.DescribeFlowLogsOutput, types.FlowLog]{
			Call: "ec2:DescribeFlowLogs", Of: "flow logs",
			Page: func(token *string) (*ec2.DescribeFlowLogsOutput, error) {
				return api.DescribeFlowLogs(ctx, &ec2.DescribeFlowLogsInput{Filter: []types.Filter{{Name: aws.String("resource-id"), Values: ids}}, NextToken: token})
			},
			On: func(p *ec2.DescribeFlowLogsOutput) ([]types.FlowLog, *string) { return p.FlowLogs, p.NextToken },
		}, func(f types.FlowLog) error {
			v := by[aws.ToString(f.ResourceId)]
			if v == nil {
				return cloud.Foreign("it is about %.40q, which was not asked for", aws.ToString(f.ResourceId))
			}
			flow := vpc.Flow{ID: aws.ToString(f.FlowLogId), Traffic: string(f.TrafficType), Active: aws.ToString(f.FlowLogStatus) == "ACTIVE", To: aws.ToString(f.LogDestination)}
			if flow.To == "" {
				flow.To = aws.ToString(f.LogGroupName)
			}
			if aws.ToString(f.DeliverLogsStatus) == "FAILED" {
				flow.Failed = aws.ToString(f.DeliverLogsErrorMessage)
				if flow.Failed == "" {
					flow.Failed = "it does not say why"
				}
			}
			v.Flows = append(v.Flows, flow)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, x := range items {
		v := by[x.ID]
		slices.SortFunc(v.Flows, func(a, b vpc.Flow) int { return strings.Compare(a.ID, b.ID) })
		if slices.ContainsFunc(v.Flows, func(f vpc.Flow) bool { return f.Active && f.Failed == "" && f.Traffic != "ACCEPT" }) {
			continue
		}
		used, err := attached(ctx, r, api, x.ID)
		if err != nil {
			return err
		}
		v.Interfaces = &used
	}
	return nil
}

// attached reports whether the VPC has a network interface. A page can be empty before the
// last one.
func attached(ctx context.Context, r *cloud.Reading, api *ec2.Client, id string) (used bool, _ error) {
	const call = "ec2:DescribeNetworkInterfaces"
	err := cloud.Walk(func(token *string) (*string, error) {
		out, err := api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{id}}}, MaxResults: aws.Int32(5), NextToken: token})
		if err == nil && out.NetworkInterfaces == nil {
			err = cloud.Foreign("it has no list of interfaces")
		}
		if err != nil {
			return nil, r.Fail(call, err)
		}
		if used = len(out.NetworkInterfaces) > 0; used {
			return nil, nil
		}
		return out.NextToken, nil
	})
	return used, err
}
