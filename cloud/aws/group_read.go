package aws

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// most is how many values a filter may have, and pageSize how many results a
// page (EC2 API reference).
const (
	most     = 200
	pageSize = 1000
)

// readGroups reads security groups. full also reads rule IDs and tags and the
// attached network interfaces; a cheap look leaves them out.
func (c *Client) readGroups(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	g := groupReader{
		Client: c, api: c.ec2(scope.Account, scope.Region), scope: scope, at: c.cfg.Now().UTC(),
		lists: map[string]*securitygroup.PrefixList{}, sick: map[string]string{},
	}
	if scope.Sweep() {
		return g.sweep(ctx, full)
	}
	return g.byID(ctx, full)
}

type groupReader struct {
	*Client
	api   *ec2.Client
	scope dera.Scope
	at    time.Time // before the first call: what is read is at least as new
	lists map[string]*securitygroup.PrefixList
	sick  map[string]string // why a prefix list could not be read, by its ID
}

func (g groupReader) fail(call string, err error) error {
	return wrap(g.scope.Account, g.scope.Region, "ec2:"+call, err)
}

func (g groupReader) sweep(ctx context.Context, full bool) (Page, error) {
	in := &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(pageSize)}
	if g.scope.Page != "" {
		in.NextToken = aws.String(g.scope.Page)
	}
	groups, next, err := g.describe(ctx, in)
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: aws.ToString(next)}
	// Groups that another account shares with this one are listed too.
	own := slices.DeleteFunc(groups, func(s types.SecurityGroup) bool { return aws.ToString(s.OwnerId) != g.scope.Account })
	page.Resources, err = g.resources(ctx, own, full)
	return page, err
}

// describe is one call for groups. An answer without a list is none.
func (g groupReader) describe(ctx context.Context, in *ec2.DescribeSecurityGroupsInput) ([]types.SecurityGroup, *string, error) {
	out, err := g.api.DescribeSecurityGroups(ctx, in)
	if err == nil && out.SecurityGroups == nil {
		err = foreign("it has no list of groups")
	}
	if err != nil {
		return nil, nil, g.fail("DescribeSecurityGroups", err)
	}
	return out.SecurityGroups, out.NextToken, nil
}

