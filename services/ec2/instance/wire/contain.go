package wire

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
	shared "dera.example/dera/services/ec2/wire"
)

// scalingTag is the tag by which an instance says that it is in an Auto Scaling group.
const scalingTag = "aws:autoscaling:groupName"

// requests reads what was asked for of instances.
func requests() cloud.Reader {
	return cloud.Ported(resource.PortAccess, []string{instance.PartContain}, func(ctx context.Context, r *cloud.Reading, from resource.Accesses, items []*cloud.Item) error {
		known, err := from.Asked(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: r.Scope.Region, Type: instance.Name})
		if err != nil {
			return err
		}
		for _, x := range items {
			x.Config.(*instance.Instance).Contain = known[x.ID]
		}
		return nil
	})
}

// readAround adds the isolation groups of the VPCs, the Auto Scaling groups of those that have
// the tag of one, and what the types have of the host. Where one of these is not known, all is
// unknown.
func readAround(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	vpcs, kinds := map[string]*instance.Around{}, map[string]*bool{}
	var scaled []string
	for _, x := range items {
		c := x.Config.(*instance.Instance)
		if c.VPC != "" {
			vpcs[c.VPC] = &instance.Around{}
		}
		if c.Kind != "" {
			kinds[c.Kind] = nil
		}
		if c.Tags[scalingTag] != "" {
			scaled = append(scaled, c.ID)
		}
	}
	if err := isolation(ctx, r, vpcs); err != nil {
		return err
	}
	if err := stores(ctx, r, kinds); err != nil {
		return err
	}
	groups, err := scalingOf(ctx, r, scaled)
	if err != nil {
		return err
	}
	for _, x := range items {
		c := x.Config.(*instance.Instance)
		around := instance.Around{}
		if v := vpcs[c.VPC]; v != nil {
			around = *v
		}
		around.Store = kinds[c.Kind]
		if g, ok := groups[c.ID]; ok {
			around.Scaling, around.Lifecycle = aws.ToString(g.AutoScalingGroupName), aws.ToString(g.LifecycleState)
		}
		c.Around = &around
	}
	return nil
}

