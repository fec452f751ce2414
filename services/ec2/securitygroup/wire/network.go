package wire

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/netset"
)

// readNetworks gives each group what is known of its VPC, with one walk of each call
// for all of them. What may not be read leaves the networks unread, and so does an
// answer that leaves a VPC out: missing knowledge is not "no private access".
func readNetworks(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	g := reader(r)
	vpcs := map[string]*securitygroup.VPC{}
	for _, x := range items {
		if vpc := config(x).VPC; vpc != "" && vpcs[vpc] == nil {
			vpcs[vpc] = &securitygroup.VPC{}
		}
	}
	if len(vpcs) == 0 {
		return nil
	}
	for _, read := range []func(context.Context, []string, map[string]*securitygroup.VPC) error{g.ranges, g.routes, g.entrances} {
		for ids := range slices.Chunk(slices.Sorted(maps.Keys(vpcs)), most) {
			err := read(ctx, ids, vpcs)
			switch {
			case err == nil:
			case cloud.Is(err, cloud.Denied), cloud.Is(err, cloud.Unavailable):
				for _, id := range ids {
					vpcs[id].Unread = err.Error()
				}
			default:
				return err
			}
		}
	}
	own, unread, err := g.ownAddresses(ctx)
	if err != nil {
		return err
	}
	for _, x := range items {
		if cfg := config(x); vpcs[cfg.VPC] != nil && cfg.Network == nil {
			v := vpcs[cfg.VPC]
			v.Own, v.OwnUnread = own, unread
			cfg.Network = v
		}
	}
	return nil
}

// ranges reads the VPCs' own ranges.
func (g groupReader) ranges(ctx context.Context, ids []string, vpcs map[string]*securitygroup.VPC) error {
	seen := map[string]bool{}
	err := cloud.List(g.Reading, cloud.Listing[*ec2.DescribeVpcsOutput, types.Vpc]{
		Call: "ec2:DescribeVpcs", Of: "VPCs",
		Page: func(token *string) (*ec2.DescribeVpcsOutput, error) {
			return g.api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: filter("vpc-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
		},
		On: func(p *ec2.DescribeVpcsOutput) ([]types.Vpc, *string) { return p.Vpcs, p.NextToken },
	}, func(s types.Vpc) (err error) {
		v := vpcs[aws.ToString(s.VpcId)]
		if v == nil {
			return cloud.Foreign("it is about %.40q, which was not asked for", aws.ToString(s.VpcId))
		}
		seen[aws.ToString(s.VpcId)] = true
		// In a shared VPC, nobody but its owner sees the load balancers of the others.
		v.InterfacesUnread = s.OwnerId != nil && *s.OwnerId != g.Scope.Account
		texts := []string{aws.ToString(s.CidrBlock)}
		for _, a := range s.CidrBlockAssociationSet {
			if a.CidrBlockState == nil || a.CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated {
				texts = append(texts, aws.ToString(a.CidrBlock))
			}
		}
		for _, a := range s.Ipv6CidrBlockAssociationSet {
			if a.Ipv6CidrBlockState == nil || a.Ipv6CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated {
				texts = append(texts, aws.ToString(a.Ipv6CidrBlock))
			}
		}
		v.CIDRs, err = prefixesOf(texts)
		return err
	})
	for _, id := range ids {
		if v := vpcs[id]; err == nil && (!seen[id] || len(v.CIDRs) == 0) {
			v.Unread = "ec2:DescribeVpcs returned nothing about " + id
		}
	}
	return err
}

// prefixesOf reads ranges; empty texts are left out.
func prefixesOf(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range texts {
		if text == "" {
			continue
		}
		p, err := netset.Prefix(text)
		if err != nil {
			return nil, cloud.Foreign("%.60q is no range", text)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out), nil
}

// routes reads which further ranges the VPCs reach privately. Every VPC has a main
// route table.
func (g groupReader) routes(ctx context.Context, ids []string, vpcs map[string]*securitygroup.VPC) error {
	seen := map[string]bool{}
	err := cloud.List(g.Reading, cloud.Listing[*ec2.DescribeRouteTablesOutput, types.RouteTable]{
		Call: "ec2:DescribeRouteTables", Of: "route tables",
		Page: func(token *string) (*ec2.DescribeRouteTablesOutput, error) {
			return g.api.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: filter("vpc-id", ids), MaxResults: aws.Int32(100), NextToken: token})
		},
		On: func(p *ec2.DescribeRouteTablesOutput) ([]types.RouteTable, *string) {
			return p.RouteTables, p.NextToken
		},
	}, func(table types.RouteTable) error {
		v := vpcs[aws.ToString(table.VpcId)]
		if v == nil {
			return cloud.Foreign("it is about %.40q, which was not asked for", aws.ToString(table.VpcId))
		}
		seen[aws.ToString(table.VpcId)] = true
		for _, r := range table.Routes {
			if err := g.route(ctx, r, v); err != nil {
				return err
			}
		}
		return nil
	})
	for _, id := range ids {
		v := vpcs[id]
		if err == nil && !seen[id] {
			v.Unread = "ec2:DescribeRouteTables returned no route table of " + id
		}
		slices.SortFunc(v.Routed, netip.Prefix.Compare)
		v.Routed = slices.Compact(v.Routed)
	}
	return err
}