func filter(name string, values []string) []types.Filter {
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

func (g groupReader) resources(ctx context.Context, groups []types.SecurityGroup, full bool) ([]dera.Resource, error) {
	out := make([]dera.Resource, 0, len(groups))
	for _, s := range groups {
		if owner := aws.ToString(s.OwnerId); owner != g.scope.Account {
			return nil, g.fail("DescribeSecurityGroups", ofAnother(g.scope.Account, owner, "security group "+aws.ToString(s.GroupId)))
		}
		cfg := &securitygroup.Group{
			ID: aws.ToString(s.GroupId), Name: aws.ToString(s.GroupName), Description: aws.ToString(s.Description),
			VPC: aws.ToString(s.VpcId), Owner: aws.ToString(s.OwnerId), Tags: tagMap(s.Tags),
			Ingress: g.permissions(s.IpPermissions), Egress: g.permissions(s.IpPermissionsEgress),
		}
		out = append(out, g.resource(cfg, g.at, full))
	}
	if full {
		if err := g.complete(ctx, out); err != nil {
			return nil, err
		}
	}
	for i := range out {
		cfg := out[i].Config.(*securitygroup.Group)
		if cfg.Owner != "" && cfg.Owner != g.scope.Account {
			out[i].Unread = "it belongs to account " + cfg.Owner
		}
		if !full && !cfg.Default() {
			cfg.Egress = nil // no control of a cheap look goes by it
		}
		if err := g.fillLists(ctx, &out[i], cfg); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (g groupReader) resource(cfg *securitygroup.Group, at time.Time, full bool) dera.Resource {
	partition := dera.PartitionOf(g.scope.Region).ID
	return dera.Resource{
		ARN:       dera.NewARN(partition, "ec2", g.scope.Region, g.scope.Account, "security-group/"+cfg.ID),
		Partition: partition, Account: g.scope.Account, Region: g.scope.Region, Type: securitygroup.Name,
		ID: cfg.ID, Name: cfg.Name, Tags: cfg.Tags, Config: cfg, ReadAt: at, Full: full,
	}
}

// complete replaces the rules by those with their IDs and adds the attached
// interfaces. Two calls that belong together are held against each other: where
// they do not tell of the same rules, the group is not known.
func (g groupReader) complete(ctx context.Context, groups []dera.Resource) error {
	byID := map[string]*securitygroup.Group{}
	var ids []string
	for _, r := range groups {
		own := *r.Config.(*securitygroup.Group)
		own.Ingress, own.Egress = nil, nil
		byID[r.ID] = &own
		ids = append(ids, r.ID)
	}
	for chunk := range slices.Chunk(ids, most) {
		if err := walk(func(token *string) (*string, error) { return g.rules(ctx, chunk, token, byID) }); err != nil {
			return err
		}
		if err := walk(func(token *string) (*string, error) { return g.interfaces(ctx, chunk, token, byID) }); err != nil {
			return err
		}
	}
	whole := slices.Collect(maps.Values(byID))
	if err := g.networks(ctx, whole); err != nil {
		return err
	}
	if err := g.instances(ctx, whole); err != nil {
		return err
	}
	for i, r := range groups {
		short, long := r.Config.(*securitygroup.Group), byID[r.ID]
		if !samePermissions(short.Ingress, long.Ingress) || !samePermissions(short.Egress, long.Egress) {
			groups[i].Unread = fmt.Sprintf("DescribeSecurityGroups tells of %d permissions, DescribeSecurityGroupRules of %d, and they are not the same",
				len(short.Ingress)+len(short.Egress), len(long.Ingress)+len(long.Egress))
		}
		groups[i].Config = long
	}
	return nil
}

// samePermissions reports whether two calls tell of the same permissions. The
// owner of a group that is a source is left out, since not both tell it, and so
// are sources that dera cannot read.
func samePermissions(a, b []securitygroup.Rule) bool {
	lines := func(rules []securitygroup.Rule) []string {
		var out []string
		for _, r := range rules {
			switch {
			case r.PrefixList != nil && r.PrefixList.ID == unreadableSource:
				continue
			case r.Group != nil:
				r.Group = &securitygroup.GroupRef{ID: r.Group.ID}
			}
			out = append(out, r.Line())
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(lines(a), lines(b))
}

func (g groupReader) rules(ctx context.Context, ids []string, token *string, byID map[string]*securitygroup.Group) (*string, error) {
	out, err := g.api.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
	if err == nil && out.SecurityGroupRules == nil {
		err = foreign("it has no list of rules")
	}
	if err != nil {
		return nil, g.fail("DescribeSecurityGroupRules", err)
	}
	for _, s := range out.SecurityGroupRules {
		cfg := byID[aws.ToString(s.GroupId)]
		if cfg == nil {
			return nil, g.fail("DescribeSecurityGroupRules", foreign("it is about %.40q, which was not asked for", aws.ToString(s.GroupId)))
		}
		if owner := aws.ToString(s.GroupOwnerId); owner != "" && owner != g.scope.Account { // emulators leave it out
			return nil, g.fail("DescribeSecurityGroupRules", ofAnother(g.scope.Account, owner, "a rule of security group "+cfg.ID))
		}
		if aws.ToBool(s.IsEgress) {
			cfg.Egress = append(cfg.Egress, g.rule(s))
		} else {
			cfg.Ingress = append(cfg.Ingress, g.rule(s))
		}
	}
	return out.NextToken, nil
}

func (g groupReader) interfaces(ctx context.Context, ids []string, token *string, byID map[string]*securitygroup.Group) (*string, error) {
	out, err := g.api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
	if err == nil && out.NetworkInterfaces == nil {
		err = foreign("it has no list of interfaces")
	}
	if err != nil {
		return nil, g.fail("DescribeNetworkInterfaces", err)
	}
	for _, n := range out.NetworkInterfaces {
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
			return nil, g.fail("DescribeNetworkInterfaces", foreign("%.40q is attached to no group that was asked for", i.ID))
		}
	}
	return out.NextToken, nil
}

// rule normalises one rule as DescribeSecurityGroupRules gives it.
func (g groupReader) rule(s types.SecurityGroupRule) securitygroup.Rule {
	r := securitygroup.Rule{
		ID: aws.ToString(s.SecurityGroupRuleId), Description: aws.ToString(s.Description), Tags: tagMap(s.Tags),
	}
	setTraffic(&r, s.IpProtocol, s.FromPort, s.ToPort)
	var err error
	switch {
	case s.CidrIpv4 != nil:
		r.CIDR, err = netset.Prefix(*s.CidrIpv4)
	case s.CidrIpv6 != nil:
		r.CIDR, err = netset.Prefix(*s.CidrIpv6)
	case s.PrefixListId != nil:
		r.PrefixList = &securitygroup.PrefixList{ID: *s.PrefixListId}
	case s.ReferencedGroupInfo != nil:
		r.Group = &securitygroup.GroupRef{ID: aws.ToString(s.ReferencedGroupInfo.GroupId), Owner: g.other(s.ReferencedGroupInfo.UserId)}
	}
	if err != nil || !r.CIDR.IsValid() && r.PrefixList == nil && r.Group == nil {
		unreadable(&r)
	}
	return r
}

// unreadableSource stands for the source of a rule that dera cannot read.
const unreadableSource = "unreadable-source"

// unreadable marks a rule whose source dera cannot read, for example of a kind
// that AWS invented since: the rule is unknown, and its neighbours are judged.
func unreadable(r *securitygroup.Rule) {
	r.CIDR, r.Group = netip.Prefix{}, nil
	r.PrefixList = &securitygroup.PrefixList{ID: unreadableSource}
}

// permissions normalises the short form of DescribeSecurityGroups: one rule for
// each source.
func (g groupReader) permissions(list []types.IpPermission) []securitygroup.Rule {
	var out []securitygroup.Rule
	for _, p := range list {
		var base securitygroup.Rule
		setTraffic(&base, p.IpProtocol, p.FromPort, p.ToPort)
		add := func(description *string, source func(r *securitygroup.Rule)) {
			r := base
			r.Description = aws.ToString(description)
			source(&r)
			out = append(out, r)
		}
		cidr := func(text, description *string) {
			add(description, func(r *securitygroup.Rule) {
				var err error
				if r.CIDR, err = netset.Prefix(aws.ToString(text)); err != nil {
					unreadable(r)
				}
			})
		}
		for _, x := range p.IpRanges {
			cidr(x.CidrIp, x.Description)
		}
		for _, x := range p.Ipv6Ranges {
			cidr(x.CidrIpv6, x.Description)
		}
		for _, x := range p.PrefixListIds {
			add(x.Description, func(r *securitygroup.Rule) {
				r.PrefixList = &securitygroup.PrefixList{ID: aws.ToString(x.PrefixListId)}
			})
		}
		for _, x := range p.UserIdGroupPairs {
			add(x.Description, func(r *securitygroup.Rule) {
				r.Group = &securitygroup.GroupRef{ID: aws.ToString(x.GroupId), Owner: g.other(x.UserId)}
			})
		}
	}
	return out
}

// other is the owner of a referenced group if that is another account.
func (g groupReader) other(owner *string) string {
	if o := aws.ToString(owner); o != g.scope.Account {
		return o
	}
	return ""
}

func setTraffic(r *securitygroup.Rule, protocol *string, from, to *int32) {
	r.Protocol = securitygroup.Protocol(aws.ToString(protocol))
	r.From, r.To = -1, -1
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		if from != nil {
			r.From = *from
		}
		if to != nil {
			r.To = *to
		}
	}
}

func tagMap(tags []types.Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
