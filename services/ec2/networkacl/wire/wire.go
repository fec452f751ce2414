// Package wire reads and writes network ACLs on EC2.
package wire

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/networkacl"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how network ACLs are read and written.
func Wire() cloud.Wire {
	t := networkacl.Type()
	return cloud.Wire{
		Type: networkacl.Name, Parts: t.Parts, Operations: t.Operations, Find: finder().Find, Sample: finder().Sample,
		Do:          map[string]func(context.Context, *cloud.Writing) error{networkacl.Create: create, networkacl.Delete: remove},
		Answers:     shared.Answers(),
		ConfigRules: []string{"NACL_NO_UNRESTRICTED_SSH_RDP"},
		Regions:     shared.Regions,
	}
}

func finder() shared.Finder[types.NetworkAcl] {
	return shared.Finder[types.NetworkAcl]{
		Call: "ec2:DescribeNetworkAcls",
		Page: func(ctx context.Context, api *ec2.Client, in shared.Ask) ([]types.NetworkAcl, *string, error) {
			out, err := api.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: in.Filters, NetworkAclIds: in.IDs, MaxResults: in.Size, NextToken: in.Token})
			if err != nil {
				return nil, nil, err
			}
			return out.NetworkAcls, out.NextToken, nil
		},
		Of: func(a types.NetworkAcl) (id, owner string, missing bool) {
			return aws.ToString(a.NetworkAclId), aws.ToString(a.OwnerId), false
		},
		Item: func(r *cloud.Reading, a types.NetworkAcl) (*cloud.Item, error) {
			c := &networkacl.ACL{ID: aws.ToString(a.NetworkAclId), VPC: aws.ToString(a.VpcId), Default: aws.ToBool(a.IsDefault), Tags: shared.Tags(a.Tags), Entries: []networkacl.Entry{}}
			for _, s := range a.Associations {
				c.Subnets = append(c.Subnets, aws.ToString(s.SubnetId))
			}
			slices.Sort(c.Subnets)
			for _, e := range a.Entries {
				if e.Egress == nil || e.RuleNumber == nil {
					return nil, cloud.Foreign("an entry of %.40q says neither its number nor whether it is about what goes out", c.ID)
				}
				if *e.Egress || *e.RuleNumber == networkacl.Last {
					continue
				}
				own, err := entryOf(e)
				if err != nil {
					return nil, err
				}
				c.Entries = append(c.Entries, own)
			}
			slices.SortStableFunc(c.Entries, func(x, y networkacl.Entry) int { return cmp.Compare(x.Number, y.Number) })
			return newItem(r, c), nil
		},
		New: func(r *cloud.Reading, id string) *cloud.Item { return newItem(r, &networkacl.ACL{ID: id}) },
	}
}

func newItem(r *cloud.Reading, c *networkacl.ACL) *cloud.Item {
	arn := networkacl.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, c.ID)
	x := cloud.NewItem(r, c.ID, c.Tags["Name"], arn, c)
	x.Tags = c.Tags
	return x
}

// entryOf takes an entry over. One that neither allows nor denies is no answer.
func entryOf(e types.NetworkAclEntry) (networkacl.Entry, error) {
	own := networkacl.Entry{Number: *e.RuleNumber, Allow: e.RuleAction == types.RuleActionAllow, Protocol: aws.ToString(e.Protocol)}
	if e.RuleAction != types.RuleActionAllow && e.RuleAction != types.RuleActionDeny {
		return own, cloud.Foreign("entry %d is %.40q", own.Number, e.RuleAction)
	}
	switch {
	case e.PortRange != nil:
		own.From, own.To = e.PortRange.From, e.PortRange.To
	case e.IcmpTypeCode != nil:
		own.From, own.To = e.IcmpTypeCode.Type, e.IcmpTypeCode.Code
	}
	var err error
	if own.CIDR, err = netset.Prefix(aws.ToString(e.CidrBlock) + aws.ToString(e.Ipv6CidrBlock)); err != nil {
		return own, cloud.Foreign("entry %d is from %.60q, which is no range", own.Number, aws.ToString(e.CidrBlock)+aws.ToString(e.Ipv6CidrBlock))
	}
	return own, nil
}

// create makes an entry: of plans it is one for TCP.
func create(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[networkacl.Input](w.Operation)
	if err != nil {
		return err
	}
	out := &ec2.CreateNetworkAclEntryInput{
		NetworkAclId: aws.String(in.Resource), Egress: aws.Bool(false), RuleNumber: aws.Int32(in.Entry.Number), RuleAction: types.RuleActionAllow,
		Protocol: aws.String(in.Entry.Protocol), DryRun: aws.Bool(w.Dry),
	}
	if in.Entry.From != nil {
		out.PortRange = &types.PortRange{From: in.Entry.From, To: in.Entry.To}
	}
	if cidr := in.Entry.CIDR.String(); in.Entry.CIDR.Addr().Is6() {
		out.Ipv6CidrBlock = aws.String(cidr)
	} else {
		out.CidrBlock = aws.String(cidr)
	}
	_, err = ec2.NewFromConfig(w.Config).CreateNetworkAclEntry(ctx, out)
	return err
}

// remove deletes an entry, which EC2 knows by its number alone: right before it is read once
// more, since somebody may have replaced it.
func remove(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[networkacl.Input](w.Operation)
	if err != nil {
		return err
	}
	w.Reading.Scope.IDs = []string{in.Resource}
	found, err := finder().Find(ctx, w.Reading)
	if err != nil {
		return err
	}
	there := len(found.Items) == 1 && slices.ContainsFunc(found.Items[0].Config.(*networkacl.ACL).Entries, func(e networkacl.Entry) bool { return e.Line() == in.Entry.Line() })
	if !there {
		return cloud.ErrMoved
	}
	_, err = ec2.NewFromConfig(w.Config).DeleteNetworkAclEntry(ctx, &ec2.DeleteNetworkAclEntryInput{
		NetworkAclId: aws.String(in.Resource), Egress: aws.Bool(false), RuleNumber: aws.Int32(in.Entry.Number), DryRun: aws.Bool(w.Dry),
	})
	return err
}