// route notes where one route leads: to another network, or to the internet.
func (g groupReader) route(ctx context.Context, r types.Route, v *securitygroup.VPC) error {
	gateway := aws.ToString(r.GatewayId)
	private := r.VpcPeeringConnectionId != nil || r.TransitGatewayId != nil || r.CoreNetworkArn != nil || r.LocalGatewayId != nil ||
		strings.HasPrefix(gateway, "vgw-")
	if !private {
		g.appliance(r, v)
		v.Internet6 = v.Internet6 || r.DestinationIpv6CidrBlock != nil && (strings.HasPrefix(gateway, "igw-"))
		return nil
	}
	if r.State == types.RouteStateBlackhole {
		g.blackhole(r, v)
		return nil
	}
	if list := aws.ToString(r.DestinationPrefixListId); list != "" {
		l := g.prefixList(ctx, list)
		if !l.Known {
			v.Unread = "the entries of prefix list " + list + " in its routes could not be read"
			return ctx.Err()
		}
		v.Routed = append(v.Routed, l.Entries...)
		return nil
	}
	ranges, err := prefixesOf([]string{aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock)})
	if err == nil && len(ranges) == 0 {
		err = cloud.Foreign("a route has no destination")
	}
	if err != nil {
		return g.fail("DescribeRouteTables", err)
	}
	v.Routed = append(v.Routed, ranges...)
	return nil
}

// blackhole notes a route for public addresses whose target does not work now: it
// may again, and until then nothing comes from there.
func (g groupReader) blackhole(r types.Route, v *securitygroup.VPC) {
	ranges, err := prefixesOf([]string{aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock)})
	if err != nil || r.DestinationPrefixListId != nil {
		v.Unread = "a route to a private network does not work now, and where it led is not known"
		return
	}
	for _, p := range ranges {
		if p.Bits() > 0 && !netset.AddrsOf(p).Subset(netset.Private()) {
			v.Unread = fmt.Sprintf("the route for %s to a private network does not work now (blackhole)", p)
		}
	}
}

// appliance notes a route for public addresses to an instance, an interface or a
// Gateway Load Balancer's endpoint: whether a VPN is behind it, or the internet, is
// not known. Gateway endpoints have a prefix list, and their service calls nobody.
func (g groupReader) appliance(r types.Route, v *securitygroup.VPC) {
	to := cmp.Or(aws.ToString(r.NetworkInterfaceId), aws.ToString(r.InstanceId))
	if id := aws.ToString(r.GatewayId); strings.HasPrefix(id, "vpce-") {
		to = cmp.Or(to, id)
	}
	ranges, err := prefixesOf([]string{aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock)})
	if to == "" || err != nil {
		return
	}
	for _, p := range ranges {
		if out := netset.AddrsOf(p).Subtract(netset.Private()).Subtract(netset.AddrsOf(v.CIDRs...)); p.Bits() > 0 && !out.IsEmpty() {
			v.Unread = fmt.Sprintf("a route sends %s to %s, and whether a private network is behind it is not known", p, to)
		}
	}
}

