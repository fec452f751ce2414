// Package wire reads and writes EC2 instances.
package wire

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how instances are read and written.
func Wire() cloud.Wire {
	t, answers := instance.Type(), shared.Answers()
	answers["Auto Scaling"] = cloud.Shape{Root: "*Response", Space: "http://autoscaling.amazonaws.com/doc/"}
	answers["CloudWatch"] = cloud.Shape{Members: []string{"MetricDataResults"}}
	return cloud.Wire{
		Type: instance.Name, Parts: t.Parts, Operations: t.Operations, Find: finder().Find, Sample: finder().Sample, Try: try,
		Readers: []cloud.Reader{{Parts: []string{instance.PartElastic}, Many: readElastic}, {Parts: []string{instance.PartAround}, Many: readAround},
			{Parts: []string{instance.PartSnapshots}, Many: readSnapshots}, {Parts: []string{instance.PartV1}, Many: readV1}, requests(), threats()},
		Unread: unread,
		Do: map[string]func(context.Context, *cloud.Writing) error{
			instance.ModifyMetadata: modifyMetadata, instance.Disassociate: disassociate, instance.Associate: associate,
			instance.CreateSnapshots: createSnapshots, instance.ModifyInterface: modifyInterface, instance.Start: start, instance.Stop: stop,
		},
		On:          on,
		Answers:     answers,
		ConfigRules: []string{"EC2_IMDSV2_CHECK", "EC2_INSTANCE_NO_PUBLIC_IP", "EC2_INSTANCE_PROFILE_ATTACHED"},
		Regions:     shared.Regions,
	}
}

// on: whoever takes an address off an instance has to be allowed that on the address.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
func on(p dera.Plan) dera.ARN {
	if slices.ContainsFunc(p.Changes, func(c dera.Change) bool {
		return c.Operation == instance.Disassociate || c.Operation == instance.Associate
	}) {
		return dera.NewARN(p.Partition, "ec2", p.Region, p.Account, "elastic-ip/*")
	}
	return p.Resource
}

func unread(config any, part string) {
	c := config.(*instance.Instance)
	switch part {
	case instance.PartV1:
		c.V1 = nil
	case instance.PartThreats:
		c.Threats = nil
	case instance.PartAround:
		c.Around = nil
	case instance.PartSnapshots:
		c.Snapshots = nil
	}
}

// owned is an instance with the account of its reservation.
type owned struct {
	types.Instance
	owner string
}

func finder() shared.Finder[owned] {
	return shared.Finder[owned]{
		Call: "ec2:DescribeInstances", By: "instance-id",
		Page: func(ctx context.Context, api *ec2.Client, in shared.Ask) (list []owned, next *string, err error) {
			out, err := api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: in.Filters, InstanceIds: in.IDs, MaxResults: in.Size, NextToken: in.Token})
			if err != nil || out.Reservations == nil {
				return nil, nil, err
			}
			list = []owned{}
			for _, r := range out.Reservations {
				for _, i := range r.Instances {
					list = append(list, owned{i, aws.ToString(r.OwnerId)})
				}
			}
			return list, out.NextToken, nil
		},
		Of: func(x owned) (id, owner string, missing bool) {
			// AWS tells of one that was terminated for an hour; it comes back never.
			over := x.State != nil && (x.State.Name == types.InstanceStateNameTerminated || x.State.Name == types.InstanceStateNameShuttingDown)
			return aws.ToString(x.InstanceId), x.owner, over
		},
		Item: func(r *cloud.Reading, x owned) (*cloud.Item, error) {
			c, err := configOf(x.Instance)
			if err != nil {
				return nil, err
			}
			item := newItem(r, c)
			if m := x.MetadataOptions; m != nil && m.State == types.InstanceMetadataOptionsStatePending {
				item.Doubt("its metadata options are being changed")
			}
			if c.Running == nil {
				item.Doubt("it is " + c.State)
			}
			return item, nil
		},
		New: func(r *cloud.Reading, id string) *cloud.Item { return newItem(r, &instance.Instance{ID: id}) },
	}
}