// isolation finds the group of each VPC by its name, which is the one of its kind there.
func isolation(ctx context.Context, r *cloud.Reading, vpcs map[string]*instance.Around) error {
	api := shared.EC2(r, r.Scope.Account, r.Scope.Region)
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(vpcs)), shared.Most) {
		err := cloud.List(r, cloud.Listing[*ec2.DescribeSecurityGroupsOutput, types.SecurityGroup]{
			Call: "ec2:DescribeSecurityGroups", Of: "groups",
			Page: func(token *string) (*ec2.DescribeSecurityGroupsOutput, error) {
				filters := append(shared.Filter("vpc-id", ids), shared.Filter("group-name", []string{instance.IsolationGroup})...)
				return api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filters, NextToken: token})
			},
			On: func(p *ec2.DescribeSecurityGroupsOutput) ([]types.SecurityGroup, *string) {
				return p.SecurityGroups, p.NextToken
			},
		}, func(g types.SecurityGroup) error {
			v := vpcs[aws.ToString(g.VpcId)]
			switch {
			case v == nil || aws.ToString(g.GroupName) != instance.IsolationGroup:
				return cloud.Foreign("it is about the group %.40q of %.40q, which was not asked for", aws.ToString(g.GroupName), aws.ToString(g.VpcId))
			case aws.ToString(g.OwnerId) == r.Scope.Account:
				v.Isolation, v.Open = aws.ToString(g.GroupId), len(g.IpPermissions)+len(g.IpPermissionsEgress) > 0
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stores says which instance types have volumes of the host.
func stores(ctx context.Context, r *cloud.Reading, kinds map[string]*bool) error {
	api := shared.EC2(r, r.Scope.Account, r.Scope.Region)
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(kinds)), 100) {
		in := &ec2.DescribeInstanceTypesInput{}
		for _, k := range chunk {
			in.InstanceTypes = append(in.InstanceTypes, types.InstanceType(k))
		}
		err := cloud.List(r, cloud.Listing[*ec2.DescribeInstanceTypesOutput, types.InstanceTypeInfo]{
			Call: "ec2:DescribeInstanceTypes", Of: "instance types",
			Page: func(token *string) (*ec2.DescribeInstanceTypesOutput, error) {
				in.NextToken = token
				return api.DescribeInstanceTypes(ctx, in)
			},
			On: func(p *ec2.DescribeInstanceTypesOutput) ([]types.InstanceTypeInfo, *string) {
				return p.InstanceTypes, p.NextToken
			},
		}, func(t types.InstanceTypeInfo) error {
			if _, ok := kinds[string(t.InstanceType)]; !ok {
				return cloud.Foreign("it is about the type %.40q, which was not asked for", t.InstanceType)
			}
			kinds[string(t.InstanceType)] = t.InstanceStorageSupported
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scalingOf returns what Auto Scaling says of instances; one that it does not know is in no
// group any more.
func scalingOf(ctx context.Context, r *cloud.Reading, ids []string) (map[string]scaling.AutoScalingInstanceDetails, error) {
	out := map[string]scaling.AutoScalingInstanceDetails{}
	api := cloud.Service(r, "autoscaling", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *autoscaling.Client { return autoscaling.NewFromConfig(cfg) })
	for chunk := range slices.Chunk(ids, 50) {
		err := cloud.List(r, cloud.Listing[*autoscaling.DescribeAutoScalingInstancesOutput, scaling.AutoScalingInstanceDetails]{
			Call: "autoscaling:DescribeAutoScalingInstances", Of: "instances",
			Page: func(token *string) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
				return api.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: chunk, NextToken: token})
			},
			On: func(p *autoscaling.DescribeAutoScalingInstancesOutput) ([]scaling.AutoScalingInstanceDetails, *string) {
				return p.AutoScalingInstances, p.NextToken
			},
		}, func(d scaling.AutoScalingInstanceDetails) error {
			if !slices.Contains(chunk, aws.ToString(d.InstanceId)) || aws.ToString(d.AutoScalingGroupName) == "" {
				return cloud.Foreign("it is about %.40q, which was not asked for, or of no group", aws.ToString(d.InstanceId))
			}
			out[*d.InstanceId] = d
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readSnapshots adds the snapshots that dera made for requests, of which there are few: they
// are found by their description.
func readSnapshots(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	by := map[string]*instance.Instance{}
	for _, x := range items {
		c := x.Config.(*instance.Instance)
		for _, v := range c.Volumes {
			by[v] = c
		}
	}
	if len(by) == 0 {
		return nil
	}
	api := shared.EC2(r, r.Scope.Account, r.Scope.Region)
	return cloud.List(r, cloud.Listing[*ec2.DescribeSnapshotsOutput, types.Snapshot]{
		Call: "ec2:DescribeSnapshots", Of: "snapshots",
		Page: func(token *string) (*ec2.DescribeSnapshotsOutput, error) {
			return api.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: shared.Filter("description", []string{instance.Description("*")}), MaxResults: aws.Int32(shared.PageSize), NextToken: token})
		},
		On: func(p *ec2.DescribeSnapshotsOutput) ([]types.Snapshot, *string) { return p.Snapshots, p.NextToken },
	}, func(s types.Snapshot) error {
		c, request := by[aws.ToString(s.VolumeId)], instance.RequestOf(aws.ToString(s.Description))
		if c != nil && request != "" && s.State != types.SnapshotStateError { // one that is pending is of this moment already
			c.Snapshots = append(c.Snapshots, instance.Snapshot{ID: aws.ToString(s.SnapshotId), Volume: *s.VolumeId, Request: request})
		}
		return nil
	})
}

func createSnapshots(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[instance.SnapshotsInput](w.Operation)
	if err == nil {
		_, err = ec2.NewFromConfig(w.Config).CreateSnapshots(ctx, &ec2.CreateSnapshotsInput{
			InstanceSpecification: &types.InstanceSpecification{InstanceId: aws.String(in.Resource)}, Description: aws.String(instance.Description(in.Request)), DryRun: aws.Bool(w.Dry),
		})
	}
	return err
}

func modifyInterface(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[instance.InterfaceInput](w.Operation)
	if err == nil {
		_, err = ec2.NewFromConfig(w.Config).ModifyNetworkInterfaceAttribute(ctx, &ec2.ModifyNetworkInterfaceAttributeInput{
			NetworkInterfaceId: aws.String(in.Interface.ID), Groups: in.Interface.Groups, DryRun: aws.Bool(w.Dry),
		})
	}
	return err
}

func start(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = ec2.NewFromConfig(w.Config).StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{in.Resource}, DryRun: aws.Bool(w.Dry)})
	}
	return err
}

func stop(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = ec2.NewFromConfig(w.Config).StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{in.Resource}, DryRun: aws.Bool(w.Dry)})
	}
	return err
}