// entrances reads the load balancers and accelerators in the VPCs through which the
// internet may come, by the descriptions of their interfaces (Elastic Load
// Balancing user guide: "ELB …"). An internal load balancer has no public address;
// whether one with IPv6 is internal is not read (dualstack-without-public-ipv4).
// Only the severity goes by them.
func (g groupReader) entrances(ctx context.Context, ids []string, vpcs map[string]*securitygroup.VPC) error {
	filters := append(filter("description", []string{"ELB *", "*lobal*ccelerator*"}), filter("vpc-id", ids)...)
	err := cloud.List(g.Reading, g.interfaceList(ctx, filters), func(n types.NetworkInterface) error {
		name, elb := strings.CutPrefix(aws.ToString(n.Description), "ELB ")
		if v := vpcs[aws.ToString(n.VpcId)]; v != nil && (!elb || n.Association != nil || v.Internet6 && len(n.Ipv6Addresses) > 0) {
			v.Entrances = append(v.Entrances, name)
		}
		return nil
	})
	for _, id := range ids {
		v := vpcs[id]
		slices.Sort(v.Entrances)
		v.Entrances = slices.Compact(v.Entrances)
	}
	return err
}

// readInstances gives the interfaces of the groups the names and tags of their
// instances. What may not be read leaves the networks of these groups unread: a
// bastion could be among them.
func readInstances(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	g := reader(r)
	of := map[string][]*securitygroup.Interface{}
	for _, x := range items {
		cfg := config(x)
		for i := range cfg.Interfaces {
			if id := cfg.Interfaces[i].Instance; id != "" {
				of[id] = append(of[id], &cfg.Interfaces[i])
			}
		}
	}
	seen := map[string]bool{}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(of)), most) {
		err := g.instances(ctx, ids, func(s types.Instance) {
			seen[aws.ToString(s.InstanceId)] = true
			for _, i := range of[aws.ToString(s.InstanceId)] {
				i.Tags = tagged(i.Tags, tagMap(s.Tags))
				i.Name = i.Tags["Name"]
			}
		})
		switch {
		case err == nil:
		case cloud.Is(err, cloud.Denied), cloud.Is(err, cloud.Unavailable):
			for _, x := range items {
				if slices.ContainsFunc(config(x).Interfaces, func(i securitygroup.Interface) bool { return i.Instance != "" }) {
					config(x).Network = &securitygroup.VPC{Unread: err.Error()}
				}
			}
			return nil
		default:
			return err
		}
	}
	for _, x := range items {
		for _, i := range config(x).Interfaces {
			if i.Instance != "" && !seen[i.Instance] {
				config(x).Network = &securitygroup.VPC{Unread: "ec2:DescribeInstances returned nothing about " + i.Instance}
			}
		}
	}
	return nil
}

func (g groupReader) instances(ctx context.Context, ids []string, each func(types.Instance)) error {
	return cloud.List(g.Reading, cloud.Listing[*ec2.DescribeInstancesOutput, types.Reservation]{
		Call: "ec2:DescribeInstances", Of: "instances",
		Page: func(token *string) (*ec2.DescribeInstancesOutput, error) {
			return g.api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filter("instance-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
		},
		On: func(p *ec2.DescribeInstancesOutput) ([]types.Reservation, *string) {
			return p.Reservations, p.NextToken
		},
	}, func(r types.Reservation) error {
		for _, s := range r.Instances {
			each(s)
		}
		return nil
	})
}

// tagged joins the tags of an interface and of its instance.
func tagged(a, b map[string]string) map[string]string {
	if len(a) == 0 {
		return b
	}
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}