// contents takes over what containing an instance changes.
func contents(x types.Instance, c *instance.Instance) {
	for _, n := range x.NetworkInterfaces {
		own := instance.Interface{ID: aws.ToString(n.NetworkInterfaceId)}
		for _, g := range n.Groups {
			own.Groups = append(own.Groups, aws.ToString(g.GroupId))
		}
		slices.Sort(own.Groups)
		c.Interfaces = append(c.Interfaces, own)
	}
	slices.SortFunc(c.Interfaces, func(a, b instance.Interface) int { return cmp.Compare(a.ID, b.ID) })
	for _, b := range x.BlockDeviceMappings {
		if b.Ebs != nil && aws.ToString(b.Ebs.VolumeId) != "" {
			c.Volumes = append(c.Volumes, *b.Ebs.VolumeId)
		}
	}
	slices.Sort(c.Volumes)
}

func newItem(r *cloud.Reading, c *instance.Instance) *cloud.Item {
	arn := instance.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, c.ID)
	x := cloud.NewItem(r, c.ID, c.Tags["Name"], arn, c)
	x.Tags = c.Tags
	return x
}

// configOf takes over an instance. What an answer leaves out of the metadata options is not
// known.
func configOf(x types.Instance) (*instance.Instance, error) {
	if x.State == nil || x.State.Name == "" {
		return nil, cloud.Foreign("it does not say in which state %.40q is", aws.ToString(x.InstanceId))
	}
	c := &instance.Instance{
		ID: aws.ToString(x.InstanceId), VPC: aws.ToString(x.VpcId), Subnet: aws.ToString(x.SubnetId), Image: aws.ToString(x.ImageId),
		State: string(x.State.Name), Tags: shared.Tags(x.Tags), Forwards: x.SourceDestCheck != nil && !*x.SourceDestCheck,
	}
	c.Kind, c.Spot = string(x.InstanceType), x.InstanceLifecycle == types.InstanceLifecycleTypeSpot
	if x.State.Name == types.InstanceStateNameRunning || x.State.Name == types.InstanceStateNameStopped {
		c.Running = aws.Bool(x.State.Name == types.InstanceStateNameRunning)
	}
	addresses(x, c)
	contents(x, c)
	if x.IamInstanceProfile != nil {
		c.Profile = aws.ToString(x.IamInstanceProfile.Arn)
	}
	if m := x.MetadataOptions; m != nil {
		if m.HttpTokens != "" && m.HttpTokens != types.HttpTokensStateOptional && m.HttpTokens != types.HttpTokensStateRequired {
			return nil, cloud.Foreign("whether metadata needs a token is %.40q, which nobody knows", m.HttpTokens)
		}
		c.Tokens, c.Endpoint, c.HopLimit = string(m.HttpTokens), string(m.HttpEndpoint), aws.ToInt32(m.HttpPutResponseHopLimit)
	}
	return c, nil
}

// modifyMetadata sets whether a token is needed. What the request leaves out stays as it is
// (API reference, ModifyInstanceMetadataOptions).
func modifyMetadata(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var value types.HttpTokensState
	if err := json.Unmarshal(in.Value, &value); err != nil || in.Path != instance.Tokens || (value != types.HttpTokensStateOptional && value != types.HttpTokensStateRequired) {
		return w.Fail(instance.ModifyMetadata, errors.New("a token is optional or required, and there is no other setting"))
	}
	_, err = ec2.NewFromConfig(w.Config).ModifyInstanceMetadataOptions(ctx, &ec2.ModifyInstanceMetadataOptionsInput{
		InstanceId: aws.String(in.Resource), HttpTokens: value, DryRun: aws.Bool(w.Dry),
	})
	return err
}

// try returns changes whose dry run tells whether they are allowed.
func try(id string) ([]dera.Change, error) {
	c, err := instance.Type().Set(&instance.Instance{ID: id, Tokens: "optional"}, instance.Tokens, "required")
	return []dera.Change{c}, err
}
