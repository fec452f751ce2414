package wire

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/services/ec2/instance"
	shared "dera.example/dera/services/ec2/wire"
)

// amazon owns the public addresses that AWS assigns (API reference,
// InstanceNetworkInterfaceAssociation).
const amazon = "amazon"

// addresses takes the public addresses of an instance over. One of which the owner is not
// reported counts as assigned: nothing is done about it then.
func addresses(x types.Instance, c *instance.Instance) {
	for _, n := range x.NetworkInterfaces {
		list := n.PrivateIpAddresses
		if len(list) == 0 {
			list = []types.InstancePrivateIpAddress{{PrivateIpAddress: n.PrivateIpAddress, Association: n.Association}}
		}
		for _, a := range list {
			if a.Association == nil || aws.ToString(a.Association.PublicIp) == "" {
				continue
			}
			if owner := aws.ToString(a.Association.IpOwnerId); owner == "" || owner == amazon {
				c.Assigned = append(c.Assigned, *a.Association.PublicIp)
				continue
			}
			c.Elastic = append(c.Elastic, instance.Address{Public: *a.Association.PublicIp, Interface: aws.ToString(n.NetworkInterfaceId), Private: aws.ToString(a.PrivateIpAddress)})
		}
	}
	known := func(a instance.Address) bool { return a.Public == aws.ToString(x.PublicIpAddress) }
	if p := aws.ToString(x.PublicIpAddress); p != "" && !slices.Contains(c.Assigned, p) && !slices.ContainsFunc(c.Elastic, known) {
		c.Assigned = append(c.Assigned, p)
	}
	slices.Sort(c.Assigned)
	slices.SortFunc(c.Elastic, func(a, b instance.Address) int { return cmp.Compare(a.Public, b.Public) })
}

// readElastic adds how the Elastic IP addresses are allocated and associated.
func readElastic(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	by := map[string]*instance.Instance{}
	for _, x := range items {
		c := x.Config.(*instance.Instance)
		for _, a := range c.Elastic {
			by[a.Public] = c
		}
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(by)), shared.Most) {
		out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: shared.Filter("public-ip", chunk)})
		if err == nil && out.Addresses == nil {
			err = cloud.Foreign("it has no list of addresses")
		}
		for i := 0; err == nil && i < len(out.Addresses); i++ {
			if a := out.Addresses[i]; !allocated(by[aws.ToString(a.PublicIp)], a) {
				err = cloud.Foreign("it is about %.40q, which was not asked for", aws.ToString(a.PublicIp))
			}
		}
		if err != nil {
			return r.Fail("ec2:DescribeAddresses", err)
		}
	}
	return nil
}

// allocated notes the allocation and association of an address; one that moved meanwhile stays
// without. ok is false for one that was not asked for.
func allocated(c *instance.Instance, a types.Address) (ok bool) {
	if c == nil {
		return false
	}
	for k, e := range c.Elastic {
		there := e.Public == aws.ToString(a.PublicIp) && e.Interface == aws.ToString(a.NetworkInterfaceId) && (a.PrivateIpAddress == nil || e.Private == *a.PrivateIpAddress)
		if !there || aws.ToString(a.AllocationId) == "" || aws.ToString(a.AssociationId) == "" {
			continue
		}
		if c.Associations == nil {
			c.Associations = map[string]string{}
		}
		c.Elastic[k].Allocation, c.Associations[*a.AllocationId] = *a.AllocationId, *a.AssociationId
	}
	return true
}

func disassociate(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[instance.AddressInput](w.Operation)
	if err == nil {
		_, err = ec2.NewFromConfig(w.Config).DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: aws.String(in.Association), DryRun: aws.Bool(w.Dry)})
	}
	return err
}

// associate puts an address back where it was, unless it is elsewhere by then.
func associate(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[instance.AddressInput](w.Operation)
	if err == nil {
		_, err = ec2.NewFromConfig(w.Config).AssociateAddress(ctx, &ec2.AssociateAddressInput{
			AllocationId: aws.String(in.Address.Allocation), NetworkInterfaceId: aws.String(in.Address.Interface), PrivateIpAddress: aws.String(in.Address.Private),
			AllowReassociation: aws.Bool(false), DryRun: aws.Bool(w.Dry),
		})
	}
	return err
}
